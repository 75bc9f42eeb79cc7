"""An event loop whose time is virtual: it stands while anything can run, and then jumps to the next timer.

Two things that would look like a hang elsewhere are errors here, and say who it is about. When nothing is ready and
nobody has a timer, nothing will ever happen again: `Deadlock`. When steps are taken and taken while no time passes,
somebody waits for time in a loop that lets none pass: `Spinning`.

There is no way out of the loop: no sockets, signals or processes, which asyncio refuses by name. What would run in a
thread runs at once instead, as one step.
"""

from __future__ import annotations

import asyncio
import gc
import math
import threading
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable
from itertools import count
from typing import Any, TypeVar

from homeostat.sim.time.order import Numbered, Ready

T = TypeVar("T")
MOST_STEPS = 5_000_000  # at one moment; ten thousand clusters that are declared at once take a good part of it
_WATCHED = 1000  # of the last steps before it is too many, it is counted who takes them
# The collector runs by the count of steps, not of allocations: it may start the end of an asynchronous generator.
_COLLECT_EVERY, _COLLECT_ALL_EVERY = 20_000, 50


class Deadlock(RuntimeError):
    """Nothing is ready, and nobody waits for a time to come."""


class Spinning(RuntimeError):
    """Too many steps were taken while no time passed."""


class VirtualLoop(asyncio.BaseEventLoop):
    """asyncio's loop on virtual time. `time` begins at 0."""

    _scheduled: list[asyncio.TimerHandle]  # asyncio's own heap

    def __init__(self, seed: int, most_steps: int = MOST_STEPS) -> None:
        super().__init__()
        self.on_step: Callable[[Numbered[Any]], None] = _ignore  # right before a task takes a step
        self.steps = 0
        self._ready = Ready(seed, self._begins)
        self._selector = _NoWaiting(self)
        self._be(0.0)
        self._most_steps = most_steps
        self._steps_now = 0  # since time passed
        self._busy: Counter[str] = Counter()
        self._numbers = count(1)
        self.set_task_factory(self._numbered)  # type: ignore[arg-type]  # of any result

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._now

    def call_soon_threadsafe(  # type: ignore[override]  # of any arguments
        self, callback: Callable[..., object], *args: Any, **options: Any
    ) -> asyncio.Handle:
        """As `call_soon`, for asyncio's own calls of it. Raises RuntimeError in a thread that is not the loop's."""
        if self.is_running() and threading.get_ident() != self._thread_id:  # type: ignore[attr-defined]
            raise RuntimeError("a thread calls into a simulation, whose history it would make its own")
        return self.call_soon(callback, *args, **options)

    def run_in_executor(self, executor: object, func: Callable[..., T], *args: Any) -> asyncio.Future[T]:  # type: ignore[override]  # noqa: ARG002
        """Call it in the next turn, as one step of the loop; whoever waits for a thread sees no difference."""
        future: asyncio.Future[T] = self.create_future()

        def work() -> None:
            if future.cancelled():
                return
            try:
                future.set_result(func(*args))
            except Exception as error:  # as an executor hands it over
                future.set_exception(error)

        self.call_soon(work)
        return future

    async def getaddrinfo(self, *args: Any, **options: Any) -> Any:
        """Refuse: names are found over a network, and there is none."""
        raise NotImplementedError("a simulation has no network of the machine's")

    async def getnameinfo(self, *args: Any, **options: Any) -> Any:
        """Refuse, as for `getaddrinfo`."""
        raise NotImplementedError("a simulation has no network of the machine's")

    def jump(self) -> None:
        """Let it be the time of the next timer. Raises Deadlock when there is none."""
        when = self._scheduled[0].when() if self._scheduled else math.inf
        if when == math.inf:
            raise Deadlock(f"nothing is ready and no timer is set, and these wait:\n{told(asyncio.all_tasks(self))}")
        self._be(max(self._now, when))
        self._steps_now = 0

    def _be(self, now: float) -> None:
        self._now = now
        self._clock_resolution = math.ulp(now)  # a timer is due at its time and not before

    def _begins(self, task: Numbered[Any] | None) -> None:
        self.steps += 1
        self._steps_now += 1
        if self.steps % _COLLECT_EVERY == 0:
            gc.collect(2 if self.steps // _COLLECT_EVERY % _COLLECT_ALL_EVERY == 0 else 1)
        if self._steps_now > self._most_steps - _WATCHED:
            self._watch(task)
        if task is not None:
            self.on_step(task)

    def _watch(self, task: Numbered[Any] | None) -> None:
        self._busy[_name(task) if task is not None else "(callbacks)"] += 1
        if self._steps_now >= self._most_steps:
            busiest = "\n".join(f"- {number} of {_WATCHED}: {who}" for who, number in self._busy.most_common(8))
            self._steps_now = 0
            self._busy.clear()
            raise Spinning(f"{self._most_steps} steps were taken and no time passed; lately by\n{busiest}")

    def _numbered(self, _: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, T], **options: Any) -> Numbered[T]:
        return Numbered(coroutine, next(self._numbers), loop=self, **options)

    def _process_events(self, events: object) -> None:
        """There are none."""

    def _write_to_self(self) -> None:
        """The loop never waits, so that nobody must wake it."""


class _NoWaiting:
    """What the loop takes for a selector: it knows no files, and passes the time at once."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def select(self, timeout: float | None) -> tuple[()]:
        """Come back when something is due."""
        if timeout is None or timeout > 0:
            self._loop.jump()
        return ()


def told(tasks: Iterable[asyncio.Task[Any]]) -> str:
    """Tasks and the lines where they stand, oldest first."""
    ordered = sorted(tasks, key=lambda task: task.number if isinstance(task, Numbered) else 0)
    return "\n".join(f"- {_name(task)} {_place(task)}" for task in ordered)


def _name(task: asyncio.Task[Any]) -> str:
    process = task.process if isinstance(task, Numbered) else ""
    return f"{process}: {task.get_name()}" if process else task.get_name()


def _place(task: asyncio.Task[Any]) -> str:
    """The innermost function that waits, with its line."""
    inner: Any = task.get_coro()
    while (deeper := getattr(inner, "cr_await", None)) is not None and hasattr(deeper, "cr_frame"):
        inner = deeper
    frame = getattr(inner, "cr_frame", None)
    if frame is None:
        return "(done)"
    return f"in {inner.__qualname__}, {frame.f_globals.get('__name__', '?')}:{frame.f_lineno}"


def _ignore(_: Numbered[Any]) -> None:
    """Nobody asks."""
