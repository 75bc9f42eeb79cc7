"""A whole simulation from its beginning to its end: `run`, as `asyncio.run` but with a seed."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeVar

from homeostat.kit.clock import Clock
from homeostat.kit.random import Random, seeded_random
from homeostat.sim.time.clock import START, VirtualClock
from homeostat.sim.time.loop import MOST_STEPS, VirtualLoop

T = TypeVar("T")
Main = Callable[[Clock, Random], Coroutine[Any, Any, T]]


def run(main: Main[T], *, seed: int = 0, start: datetime = START, most_steps: int = MOST_STEPS) -> T:
    """What main returns; it is given the clock and a source of chance, of which the order of tasks takes nothing.

    Raises what main raises, Deadlock, and Spinning after more than `most_steps` steps at one moment.
    """
    loop = VirtualLoop(seed, most_steps)
    with _collected_by_steps(), asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(main(VirtualClock(loop, start), seeded_random(seed)))


@contextmanager
def _collected_by_steps() -> Iterator[None]:
    """Let the loop alone say when garbage is collected: what ends asynchronous generators takes part in the order."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
