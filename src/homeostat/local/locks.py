"""One maker at a time for what several processes share in the cache; the others wait for its result.

The kernel frees a lock at the death of its holder, however that dies. What the holder had begun stands in a directory
of its own for each attempt (`attempt`), because processes that it started may outlive it by a moment.
"""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from homeostat.kit.clock import Clock

_LOOK_AGAIN_S = 0.2


@asynccontextmanager
async def locked(file: Path, *, clock: Clock, waiting: Callable[[], None] = lambda: None) -> AsyncIterator[None]:
    """Hold a lock file; `waiting` is called whenever somebody else was found to hold it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w") as lock:
        while not _taken(lock.fileno()):
            waiting()
            await clock.sleep(_LOOK_AGAIN_S)
        yield


@contextmanager
def attempt(target: Path) -> Iterator[Path]:
    """A directory beside a target to make it in; what killed attempts left is removed. Hold the target's lock."""
    for old in target.parent.glob(f".{target.name}.*.partial"):
        shutil.rmtree(old, ignore_errors=True)
    work = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".partial", dir=target.parent))
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _taken(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
