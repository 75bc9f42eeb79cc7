"""Stores for the contract suite of the port `SnapshotStore`, over every place that there is."""

from __future__ import annotations

import contextlib
import os
import subprocess
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Protocol

import pytest
from tests.support.s3 import S3Server, s3_serving
from tests.support.snapshots import CLUSTER, key, taken

from homeostat.kit.clock import Clock, SystemClock
from homeostat.kit.random import system_random
from homeostat.operators.cluster.backup.manifest import ClusterRef
from homeostat.providers.snapshots.address import BucketAddress
from homeostat.providers.snapshots.directory import Directory
from homeostat.providers.snapshots.keyring import Key, KeyRing
from homeostat.providers.snapshots.place import Place
from homeostat.providers.snapshots.s3 import Bucket
from homeostat.providers.snapshots.store import Bounds, EncryptedStore

ID = taken().id
KEY = key()


class Stored(Protocol):
    """A file of a place, seen behind its back; a path is one."""

    @property
    def name(self) -> str: ...
    def read_bytes(self) -> bytes: ...
    def write_bytes(self, data: bytes) -> object: ...
    def unlink(self) -> None: ...


class Ground(ABC):
    """A place, and where its files can be seen and spoilt behind its back."""

    @abstractmethod
    def make(self, clock: Clock) -> Place:
        """A place of its own over the same files, as a second process would have."""

    @abstractmethod
    def files(self, cluster: ClusterRef | None = None, snapshot: str = "") -> list[Stored]:
        """All files, or those of a snapshot."""

    @abstractmethod
    def file(self, name: str, cluster: ClusterRef = CLUSTER, snapshot: str = ID) -> Stored:
        """One file, there or not."""

    @abstractmethod
    def left_behind(self) -> list[str]:
        """What was begun and never ended."""

    @contextlib.asynccontextmanager
    async def store(
        self, *keys: Key, clock: Clock | None = None, bounds: Bounds | None = None
    ) -> AsyncIterator[EncryptedStore]:
        """A store over the same place."""
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

    def data(self, cluster: ClusterRef = CLUSTER) -> Stored:
        return self.file("snapshot.age", cluster)

    def manifest(self, cluster: ClusterRef = CLUSTER) -> Stored:
        (found,) = [each for each in self.files(cluster, ID) if each.name.startswith("manifest-")]
        return found


class DirectoryGround(Ground):
    """A directory."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def make(self, clock: Clock) -> Place:
        return Directory(self.root, system_random())

    def folder(self, cluster: ClusterRef = CLUSTER, snapshot: str = ID) -> Path:
        """The directory of a snapshot."""
        return self.root / cluster.namespace / cluster.name / cluster.uid / snapshot

    def files(self, cluster: ClusterRef | None = None, snapshot: str = "") -> list[Stored]:
        below = self.folder(cluster, snapshot) if cluster is not None else self.root
        return [file for file in below.rglob("*") if file.is_file()]

    def file(self, name: str, cluster: ClusterRef = CLUSTER, snapshot: str = ID) -> Path:
        folder = self.folder(cluster, snapshot)
        folder.mkdir(parents=True, exist_ok=True)
        return folder / name

    def left_behind(self) -> list[str]:
        return [path.name for path in self.folder().parent.glob(".partial-*")]


@pytest.fixture(params=["directory", "bucket"])
def ground(request: pytest.FixtureRequest, tmp_path: Path) -> Ground:
    """An empty place of each kind."""
    if request.param == "bucket":
        bucket: Ground = request.getfixturevalue("bucket_ground")
        return bucket
    root = tmp_path / "root"
    root.mkdir()
    return DirectoryGround(root)


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    with s3_serving() as server:
        yield server


@pytest.fixture
def bucket_ground(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> Ground:
    """An empty bucket."""
    for name, value in s3_server.credentials.items():
        monkeypatch.setenv(name, value)
    return BucketGround(s3_server)


class BucketGround(Ground):
    """A bucket of a server that speaks S3."""

    def __init__(self, server: S3Server) -> None:
        self.server = server
        self.bucket = server.new_bucket()
        self.prefix = "cells/one"

    def make(self, clock: Clock) -> Place:
        return Bucket(BucketAddress(self.bucket, self.prefix, self.server.endpoint, "us-east-1", "path"))

    def files(self, cluster: ClusterRef | None = None, snapshot: str = "") -> list[Stored]:
        below = self._folder(cluster, snapshot) if cluster is not None else ""
        return [*self.server.objects(self.bucket, below)]

    def file(self, name: str, cluster: ClusterRef = CLUSTER, snapshot: str = ID) -> Stored:
        return self.server.object(self.bucket, f"{self._folder(cluster, snapshot)}/{name}")

    def left_behind(self) -> list[str]:
        return self.server.uploads(self.bucket)

    def _folder(self, cluster: ClusterRef, snapshot: str) -> str:
        return f"{self.prefix}/{cluster.namespace}/{cluster.name}/{cluster.uid}/{snapshot}"


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
