"""The port through which homeostat switches machines on and off, whoever makes them.

Every operation may be repeated, also after its caller was killed in the middle: it looks at what is and makes the rest.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from homeostat.local.plan import Route


class Power(StrEnum):
    """Whether a host has power."""

    ON = "on"
    OFF = "off"


class File(Struct, frozen=True):
    """A file laid onto a host's disk before it boots for the first time."""

    path: str
    content: str
    mode: int = 0o644


class Bind(Struct, frozen=True):
    """A directory of this machine that a host sees, read-only unless told otherwise."""

    source: str
    target: str
    writable: bool = False


class HostSpec(Struct, frozen=True, kw_only=True):
    """What a host is made of."""

    name: str
    address: str
    prefix: int
    gateway: str
    bridge: str
    veth: str
    zone: str
    role: str
    routes: tuple[Route, ...] = ()
    names: dict[str, str] = {}  # further lines of /etc/hosts: name to address
    files: tuple[File, ...] = ()
    units: tuple[str, ...] = ()  # systemd units that start at boot, beside sshd
    binds: tuple[Bind, ...] = ()
    images: str = ""  # a directory of containerd's to begin with, from `templates.containerd_template`


class HostState(Struct, frozen=True):
    """What a host is now."""

    name: str
    address: str
    zone: str
    role: str
    power: Power
    host_key: str  # public, in OpenSSH's form; new after a reinstallation


class HostError(Exception):
    """A host cannot be made or switched; the message names the host and the cause."""


class Hosts(Protocol):
    """A rack of hosts."""

    async def create(self, spec: HostSpec) -> None:
        """Install a host from its spec; it is off afterwards. An existing one of the same spec is left as it is."""
        ...

    async def power_on(self, name: str) -> None:
        """Give it power; returns when it has begun to boot. A host that is on stays on."""
        ...

    async def power_off(self, name: str) -> None:
        """Pull the plug: nothing on it can react. A host that is off stays off."""
        ...

    async def reset(self, name: str) -> None:
        """Press the reset button: off and on again."""
        ...

    async def reinstall(self, name: str, *, keep_data: bool = False) -> None:
        """A fresh system under the same address, with new host keys, off afterwards; data disks wiped unless kept."""
        ...

    async def destroy(self, name: str) -> None:
        """Remove the host and its disks. One that does not exist is no error."""
        ...

    def console(self, name: str, *, tail: int | None = None, follow: bool = False) -> AsyncIterator[bytes]:
        """What it wrote to its console, the oldest first; with `follow` also what it will write."""
        ...

    async def state(self, name: str) -> HostState:
        """What it is now. Raises HostError when there is none of that name."""
        ...

    async def list(self) -> tuple[HostState, ...]:
        """All hosts, by name."""
        ...


class Credentials(Struct, frozen=True):
    """How to log in as root: a private key file of the data centre."""

    user: str
    key_file: Path
