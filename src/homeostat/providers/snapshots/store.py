"""`SnapshotStore` over a place: encrypts, counts, seals, verifies, and bounds every call in time.

A snapshot is two files: `snapshot.age` and a manifest. The place shows both or, while it is being written or deleted,
one, which a listing tells as damaged.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncGenerator, AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import msgspec
from msgspec import Struct

from homeostat.kit.clock import Clock
from homeostat.kit.random import Random
from homeostat.operators.cluster.backup import listing, manifest
from homeostat.operators.cluster.backup.errors import (
    KeyMissing,
    LocalFileFailed,
    SnapshotDamaged,
    SnapshotError,
    SnapshotNotFound,
    StoreError,
    StoreRefused,
    StoreUnreachable,
    StoreWrong,
)
from homeostat.operators.cluster.backup.listing import DATA_NAME, Entry
from homeostat.operators.cluster.backup.manifest import ClusterRef, Encryption, Manifest, Taken
from homeostat.operators.cluster.backup.ports import Progress, Room, unheard
from homeostat.providers.snapshots import encryption
from homeostat.providers.snapshots.encryption import Counter, NotDecrypted
from homeostat.providers.snapshots.keyring import Key, KeyRing
from homeostat.providers.snapshots.local_file import PrivateFile
from homeostat.providers.snapshots.place import Place, Upload

STALE = timedelta(days=1)  # no upload takes this long; see Bounds
_MIB = 1024 * 1024
_TRANSFERS = 4  # at once; each has a thread and two parts in memory, further ones wait


class Bounds(Struct, frozen=True):
    """How long calls may take, in seconds; the port promises the defaults."""

    call_s: float = 50.0  # list, manifest, delete, probe
    transfer_s: float = 230.0  # put and fetch, and further:
    transfer_s_per_mib: float = 1.0  # slower than this, no snapshot is worth its interval
    clean_up_s: float = 10.0  # after a failure, before it is told

    def for_bytes(self, count: int) -> float:
        """For moving so many bytes."""
        return self.transfer_s + self.transfer_s_per_mib * count / _MIB


class EncryptedStore:
    """Satisfies `SnapshotStore`. Close it; `homeostat_version` is written into manifests."""

    def __init__(
        self,
        place: Place,
        keys: KeyRing,
        *,
        homeostat_version: str,
        clock: Clock,
        random: Random,
        bounds: Bounds = Bounds(),  # noqa: B008  (a frozen value)
    ) -> None:
        self._place, self._keys, self._version = place, keys, homeostat_version
        self._clock, self._random, self._bounds = clock, random, bounds
        self._threads = ThreadPoolExecutor(_TRANSFERS, thread_name_prefix="snapshot-age")

    @property
    def where(self) -> str:
        """As the port says."""
        return self._place.where

    def use(self, keys: KeyRing) -> None:
        """Take another key ring from now on; calls under way end with the keys they began with."""
        self._keys = keys

    async def close(self) -> None:
        """Give up connections and threads."""
        await self._place.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def put(self, file: Path, taken: Taken, progress: Progress = unheard) -> Manifest:
        """As the port says."""
        doing = f"putting snapshot {taken.id} of {taken.cluster}"
        source = await self._size_of(file, doing)
        async with self._within(self._bounds.for_bytes(source), doing):
            await self._sweep(taken.cluster)
            upload = await self._begin(taken)
            try:
                described = await self._send(file, source, taken, upload, progress)
                content = manifest.encode(described)
                await upload.commit(listing.manifest_name(content, described.stored_bytes), content)
            except BaseException as error:
                await self._abandon(upload)
                if isinstance(error, OSError) and not isinstance(error, TimeoutError):
                    raise _local(doing, file, error) from error
                raise
        progress(described.plain_bytes, described.plain_bytes)
        return described

    async def list(self, cluster: ClusterRef) -> tuple[Entry, ...]:
        """As the port says."""
        async with self._within(self._bounds.call_s, f"listing the snapshots of {cluster}"):
            return listing.entries(await self._place.files(cluster))

    async def manifest(self, cluster: ClusterRef, snapshot: str) -> Manifest:
        """As the port says."""
        doing = f"reading the manifest of snapshot {snapshot} of {cluster}"
        async with self._within(self._bounds.call_s, doing):
            found, _ = await self._verified(cluster, snapshot, doing)
            return found

    async def fetch(self, cluster: ClusterRef, snapshot: str, target: Path, progress: Progress = unheard) -> Manifest:
        """As the port says."""
        doing = f"fetching snapshot {snapshot} of {cluster}"
        async with self._within(self._bounds.call_s, doing):
            found, key = await self._verified(cluster, snapshot, doing)
        async with self._within(self._bounds.for_bytes(found.stored_bytes), doing):
            await self._receive(found, key, target, progress, doing)
        return found

    async def delete(self, cluster: ClusterRef, snapshot: str) -> None:
        """As the port says."""
        async with self._within(self._bounds.call_s, f"deleting snapshot {snapshot} of {cluster}"):
            if _can_be_named(snapshot):
                await self._place.remove(cluster, snapshot)

    async def probe(self) -> Room:
        """As the port says."""
        name = f".probe-{self._random.randrange(0, 1 << 32):08x}"
        async with self._within(self._bounds.call_s, "probing the store"):
            return Room(self._place.where, await self._try_out(name))

    async def _try_out(self, name: str) -> int | None:
        """One that is given up takes away what it has written, which may hang as whatever came before it did."""
        trying = asyncio.ensure_future(self._place.try_out(name, secrets.token_bytes(1024)))
        try:
            return await asyncio.shield(trying)
        except asyncio.CancelledError:
            trying.cancel()
            with contextlib.suppress(SnapshotError, TimeoutError, asyncio.CancelledError):
                async with self._clock.timeout(self._bounds.clean_up_s):
                    await trying
            raise

    async def _send(self, file: Path, plain_bytes: int, taken: Taken, upload: Upload, progress: Progress) -> Manifest:
        key, plain, stored = self._keys.newest, Counter(), Counter()
        part_bytes = self._place.part_bytes(encryption.sealed_size(plain_bytes))
        parts = encryption.encrypted(file, key, part_bytes, self._threads, plain=plain, stored=stored)
        async with contextlib.aclosing(parts):
            async for part in parts:
                await upload.write(part)
                progress(min(plain.size, plain_bytes), plain_bytes)
        described = manifest.describe(
            taken,
            plain=plain.seen,
            stored=stored.seen,
            encryption=Encryption(encryption.FORMAT, key.id, key.recipient),
            homeostat_version=self._version,
        )
        return msgspec.structs.replace(described, seal=key.seal(manifest.sealed_part(described)))

    async def _receive(self, found: Manifest, key: Key, target: Path, progress: Progress, doing: str) -> None:
        plain, stored = Counter(), Counter()

        async def parts() -> AsyncGenerator[bytes, None]:
            stream = self._place.stream(found.cluster, found.id, DATA_NAME)
            async with contextlib.aclosing(stream):
                async for part in stream:
                    yield part
                    progress(min(plain.size, found.plain_bytes), found.plain_bytes)

        try:
            async with PrivateFile(target, self._threads) as file, contextlib.aclosing(parts()) as sealed:
                await encryption.decrypt(sealed, key, file.opened, self._threads, plain=plain, stored=stored)
                if (plain.seen, stored.seen) != (
                    (found.plain_bytes, found.plain_sha256),
                    (found.stored_bytes, found.stored_sha256),
                ):
                    raise SnapshotDamaged(doing, self._place.where, "its bytes are not those that the manifest tells")
                await file.appear()
        except NotDecrypted as error:
            raise SnapshotDamaged(doing, self._place.where, f"its bytes do not decrypt: {error}") from error
        except TimeoutError:
            raise
        except OSError as error:
            raise _local(doing, target, error) from error
        progress(found.plain_bytes, found.plain_bytes)

    async def _verified(self, cluster: ClusterRef, snapshot: str, doing: str) -> tuple[Manifest, Key]:
        """The manifest of a snapshot, and the key that sealed it."""
        where = self._place.where
        files = await self._place.files(cluster, snapshot) if _can_be_named(snapshot) else ()
        if not files:
            raise SnapshotNotFound(doing, where, "it is not there")
        (entry,) = listing.entries(files)
        if entry.damaged:
            raise SnapshotDamaged(doing, where, entry.damaged)
        name = next(file.name for file in files if listing.is_manifest(file.name))
        content = await self._place.read(cluster, snapshot, name, manifest.MAX_BYTES + 1)
        if not listing.belongs(name, content):
            raise SnapshotDamaged(doing, where, "its manifest was changed: its checksum is not the one in its name")
        try:
            found = manifest.decode(content, cluster, snapshot)
        except manifest.ManifestUnsound as error:
            raise SnapshotDamaged(doing, where, str(error)) from error
        return found, self._key_of(found, doing)

    def _key_of(self, found: Manifest, doing: str) -> Key:
        where, used = self._place.where, found.encryption
        key = self._keys.get(used.key_id)
        if key is None:
            has = ", ".join(self._keys.ids)
            raise KeyMissing(doing, where, f"it needs the key {used.key_id}, the key ring has {has}")
        if key.recipient != used.recipient:
            raise KeyMissing(doing, where, f"the key ring has another key under the id {used.key_id}")
        if not key.has_sealed(manifest.sealed_part(found), found.seal):
            raise SnapshotDamaged(doing, where, "its manifest was changed: the seal is not that of its content")
        return key

    async def _size_of(self, file: Path, doing: str) -> int:
        try:
            return (await asyncio.get_running_loop().run_in_executor(self._threads, file.stat)).st_size
        except OSError as error:
            raise _local(doing, file, error) from error

    async def _sweep(self, cluster: ClusterRef) -> None:
        # Not everybody gives the right to look for unfinished uploads, and not every store knows the request; buckets
        # have rules of their own for that. Whatever else is wrong stops the next step.
        with contextlib.suppress(StoreRefused, StoreWrong, SnapshotNotFound):
            await self._place.sweep(cluster, self._clock.now() - STALE)

    async def _begin(self, taken: Taken) -> Upload:
        """One that is given up while it begins is ended when it has begun: nobody else would know of it."""
        beginning = asyncio.ensure_future(self._place.begin(taken.cluster, taken.id))
        try:
            return await asyncio.shield(beginning)
        except asyncio.CancelledError:
            with contextlib.suppress(StoreError, TimeoutError):
                async with self._clock.timeout(self._bounds.clean_up_s):
                    await (await beginning).abandon()
            raise

    async def _abandon(self, upload: Upload) -> None:
        # The first failure is the one to tell; what this leaves is swept later.
        with contextlib.suppress(StoreError, TimeoutError):
            async with self._clock.timeout(self._bounds.clean_up_s):
                await upload.abandon()

    @contextlib.asynccontextmanager
    async def _within(self, seconds: float, doing: str) -> AsyncIterator[None]:
        try:
            async with self._clock.timeout(seconds):
                yield
        except TimeoutError as error:
            raise StoreUnreachable(doing, self._place.where, f"it did not end within {seconds:.0f} s") from error


def _can_be_named(snapshot: str) -> bool:
    """Whether an id can be one of a listing; nothing else becomes part of a path."""
    return 0 < len(snapshot) <= 255 and "/" not in snapshot and "\0" not in snapshot and not snapshot.startswith(".")


def _local(doing: str, file: Path, error: OSError) -> LocalFileFailed:
    return LocalFileFailed(doing, str(file), error.strerror or type(error).__name__)
