"""A stub in place of a server: what a server has answered, byte for byte, without any work for it.

So what a client reaches against it is what the client alone allows, with the very same objects.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

from homeostat.kube.transport import Request, Response, Transport

PIECE = 256 * 1024  # a stream comes in pieces of this size, as a socket would give it at best


class Recorder:
    """A transport that remembers what comes through it."""

    def __init__(self, to: Transport) -> None:
        self._to = to
        self.heard: dict[tuple[str, tuple[tuple[str, str], ...]], Recorded] = {}

    async def send(self, request: Request) -> Response:
        """Pass on, and remember the answer."""
        answer = await self._to.send(request)
        kept = self.heard[request.path, request.query] = Recorded(answer)
        return kept

    async def close(self) -> None:
        """Nothing was opened here."""


class Stub:
    """Answers as it was answered before."""

    def __init__(self, heard: Mapping[tuple[str, tuple[tuple[str, str], ...]], Recorded]) -> None:
        self._heard = {key: Replayed(each) for key, each in heard.items()}

    async def send(self, request: Request) -> Response:
        """What was answered to the same request."""
        return self._heard[request.path, request.query]

    async def close(self) -> None:
        """Nothing was opened here."""


class Recorded:
    """An answer of which everything that is read is kept."""

    def __init__(self, answer: Response) -> None:
        self._answer = answer
        self.status: int = answer.status
        self.headers: Mapping[str, str] = answer.headers
        self.pieces: list[bytes] = []

    async def read(self) -> bytes:
        """The whole body."""
        self.pieces.append(await self._answer.read())
        return self.pieces[-1]

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it comes."""
        async for piece in self._answer.chunks():
            self.pieces.append(piece)
            yield piece

    async def close(self) -> None:
        """End a stream."""
        await self._answer.close()


class Replayed:
    """An answer that was given before."""

    def __init__(self, recorded: Recorded) -> None:
        self.status = recorded.status
        self.headers = recorded.headers
        self._body = b"".join(recorded.pieces)

    async def read(self) -> bytes:
        """The whole body."""
        return self._body

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body in pieces."""
        for at in range(0, len(self._body), PIECE):
            yield self._body[at : at + PIECE]

    async def close(self) -> None:
        """Nothing is open."""
