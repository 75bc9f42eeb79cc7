"""A transport for a few questions in a row: one connection, opened by the first of them, and nothing around it.

A pool, its sessions and their bookkeeping cost more than a short talk itself: of the processor time of a probe, two
thirds. Here questions come one at a time, each after the answer to the one before was read; whoever leaves an answer
unread gets a new connection. Credentials other than a client certificate, proxies and compression are not for this one.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator, Mapping
from urllib.parse import urlsplit

from multidict import CIMultiDict

from homeostat.kube.errors import ConnectionFailed, UntrustedServer
from homeostat.kube.line import TlsLine
from homeostat.kube.query import query_string
from homeostat.kube.transport import Request

_PIECE_BYTES = 1 << 16
_EMPTY = (204, 304)


class BriefTransport:
    """Asks one server, which must prove itself to the context. Made without I/O; close it in the end."""

    def __init__(self, server: str, context: ssl.SSLContext, *, server_name: str = "") -> None:
        self._server = server
        self._context = context
        url = urlsplit(server)
        self._host, self._port, self._path = url.hostname or "", url.port or 443, url.path
        self._server_name = server_name or self._host
        self._line: TlsLine | None = None
        self._closed = False

    async def send(self, request: Request) -> BriefResponse:
        """Ask, and wait for the head of the answer. Raises ConnectionFailed."""
        if self._line is None or not self._line.is_free:
            self._hang_up()
            self._line = await self._connect()
        line = self._line
        line.is_free = False
        try:
            line.write(self._words(request))
            status, headers = await _head(line)
        except (EOFError, ValueError, OSError) as error:
            raise ConnectionFailed(f"{self._server}: the connection was closed before the answer") from error
        return BriefResponse(line, status, headers, self._server)

    async def close(self) -> None:
        """Cut the connection; a graceful end would wait for the server's."""
        self._closed = True
        self._hang_up()

    def _hang_up(self) -> None:
        if self._line is not None:
            self._line.cut()
            self._line = None

    async def _connect(self) -> TlsLine:
        if self._closed:
            raise ConnectionFailed("this client was closed", sent=False)
        try:
            return await TlsLine.to(self._host, self._port, self._context, self._server_name)
        except (OSError, EOFError) as error:
            raise _failure(error, self._server) from error

    def _words(self, request: Request) -> bytes:
        host = f"[{self._host}]" if ":" in self._host else self._host
        lines = [
            f"{request.method} {self._path}{request.path}{query_string(request.query)} HTTP/1.1",
            f"Host: {host}:{self._port}",
            "User-Agent: homeostat",
            *(f"{name}: {value}" for name, value in request.headers.items()),
        ]
        if request.body is not None:
            lines.append(f"Content-Length: {len(request.body)}")
        return "\r\n".join((*lines, "", "")).encode() + (request.body or b"")


class BriefResponse:
    """An answer whose head has arrived."""

    def __init__(self, line: TlsLine, status: int, headers: Mapping[str, str], server: str) -> None:
        self._line = line
        self._status = status
        self._headers = headers
        self._server = server

    @property
    def status(self) -> int:
        """The HTTP status code."""
        return self._status

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers, without regard to case."""
        return self._headers

    async def read(self) -> bytes:
        """The whole body."""
        return b"".join([piece async for piece in self.chunks()])

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """The body, piece by piece as the server wrote it."""
        try:
            async for piece in self._pieces():
                yield piece
        except (EOFError, ValueError, OSError) as error:
            raise ConnectionFailed(f"{self._server}: the connection broke in the middle of the answer") from error

    async def close(self) -> None:
        """Leave the connection to the next question, if this answer was read to its end; cut it otherwise."""
        if not self._line.is_free:
            self._line.cut()

    async def _pieces(self) -> AsyncGenerator[bytes, None]:
        line = self._line
        if "chunked" in self._headers.get("Transfer-Encoding", "").lower():
            while size := int((await line.until(b"\r\n")).partition(b";")[0], 16):
                async for piece in _exactly(line, size):
                    yield piece
                await line.until(b"\r\n")
            while await line.until(b"\r\n") != b"\r\n":
                pass  # trailers
        elif "Content-Length" in self._headers or self._status in _EMPTY:
            async for piece in _exactly(line, int(self._headers.get("Content-Length", "0"))):
                yield piece
        else:
            while piece := await line.some(_PIECE_BYTES):
                yield piece
            return  # the end of the connection is the end of the answer
        line.is_free = self._headers.get("Connection", "").lower() != "close"


async def _exactly(line: TlsLine, size: int) -> AsyncGenerator[bytes, None]:
    """As it arrives, so that whoever reads may stop before it is too much."""
    while size > 0:
        piece = await line.some(min(size, _PIECE_BYTES))
        if not piece:
            raise EOFError
        yield piece
        size -= len(piece)


async def _head(line: TlsLine) -> tuple[int, CIMultiDict[str]]:
    first, *lines = (await line.until(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = CIMultiDict[str]()
    for name, _, value in (line.partition(":") for line in lines if line):
        headers.add(name, value.strip())
    _, _, told = first.partition(" ")
    return int(told[:3]), headers


def _failure(error: OSError | EOFError, server: str) -> ConnectionFailed:
    match error:
        case EOFError():
            return ConnectionFailed(f"{server}: the connection was closed in the TLS handshake", sent=False)
        case ssl.SSLCertVerificationError(verify_message=why):
            return UntrustedServer(f"{server}: does not prove that it is the server we want: {why}; check the CA")
        case ssl.SSLError(reason=why):
            return UntrustedServer(f"{server}: TLS handshake failed: {why or type(error).__name__}")
        case _:
            return ConnectionFailed(f"{server}: cannot connect: {error.strerror or error}", sent=False)
