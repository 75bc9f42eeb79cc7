"""The seam between a kubelet and what it runs: a container is told what it may know, and a program lives in it.

A program is what an image does. It is found by the name of the command, since images of simulated fleets have no bytes;
a command that nobody knows runs for ever and is well. A program that ends returns its exit code; one that is killed is
cancelled, at whatever await it stands: it may take its grace to end in order and return a code. What it leaves behind
is on its disks and nowhere else; `message` on the disk at `/dev/termination-log` becomes its termination message.

Probes cost nothing while nothing changes: a program says at once when what it answers has become another, and the
kubelet works out from periods and thresholds when its probes would have found out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from msgspec import Struct


class Disk(Struct, eq=False):
    """What a volume holds: files, or whatever a program keeps there. Lives as long as the volume, not the Pod."""

    content: dict[str, Any] = {}


class Container(Struct, frozen=True, kw_only=True, eq=False):
    """What a program finds around it when it starts."""

    namespace: str
    pod: str
    uid: str  # of the Pod
    name: str  # of the container
    host: str  # the Node
    zone: str
    address: str  # of the Pod
    image: str
    command: tuple[str, ...]  # with arguments, variables filled in
    environment: Mapping[str, str] = {}
    files: Callable[[str], bytes]  # a file of a mounted Secret or ConfigMap as it is now; raises FileNotFoundError
    disks: Mapping[str, Disk] = {}  # by mount path: volumes, and empty directories of the Pod

    def flag(self, name: str, default: str = "") -> str:
        """The value of `--name=value`, the last one if there are several."""
        start = f"--{name}="
        found = (part.removeprefix(start) for part in reversed(self.command) if part.startswith(start))
        return next(found, default)


class Program(Protocol):
    """What runs in a container. One object per start."""

    async def run(self) -> int:
        """Live until it ends by itself; the exit code. Killed means cancelled."""
        ...

    def answers(self, port: int, path: str) -> bool:
        """Whether a probe over HTTP would be content now; an empty path asks whether the port takes connections."""
        ...


Start = Callable[[Container, Callable[[], None]], Program]  # the function tells the kubelet that answers have changed
Programs = Mapping[str, Start]  # by the last part of command[0]


class Endless:
    """A program that nobody knows: it runs for ever, and is well."""

    async def run(self) -> int:
        """Never ends by itself."""
        never: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        return await never

    def answers(self, port: int, path: str) -> bool:  # noqa: ARG002  (the port's signature)
        """Always."""
        return True
