"""Versions of Kubernetes and etcd, as far as their order matters."""

from __future__ import annotations

import re
from functools import cache

from msgspec import Struct

_FORM = re.compile(r"^v?(\d{1,6})\.(\d{1,6})\.(\d{1,6})(?:[-+].*)?$", re.ASCII)


class Version(Struct, frozen=True, order=True):
    """A released version; what follows the patch (`-rc.1`, `+build`) does not count."""

    major: int
    minor: int
    patch: int

    def __str__(self) -> str:
        """As released, without the `v` that some put before it."""
        return f"{self.major}.{self.minor}.{self.patch}"

    @property
    def line(self) -> str:
        """The minor release that it belongs to, such as 1.35."""
        return f"{self.major}.{self.minor}"

    def minors_above(self, other: Version) -> int:
        """How many minor releases this is newer than another one; negative when it is older."""
        return (self.major - other.major) * 1000 + self.minor - other.minor


@cache
def version_of(text: str) -> Version:
    """Read `v1.35.4` or `3.6.16`. Raises ValueError."""
    found = _FORM.match(text)
    if found is None:
        raise ValueError(f"expected a version such as v1.35.4, found {text!r}")
    return Version(*(int(part) for part in found.groups()))


def is_version(text: str) -> bool:
    """Whether it can be read as one."""
    return _FORM.match(text) is not None
