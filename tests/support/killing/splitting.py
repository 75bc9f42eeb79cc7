"""A process that splits: its copy has all that was done so far, and goes on by itself to another end.

Courses that differ in one moment alone have the same beginning. So one process takes the beginning once, and at each
such moment makes a copy (`fork`) that is disturbed there, while it goes on undisturbed itself. What a copy finds comes
back through a pipe, and nothing else does. A simulation has no threads, sockets or files, which are what a copy would
share or miss; where there are threads nevertheless, `may_split` says no, and every course is taken from its beginning.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import select
import threading
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Generic, NoReturn, TypeVar

from msgspec import Struct

T = TypeVar("T")
L = TypeVar("L", bound=Hashable)
MOST = 2  # copies at a time
_CHUNK = 1 << 20
_TASKS = Path("/proc/self/task")  # threads that Python does not know are among them


class Ended(Struct, Generic[T], frozen=True):
    """What became of something: a result, or why there is none."""

    result: T | None
    why: str = ""


def ended(what: Callable[[], T]) -> Ended[T]:
    """Do it, and hold on to how it ended."""
    try:
        return Ended(what())
    except Exception as error:  # whoever takes many courses goes on, and tells all
        return Ended(None, f"{type(error).__name__}: {error}")


def may_split() -> bool:
    """Whether a copy would be whole: there is one thread, and the system can copy."""
    threads = len(list(_TASKS.iterdir())) if _TASKS.is_dir() else threading.active_count()
    return threads == 1 and hasattr(os, "fork")


class Splits(Generic[L, T]):
    """The copies of one process, by their labels."""

    def __init__(self, most: int = MOST) -> None:
        self.ends: dict[L, Ended[T]] = {}
        self._most = most
        self._running: dict[int, tuple[L, int]] = {}  # by the end of the pipe where their word comes out
        self._said: dict[int, bytes] = {}
        self._pipe = -1  # where a copy says its word; -1: this is no copy

    def split(self, label: L) -> bool:
        """Make a copy, perhaps after another one has ended; whether this is the copy. Copies are not copied."""
        if self._pipe >= 0:
            return False
        self._wait(below=self._most)
        loop = asyncio.get_running_loop()
        hears, says = os.pipe()
        child = os.fork()
        if child:
            os.close(says)
            self._running[hears] = (label, child)
            self._said[hears] = b""
            return False
        for other in (hears, *self._running):
            os.close(other)
        self._pipe = says
        asyncio._set_running_loop(loop)  # it forgets it in a process of another number
        return True

    def all(self, main: Callable[[], T]) -> Ended[T]:
        """What main ends with, which splits; returns when all copies have ended, and in none of them."""
        try:
            found = ended(main)
            if self._pipe >= 0:
                self._say(found)
            self._wait(below=1)
        finally:
            if self._pipe >= 0:
                os._exit(1)
        return found

    def _say(self, found: Ended[T]) -> NoReturn:
        with os.fdopen(self._pipe, "wb") as pipe:
            pipe.write(pickle.dumps(found))
        os._exit(0)  # what is written at the end of a process is not this one's to write

    def _wait(self, below: int) -> None:
        """Hear what copies say, until fewer than that run."""
        while len(self._running) >= below:
            poll = select.poll()
            for pipe in self._running:
                poll.register(pipe, select.POLLIN)
            for pipe, _ in poll.poll():
                chunk = os.read(pipe, _CHUNK)
                self._said[pipe] += chunk
                if not chunk:
                    self._end(pipe)

    def _end(self, pipe: int) -> None:
        label, child = self._running.pop(pipe)
        os.close(pipe)
        _, status = os.waitpid(child, 0)
        said = self._said.pop(pipe)
        # Nothing but our own copy has the other end of the pipe.
        code = os.waitstatus_to_exitcode(status)
        self.ends[label] = pickle.loads(said) if code == 0 else Ended(None, f"the copy ended with {code}")
