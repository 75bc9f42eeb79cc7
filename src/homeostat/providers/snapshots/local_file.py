"""A file of our own side with secrets in it: private from its first byte on, and there only when it is whole."""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import Executor
from pathlib import Path
from types import TracebackType
from typing import BinaryIO


class PrivateFile:
    """A context in which `opened` can be written. Without `appear` nothing stays. All may raise OSError."""

    opened: BinaryIO

    def __init__(self, target: Path, threads: Executor) -> None:
        self._target, self._threads = target, threads
        self._partial = target.with_name(f".{target.name}.partial")

    async def __aenter__(self) -> PrivateFile:
        self.opened = await asyncio.get_running_loop().run_in_executor(self._threads, self._open)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Not awaited in a thread: a task that is being cancelled must not leave plain bytes behind.
        self._partial.unlink(missing_ok=True)
        self.opened.close()

    async def appear(self) -> None:
        """Take the place of the target, durably; the content is synced already."""
        await asyncio.get_running_loop().run_in_executor(self._threads, self._appear)

    def _open(self) -> BinaryIO:
        self._partial.unlink(missing_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        return os.fdopen(os.open(self._partial, flags, 0o600), "w+b")

    def _appear(self) -> None:
        self._partial.replace(self._target)
        sync_directory(self._target.parent)


def sync_directory(directory: Path) -> None:
    """Make the names in a directory durable. Raises OSError."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
