"""Stores for the contract suite of the port `SnapshotStore`, over every place that there is."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from msgspec import Struct
from tests.support.snapshots import CLUSTER, key, taken

from homeostat.kit.clock import Clock, SystemClock
from homeostat.kit.random import system_random
from homeostat.operators.cluster.backup.manifest import ClusterRef
from homeostat.providers.snapshots.directory import Directory
from homeostat.providers.snapshots.keyring import Key, KeyRing
from homeostat.providers.snapshots.place import Place
from homeostat.providers.snapshots.store import Bounds, EncryptedStore

ID = taken().id
KEY = key()


class Ground(Struct, frozen=True):
    """A place, and where its files can be seen and spoilt behind its back."""

    root: Path
    make: Callable[[Clock], Place]

    @contextlib.asynccontextmanager
    async def store(
        self, *keys: Key, clock: Clock | None = None, bounds: Bounds | None = None
    ) -> AsyncIterator[EncryptedStore]:
        """A store of its own over the same place, as a second process would have."""
        clock = clock or SystemClock()
        made = EncryptedStore(
            self.make(clock),
            KeyRing(keys or (KEY,)),
            homeostat_version="0.1.0",
            clock=clock,
            random=system_random(),
            bounds=bounds or Bounds(),
        )
        try:
            yield made
        finally:
            await made.close()

    def folder(self, cluster: ClusterRef = CLUSTER, snapshot: str = ID) -> Path:
        """The directory of a snapshot."""
        return self.root / cluster.namespace / cluster.name / cluster.uid / snapshot

    def data(self, cluster: ClusterRef = CLUSTER) -> Path:
        return self.folder(cluster) / "snapshot.age"

    def manifest(self, cluster: ClusterRef = CLUSTER) -> Path:
        (found,) = self.folder(cluster).glob("manifest-*.json")
        return found

    def everything(self) -> list[Path]:
        """All files."""
        return [file for file in self.root.rglob("*") if file.is_file()]


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    """An empty place."""
    root = tmp_path / "root"
    root.mkdir()
    return Ground(root, lambda _: Directory(root, system_random()))


@pytest.fixture
async def store(ground: Ground) -> AsyncIterator[EncryptedStore]:
    """A store over the ground."""
    async with ground.store() as made:
        yield made


@pytest.fixture
def snapshot(tmp_path: Path) -> Path:
    """A local file of some kilobytes, as etcdctl writes it."""
    file = tmp_path / "etcd.db"
    file.write_bytes(b"etcd's own bytes " * 20 + os.urandom(200_000))
    return file


@pytest.fixture
def large_snapshot(tmp_path: Path) -> Path:
    """One of several parts."""
    file = tmp_path / "large.db"
    file.write_bytes(os.urandom(18 * 1024 * 1024))
    return file


@contextlib.contextmanager
def tiny_file_system(at: Path, size: str) -> Iterator[Path]:
    """A file system in memory that is soon full."""
    at.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "tmpfs", str(at)], check=True)
    try:
        yield at
    finally:
        subprocess.run(["umount", "--lazy", str(at)], check=True)
