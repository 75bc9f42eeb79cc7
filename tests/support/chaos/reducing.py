"""From a schedule under which something breaks to a small one under which the same does: delta debugging.

Parts are left out, halves at first and single events in the end, and the schedule goes on without them as long as the
same invariant breaks. Then times are drawn together, so that what is left reads as a story and runs in no time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from msgspec.structs import replace
from tests.support.chaos.event import Broken, Event, Schedule

Breaks = Callable[[Schedule], Broken | None]
MOST_LIVES = 150  # that a reduction may take; what is small by then is small enough


def reduced(schedule: Schedule, first: Broken, breaks: Breaks, most: int = MOST_LIVES) -> Schedule:
    """The smallest part that was found under which breaks what broke first; events in their order."""
    left = [most]

    def still(part: Sequence[Event]) -> bool:
        if left[0] <= 0:
            return False
        left[0] -= 1
        found = breaks(part)
        return found is not None and found.invariant == first.invariant

    happened = [each for each in schedule if each.at <= first.at]
    return _hurried(_thinned(happened or list(schedule), still), still)


def _thinned(events: list[Event], still: Callable[[Sequence[Event]], bool]) -> list[Event]:
    """Without all that can be left out, in ever smaller parts (Zeller and Hildebrandt's ddmin, complements only)."""
    parts = 2
    while len(events) >= 2:
        size = max(len(events) // parts, 1)
        for start in range(0, len(events), size):
            without = events[:start] + events[start + size :]
            if without and still(without):
                events, parts = without, max(parts - 1, 2)
                break
        else:
            if size == 1:
                return events
            parts = min(parts * 2, len(events))
    return events


def _hurried(events: list[Event], still: Callable[[Sequence[Event]], bool]) -> list[Event]:
    """The same events sooner, where that does not matter."""
    for at in range(len(events)):
        for moved in _sooner(events, at):
            if still(moved):
                events = moved
                break
    return events


def _sooner(events: list[Event], at: int) -> Iterator[list[Event]]:
    """One event, and all after it with it, closer to the one before."""
    before = events[at - 1].at if at else 0.0
    for gap in (0.0, 60.0, 300.0):
        early = before + gap - events[at].at
        if early < -1:
            yield events[:at] + [replace(each, at=round(each.at + early, 1)) for each in events[at:]]
