"""How a simulated API server calls webhooks over a real network.

Each review has a connection of its own, which is cut when it is over: a goodbye of TLS would wait for the other side,
and neither webhooks nor the loops of tests live for ever.
"""

from __future__ import annotations

import asyncio
import functools
import ssl
from collections.abc import Callable

import httptools

from homeostat.kube.target import ConfigError
from homeostat.kube.tls import trusting
from homeostat.sim.apiserver.admission.calling import Call, Heard, NotReached

Reach = Callable[[str, str, int], tuple[str, int] | None]
"""From a Service's namespace, name and port to an address and port; None where nobody stands behind it."""
_CHUNK = 1 << 16


def _nowhere(namespace: str, name: str, port: int) -> None:  # noqa: ARG001
    return None


class HttpsCaller:
    """Calls whoever has an address; `reach` gives Services theirs."""

    def __init__(self, reach: Reach = _nowhere) -> None:
        self._reach = reach

    async def call(self, call: Call) -> Heard:
        """Say it once. Raises NotReached."""
        address, port = self._place(call)
        try:
            return await _asked(call, address, port)
        except ssl.SSLCertVerificationError as error:
            why = f"tls: failed to verify certificate: x509: {error.verify_message}"
            raise NotReached(f'Post "{call.url}": {why}') from error
        except ConnectionRefusedError as error:
            where = f"[{address}]" if ":" in address else address
            raise NotReached(f'Post "{call.url}": dial tcp {where}:{port}: connect: connection refused') from error
        except ConnectionError as error:
            why = "read: connection reset by peer" if error.errno else "EOF"
            raise NotReached(f'Post "{call.url}": {why}') from error
        except (OSError, httptools.HttpParserError) as error:
            raise NotReached(f'Post "{call.url}": {error}') from error

    def _place(self, call: Call) -> tuple[str, int]:
        if call.service is None:
            return call.host, call.port
        found = self._reach(*call.service, call.port)
        if found is None:
            raise NotReached(f'Post "{call.url}": service "{call.service[1]}" not found')
        return found


async def _asked(call: Call, address: str, port: int) -> Heard:
    context = _context(call.authorities)
    reader, writer = await asyncio.open_connection(address, port, ssl=context, server_hostname=call.host)
    try:
        head = f"POST {call.path} HTTP/1.1\r\nHost: {call.host}:{call.port}\r\nContent-Length: {len(call.body)}\r\n"
        head += "Content-Type: application/json\r\nAccept: application/json\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + call.body)
        return await _heard(reader)
    finally:
        writer.transport.abort()


async def _heard(reader: asyncio.StreamReader) -> Heard:
    answer = _Answer()
    parser = httptools.HttpResponseParser(answer)
    while not answer.is_whole:
        chunk = await reader.read(_CHUNK)
        if not chunk:
            raise ConnectionResetError("EOF")
        parser.feed_data(chunk)
    return Heard(parser.get_status_code(), b"".join(answer.parts), answer.media)


class _Answer:
    """What the parser tells."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.media = ""
        self.is_whole = False

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"content-type":
            self.media = value.decode("latin-1")

    def on_body(self, part: bytes) -> None:
        self.parts.append(part)

    def on_message_complete(self) -> None:
        self.is_whole = True


@functools.lru_cache(maxsize=64)
def _context(authorities: bytes) -> ssl.SSLContext:
    if not authorities:
        return ssl.create_default_context()
    try:
        return trusting(authorities)
    except ConfigError as error:
        raise NotReached("could not get REST client: unable to load root certificates") from error
