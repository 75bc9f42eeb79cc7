"""Who was told that something is done does not do it again: a process knows of its writes before its caches show them.

The end is the same, so that nobody sees it there. But what is done again without need is done again at any scale, and
what is not idempotent by chance is done twice. Of two that lead, one may take back what another has undone meanwhile.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

import msgspec
from tests.support.passing import Passing

from homeostat.kube.transport import Request, Response, Transport

_OK = (200, 201)
_CHANGING = ("PATCH", "PUT")


class Told(Protocol):
    """Who hears of what is wrong."""

    writers: dict[str, object]  # by path: the process that has changed it last

    @property
    def revision(self) -> int:
        """Of the server, now."""
        ...

    def tell(self, why: str) -> None:
        """Something is wrong."""
        ...


class Repeating:
    """A process' way to the API server. Tells of writes that it had done before, and that changed nothing."""

    def __init__(self, inner: Transport, told: Told) -> None:
        self._inner = inner
        self._told = told
        self._done: dict[str, bytes | None] = {}  # by path

    async def send(self, request: Request) -> Response:
        before = self._told.revision
        response = await self._inner.send(request)
        if request.method not in _CHANGING or "/events" in request.path or response.status not in _OK:
            return response
        body = await response.read()
        await response.close()
        version = int(msgspec.json.decode(body)["metadata"]["resourceVersion"])
        if version > before:
            self._told.writers[request.path] = self
        elif self._told.writers.get(request.path, self) is self and self._done.get(request.path) == request.body:
            self._told.tell(f"{request.method} {request.path} was done before, and is done again")
        self._done[request.path] = request.body
        return _Known(response, body)

    async def close(self) -> None:
        await self._inner.close()


class _Known(Passing):
    """An answer that was read."""

    def __init__(self, answer: Response, body: bytes) -> None:
        super().__init__(answer)
        self._body = body

    async def read(self) -> bytes:
        return self._body

    async def chunks(self) -> AsyncIterator[bytes]:
        yield self._body

    async def close(self) -> None:
        """It is closed."""
