"""The directory of a simulated data centre: who runs it, and how it is reached.

A lock on a file says whether it runs, since the system lets go of it however its process ends; the file names that
process. What else is there may be left of an earlier one, and is believed only while the lock is held.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from msgspec import Struct


class Taken(Exception):
    """Another process runs the data centre of this place."""


class Reached(Struct, frozen=True):
    """How a data centre that runs is reached, and what it is made of."""

    name: str
    url: str  # of the cell's API server
    hosts: tuple[str, ...]
    addresses: str  # the range that load balancers give


class Place:
    """One directory, whether it is there or not."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    @property
    def kubeconfig(self) -> Path:
        """How the cell's administrator comes in; private to its owner."""
        return self.directory / "kubeconfig"

    @property
    def log(self) -> Path:
        """What the process says."""
        return self.directory / "simulation.log"

    @property
    def socket(self) -> Path:
        """Where it is asked about its faults."""
        return self.directory / "simulation.sock"

    @property
    def _lock(self) -> Path:
        return self.directory / "simulation.lock"

    @property
    def _reached(self) -> Path:
        return self.directory / "simulation.json"

    def is_used(self) -> bool:
        """Whether a simulated data centre runs here, or has."""
        return self._lock.exists()

    def runner(self) -> int:
        """The id of the process that runs it; 0 when none does."""
        try:
            with self._lock.open("rb") as file:
                if _locks(file.fileno()):
                    return 0
                return int(file.read() or 0)
        except FileNotFoundError:
            return 0

    def reached(self) -> Reached | None:
        """How it is reached; None when it does not run, or not yet."""
        return self.last() if self.runner() else None

    def last(self) -> Reached | None:
        """How it is reached, or was when it ran last; None when it never has, or nothing is left of that."""
        try:
            return msgspec.json.decode(self._reached.read_bytes(), type=Reached)
        except (FileNotFoundError, msgspec.MsgspecError):
            return None

    @contextmanager
    def run(self) -> Iterator[None]:
        """Be the process that runs it, until the block ends. Raises Taken."""
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._lock.open("a+b") as file:
            if not _locks(file.fileno()):
                raise Taken(f"{self.directory}: another process runs this data centre")
            self._reached.unlink(missing_ok=True)
            self.kubeconfig.unlink(missing_ok=True)
            self.socket.unlink(missing_ok=True)
            if self.log.exists():
                os.truncate(self.log, 0)
            file.truncate(0)
            file.write(str(os.getpid()).encode())
            file.flush()
            try:
                yield
            finally:
                file.truncate(0)

    def tell(self, reached: Reached, kubeconfig: bytes) -> None:
        """Let others find it: the last word of a start."""
        _write(self.kubeconfig, kubeconfig)
        _write(self._reached, msgspec.json.encode(reached))

    def wait_until_free(self) -> None:
        """Block until no process runs it."""
        with self._lock.open("rb") as file:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX)

    def remove(self) -> None:
        """Leave nothing of it."""
        shutil.rmtree(self.directory, ignore_errors=True)


def _locks(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _write(file: Path, content: bytes) -> None:
    """Readers see all of it or nothing, and nobody but its owner."""
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(content)
    temporary.replace(file)
