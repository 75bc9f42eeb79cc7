"""`up` and `down` as one call each: lock, steps, log. What the command line and the tests use."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from homeostat.kit.clock import Clock
from homeostat.local import state as states
from homeostat.local.datacentre import DataCentre
from homeostat.local.ground import Ground
from homeostat.local.manifests import Manifests, root
from homeostat.local.raising import Raising
from homeostat.local.removing import Removing
from homeostat.local.showing import PlainView, Recorded
from homeostat.local.steps import Timing, View, in_order, run_steps


def plan_of_up(centre: DataCentre, ground: Ground) -> tuple[tuple[str, ...], ...]:
    """The names of the steps, in rounds that run at once."""
    return in_order(Raising(centre, ground, Manifests(root())).steps())


async def up(
    centre: DataCentre, ground: Ground, manifests: Manifests, *, clock: Clock, view: View
) -> tuple[Timing, ...]:
    """Raise all that is missing. Raises StepFailed, or StateError when somebody else works on it."""
    with (
        states.locked(centre.paths.state, centre.state.name, doing="up"),
        recorded(centre.log, clock, view) as both,
    ):
        return await run_steps(Raising(centre, ground, manifests).steps(), clock=clock, view=both)


async def down(centre: DataCentre, ground: Ground, *, clock: Clock, view: View) -> tuple[Timing, ...]:
    """Remove everything. Raises StepFailed when something stays."""
    with states.locked(centre.paths.state, centre.state.name, doing="down"):
        return await run_steps(Removing(centre, ground).steps(), clock=clock, view=view)


@contextlib.contextmanager
def recorded(log: Path, clock: Clock, view: View) -> Iterator[View]:
    """The view, with a copy of all it is told in the log of `up`, which keeps earlier runs."""
    log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with log.open("a") as file:
        file.write(f"--- {clock.now().isoformat(timespec='seconds')} up\n")
        yield Recorded(view, PlainView(file, clock))
