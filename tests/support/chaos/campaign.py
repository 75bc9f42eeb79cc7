"""One life of a seed, and what is told when something breaks in it: the reduced schedule, as a test to paste."""

from __future__ import annotations

import sys

from tests.support.chaos.drawing import HOUR_S, drawn
from tests.support.chaos.event import Broken, Schedule
from tests.support.chaos.life import Told, live
from tests.support.chaos.reducing import reduced
from tests.support.chaos.telling import as_test

from homeostat.sim.time.loop import Deadlock, Spinning

_LATER_S = 120.0


def lived(seed: int, hours: float, reduce_by: int = 0) -> Told:
    """The life of a seed. Raises Broken, with a schedule that was reduced by so many lives, or the command for that."""
    schedule = drawn(seed, hours)
    try:
        return live(schedule, seed=seed, until=hours * HOUR_S)
    except BaseException as error:
        broken = broken_in(error)
        if broken is None:
            raise
        if not reduce_by:
            again = f"python -m tests.sim.chaos {seed} --hours {hours:g}"
            raise AssertionError(f"{broken}\nreduce it: {again}") from error
        part = reduced(schedule, broken, lambda part: breaks(part, seed, broken), reduce_by)
        raise AssertionError(f"{broken}\n{as_test(part, seed, broken)}") from error


def breaks(schedule: Schedule, seed: int, first: Broken) -> Broken | None:
    """What breaks first under a part of a schedule, if anything does.

    What broke before all was left in peace has as long to break after the last event as it had then.
    """
    rests = first.after_s is None
    until = schedule[-1].at + (first.after_s or 0.0) + _LATER_S
    found = None
    try:
        live(schedule, seed=seed, until=until, rests=rests)
    except BaseException as error:
        found = broken_in(error)
        if found is None:
            raise
    told = found.invariant if found is not None else "nothing breaks"
    sys.stderr.write(f"{len(schedule)} events: {told}\n")
    return found


def broken_in(error: BaseException) -> Broken | None:
    """The invariant that an error is about; a group has it among others, and a hang is one, too."""
    if isinstance(error, BaseExceptionGroup):
        return next((found for each in error.exceptions if (found := broken_in(each)) is not None), None)
    if isinstance(error, Deadlock | Spinning):
        return Broken("nobody_hangs", str(error), 0.0)
    return error if isinstance(error, Broken) else None
