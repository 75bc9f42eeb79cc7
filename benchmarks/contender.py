"""One contender: a process that is told one of a few words on stdin and answers each with a line of JSON."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

ROOT = Path(__file__).parent.parent


class Stats(msgspec.Struct, frozen=True):
    """What a contender says about itself: deliveries to its event handler, its work, its CPU time and memory."""

    objects: int
    events: int
    reconciles: int
    writes: int
    errors: int
    synced: bool
    cpu_s: float
    rss_mb: float
    peak_rss_mb: float


def pinned(core: int, command: list[str]) -> list[str]:
    """The command, kept to one core where the machine has more than one, and never outliving this process."""
    guarded = ["setpriv", "--pdeathsig", "KILL", *command]
    return ["taskset", "-c", str(core), *guarded] if (os.cpu_count() or 1) > 1 else guarded


@dataclass(frozen=True)
class Entry:
    """A contender's name in the tables and the command that runs it; `{kubeconfig}` and `{run}` are filled in."""

    name: str
    command: tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = ()


class Running:
    """A started contender."""

    def __init__(self, process: asyncio.subprocess.Process, entry: Entry) -> None:
        self.process = process
        self.entry = entry

    async def tell(self, word: str) -> bytes:
        """Send one word, return the line that answers it."""
        assert self.process.stdin is not None
        self.process.stdin.write(word.encode() + b"\n")
        return await self.line()

    async def line(self) -> bytes:
        """The next line of output; an error when the contender has died."""
        assert self.process.stdout is not None
        line = await self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.entry.name} ended with code {await self.process.wait()}")
        return line

    async def stats(self) -> Stats:
        """Its figures right now."""
        return msgspec.json.decode(await self.tell("stats"), type=Stats)

    async def until(self, done: Callable[[Stats], bool], what: str, limit_s: float = 180) -> Stats:
        """Poll the figures until they satisfy, then once more after a quiet moment: trailing work counts."""
        deadline = time.monotonic() + limit_s
        while not done(stats := await self.stats()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.entry.name}: {what} took more than {limit_s:.0f} s; last figures: {stats}")
            await asyncio.sleep(0.1)
        await asyncio.sleep(0.3)
        return await self.stats()


@contextlib.asynccontextmanager
async def running(entry: Entry, *, core: int = 1, **values: str) -> AsyncIterator[Running]:
    """Start a contender and wait until it has loaded; kill it at the end (it has nothing to save)."""
    command = [part.format(**values) for part in entry.command]
    process = await asyncio.create_subprocess_exec(
        *pinned(core, command),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **dict(entry.environment)},
    )
    contender = Running(process, entry)
    try:
        await contender.line()
        yield contender
    finally:
        with contextlib.suppress(ProcessLookupError):  # it has ended by itself
            process.kill()
        await process.wait()
