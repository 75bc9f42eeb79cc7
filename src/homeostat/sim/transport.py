"""The client's port to a simulated API server: bytes in, bytes out, and no network between."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import cast

from homeostat.kit.clock import Clock
from homeostat.kube.errors import ConnectionFailed
from homeostat.kube.transport import Request
from homeostat.sim.apiserver import server
from homeostat.sim.apiserver.access.attributes import User
from homeostat.sim.apiserver.answer import Answer


class SimTransport:
    """Carries one user's requests to one API server of this process."""

    def __init__(self, to: server.ApiServer, user: User, *, clock: Clock) -> None:
        self._to = to
        self._clock = clock
        self._user = user
        self._closed = False

    async def send(self, request: Request) -> SimResponse:
        """Answer after one turn of the loop, as anything over a network would at the earliest."""
        if self._closed:
            raise ConnectionFailed("this client was closed", sent=False)
        await self._clock.sleep(0)
        return SimResponse(await self._to.answer(asked(request), self._user))

    async def close(self) -> None:
        """Send nothing from now on."""
        self._closed = True


def asked(request: Request) -> server.Request:
    """A request as a server takes it."""
    return server.Request(
        method=request.method,
        path=request.path,
        query=dict(request.query),
        headers={name.lower(): each for name, each in request.headers.items()},
        body=request.body or b"",
    )


class SimResponse:
    """An answer in the shape of the client's port."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    @property
    def status(self) -> int:
        """The HTTP status code."""
        return self._answer.code

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers; only those that the server sets."""
        return {"Content-Type": self._answer.media, **self._answer.headers}

    async def read(self) -> bytes:
        """The whole body."""
        if self._answer.stream is None:
            return self._answer.body
        return b"".join([chunk async for chunk in self._answer.stream])

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it comes."""
        if self._answer.stream is None:
            yield self._answer.body
            return
        async for chunk in self._answer.stream:
            yield chunk

    async def close(self) -> None:
        """End a stream that nobody reads any more."""
        if self._answer.stream is not None:
            await cast("AsyncGenerator[bytes, None]", self._answer.stream).aclose()
