"""What a place must do for `EncryptedStore`: keep named files of sealed bytes, and let them appear only when whole."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Protocol

from homeostat.operators.cluster.backup.listing import File
from homeostat.operators.cluster.backup.manifest import ClusterRef


class Upload(Protocol):
    """One snapshot on its way. After `commit` or `abandon` nothing else is called."""

    async def write(self, part: bytes) -> None:
        """Take the next part: `part_bytes` of it, or less of the last. Raises StoreError."""
        ...

    async def commit(self, manifest_name: str, manifest: bytes) -> None:
        """Let it appear, durably; nothing is overwritten. Raises AlreadyExists, StoreError."""
        ...

    async def abandon(self) -> None:
        """Remove what can be removed. Raises StoreError; what is left then is swept later."""
        ...


class Place(Protocol):
    """Safe to call from many tasks. Every call may raise StoreRefused, StoreUnreachable, StoreWrong.

    Calls may hang: whoever calls sets a deadline. `snapshot` holds no slash and begins with no dot.
    """

    @property
    def where(self) -> str:
        """The place, for people, without credentials."""
        ...

    def part_bytes(self, stored_bytes: int) -> int:
        """The size of parts, in bytes, for a snapshot of at most so many stored bytes."""
        ...

    async def files(self, cluster: ClusterRef, snapshot: str = "") -> tuple[File, ...]:
        """All files of a cluster, or of one of its snapshots, by one listing."""
        ...

    async def begin(self, cluster: ClusterRef, snapshot: str) -> Upload:
        """Begin to write a snapshot. Raises AlreadyExists, StoreFull."""
        ...

    async def read(self, cluster: ClusterRef, snapshot: str, name: str, limit: int) -> bytes:
        """A small file, at most `limit` bytes of it. Raises SnapshotNotFound."""
        ...

    def stream(self, cluster: ClusterRef, snapshot: str, name: str) -> AsyncGenerator[bytes, None]:
        """A large file in parts. Raises SnapshotNotFound. To be closed."""
        ...

    async def remove(self, cluster: ClusterRef, snapshot: str) -> None:
        """Have no such snapshot; whatever dies on the way leaves nothing that looks sound."""
        ...

    async def sweep(self, cluster: ClusterRef, before: datetime) -> None:
        """Remove what writers of this cluster began before a time and never ended."""
        ...

    async def try_out(self, name: str, content: bytes) -> int | None:
        """Write, read and delete a file of this name; free bytes, None where unknown. Raises StoreFull."""
        ...

    async def close(self) -> None:
        """Give up connections and threads. Nothing is called afterwards."""
        ...
