"""What is asked of a host's operating system: files, packages, units, processes and logs.

Every operation may be repeated and is bounded in time. What changes something looks at what is there first: who asks
for what is so already changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from msgspec import Struct


class Unreachable(Exception):
    """The host did not answer. Nothing is known of it, and what was asked may have been done."""


class Refused(Exception):
    """The host answered, and did not do it; the message is what it said."""


class FileSeen(Struct, frozen=True):
    """A file as it is."""

    mode: int
    owner: str
    group: str
    size: int


class PackageSeen(Struct, frozen=True):
    """A package that is installed; one that is held stays at its version."""

    version: str
    is_held: bool = False


class UnitState(StrEnum):
    """What systemd says of a unit."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    FAILED = "failed"
    CHANGING = "changing"


class UnitSeen(Struct, frozen=True):
    """A unit as it is: `is_enabled` starts at boot, `is_masked` starts by nobody."""

    state: UnitState
    is_enabled: bool
    is_masked: bool = False


class ProcessSeen(Struct, frozen=True):
    """A process that runs."""

    pid: int
    command: str
    owner: str
    unit: str = ""  # the service that it belongs to


class LogLine(Struct, frozen=True):
    """A line of the journal."""

    at: datetime
    unit: str  # empty: the kernel's, or nobody's
    text: str


class System(Protocol):
    """One host's operating system. Everything raises Unreachable, and Refused where the host says no."""

    async def boot_id(self) -> str:
        """The identity of the boot that it is in."""
        ...

    # --- files

    async def look(self, path: str) -> FileSeen | None:
        """A file as it is; None where there is none."""
        ...

    async def read(self, path: str) -> bytes:
        """What is in a file."""
        ...

    async def write(
        self, path: str, content: bytes, *, mode: int = 0o644, owner: str = "root", group: str = "root"
    ) -> None:
        """Make a file, and the directories to it; readers see the old one or the new one, whole."""
        ...

    async def remove(self, path: str) -> None:
        """Let a file be gone."""
        ...

    # --- packages

    async def packages(self) -> Mapping[str, PackageSeen]:
        """All that are installed."""
        ...

    async def install(self, name: str, version: str) -> None:
        """Have this version, older or newer than what is there; refused where a package is held, or there is none."""
        ...

    async def uninstall(self, name: str) -> None:
        """Let a package be gone, with its configuration."""
        ...

    async def hold(self, name: str, *, held: bool) -> None:
        """Keep a package at its version, or let it change again."""
        ...

    # --- units

    async def unit(self, name: str) -> UnitSeen | None:
        """A unit as it is; None where there is none."""
        ...

    async def start(self, unit: str) -> None:
        """Have it active."""
        ...

    async def stop(self, unit: str) -> None:
        """Have it inactive."""
        ...

    async def enable(self, unit: str, *, enabled: bool) -> None:
        """Have it start at boot, or not; it is neither started nor stopped."""
        ...

    async def mask(self, unit: str, *, masked: bool) -> None:
        """Let nobody start it, or let it be started again; one that runs goes on."""
        ...

    # --- processes and logs

    async def processes(self) -> tuple[ProcessSeen, ...]:
        """All that run, by number, but for threads of the kernel."""
        ...

    async def kill(self, pid: int) -> None:
        """End a process at once."""
        ...

    async def journal(self, unit: str = "", last: int = 100) -> tuple[LogLine, ...]:
        """The latest lines of this boot, of a unit or of all, the oldest first."""
        ...
