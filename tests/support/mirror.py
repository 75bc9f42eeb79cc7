"""A mirror of releases on the loopback, with the faults that real ones have."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import io
import re
import tarfile
from collections.abc import AsyncIterator, Iterable

from msgspec import Struct


class Cut(Struct, frozen=True):
    """Promise the whole body and close the connection after some bytes of it."""

    after: int


class Hang(Struct, frozen=True):
    """Send some bytes of the body (or, below zero, not even a status), then nothing more."""

    after: int = -1


class Status(Struct, frozen=True):
    """Answer with another status and no body."""

    code: int


Fault = Cut | Hang | Status


class Request(Struct, frozen=True):
    """What a client asked for."""

    path: str
    range: str = ""


class Mirror:
    """Files by path; faults by path, one for each request, then none."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.faults: dict[str, list[Fault]] = {}
        self.requests: list[Request] = []
        self.hanging = asyncio.Event()
        self.knows_ranges = True
        self.url = ""
        self._released = asyncio.Event()

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[Mirror]:
        """Listen on a free port of the loopback."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            self._released.set()
            server.close()
            await server.wait_closed()

    def release(self, path: str, body: bytes) -> None:
        """A file with its checksum beside it."""
        self.files[path] = body
        self.files[f"{path}.sha256"] = hashlib.sha256(body).hexdigest().encode()

    def asked(self, path: str) -> list[str]:
        """The ranges of all requests for a path, in order; empty for the whole file."""
        return [request.range for request in self.requests if request.path == path]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):  # a client that gave up
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            path = head.split(" ")[1].lstrip("/")
            found = re.search(r"^range: bytes=(\d+)-", head, re.MULTILINE | re.IGNORECASE)
            self.requests.append(Request(path, found.group(1) if found else ""))
            start = int(found.group(1)) if found and self.knows_ranges else 0
            queue = self.faults.get(path, [])
            await self._answer(writer, path, start, queue.pop(0) if queue else None)
            writer.close()
            await writer.wait_closed()

    async def _answer(self, writer: asyncio.StreamWriter, path: str, start: int, fault: Fault | None) -> None:
        if isinstance(fault, Hang) and fault.after < 0:
            await self._hang()
            return
        if isinstance(fault, Status):
            await _send(writer, fault.code, b"")
            return
        if path not in self.files:
            await _send(writer, 404, b"")
            return
        body = self.files[path]
        if start and start >= len(body):
            await _send(writer, 416, b"")
            return
        rest = body[start:]
        part = rest[: fault.after] if fault else rest
        await _send(writer, 206 if start else 200, part, promised=len(rest))
        if isinstance(fault, Hang):
            await self._hang()

    async def _hang(self) -> None:
        self.hanging.set()
        await self._released.wait()


async def _send(writer: asyncio.StreamWriter, status: int, body: bytes, *, promised: int | None = None) -> None:
    length = len(body) if promised is None else promised
    writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n".encode() + body)
    await writer.drain()


def tar_gz(files: Iterable[tuple[str, bytes]]) -> bytes:
    """An archive as projects release them."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, body in files:
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(body), 0o755
            tar.addfile(entry, io.BytesIO(body))
    return buffer.getvalue()
