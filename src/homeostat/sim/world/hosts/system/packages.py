"""What a host's system is made of: files, units, packages, and where packages come from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct


class File(Struct, frozen=True):
    """A file with all that is kept of it."""

    content: bytes
    mode: int = 0o644
    owner: str = "root"
    group: str = "root"


class Service(Struct, frozen=True):
    """A unit that runs one process."""

    command: str
    owner: str = "root"
    is_restarted: bool = False  # by systemd, when its process ends without having been asked to


class Package(Struct, frozen=True):
    """One version of a package: what it brings."""

    name: str
    version: str
    files: Mapping[str, File] = {}
    services: Mapping[str, Service] = {}  # by the name of the unit; neither enabled nor started


class NotOffered(Exception):
    """No such package, or no such version; the message is apt's."""


class Sources:
    """What can be installed."""

    def __init__(self, packages: Iterable[Package] = ()) -> None:
        self._packages = {(each.name, each.version): each for each in packages}

    def offer(self, package: Package) -> None:
        """From now on."""
        self._packages[package.name, package.version] = package

    def find(self, name: str, version: str) -> Package:
        """One of them. Raises NotOffered."""
        if not any(known == name for known, _ in self._packages):
            raise NotOffered(f"E: Unable to locate package {name}")
        found = self._packages.get((name, version))
        if found is None:
            raise NotOffered(f"E: Version '{version}' for '{name}' was not found")
        return found
