"""The loop that all controllers of the world share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from homeostat.runtime.controller import Controller
from homeostat.runtime.manager import Manager
from homeostat.runtime.outcome import Outcome


def loop(
    manager: Manager, name: str, reconcile: Callable[[str], Awaitable[Outcome]], workers: int = 1
) -> Controller[str]:
    """A loop over keys that runs with a manager."""
    made: Controller[str] = Controller(
        name, reconcile, clock=manager.clock, random=manager.random, metrics=manager.metrics, workers=workers
    )
    manager.add(made)
    return made
