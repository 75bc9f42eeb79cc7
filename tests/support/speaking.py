"""A scripted server on loopback that says HTTP byte by byte, for tests of transports."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from tests.support.certificates import Authority

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter, str], Awaitable[None]]
OBJECT = b'{"metadata": {"name": "a", "resourceVersion": "7"}, "spec": {"size": 3}}'
EVENT = b'{"type":"ADDED","object":{"metadata":{"name":"\xc3\xa4","resourceVersion":"7"}}}\n'
CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"


def answer(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Content-Type: application/json", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def saying(*parts: bytes) -> Talk:
    """Answer each request with the next part, then hang up."""
    left = list(parts)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: str) -> None:
        writer.write(left.pop(0))
        await writer.drain()

    return talk


@asynccontextmanager
async def serving(talk: Talk, context: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """A server that reads a request's head, lets `talk` answer, and closes."""
    tasks: set[asyncio.Task[None]] = set()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            await talk(reader, writer, head)
        except (asyncio.IncompleteReadError, ConnectionError):
            return  # the client left, which is its right
        finally:
            writer.close()
            tasks.discard(task)

    server = await asyncio.start_server(converse, "127.0.0.1", 0, ssl=context)
    try:
        port = server.sockets[0].getsockname()[1]
        yield f"{'https' if context else 'http'}://127.0.0.1:{port}"
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def server_context(authority: Authority, place: Path, *names: str) -> ssl.SSLContext:
    certificate, key = authority.server(*names)
    (place / "pem").write_bytes(key + certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(place / "pem")
    return context


async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: str) -> None:
    await asyncio.Event().wait()
