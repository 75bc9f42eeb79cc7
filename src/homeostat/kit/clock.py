"""Time as an object that is passed in.

`SystemClock` is the only place of homeostat that reads the machine's clocks. Everything else takes a `Clock`, so that
tests and simulations own time. Deadlines go through `Clock.timeout`, never through `asyncio.timeout` directly.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What the time is, and how to wait for it to pass."""

    def now(self) -> datetime:
        """The time of day, aware and in UTC: for what people and other processes read."""
        ...

    def monotonic(self) -> float:
        """Seconds since an arbitrary start, never going back: for measuring and for deadlines."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait; zero or less yields once to other tasks."""
        ...

    def timeout(self, seconds: float | None) -> AbstractAsyncContextManager[object]:
        """A block that raises TimeoutError when it takes longer; None never does."""
        ...


class SystemClock:
    """The machine's own clocks and the running event loop's timers."""

    def now(self) -> datetime:
        """The machine's time of day in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """The machine's monotonic clock, in seconds."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Sleep on the running loop."""
        await asyncio.sleep(max(seconds, 0.0))

    def timeout(self, seconds: float | None) -> AbstractAsyncContextManager[object]:
        """A deadline on the running loop."""
        return asyncio.timeout(seconds)
