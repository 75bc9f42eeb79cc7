"""Where a course is disturbed: at one moment of it, or, in one copy of the process each, at many."""

from __future__ import annotations

from typing import Protocol

from tests.support.killing.faults import Fault


class Disturbing(Protocol):
    """Is asked at each moment, in their order."""

    has_faults: bool  # whether any fault may come; a way to the API server on which it may is another one

    def dies(self, point: int) -> bool:
        """Whether the process dies at the point of this number."""
        ...

    def fault(self, write: int) -> Fault | None:
        """What befalls the write of this number."""
        ...


class Once:
    """A death, a fault, or neither."""

    def __init__(self, kill_at: int | None = None, fault: Fault | None = None) -> None:
        self._kill_at, self._fault = kill_at, fault
        self.has_faults = fault is not None

    def dies(self, point: int) -> bool:
        return point == self._kill_at

    def fault(self, write: int) -> Fault | None:
        return self._fault if self._fault is not None and self._fault.at == write else None
