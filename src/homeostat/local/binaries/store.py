"""The cache of binaries: a directory for every component and origin, filled by rename and under one lock.

    binaries/kubernetes-1.35.4/release/kubelet          verified against the published checksum
    binaries/kubernetes-1.35.4/build-3f9a.../kubelet    the digest is of everything that determines the build

A program is in the cache when its file and its record (digest, size) agree; a killed process, a full disk or a power
cut leaves at most partial files in `.work`, which the next one removes or resumes. Nothing is deleted by itself:
running hosts have these directories bound.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import msgspec
from msgspec import Struct

from homeostat.kit.clock import Clock
from homeostat.local.binaries.components import Component
from homeostat.local.binaries.disk import clear_errors
from homeostat.local.locks import locked
from homeostat.local.steps import Report

RELEASE = "release"


class Record(Struct, frozen=True):
    """What was put into the cache, and from where."""

    sha256: str
    size: int
    source: str


class Store:
    """The cache at one directory, which need not exist yet."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.work = root / ".work"

    def directory(self, component: Component, origin: str) -> Path:
        """Where the programs of a component lie, or would."""
        return self.root / component.label / origin

    def missing(self, component: Component, origin: str) -> tuple[str, ...]:
        """The programs of a component that are not in the cache."""
        directory = self.directory(component, origin)
        return tuple(name for name in component.names if not _is_sound(directory, name))

    def builds(self, component: Component, recipe: str) -> tuple[str, ...]:
        """The origins of complete builds by a recipe, with whichever Go."""
        places = sorted((self.root / component.label).glob(f"{recipe}-*"))
        return tuple(place.name for place in places if not self.missing(component, place.name))

    def put(self, component: Component, origin: str, name: str, file: Path, source: str) -> Path:
        """Move a finished file of the work directory into the cache. Blocks; raises NoSpace."""
        directory = self.directory(component, origin)
        with clear_errors(f"{component.label}: keeping {name}"):
            directory.mkdir(parents=True, exist_ok=True)
            file.chmod(0o755)
            with file.open("rb") as content:
                os.fsync(content.fileno())
                digest = hashlib.file_digest(content, "sha256").hexdigest()
            record = Record(digest, file.stat().st_size, source)
            partial = self.work / f"{component.label}-{name}.json"
            partial.write_bytes(msgspec.json.encode(record))
            partial.rename(_record_of(directory, name))
            return file.rename(directory / name)

    @contextlib.asynccontextmanager
    async def locked(self, clock: Clock, progress: Report) -> AsyncIterator[None]:
        """Hold the cache: one download or build on a machine at a time, and a waiting process shares its result."""
        with clear_errors(f"{self.root}: making the cache"):
            self.work.mkdir(parents=True, exist_ok=True)
        waiting = partial(progress.update, "waiting for another homeostat that downloads or builds binaries")
        async with contextlib.AsyncExitStack() as stack:
            with clear_errors(f"{self.root}: locking the cache"):
                await stack.enter_async_context(locked(self.root / ".lock", clock=clock, waiting=waiting))
            yield


def _is_sound(directory: Path, name: str) -> bool:
    try:
        record = msgspec.json.decode(_record_of(directory, name).read_bytes(), type=Record)
        return (directory / name).stat().st_size == record.size
    except (OSError, msgspec.MsgspecError):
        return False


def _record_of(directory: Path, name: str) -> Path:
    return directory / f".{name}.json"
