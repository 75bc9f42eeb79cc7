"""Where snapshots are kept, as the cluster operator needs it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from homeostat.operators.cluster.backup.listing import Entry
from homeostat.operators.cluster.backup.manifest import ClusterRef, Manifest, Taken

Progress = Callable[[int, int], None]
"""Called in the event loop with plain bytes done and plain bytes in all, at most once per part of some MiB."""


def unheard(done: int, total: int) -> None:
    """Progress for callers that show none."""


class Room(Struct, frozen=True):
    """What a probe found out."""

    where: str  # the store, for people, without credentials
    free_bytes: int | None  # None: a store that cannot tell


class SnapshotStore(Protocol):
    """Keeps encrypted snapshots of many clusters. Safe to call from many tasks at once, one call per snapshot.

    Every call may raise StoreRefused, StoreUnreachable and StoreWrong. Time bounds: `list`, `manifest`, `delete` and
    `probe` end within 60 s; `put` and `fetch` within 5 minutes and one second more per MiB. A call that is cancelled
    leaves nothing that `list` shows as sound, and what it leaves is swept within two days by later calls of `put`.
    """

    @property
    def where(self) -> str:
        """The store, for people, without credentials."""
        ...

    async def put(self, file: Path, taken: Taken, progress: Progress = unheard) -> Manifest:
        """Encrypt and keep a local file, which stays; it appears only when whole, and is durable on return.

        Nothing is overwritten. An error means that the snapshot is not there, but for StoreUnreachable, after which it
        may be: try again with the same `taken` and take AlreadyExists, when `list` shows it as sound, for success.
        Raises AlreadyExists, StoreFull, LocalFileFailed.
        """
        ...

    async def list(self, cluster: ClusterRef) -> tuple[Entry, ...]:
        """All snapshots of one cluster, damaged ones too, the newest first. One listing, no content is fetched."""
        ...

    async def manifest(self, cluster: ClusterRef, snapshot: str) -> Manifest:
        """The verified manifest of one snapshot; a read of some KiB.

        Raises SnapshotNotFound, SnapshotDamaged, KeyMissing.
        """
        ...

    async def fetch(self, cluster: ClusterRef, snapshot: str, target: Path, progress: Progress = unheard) -> Manifest:
        """Decrypt and verify a snapshot into a local file, which only its owner may read.

        The file appears, replacing one of that name, only when every byte is the one that was put. Raises
        SnapshotNotFound, SnapshotDamaged, KeyMissing (before anything is written), LocalFileFailed.
        """
        ...

    async def delete(self, cluster: ClusterRef, snapshot: str) -> None:
        """Have no such snapshot, sound or damaged; that there is none is no error."""
        ...

    async def probe(self) -> Room:
        """Write, read and delete some bytes of its own; how much room is left, where known. Raises StoreFull."""
        ...
