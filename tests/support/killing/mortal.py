"""What a process does to the outside, seen from between: each call is a point, and a dead process' calls do nothing."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any, TypeVar, cast

from tests.support.killing.points import Points

from homeostat.kube.transport import Request, Response, Transport

P = TypeVar("P")


class Life:
    """Of one process."""

    def __init__(self, points: Points) -> None:
        self.points = points
        self.is_over = False

    async def reach(self, what: str) -> None:
        """Be at a point; whoever is dead, or dies here, goes no further."""
        self.points.reach(what)
        if self.is_over:
            await self.halt()

    async def halt(self) -> None:
        """Stand still until the end of the process reaches this task; cleaning up after it does no more than that."""
        task = asyncio.current_task()
        if task is not None and not task.cancelling():
            await asyncio.Event().wait()
        raise asyncio.CancelledError


def mortal(port: P, name: str, life: Life) -> P:
    """The same port, as long as the process lives."""
    return cast("P", _Port(port, name, life))


class _Port:
    def __init__(self, inner: object, name: str, life: Life) -> None:
        self._inner, self._name, self._life = inner, name, life

    def __getattr__(self, method: str) -> Any:
        found = getattr(self._inner, method)
        if not inspect.iscoroutinefunction(found):
            return found
        what = f"{self._name}.{method}"

        async def call(*args: Any, **options: Any) -> Any:
            await self._life.reach(f"before {what}")
            try:
                return await found(*args, **options)
            finally:
                await self._life.reach(f"after {what}")

        return call


class MortalTransport:
    """A process' way to the API server. Reads are no points: nobody can tell whether they were made."""

    def __init__(self, inner: Transport, life: Life) -> None:
        self._inner, self._life = inner, life

    async def send(self, request: Request) -> Response:
        if request.method == "GET":
            if self._life.is_over:
                await self._life.halt()
            return await self._inner.send(request)
        what = f"{request.method} {request.path}"
        await self._life.reach(f"before {what}")
        response = await self._inner.send(request)
        await self._life.reach(f"after {what}: {response.status}")
        return response

    async def close(self) -> None:
        await self._inner.close()
