"""`homeostat down`: hosts and network first, then the state; and it looks whether anything stayed.

It needs no cell and no record beyond the name: half-made data centres are removed the same way. Only the cache stays.
"""

from __future__ import annotations

import shutil

from homeostat.local.datacentre import DataCentre
from homeostat.local.ground import Ground
from homeostat.local.steps import Report, Step


class Leftovers(Exception):
    """Something of the data centre could not be removed."""


class Removing:
    """The steps that remove one data centre."""

    def __init__(self, centre: DataCentre, ground: Ground) -> None:
        self._centre, self._ground = centre, ground

    def steps(self) -> tuple[Step, ...]:
        """All of them."""
        return (
            Step("hosts and network", self._ground.remove, remedy="run `homeostat down` again"),
            Step("state", self._state, needs=("hosts and network",)),
            Step("nothing left", self._verify, needs=("state",), remedy="remove by hand what is named, or reboot"),
        )

    async def _state(self, _report: Report) -> None:
        if self._centre.directory.exists():
            shutil.rmtree(self._centre.directory)

    async def _verify(self, _report: Report) -> None:
        if left := await self._ground.leftovers():
            raise Leftovers(f"still on this machine: {'; '.join(left)}")
