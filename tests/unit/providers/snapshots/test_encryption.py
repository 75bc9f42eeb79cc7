"""Streams through age: whole in, whole out, and nothing else passes."""

from __future__ import annotations

import asyncio
import io
import os
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from pathlib import Path

import pyrage
import pytest
from tests.support.snapshots import key

from homeostat.providers.snapshots import encryption
from homeostat.providers.snapshots.encryption import CHUNK_BYTES, Counter, NotDecrypted

PART = 100_000
KEY = key()


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    """One thread: whatever keeps it busy is noticed."""
    with ThreadPoolExecutor(1) as pool:
        yield pool


async def seal(file: Path, threads: ThreadPoolExecutor) -> list[bytes]:
    parts = encryption.encrypted(file, KEY, PART, threads, plain=Counter(), stored=Counter())
    async with aclosing(parts):
        return [part async for part in parts]


async def opened(content: bytes, target: Path, threads: ThreadPoolExecutor, step: int = PART) -> bytes:
    async def parts() -> AsyncIterator[bytes]:
        for start in range(0, len(content), step):
            yield content[start : start + step]

    with target.open("wb") as file:
        await encryption.decrypt(parts(), KEY, file, threads, plain=Counter(), stored=Counter())
    return target.read_bytes()


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * PART + 7])
async def test_what_is_encrypted_comes_back_and_any_age_program_can_read_it(
    tmp_path: Path, threads: ThreadPoolExecutor, size: int
) -> None:
    file, plain = tmp_path / "plain", os.urandom(size)
    file.write_bytes(plain)
    parts = await seal(file, threads)
    sealed = b"".join(parts)
    assert {len(part) for part in parts[:-1]} <= {PART}
    assert len(sealed) <= encryption.sealed_size(size)
    assert size < 16 or plain not in sealed
    assert await opened(sealed, tmp_path / "back", threads) == plain
    assert pyrage.decrypt(sealed, [KEY.identity]) == plain


async def test_both_sides_are_counted(tmp_path: Path, threads: ThreadPoolExecutor) -> None:
    file, plain, stored = tmp_path / "plain", Counter(), Counter()
    file.write_bytes(b"x" * 250_000)
    parts = encryption.encrypted(file, KEY, PART, threads, plain=plain, stored=stored)
    async with aclosing(parts):
        sealed = b"".join([part async for part in parts])
    expected = Counter()
    expected.add(sealed)
    assert stored.seen == expected.seen
    assert plain.size == 250_000


def broken(sealed: bytes) -> dict[str, bytes]:
    step = CHUNK_BYTES + 16
    head = len(sealed) % step  # the plain text is whole chunks
    first, at = sealed[head : head + step], len(sealed) // 2
    return {
        "the end is cut off": sealed[:-1],
        "a whole chunk at the end is cut off": sealed[:-step],
        "something follows": sealed + b"more",
        "chunks are exchanged": sealed[:head]
        + sealed[head + step : head + 2 * step]
        + first
        + sealed[head + 2 * step :],
        "a chunk comes twice": sealed[: head + step] + first + sealed[head + step :],
        "a bit is changed": sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :],
        "it is empty": b"",
        "it is something else": b"something else" * 100,
    }


@pytest.mark.parametrize("how", sorted(broken(bytes(4 * CHUNK_BYTES))))
async def test_bytes_that_were_changed_do_not_decrypt(tmp_path: Path, threads: ThreadPoolExecutor, how: str) -> None:
    file = tmp_path / "plain"
    file.write_bytes(os.urandom(4 * CHUNK_BYTES))
    sealed = b"".join(await seal(file, threads))
    with pytest.raises(NotDecrypted):
        await opened(broken(sealed)[how], tmp_path / "back", threads)


async def test_another_key_does_not_decrypt(tmp_path: Path, threads: ThreadPoolExecutor) -> None:
    sealed = pyrage.encrypt(b"text", [key().public])
    with pytest.raises(NotDecrypted, match="No matching keys"):
        await opened(sealed, tmp_path / "back", threads)


async def test_a_file_that_cannot_be_read_says_so_itself(tmp_path: Path, threads: ThreadPoolExecutor) -> None:
    with pytest.raises(FileNotFoundError):
        await seal(tmp_path / "missing", threads)
    with pytest.raises(IsADirectoryError):
        await seal(tmp_path, threads)


async def test_a_target_that_cannot_be_written_says_so_itself(threads: ThreadPoolExecutor) -> None:
    async def parts() -> AsyncIterator[bytes]:
        yield pyrage.encrypt(b"x" * 300_000, [KEY.public])

    with Path("/dev/full").open("wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):
        await encryption.decrypt(parts(), KEY, file, threads, plain=Counter(), stored=Counter())


async def test_an_error_of_the_source_of_parts_comes_through_and_frees_the_thread(threads: ThreadPoolExecutor) -> None:
    async def parts() -> AsyncGenerator[bytes, None]:
        yield pyrage.encrypt(b"x" * 300_000, [KEY.public])[:70_000]
        raise LookupError("the store is gone")

    with pytest.raises(LookupError):
        await encryption.decrypt(parts(), KEY, io.BytesIO(), threads, plain=Counter(), stored=Counter())
    await asyncio.get_running_loop().run_in_executor(threads, int)


async def test_whoever_takes_no_more_parts_frees_the_thread(tmp_path: Path, threads: ThreadPoolExecutor) -> None:
    file = tmp_path / "plain"
    file.write_bytes(bytes(20 * PART))
    parts = encryption.encrypted(file, KEY, PART, threads, plain=Counter(), stored=Counter())
    async with aclosing(parts):
        await anext(parts)
    await asyncio.get_running_loop().run_in_executor(threads, int)
