"""Who was told that something is done does not do it again: a process knows of its writes before its caches show them.

The end is the same, so that nobody sees it there. But what is done again without need is done again at any scale, and
what is not idempotent by chance is done twice.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Protocol

import msgspec

from homeostat.kube.transport import Request, Response, Transport

_OK = (200, 201)
_CHANGING = ("PATCH", "PUT")


class Told(Protocol):
    """Who hears of what is wrong."""

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
        if version <= before and self._done.get(request.path) == request.body:
            self._told.tell(f"{request.method} {request.path} was done before, and is done again")
        self._done[request.path] = request.body
        return _Known(response, body)

    async def close(self) -> None:
        await self._inner.close()


class _Known:
    """An answer that was read."""

    def __init__(self, answer: Response, body: bytes) -> None:
        self._answer, self._body = answer, body

    @property
    def status(self) -> int:
        return self._answer.status

    @property
    def headers(self) -> Mapping[str, str]:
        return self._answer.headers

    async def read(self) -> bytes:
        return self._body

    async def chunks(self) -> AsyncIterator[bytes]:
        yield self._body

    async def close(self) -> None:
        """It is closed."""
