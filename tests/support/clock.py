"""A clock that stands still until a test moves it."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from itertools import count
from types import TracebackType

START = datetime(2026, 1, 1, tzinfo=UTC)


async def settle(turns: int = 20) -> None:
    """Let every task that can run do so."""
    for _ in range(turns):
        await asyncio.sleep(0)


class _Deadline:
    """asyncio's own Timeout, fired by the manual clock."""

    def __init__(self, clock: ManualClock, seconds: float | None) -> None:
        self._clock = clock
        self._seconds = seconds
        self._inner = asyncio.timeout(None)
        self._open = False

    async def __aenter__(self) -> asyncio.Timeout:
        self._open = True
        inner = await self._inner.__aenter__()
        if self._seconds is not None:
            self._clock.call_at(self._clock.monotonic() + self._seconds, self._fire)
        return inner

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open = False
        await self._inner.__aexit__(kind, error, trace)

    def _fire(self) -> None:
        if self._open:
            self._inner.reschedule(asyncio.get_running_loop().time())


class ManualClock:
    """Satisfies `homeostat.kit.clock.Clock`; `advance` is the only way for time to pass."""

    def __init__(self, start: datetime = START) -> None:
        self._start = start
        self._elapsed = 0.0
        self._calls: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._elapsed)

    def monotonic(self) -> float:
        return self._elapsed

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        future = asyncio.get_running_loop().create_future()

        def wake() -> None:
            if not future.done():
                future.set_result(None)

        self.call_at(self._elapsed + seconds, wake)
        await future

    def timeout(self, seconds: float | None) -> AbstractAsyncContextManager[object]:
        return _Deadline(self, seconds)

    def call_at(self, when: float, call: Callable[[], None]) -> None:
        if when <= self._elapsed:
            when = self._elapsed
        heapq.heappush(self._calls, (when, next(self._order), call))

    def step(self, seconds: float) -> None:
        """Let time pass for synchronous code; nothing that waits is woken before the next `advance`."""
        self._elapsed += seconds

    async def advance(self, seconds: float) -> None:
        """Let time pass, waking who waits, in order."""
        await settle()
        end = self._elapsed + seconds
        while self._calls and self._calls[0][0] <= end:
            when, _, call = heapq.heappop(self._calls)
            self._elapsed = max(self._elapsed, when)
            call()
            await settle()
        self._elapsed = end
        await settle()
