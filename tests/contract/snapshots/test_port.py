"""What the port `SnapshotStore` promises, of every implementation."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.contract.snapshots.conftest import ID, KEY, Ground
from tests.support.snapshots import CLUSTER, NOW, key, taken

from homeostat.kit.clock import SystemClock
from homeostat.operators.cluster.backup.errors import (
    AlreadyExists,
    KeyMissing,
    LocalFileFailed,
    SnapshotDamaged,
    SnapshotNotFound,
    StoreUnreachable,
)
from homeostat.operators.cluster.backup.listing import manifest_name
from homeostat.operators.cluster.backup.ports import SnapshotStore
from homeostat.providers.snapshots.keyring import Key
from homeostat.providers.snapshots.store import Bounds, EncryptedStore

pytestmark = pytest.mark.real


class LaterClock(SystemClock):
    """Two days ahead in the time of day."""

    def now(self) -> datetime:
        return super().now() + timedelta(days=2)


async def test_what_was_put_comes_back_whole_and_private(store: SnapshotStore, snapshot: Path, tmp_path: Path) -> None:
    put = await store.put(snapshot, taken())
    target = tmp_path / "back.db"
    target.write_text("an older one")
    assert await store.fetch(CLUSTER, put.id, target) == put == await store.manifest(CLUSTER, put.id)
    assert target.read_bytes() == snapshot.read_bytes()
    assert target.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in tmp_path.iterdir() if file.name.startswith(".")] == []
    assert (put.plain_bytes, put.revision, put.encryption.key_id) == (snapshot.stat().st_size, 42, KEY.id)


async def test_a_large_one_passes_in_parts_with_progress(
    store: SnapshotStore, large_snapshot: Path, tmp_path: Path
) -> None:
    size = large_snapshot.stat().st_size
    told: list[int] = []
    put = await store.put(large_snapshot, taken(), lambda done, total: told.append(done if total == size else -1))
    assert told == sorted(told)
    assert len(told) >= 3
    assert told[-1] == size
    told.clear()
    await store.fetch(CLUSTER, put.id, tmp_path / "back.db", lambda done, _: told.append(done))
    assert told == sorted(told)
    assert told[-1] == size
    assert (tmp_path / "back.db").read_bytes() == large_snapshot.read_bytes()


async def test_nothing_that_is_kept_shows_what_is_in_it(store: SnapshotStore, ground: Ground, snapshot: Path) -> None:
    await store.put(snapshot, taken())
    kept = b"".join(file.read_bytes() for file in ground.files())
    assert b"etcd's own bytes" not in kept
    assert str(KEY.identity).encode() not in kept


async def test_a_listing_shows_one_cluster_and_the_newest_first(store: SnapshotStore, snapshot: Path) -> None:
    older = taken(at=NOW - timedelta(hours=1))
    await store.put(snapshot, taken())
    await store.put(snapshot, older)
    for other in (
        replace(CLUSTER, name="blue2"),
        replace(CLUSTER, uid="another-of-the-same-name"),
        replace(CLUSTER, namespace="other"),
    ):
        await store.put(snapshot, taken(cluster=other))
        assert [one.id for one in await store.list(other)] == [ID]
    found = await store.list(CLUSTER)
    assert [(one.id, one.taken_at, one.is_sound) for one in found] == [
        (ID, NOW, True),
        (older.id, older.taken_at, True),
    ]
    assert await store.list(replace(CLUSTER, name="never")) == ()


async def test_nothing_is_overwritten(
    store: SnapshotStore, ground: Ground, snapshot: Path, large_snapshot: Path
) -> None:
    await store.put(snapshot, taken())
    before = ground.data().read_bytes()
    with pytest.raises(AlreadyExists, match="something of that id is there"):
        await store.put(large_snapshot, taken())
    assert ground.data().read_bytes() == before
    assert len(ground.files()) == 2


async def test_of_two_at_once_one_is_kept_and_whole(ground: Ground, snapshot: Path, tmp_path: Path) -> None:
    async with ground.store() as one, ground.store() as other:
        results = await asyncio.gather(one.put(snapshot, taken()), other.put(snapshot, taken()), return_exceptions=True)
        assert sorted(type(result).__name__ for result in results) == ["AlreadyExists", "Manifest"]
        await one.fetch(CLUSTER, ID, tmp_path / "back.db")
        assert (tmp_path / "back.db").read_bytes() == snapshot.read_bytes()
        assert len(ground.files()) == 2


async def test_deleting_twice_is_as_good_as_once(store: SnapshotStore, ground: Ground, snapshot: Path) -> None:
    await store.put(snapshot, taken())
    await store.delete(CLUSTER, ID)
    await store.delete(CLUSTER, ID)
    await store.delete(CLUSTER, "../../other")
    assert await store.list(CLUSTER) == ()
    assert ground.files() == []
    await store.put(snapshot, taken())


@pytest.mark.parametrize("snapshot_id", [ID, "odd", "", "..", "../x", ".hidden", "a\0b"])
async def test_what_is_not_there_is_not_found(store: SnapshotStore, snapshot_id: str, tmp_path: Path) -> None:
    with pytest.raises(SnapshotNotFound, match="it is not there; list the snapshots"):
        await store.fetch(CLUSTER, snapshot_id, tmp_path / "back.db")
    assert not (tmp_path / "back.db").exists()


def remove_manifest(ground: Ground) -> None:
    ground.manifest().unlink()


def cut_manifest(ground: Ground) -> None:
    ground.manifest().write_bytes(ground.manifest().read_bytes()[:-2])


def remove_data(ground: Ground) -> None:
    ground.data().unlink()


def cut_data(ground: Ground) -> None:
    ground.data().write_bytes(ground.data().read_bytes()[:-1])


def lengthen_data(ground: Ground) -> None:
    ground.data().write_bytes(ground.data().read_bytes() + b"x")


@pytest.mark.parametrize("spoil", [remove_manifest, cut_manifest, remove_data, cut_data, lengthen_data])
async def test_what_is_damaged_is_listed_as_such_never_restored_and_can_be_deleted(
    store: SnapshotStore, ground: Ground, snapshot: Path, tmp_path: Path, spoil: object
) -> None:
    await store.put(snapshot, taken())
    spoil(ground)  # type: ignore[operator]
    (found,) = await store.list(CLUSTER)
    assert found.damaged
    with pytest.raises(SnapshotDamaged, match="use another snapshot"):
        await store.fetch(CLUSTER, ID, tmp_path / "back.db")
    with pytest.raises(AlreadyExists):
        await store.put(snapshot, taken())
    await store.delete(CLUSTER, ID)
    assert await store.list(CLUSTER) == ()
    assert not (tmp_path / "back.db").exists()


async def test_a_changed_byte_is_found_before_the_file_appears(
    store: SnapshotStore, ground: Ground, snapshot: Path, tmp_path: Path
) -> None:
    await store.put(snapshot, taken())
    content = bytearray(ground.data().read_bytes())
    content[len(content) // 2] ^= 1
    ground.data().write_bytes(bytes(content))
    with pytest.raises(SnapshotDamaged, match="do not decrypt"):
        await store.fetch(CLUSTER, ID, tmp_path / "back.db")
    assert {file.name for file in tmp_path.iterdir()} <= {"etcd.db", "root"}


async def test_a_changed_manifest_of_the_same_size_is_found_when_it_is_read(
    store: SnapshotStore, ground: Ground, snapshot: Path
) -> None:
    await store.put(snapshot, taken())
    ground.manifest().write_bytes(ground.manifest().read_bytes().replace(b"1.35.4", b"1.34.4"))
    with pytest.raises(SnapshotDamaged, match="its manifest was changed"):
        await store.manifest(CLUSTER, ID)


async def test_whoever_has_no_key_cannot_forge_a_manifest(store: SnapshotStore, ground: Ground, snapshot: Path) -> None:
    put = await store.put(snapshot, taken())
    told = json.loads(ground.manifest().read_bytes())
    told["kubernetesVersion"] = "1.34.4"
    forged = json.dumps(told).encode()
    ground.manifest().unlink()
    ground.file(manifest_name(forged, put.stored_bytes)).write_bytes(forged)
    assert (await store.list(CLUSTER))[0].is_sound  # a listing reads no seal
    with pytest.raises(SnapshotDamaged, match="the seal is not that of its content"):
        await store.manifest(CLUSTER, ID)


async def test_a_snapshot_of_another_cluster_is_not_taken_for_ones_own(
    store: SnapshotStore, ground: Ground, snapshot: Path, tmp_path: Path
) -> None:
    other = replace(CLUSTER, uid="another")
    await store.put(snapshot, taken())
    for file in ground.files(CLUSTER, ID):
        ground.file(file.name, other).write_bytes(file.read_bytes())
    with pytest.raises(SnapshotDamaged, match=r"expected the manifest of .* of payments/blue .another."):
        await store.fetch(other, ID, tmp_path / "back.db")


async def test_the_newest_key_encrypts_and_older_ones_decrypt(ground: Ground, snapshot: Path, tmp_path: Path) -> None:
    old, new = key("2025-01-01"), key("2026-02-02")
    async with ground.store(old) as before:
        await before.put(snapshot, taken(1))
    async with ground.store(old, new) as now:
        put = await now.put(snapshot, taken(2))
        assert put.encryption.key_id == new.id
        for one in await now.list(CLUSTER):
            await now.fetch(CLUSTER, one.id, tmp_path / one.id)


async def test_without_its_key_nothing_is_written(ground: Ground, snapshot: Path, tmp_path: Path) -> None:
    old, new = key("2025-01-01"), key("2026-02-02")
    async with ground.store(old) as before:
        await before.put(snapshot, taken())
    for keys, told in (((new,), "needs the key 2025-01-01, the key ring has 2026-02-02"), ((key(old.id),), "another")):
        await refuses_for_its_key(ground, keys, told, tmp_path / "none" / "back.db")


async def refuses_for_its_key(ground: Ground, keys: tuple[Key, ...], told: str, target: Path) -> None:
    async with ground.store(*keys) as store:
        # The directory of the target does not exist: writing to it would be another error.
        with pytest.raises(KeyMissing, match=told):
            await store.fetch(CLUSTER, ID, target)


async def test_files_of_our_own_side_are_named_when_they_fail(
    store: SnapshotStore, snapshot: Path, tmp_path: Path
) -> None:
    with pytest.raises(LocalFileFailed, match="missing: No such file"):
        await store.put(tmp_path / "missing", taken())
    with pytest.raises(LocalFileFailed, match="Is a directory"):
        await store.put(tmp_path, taken())
    assert await store.list(CLUSTER) == ()
    await store.put(snapshot, taken())
    with pytest.raises(LocalFileFailed, match="No such file"):
        await store.fetch(CLUSTER, ID, tmp_path / "missing" / "back.db")
    with pytest.raises(LocalFileFailed, match="Is a directory"):
        await store.fetch(CLUSTER, ID, tmp_path)


async def test_a_put_that_is_cancelled_leaves_nothing(
    store: SnapshotStore, ground: Ground, large_snapshot: Path
) -> None:
    begun = asyncio.Event()
    putting = asyncio.create_task(store.put(large_snapshot, taken(), lambda *_: begun.set()))
    await begun.wait()
    putting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await putting
    assert await store.list(CLUSTER) == ()
    assert ground.files() == []
    await store.put(large_snapshot, taken())


async def test_a_store_that_is_too_slow_is_told_and_keeps_no_half_snapshot(
    ground: Ground, large_snapshot: Path
) -> None:
    async with ground.store(bounds=Bounds(transfer_s=0.001, transfer_s_per_mib=0.0)) as store:
        with pytest.raises(StoreUnreachable, match="did not end within"):
            await store.put(large_snapshot, taken())
        assert await store.list(CLUSTER) == ()
    assert ground.files() == []
    assert ground.left_behind() == []


async def test_a_fetch_that_is_cancelled_leaves_no_plain_bytes(
    store: SnapshotStore, large_snapshot: Path, tmp_path: Path
) -> None:
    await store.put(large_snapshot, taken())
    begun = asyncio.Event()
    (tmp_path / "to").mkdir()
    fetching = asyncio.create_task(store.fetch(CLUSTER, ID, tmp_path / "to" / "back.db", lambda *_: begun.set()))
    await begun.wait()
    fetching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await fetching
    assert list((tmp_path / "to").iterdir()) == []


async def test_what_a_dead_writer_began_is_swept_after_a_day_and_not_before(ground: Ground, snapshot: Path) -> None:
    place = ground.make(SystemClock())
    upload = await place.begin(CLUSTER, ID)
    await upload.write(bytes(6 * 1024 * 1024))  # less than a bucket's part, but the last may be
    async with ground.store() as store:
        await store.put(snapshot, taken(1))
        assert ground.left_behind()
    async with ground.store(clock=LaterClock()) as store:
        await store.put(snapshot, taken(2))
        assert not ground.left_behind()
        assert [one.revision for one in await store.list(CLUSTER)] == [2, 1]
    await place.close()


async def test_a_probe_writes_reads_and_leaves_nothing(store: EncryptedStore, ground: Ground) -> None:
    room = await store.probe()
    assert room.where == store.where
    assert ground.files() == []
