"""Parts of bytes between one worker thread and the event loop, one at a time: memory stays constant.

The encryption library calls a blocking `read` or `write`, the places are asynchronous. Everything that both sides share
is touched in the loop only; the thread hands over coroutines and waits. Abandoning ends the thread at its next call.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Callable, Coroutine
from typing import Any


class Abandoned(Exception):
    """The other side has given up. Stays inside of a thread."""


class Bridge:
    """One direction at a time: the thread puts and the loop takes, or the other way round. None is the end."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._parts: asyncio.Queue[bytes | None] = asyncio.Queue(1)
        self._waiting: asyncio.Task[Any] | None = None
        self._over = False

    def put(self, part: bytes | None) -> None:
        """From the thread: wait until there is room for a part. Raises Abandoned."""
        self._wait(lambda: self._parts.put(part))

    def get(self) -> bytes | None:
        """From the thread: wait for a part. Raises Abandoned."""
        part: bytes | None = self._wait(self._parts.get)
        return part

    async def take(self) -> bytes | None:
        """In the loop: wait for a part."""
        return await self._parts.get()

    async def give(self, part: bytes | None, thread: asyncio.Future[None]) -> bool:
        """In the loop: wait until there is room for a part; False when the thread has ended instead."""
        giving = asyncio.ensure_future(self._parts.put(part))
        try:
            await asyncio.wait({giving, thread}, return_when=asyncio.FIRST_COMPLETED)
            return giving.done()
        finally:
            giving.cancel()

    def abandon(self) -> None:
        """In the loop: end the thread at its next call, or now when it waits."""
        self._over = True
        if self._waiting is not None:
            self._waiting.cancel()

    def _wait(self, make: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        guarded = self._unless_over(make)
        try:
            future = asyncio.run_coroutine_threadsafe(guarded, self._loop)
        except RuntimeError as error:  # the loop is closed
            guarded.close()
            raise Abandoned from error
        try:
            return future.result()
        except concurrent.futures.CancelledError as error:
            raise Abandoned from error

    async def _unless_over(self, make: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        if self._over:
            raise Abandoned
        self._waiting = asyncio.current_task()
        try:
            return await make()
        finally:
            self._waiting = None
