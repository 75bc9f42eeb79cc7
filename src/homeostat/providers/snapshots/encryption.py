"""Streams through age (age-encryption.org/v1) in a worker thread, counted on both sides.

age cuts the stream into chunks of 64 KiB, each authenticated with its place and with whether it is the last, so bytes
that were changed, reordered, cut off or added fail to decrypt. Files can be decrypted by any age program.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
from collections.abc import AsyncGenerator, AsyncIterator
from concurrent.futures import Executor
from pathlib import Path
from typing import BinaryIO

import pyrage

from homeostat.providers.snapshots.bridge import Abandoned, Bridge
from homeostat.providers.snapshots.keyring import Key

FORMAT = "age-encryption.org/v1"
CHUNK_BYTES, CHUNK_OVERHEAD = 64 * 1024, 16  # of the format
HEADER_BYTES = 1024  # more than one recipient's header and nonce take


class NotDecrypted(Exception):
    """The stored bytes are not what this key encrypted."""


class Counter:
    """How many bytes passed, and their SHA-256."""

    def __init__(self) -> None:
        self.size = 0
        self._digest = hashlib.sha256()

    def add(self, data: bytes) -> None:
        """Count some more."""
        self.size += len(data)
        self._digest.update(data)

    @property
    def seen(self) -> tuple[int, str]:
        """Bytes, and the hexadecimal SHA-256 of all of them."""
        return self.size, self._digest.hexdigest()


def sealed_size(plain_bytes: int) -> int:
    """Upper limit of the stored size, in bytes."""
    return plain_bytes + (plain_bytes // CHUNK_BYTES + 1) * CHUNK_OVERHEAD + HEADER_BYTES


class _Source:
    """The plain file, as pyrage reads it."""

    def __init__(self, file: BinaryIO, counter: Counter) -> None:
        self._file, self._counter = file, counter
        self.error: OSError | None = None

    def read(self, size: int = -1) -> bytes:
        try:
            data = self._file.read(size)
        except OSError as error:
            self.error = error
            raise
        self._counter.add(data)
        return data


class _Parts:
    """Collects what pyrage writes into parts of one size."""

    def __init__(self, bridge: Bridge, counter: Counter, part_bytes: int) -> None:
        self._bridge, self._counter, self._part_bytes = bridge, counter, part_bytes
        self._collected = bytearray()

    def write(self, data: bytes) -> int:
        self._counter.add(data)
        self._collected += data
        if len(self._collected) >= self._part_bytes:
            self._hand_over(self._part_bytes)
        return len(data)

    def flush(self) -> None:
        """Parts keep their size; the rest follows with `finish`."""

    def finish(self) -> None:
        if self._collected:
            self._hand_over(len(self._collected))

    def _hand_over(self, size: int) -> None:
        part = bytes(memoryview(self._collected)[:size])
        del self._collected[:size]
        self._bridge.put(part)


async def encrypted(
    file: Path, key: Key, part_bytes: int, threads: Executor, *, plain: Counter, stored: Counter
) -> AsyncGenerator[bytes, None]:
    """The age file of a file, in parts of `part_bytes` but the last. Raises OSError. To be closed (`aclosing`)."""
    bridge = Bridge()

    def work() -> None:
        parts = _Parts(bridge, stored, part_bytes)
        with contextlib.suppress(Abandoned):
            try:
                with file.open("rb", buffering=1024 * 1024) as opened:
                    source = _Source(opened, plain)
                    _encrypt(source, parts, key)
                parts.finish()
            finally:
                bridge.put(None)

    thread = asyncio.get_running_loop().run_in_executor(threads, work)
    try:
        while (part := await bridge.take()) is not None:
            yield part
        await thread
    finally:
        bridge.abandon()
        thread.add_done_callback(_look_at)


def _encrypt(source: _Source, parts: _Parts, key: Key) -> None:
    try:
        pyrage.encrypt_io(source, parts, [key.public])
    except (pyrage.EncryptError, OSError):
        # pyrage makes its own error of whatever a file object raises; the first one says what it was.
        if source.error is not None:
            raise source.error from None
        raise


class _Fed:
    """The stored bytes, as pyrage reads them."""

    def __init__(self, bridge: Bridge, counter: Counter) -> None:
        self._bridge, self._counter = bridge, counter
        self._part: memoryview[int] = memoryview(b"")
        self._ended = False
        self.abandoned = False

    def read(self, size: int = -1) -> bytes:
        if not self._part and not self._ended:
            self._part = memoryview(self._next())
        wanted = len(self._part) if size < 0 else size
        data = bytes(self._part[:wanted])
        self._part = self._part[wanted:]
        return data

    def _next(self) -> bytes:
        try:
            part = self._bridge.get()
        except Abandoned:
            self.abandoned = True
            raise
        self._ended = part is None
        self._counter.add(part or b"")
        return part or b""


class _Sink:
    """The plain file, as pyrage writes it."""

    def __init__(self, file: BinaryIO, counter: Counter) -> None:
        self._file, self._counter = file, counter
        self.error: OSError | None = None

    def write(self, data: bytes) -> int:
        try:
            self._file.write(data)
        except OSError as error:
            self.error = error
            raise
        self._counter.add(data)
        return len(data)

    def flush(self) -> None:
        """Once, in the end, by whoever opened the file."""


async def decrypt(
    parts: AsyncIterator[bytes], key: Key, target: BinaryIO, threads: Executor, *, plain: Counter, stored: Counter
) -> None:
    """Write the plain bytes and make them durable. Raises NotDecrypted, OSError, and what `parts` raises."""
    bridge = Bridge()

    def work() -> None:
        fed, sink = _Fed(bridge, stored), _Sink(target, plain)
        _decrypt(fed, sink, key)
        if not fed.abandoned:
            target.flush()
            os.fsync(target.fileno())

    thread = asyncio.get_running_loop().run_in_executor(threads, work)
    try:
        async for part in parts:
            if not await bridge.give(part, thread):
                break
        await bridge.give(None, thread)
        await thread
    finally:
        bridge.abandon()
        thread.add_done_callback(_look_at)


def _decrypt(fed: _Fed, sink: _Sink, key: Key) -> None:
    try:
        pyrage.decrypt_io(fed, sink, [key.identity])
    except (pyrage.DecryptError, OSError) as error:
        if fed.abandoned:
            return
        if sink.error is not None:
            raise sink.error from None
        raise NotDecrypted(str(error)) from error


def _look_at(thread: asyncio.Future[None]) -> None:
    """An error of an abandoned thread is nobody's any more; looked at, it is not reported as forgotten."""
    if not thread.cancelled():
        thread.exception()
