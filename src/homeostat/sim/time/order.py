"""What is ready to run, and in which order: by a seed, and by nothing that differs from process to process.

Steps of tasks and timers that are due go in an order of chance. None is overtaken by what became ready more than a few
dozen steps later, so nothing starves. Plain callbacks go first and in their order, as asyncio promises: among them are
those by which futures tell of their end.

The place of a step follows from the seed, the number of its task and how many steps that has taken; not from when it
was queued. For where asyncio itself goes through a set of tasks (a task group that gives up, `asyncio.wait`), the order
is that of addresses in memory, and would reach the history otherwise.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from contextvars import ContextVar
from itertools import count
from typing import Any, TypeVar

T = TypeVar("T")
_WORD = (1 << 64) - 1
_REACH = 58  # a step overtakes at most those that were ready 2**(64 - 58) steps before it

PROCESS: ContextVar[str] = ContextVar("homeostat.sim.time.process", default="")
"""The simulated process that a task belongs to; tasks inherit it from whoever starts them."""


class Numbered(asyncio.Task[T]):
    """A task that knows how many were started before it on its loop, and which process started it."""

    def __init__(self, coroutine: Coroutine[Any, Any, T], number: int, **options: Any) -> None:
        self.number = number
        self.steps = 0
        self.process = PROCESS.get()
        super().__init__(coroutine, **options)


class Ready:
    """The loop's line of handles, as far as it asks: it appends them, counts them, and takes the next one."""

    def __init__(self, seed: int, begins: Callable[[Numbered[Any] | None], None]) -> None:
        """`begins` is told right before a task takes a step; or None, before anything else runs."""
        self._seed = _mixed(seed & _WORD)
        self._begins = begins
        self._callbacks: deque[asyncio.Handle] = deque()
        self._steps: list[tuple[int, int, asyncio.Handle, Numbered[Any] | None]] = []
        self._taken = 0
        self._timers = count()
        self._added = count()

    def __len__(self) -> int:
        return len(self._callbacks) + len(self._steps)

    def __iter__(self) -> Iterator[asyncio.Handle]:
        return iter([*self._callbacks, *(step[2] for step in self._steps)])

    def append(self, handle: asyncio.Handle) -> None:
        """It is ready."""
        owner = getattr(handle._callback, "__self__", None)  # type: ignore[attr-defined]  # noqa: SLF001
        if isinstance(owner, Numbered):
            owner.steps += 1
            self._queue(handle, owner.number << 32 ^ owner.steps, owner)
        elif isinstance(handle, asyncio.TimerHandle):
            self._queue(handle, ~next(self._timers), None)
        else:
            self._callbacks.append(handle)

    def popleft(self) -> asyncio.Handle:
        """The next one."""
        self._taken += 1
        if self._callbacks:
            self._begins(None)
            return self._callbacks.popleft()
        step = heapq.heappop(self._steps)
        try:
            self._begins(step[3])
        except BaseException:
            heapq.heappush(self._steps, step)  # who ends the loop still has to hear it
            raise
        return step[2]

    def clear(self) -> None:
        """Nothing is ready any more: the loop is closed."""
        self._callbacks.clear()
        self._steps.clear()

    def _queue(self, handle: asyncio.Handle, which: int, task: Numbered[Any] | None) -> None:
        place = (self._taken << _REACH) + _mixed(self._seed ^ which & _WORD)
        heapq.heappush(self._steps, (place, next(self._added), handle, task))


def _mixed(word: int) -> int:
    """The word with all its bits spread over all others: the last part of Steele, Lea and Flood's SplitMix64."""
    word = (word ^ word >> 30) * 0xBF58476D1CE4E5B9 & _WORD
    word = (word ^ word >> 27) * 0x94D049BB133111EB & _WORD
    return word ^ word >> 31
