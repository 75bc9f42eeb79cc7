"""Snapshots in memory: a source and a store that survive the processes which use them, with nothing on any disk."""

from __future__ import annotations

from pathlib import Path

from tests.support.backups import FakeSource
from tests.support.restoring import FakeStore

from homeostat.operators.cluster.backup.errors import AlreadyExists
from homeostat.operators.cluster.backup.manifest import ClusterRef, Encryption, Manifest, Taken, describe
from homeostat.operators.cluster.backup.ports import Progress, Room, unheard
from homeostat.operators.cluster.ports import Drawn, EtcdAccess


class MemorySource(FakeSource):
    """Each snapshot is of a higher revision than the one before."""

    async def draw(self, access: EtcdAccess, target: Path) -> Drawn:
        self.drawn += 1
        return Drawn("m-0", "3.6.16", self.drawn, 20000)


class MemoryStore(FakeStore):
    """Keeps manifests. None has bytes."""

    async def put(self, file: Path, taken: Taken, progress: Progress = unheard) -> Manifest:
        if any((each.cluster, each.id) == (taken.cluster, taken.id) for each in self.manifests):
            raise AlreadyExists(f"storing {taken.id}", self.where, "it is there")
        encryption = Encryption("age", "2026-01-01", "age1")
        made = describe(
            taken, plain=(20000, "0" * 64), stored=(20512, "1" * 64), encryption=encryption, homeostat_version="0"
        )
        self.manifests.append(made)
        return made

    async def delete(self, cluster: ClusterRef, snapshot: str) -> None:
        self.manifests = [each for each in self.manifests if (each.cluster, each.id) != (cluster, snapshot)]

    async def probe(self) -> Room:
        return Room(self.where, None)
