"""The clock of a virtual loop, for everything that takes homeostat's `Clock`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from homeostat.kit.clock import SystemClock
from homeostat.sim.time.loop import VirtualLoop

START = datetime(2026, 1, 1, tzinfo=UTC)


class VirtualClock(SystemClock):
    """Tells the loop's time, and waits on it as ever. The time of day is `start` when the loop is new."""

    def __init__(self, loop: VirtualLoop, start: datetime = START) -> None:
        self._loop = loop
        self._start = start

    def now(self) -> datetime:
        """The time of day in the simulation."""
        return self._start + timedelta(seconds=self._loop.time())

    def monotonic(self) -> float:
        """Seconds since the simulation began."""
        return self._loop.time()
