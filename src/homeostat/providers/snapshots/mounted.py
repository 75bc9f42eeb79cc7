"""`SnapshotStore` as a long-running process has it: its key ring is a mounted directory, which may change at any time.

Nothing is opened before the first call, and what is wrong is told by that call: a process that can do much else does
not end because its keys are not there yet. When somebody changes the files, the next call reads them anew, so a new key
is used, and a mended one works, without a restart.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from homeostat.kit.clock import Clock
from homeostat.kit.random import Random
from homeostat.operators.cluster.backup.errors import KeysUnusable
from homeostat.operators.cluster.backup.listing import Entry
from homeostat.operators.cluster.backup.manifest import ClusterRef, Manifest, Taken
from homeostat.operators.cluster.backup.ports import Progress, Room, unheard
from homeostat.providers.snapshots import keyring
from homeostat.providers.snapshots.address import DirectoryAddress, read_address
from homeostat.providers.snapshots.directory import Directory
from homeostat.providers.snapshots.place import Place
from homeostat.providers.snapshots.store import EncryptedStore


def open_place(address: str, *, random: Random) -> Place:
    """The place of an address; nothing is connected or read yet. Raises BadAddress."""
    read = read_address(address)
    if isinstance(read, DirectoryAddress):
        return Directory(read.root, random)
    from homeostat.providers.snapshots.s3 import Bucket  # here, because its libraries are large

    return Bucket(read)


class MountedStore:
    """Satisfies `SnapshotStore`. Close it; `homeostat_version` is written into manifests."""

    def __init__(self, place: Place, keys: Path, *, homeostat_version: str, clock: Clock, random: Random) -> None:
        self._place, self._keys, self._version = place, keys, homeostat_version
        self._clock, self._random = clock, random
        self._store: EncryptedStore | None = None
        self._mark: object = None

    @property
    def where(self) -> str:
        """The store, for people, without credentials."""
        return self._place.where

    async def close(self) -> None:
        """Give up connections and threads."""
        if self._store is not None:
            await self._store.close()
        else:
            await self._place.close()

    async def put(self, file: Path, taken: Taken, progress: Progress = unheard) -> Manifest:
        """As the port says."""
        return await (await self._opened()).put(file, taken, progress)

    async def list(self, cluster: ClusterRef) -> tuple[Entry, ...]:
        """As the port says."""
        return await (await self._opened()).list(cluster)

    async def manifest(self, cluster: ClusterRef, snapshot: str) -> Manifest:
        """As the port says."""
        return await (await self._opened()).manifest(cluster, snapshot)

    async def fetch(self, cluster: ClusterRef, snapshot: str, target: Path, progress: Progress = unheard) -> Manifest:
        """As the port says."""
        return await (await self._opened()).fetch(cluster, snapshot, target, progress)

    async def delete(self, cluster: ClusterRef, snapshot: str) -> None:
        """As the port says."""
        await (await self._opened()).delete(cluster, snapshot)

    async def probe(self) -> Room:
        """As the port says."""
        return await (await self._opened()).probe()

    async def _opened(self) -> EncryptedStore:
        mark, keys = await asyncio.get_running_loop().run_in_executor(None, self._look)
        if self._store is None:
            assert keys is not None  # noqa: S101  (nothing was read before, so it was now)
            self._store = EncryptedStore(
                self._place, keys, homeostat_version=self._version, clock=self._clock, random=self._random
            )
        elif keys is not None:
            self._store.use(keys)
        self._mark = mark
        return self._store

    def _look(self) -> tuple[object, keyring.KeyRing | None]:
        """What the key ring looks like from outside, and the ring itself if that changed."""
        try:
            files = sorted(self._keys.iterdir())
            mark = tuple((file.name, file.stat().st_ino, file.stat().st_mtime_ns) for file in files if file.is_file())
            return mark, keyring.load(self._keys) if mark != self._mark else None
        except (OSError, keyring.BadKeyRing) as error:
            found = str(error) if isinstance(error, keyring.BadKeyRing) else error.strerror or type(error).__name__
            raise KeysUnusable("opening the store", str(self._keys), found) from error
