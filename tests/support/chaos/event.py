"""What happens to a fleet, as data that can be drawn, left out, printed and pasted.

An event names whom it is about by what never changes (a cluster's name, a host, the place of a Pod among its kind), and
does nothing where there is none such. So any part of a schedule is a schedule: that is what reduces one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct


class Event(Struct, frozen=True):
    """At so many seconds of a life, a deed (deeds.py) is done on somebody."""

    at: float
    deed: str
    on: str = ""
    what: Mapping[str, Any] = {}

    def __repr__(self) -> str:
        """As Python has it."""
        parts = [repr(self.at), repr(self.deed), *([repr(self.on)] if self.on or self.what else [])]
        return f"Event({', '.join([*parts, *([repr(dict(self.what))] if self.what else [])])})"


Schedule = Sequence[Event]


class Broken(AssertionError):
    """An invariant does not hold; which one, when that was seen, and how long after the last event of the schedule.

    `after_s` is None where the schedule was over, and all had been healed.
    """

    def __init__(self, invariant: str, why: str, at: float) -> None:
        super().__init__(f"at {at:g} s: {invariant.replace('_', ' ')}: {why}")
        self.invariant, self.why, self.at = invariant, why, at
        self.after_s: float | None = None
