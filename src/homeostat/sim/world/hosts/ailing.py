"""What ails a host: any number of troubles at once, each with an end of its own.

Two troubles of one kind add up, and the end of one does not end the other: whoever begins one is given what ends it.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from itertools import count
from math import prod


class End:
    """Ends a trouble when it is called, and knows whether there is still anything to end: a boot may have been first.

    Called again, it does nothing that is seen.
    """

    def __init__(self, end: Callable[[], object], goes_on: Callable[[], bool]) -> None:
        self._end, self._goes_on = end, goes_on

    @property
    def is_over(self) -> bool:
        """Whether the trouble has ended, by this or otherwise."""
        return not self._goes_on()

    def __call__(self) -> None:
        """End it."""
        self._end()


class Ail(StrEnum):
    """What may be wrong with a host."""

    NETWORK = "network"  # nothing reaches it, and it reaches nothing
    SERVER = "server"  # its kubelet does not reach the API server, or is refused
    KUBELET = "kubelet"  # does nothing
    RUNTIME = "runtime"  # starts nothing, and tells of nothing
    POD_NETWORK = "pod network"  # no Pod is given one
    DISK_FULL = "disk full"
    DISK_READ_ONLY = "disk read-only"
    DISK_ERRORS = "disk errors"  # what is read is not what was written
    DISK_SLOW = "disk slow"  # so many times slower
    NO_PIDS = "no pids"
    NO_FILES = "no files"
    MEMORY_SHORT = "memory short"
    CLOCK = "clock"  # so many seconds ahead
    LOSS = "loss"  # this share of packets
    HEAT = "heat"  # so many times slower


# A host that boots is rid of these: they are states of its kernel and its processes.
ENDED_BY_BOOT = (Ail.KUBELET, Ail.RUNTIME, Ail.NO_PIDS, Ail.NO_FILES, Ail.MEMORY_SHORT, Ail.DISK_READ_ONLY)


class Ailments:
    """All troubles of one host."""

    def __init__(self, tell: Callable[[], None]) -> None:
        self._tell = tell
        self._all: dict[int, tuple[Ail, float]] = {}
        self._numbers = count()

    def begin(self, ail: Ail, amount: float = 1.0) -> End:
        """Let one begin; what is given back ends it, once."""
        number = next(self._numbers)
        self._all[number] = ail, amount
        self._tell()

        def end() -> None:
            if self._all.pop(number, None) is not None:
                self._tell()

        return End(end, lambda: number in self._all)

    def clear(self, *ails: Ail) -> None:
        """End all of these kinds."""
        before = len(self._all)
        self._all = {number: each for number, each in self._all.items() if each[0] not in ails}
        if len(self._all) != before:
            self._tell()

    def has(self, ail: Ail) -> bool:
        """Whether there is one of a kind."""
        return any(each is ail for each, _ in self._all.values())

    def times(self, *ails: Ail) -> float:
        """How many times slower those of these kinds make it."""
        return prod(amount for each, amount in self._all.values() if each in ails)

    def sum(self, ail: Ail) -> float:
        """Of all of a kind."""
        return sum(amount for each, amount in self._all.values() if each is ail)

    def kept(self, ail: Ail) -> float:
        """What is left when each of a kind takes its share."""
        return prod(1.0 - amount for each, amount in self._all.values() if each is ail)

    def told(self) -> list[str]:
        """All kinds there are, for people."""
        return sorted({str(each) for each, _ in self._all.values()})
