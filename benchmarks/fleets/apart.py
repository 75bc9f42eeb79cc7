"""Whose processor time it is, where the operator and its world are one process on virtual time.

A `Stopwatch` always runs for one of them. It changes hands where a task begins a step, by the simulated process that
the task belongs to; and within a step where the operator enters the world: by a request to an API server of it, by
reading what that answers, by a call of a port. What happens there is what a real world would do elsewhere. The
collector of garbage is told apart, too: whose garbage it is cannot be seen.

What the loop does between two steps is charged to whoever took the last one.
"""

from __future__ import annotations

import gc
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from inspect import isawaitable
from typing import Any, TypeVar

from homeostat.kube.transport import Request, Response, Transport
from homeostat.sim.time.loop import VirtualLoop
from homeostat.sim.time.order import PROCESS, Numbered

T = TypeVar("T")
WORLD, OPERATOR, PEOPLE, COLLECTOR = "world", "operator", "people", "collector"


class Stopwatch:
    """Processor seconds of this thread, by owner."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = {}
        self._owner = WORLD
        self._since = time.thread_time()

    def give_to(self, owner: str) -> str:
        """Run for somebody else from now on; who it ran for until now."""
        now, before = time.thread_time(), self._owner
        self.spent[before] = self.spent.get(before, 0.0) + now - self._since
        self._since, self._owner = now, owner
        return before

    @contextmanager
    def abroad(self) -> Iterator[None]:
        """Run for the world meanwhile; tasks that begin there are its own."""
        before, process = self.give_to(WORLD), PROCESS.set(WORLD)
        try:
            yield
        finally:
            PROCESS.reset(process)
            self.give_to(before)

    def told(self) -> dict[str, float]:
        """What everybody has spent by now."""
        self.give_to(self._owner)
        return dict(self.spent)

    def follow(self, loop: VirtualLoop) -> None:
        """Change hands with each step of a loop, and with the collector."""
        loop.on_step = self._step
        gc.callbacks.append(self._collecting)
        self._interrupted = WORLD

    def _step(self, task: Numbered[Any]) -> None:
        owner = task.process or WORLD
        if owner != self._owner:
            self.give_to(owner)

    def _collecting(self, phase: str, _: Mapping[str, int]) -> None:
        if phase == "start":
            self._interrupted = self.give_to(COLLECTOR)
        else:
            self.give_to(self._interrupted)


class _Abroad(Awaitable[T]):
    """What somebody awaits and another works for."""

    def __init__(self, watch: Stopwatch, awaited: Awaitable[T]) -> None:
        self._watch, self._awaited = watch, awaited

    def __await__(self) -> Generator[Any, Any, T]:
        inner = self._awaited.__await__()
        sent: Any = None
        step: Callable[..., Any] = inner.send
        while True:
            try:
                with self._watch.abroad():
                    yielded = step(sent)
            except StopIteration as end:
                result: T = end.value
                return result
            try:
                step, sent = inner.send, (yield yielded)
            except BaseException as error:
                step, sent = inner.throw, error


class Entrance:
    """Something of the world as the operator sees it: calls are the world's time."""

    def __init__(self, watch: Stopwatch, of: Any) -> None:
        self._watch, self._of = watch, of

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._of, name)
        return self._metered(found) if callable(found) else found

    def _metered(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            with self._watch.abroad():
                result = function(*args, **options)
            return _Abroad(self._watch, result) if isawaitable(result) else result

        return call


class Wire:
    """A transport whose other end is the world. Counts what is asked over it."""

    def __init__(self, watch: Stopwatch, to: Transport) -> None:
        self.asked = 0
        self._watch, self._to = watch, to

    async def send(self, request: Request) -> Response:
        """Ask."""
        self.asked += 1
        return _Answer(self._watch, await _Abroad(self._watch, self._to.send(request)))

    async def close(self) -> None:
        """Send nothing from now on."""
        await self._to.close()


class _Answer:
    def __init__(self, watch: Stopwatch, answer: Response) -> None:
        self._watch, self._answer = watch, answer
        self.status, self.headers = answer.status, answer.headers

    async def read(self) -> bytes:
        return await _Abroad(self._watch, self._answer.read())

    async def chunks(self) -> AsyncIterator[bytes]:
        stream = aiter(self._answer.chunks())
        while True:
            try:
                chunk = await _Abroad(self._watch, anext(stream))
            except StopAsyncIteration:
                return
            yield chunk

    async def close(self) -> None:
        await _Abroad(self._watch, self._answer.close())
