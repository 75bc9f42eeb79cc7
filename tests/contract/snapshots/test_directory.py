"""What a directory does beyond the port: full and read-only file systems, links, modes."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from tests.contract.snapshots.conftest import ID, DirectoryGround, tiny_file_system
from tests.support.snapshots import CLUSTER, taken

from homeostat.operators.cluster.backup.errors import SnapshotDamaged, StoreFull, StoreRefused, StoreWrong

pytestmark = pytest.mark.real


def over(root: Path) -> DirectoryGround:
    return DirectoryGround(root)


async def test_a_full_file_system_is_named_and_keeps_no_half_snapshot(
    tmp_path: Path, snapshot: Path, large_snapshot: Path
) -> None:
    with tiny_file_system(tmp_path / "tiny", "8m") as root:
        async with over(root).store() as store:
            await store.put(snapshot, taken(1))
            with pytest.raises(StoreFull, match=f"directory {root}: No space left on device; make room"):
                await store.put(large_snapshot, taken(2))
            assert [one.revision for one in await store.list(CLUSTER) if one.is_sound] == [1]
            assert len(over(root).files()) == 2
            room = await store.probe()
            assert room.free_bytes is not None
            assert room.free_bytes > 7_000_000


async def test_a_probe_tells_a_full_file_system(tmp_path: Path) -> None:
    with tiny_file_system(tmp_path / "tiny", "64k") as root:
        (root / "rest").write_bytes(bytes(64 * 1024))
        async with over(root).store() as store:
            with pytest.raises(StoreFull):
                await store.probe()


async def test_a_read_only_file_system_refuses(tmp_path: Path, snapshot: Path) -> None:
    with tiny_file_system(tmp_path / "tiny", "1m") as root:
        subprocess.run(["mount", "-o", "remount,ro", str(root)], check=True)
        async with over(root).store() as store:
            with pytest.raises(StoreRefused, match="Read-only file system; mend the credentials, or the rights"):
                await store.probe()
            with pytest.raises(StoreRefused):
                await store.put(snapshot, taken())
            assert await store.list(CLUSTER) == ()


async def test_a_root_that_is_missing_is_not_made(tmp_path: Path, snapshot: Path) -> None:
    (tmp_path / "file").write_text("")
    for root in (tmp_path / "missing", tmp_path / "file"):
        async with over(root).store() as store:
            with pytest.raises(StoreWrong, match="make the bucket or directory"):
                await store.list(CLUSTER)
            with pytest.raises(StoreWrong):
                await store.put(snapshot, taken())
            with pytest.raises(StoreWrong):
                await store.probe()
            with pytest.raises(StoreWrong):
                await store.delete(CLUSTER, ID)
    assert not (tmp_path / "missing").exists()


async def test_only_the_owner_reads_directories_and_files(tmp_path: Path, snapshot: Path) -> None:
    ground = over(tmp_path)
    previous = os.umask(0)
    try:
        async with ground.store() as store:
            await store.put(snapshot, taken())
    finally:
        os.umask(previous)
    folder = ground.folder()
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}
    assert {one.stat().st_mode & 0o777 for one in (folder, *list(folder.parents)[:3])} == {0o700}


async def test_links_in_the_tree_lead_nowhere(tmp_path: Path, snapshot: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    (root / CLUSTER.namespace).mkdir(parents=True)
    outside.mkdir()
    (root / CLUSTER.namespace / CLUSTER.name).symlink_to(outside)
    async with over(root).store() as store:
        with pytest.raises(StoreWrong):
            await store.put(snapshot, taken())
        with pytest.raises(StoreWrong):
            await store.list(CLUSTER)
    assert list(outside.iterdir()) == []


async def test_a_snapshot_that_is_a_link_is_damaged_and_deleting_it_spares_what_it_points_to(
    tmp_path: Path, snapshot: Path
) -> None:
    ground = over(tmp_path)
    async with ground.store() as store:
        await store.put(snapshot, taken(1))
        ground.folder().symlink_to(ground.folder(snapshot=taken(1).id))
        assert [(one.revision, one.is_sound) for one in await store.list(CLUSTER)] == [(42, False), (1, True)]
        with pytest.raises(SnapshotDamaged):
            await store.manifest(CLUSTER, ID)
        await store.delete(CLUSTER, ID)
        assert (await store.manifest(CLUSTER, taken(1).id)).revision == 1


async def test_a_probe_tells_how_much_room_is_left(tmp_path: Path) -> None:
    async with over(tmp_path).store() as store:
        room = await store.probe()
    assert room.where == f"directory {tmp_path}"
    assert room.free_bytes is not None
