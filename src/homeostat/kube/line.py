"""One TLS connection for somebody who asks and waits for the answer, in turn.

asyncio's own TLS and streams are made for what flows: for each connection they set a quarter of a megabyte aside, and
each piece goes through four of their layers. Beside the handshake itself that is the larger part of what a short talk
costs. Here the records are decrypted where they arrive, into one buffer that is as large as what was not read yet.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_address

_ARRIVING_BYTES = 1 << 14  # a record of TLS
_UNREAD_BYTES = 1 << 18  # more of it waits in the socket until it is read
_HEAD_BYTES = 1 << 16
_NEXT_ADDRESS_S = 0.25  # after which a name's next address is tried beside the one that is silent


class TlsLine(asyncio.BufferedProtocol):
    """A connection whose other end has proven itself. `to` makes one; cut it in the end."""

    def __init__(self, context: ssl.SSLContext, server_name: str) -> None:
        self.is_free = True  # for the next question; whoever asks says so
        self._arriving, self._leaving = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._arriving, self._leaving, server_hostname=server_name)
        self._piece = memoryview(bytearray(_ARRIVING_BYTES))
        self._unread = bytearray()
        self._transport: asyncio.Transport | None = None
        self._is_proven = self._is_paused = self._is_over = False
        self._failure: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None

    def __len__(self) -> int:
        """How many bytes wait to be read."""
        return len(self._unread)

    @classmethod
    async def to(cls, host: str, port: int, context: ssl.SSLContext, server_name: str) -> TlsLine:
        """Connect and shake hands. Raises OSError, and EOFError when the server ends it."""
        loop, delay_s = asyncio.get_running_loop(), None if _is_address(host) else _NEXT_ADDRESS_S
        _, line = await loop.create_connection(
            lambda: cls(context, server_name), host, port, happy_eyeballs_delay=delay_s
        )
        await line.proven()
        return line

    async def proven(self) -> None:
        """Wait for the end of the handshake. Raises OSError and EOFError; then it is cut."""
        try:
            while not self._is_proven:
                await self._news()
        except BaseException:
            self.cut()
            raise

    def write(self, content: bytes) -> None:
        """Say something; what cannot leave at once leaves later."""
        if self._failure is None and not self._is_over:
            self._tls.write(content)
            self._flush()

    async def until(self, mark: bytes) -> bytes:
        """All up to a mark, and the mark. Raises EOFError when the connection ends before, ValueError if it is long."""
        seen = 0
        while (at := self._unread.find(mark, seen)) < 0:
            if len(self._unread) > _HEAD_BYTES:
                raise ValueError(f"expected {mark!r} within {_HEAD_BYTES} bytes")
            seen = max(len(self._unread) - len(mark) + 1, 0)
            await self._news()
        return self._take(at + len(mark))

    async def some(self, most: int) -> bytes:
        """What there is, as soon as there is any; nothing at the end."""
        while not self._unread:
            if self._is_over and self._failure is None:
                return b""
            await self._news()
        return self._take(most)

    def cut(self) -> None:
        """End it here and now."""
        self._is_over = True
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the handshake."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  (it is what create_connection makes)
        self._transport = transport
        self._advance(self._shake_hands)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002  (a record is as much as can be decrypted)
        """Where the next piece goes."""
        return self._piece

    def buffer_updated(self, size: int) -> None:
        """Take a piece in."""
        self._arriving.write(self._piece[:size])
        self._advance(self._decrypt if self._is_proven else self._shake_hands)

    def eof_received(self) -> None:
        """The other end says no more."""
        self._end(None)

    def connection_lost(self, error: Exception | None) -> None:
        """It is over."""
        self._end(error)

    def _shake_hands(self) -> None:
        self._tls.do_handshake()
        self._is_proven = True
        self._decrypt()

    def _decrypt(self) -> None:
        while piece := self._tls.read(_ARRIVING_BYTES):
            self._unread += piece
        self._is_over = True  # the other end said so

    def _advance(self, what: Callable[[], None]) -> None:
        try:
            with suppress(ssl.SSLWantReadError):  # the rest is still on its way
                what()
        except ssl.SSLError as error:
            self._failure = self._failure or error
        self._flush()
        if len(self._unread) > _UNREAD_BYTES and self._transport is not None and not self._is_paused:
            self._is_paused = True
            self._transport.pause_reading()
        self._tell()

    def _flush(self) -> None:
        if self._leaving.pending and self._transport is not None:
            self._transport.write(self._leaving.read())

    def _end(self, error: Exception | None) -> None:
        self._is_over = True
        self._failure = self._failure or error
        self._tell()

    def _tell(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def _news(self) -> None:
        """Wait until more has arrived. Raises what ended the connection."""
        if self._failure is not None:
            raise self._failure
        if self._is_over:
            raise EOFError
        self._waiter = asyncio.get_running_loop().create_future()
        await self._waiter
        if self._failure is not None:
            raise self._failure

    def _take(self, size: int) -> bytes:
        taken = bytes(memoryview(self._unread)[:size])
        del self._unread[:size]
        if self._is_paused and self._transport is not None and len(self._unread) < _UNREAD_BYTES:
            self._is_paused = False
            self._transport.resume_reading()
        return taken


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
