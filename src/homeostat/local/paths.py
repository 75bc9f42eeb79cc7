"""Where homeostat keeps things on this machine, by the XDG base directories.

The cache can be lost at any time (binaries, images, the hosts' base); the state is what `homeostat down` removes.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct


class Paths(Struct, frozen=True):
    """The two roots and what lies below them."""

    cache: Path
    state: Path

    @staticmethod
    def from_environment(environment: Mapping[str, str]) -> Paths:
        """$XDG_CACHE_HOME and $XDG_STATE_HOME, or their defaults below $HOME, each with `homeostat` below."""
        home = Path(environment.get("HOME") or Path.home())
        cache = Path(environment.get("XDG_CACHE_HOME") or home / ".cache")
        state = Path(environment.get("XDG_STATE_HOME") or home / ".local" / "state")
        return Paths(cache / "homeostat", state / "homeostat")

    @property
    def binaries(self) -> Path:
        """Kubernetes and its companions, by component and version."""
        return self.cache / "binaries"

    @property
    def images(self) -> Path:
        """Container images as archives."""
        return self.cache / "images"

    @property
    def bases(self) -> Path:
        """Debian bases of hosts."""
        return self.cache / "bases"

    @property
    def go(self) -> Path:
        """Go's module and build caches."""
        return self.cache / "go"

    def data_centre(self, name: str) -> Path:
        """The state of one data centre."""
        return self.state / name
