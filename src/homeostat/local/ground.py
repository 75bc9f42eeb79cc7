"""What the steps stand on: this machine's binaries, images, base, network and hosts, behind one small port.

`Ground` is what `raising` and `removing` need; `machine_ground` is the real one. Tests of the steps bring their own.
"""

from __future__ import annotations

from typing import Protocol

from homeostat.local.meta.forming import Host
from homeostat.local.plan import Place
from homeostat.local.steps import Report


class Ground(Protocol):
    """Everything below the cell. All of it may be repeated."""

    async def check(self, report: Report) -> None:
        """Raise unless this machine can carry real hosts."""
        ...

    async def binaries(self, report: Report) -> None:
        """Have the binaries in the cache."""
        ...

    async def base(self, report: Report) -> None:
        """Have the hosts' base in the cache."""
        ...

    async def images(self, report: Report) -> None:
        """Have the images in the cache, ready for hosts."""
        ...

    @property
    def image_key(self) -> str:
        """Tells one content of homeostat's own image from another."""
        ...

    @property
    def processors(self) -> int:
        """How many processors all hosts share."""
        ...

    async def network(self, report: Report) -> None:
        """Have the network up."""
        ...

    async def host(self, place: Place, report: Report) -> Host:
        """Have a host on, with its images, answering; made where there is none."""
        ...

    def shell(self, name: str) -> Host:
        """Commands on a host that is on."""
        ...

    async def remove(self, report: Report) -> None:
        """Remove hosts and network, whatever state they are in."""
        ...

    async def leftovers(self) -> tuple[str, ...]:
        """What of this data centre is still on the machine, a line each."""
        ...
