"""Snapshots are taken by the clock, on request and before an upgrade, and a store in trouble harms nothing else."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Literal

import pytest
from tests.contract.snapshots.conftest import tiny_file_system
from tests.support.backups import FakeSource, means_in, stored
from tests.support.cells import Cell
from tests.support.kubelet import KINDS

from homeostat.operators.cluster.ports import Unreachable
from homeostat.operators.cluster.snapshots.controller import Means

OLD, NEW = "v1.34.4", "v1.35.4"
CALM = {"paused": True}  # nothing comes by the clock
HASTE = 30.0  # the shortest period, a minute, is two seconds


@pytest.fixture
def source() -> FakeSource:
    return FakeSource()


@pytest.fixture
async def means(tmp_path: Path, source: FakeSource) -> AsyncIterator[Means]:
    async with means_in(tmp_path, source) as made:
        yield made


def backup(cell: Cell, name: str = "demo") -> dict[str, Any]:
    found: dict[str, Any] = cell.status(name).get("backup", {})
    return found


async def until(cell: Cell, what: str, name: str = "demo", **wanted: Any) -> dict[str, Any]:
    """The backup's status once some of its fields are as wanted."""

    def found() -> dict[str, Any] | None:
        status = backup(cell, name)
        return status if all(status.get(field) == value for field, value in wanted.items()) else None

    return await cell.kubelet.until(found, what)


async def delete_and_await_back(cell: Cell, name: str) -> None:
    """Delete a Deployment, which the operator makes anew."""
    old = cell.get("Deployment", name)["metadata"]["uid"]
    await cell.client.delete(KINDS["Deployment"], name, cell.namespace)

    def is_back() -> bool:
        found = cell.find("Deployment", name)
        return found is not None and found["metadata"]["uid"] != old

    await cell.kubelet.until(is_back, f"{name} is back")


async def request(cell: Cell, text: str) -> dict[str, Any]:
    """Ask for a snapshot, and wait until it is there."""
    await cell.set_spec(backup={"request": text})
    return await until(cell, f"request {text} is answered", answered=text)


async def test_a_requested_snapshot_is_stored_and_told(cell: Cell, means: Means, tmp_path: Path) -> None:
    async with cell.operator(means=means):
        await cell.declare(backup=CALM)
        await cell.until_ready()
        status = await request(cell, "first")
        await cell.until_told("SnapshotTaken", f"{status['last']['id']}, 20000 bytes")
        await cell.until_condition("BackedUp", "BackupsPaused")
    assert [each.name for each in stored(tmp_path)] == [status["last"]["id"]]
    assert [each["id"] for each in status["snapshots"]] == [status["last"]["id"]]
    assert (status["last"]["revision"], status["last"]["because"]) == (1, "Request")
    assert status["last"]["kubernetesVersion"] == NEW
    assert list((tmp_path / "scratch").iterdir()) == []


async def test_snapshots_come_by_the_clock_and_only_as_many_stay_as_are_kept(
    cell: Cell, means: Means, tmp_path: Path, source: FakeSource
) -> None:
    keep = {"last": 2, "daily": 0, "weekly": 0}
    async with cell.operator(haste=HASTE, means=means):
        await cell.declare(backup={"everySeconds": 60, "keep": keep})
        await cell.until_ready()
        await cell.kubelet.until(lambda: source.drawn >= 4, "the fourth snapshot")
        fourth = await cell.kubelet.until(
            lambda: backup(cell) if backup(cell).get("last", {}).get("revision", 0) >= 4 else None, "it is told"
        )
    assert len(fourth["snapshots"]) == 2
    assert len(stored(tmp_path)) in (2, 3)  # a fifth may have been on its way


async def test_a_snapshot_that_a_new_cluster_is_to_begin_with_stays_as_long_as_it_waits(
    cell: Cell, means: Means, tmp_path: Path
) -> None:
    async with cell.operator(means=means):
        await cell.declare(backup={**CALM, "keep": {"last": 1, "daily": 0, "weekly": 0}})
        await cell.until_ready()
        wanted = (await request(cell, "first"))["last"]["id"]
        owner = {"namespace": cell.namespace, "name": "demo", "uid": cell.get("Cluster", "demo")["metadata"]["uid"]}
        await cell.declare("clone", paused=True, restoreFrom={"snapshot": wanted, "cluster": owner})
        await cell.until_condition("Accepted", "Paused", "clone")
        second = (await request(cell, "second"))["last"]["id"]
        assert {each.name for each in stored(tmp_path)} == {wanted, second}
        await cell.delete("clone")
        await cell.until_gone("clone")
        third = (await request(cell, "third"))["last"]["id"]
    assert [each.name for each in stored(tmp_path)] == [third]


async def test_the_masters_own_loop_does_not_touch_what_is_told_of_backups(cell: Cell, means: Means) -> None:
    async with cell.operator(means=means):
        await cell.declare(backup=CALM)
        await cell.until_ready()
        before = await request(cell, "a")
        await cell.set_spec(paused=True)
        await cell.until_condition("Accepted", "Paused")
        assert backup(cell)["last"] == before["last"]
        assert cell.condition("BackedUp")["reason"] == "BackupsPaused"
        after = await request(cell, "b")  # a paused cluster is not touched, but backed up
    assert after["last"]["revision"] == 2


async def test_a_store_that_is_gone_is_told_and_the_cluster_is_healed_all_the_same(
    cell: Cell, means: Means, tmp_path: Path, source: FakeSource
) -> None:
    shutil.rmtree(tmp_path / "store")
    async with cell.operator(haste=HASTE, means=means):
        await cell.declare(backup=CALM)
        await cell.until_ready()
        await cell.set_spec(backup={"request": "a"})
        told = await cell.until_condition("BackedUp", "StoreWrong")
        assert "make the bucket or directory" in told["message"]
        assert source.drawn == 0  # etcd is not read for a store that cannot take what it has
        await delete_and_await_back(cell, "demo-scheduler")
        (tmp_path / "store").mkdir()
        await until(cell, "the same request is tried again by itself", answered="a")
    assert "failure" not in backup(cell)


async def test_a_store_that_is_full_is_told_and_holds_up_nothing_but_the_upgrade(
    cell: Cell, means: Means, tmp_path: Path
) -> None:
    cell.kubelet.collects_pods = True
    (tmp_path / "store").rmdir()
    with tiny_file_system(tmp_path / "store", "128k") as root:
        rest = root / "rest"
        rest.write_bytes(bytes(128 * 1024))
        async with cell.operator(haste=HASTE, means=means):
            await cell.declare(packageVersion=OLD, backup=CALM)
            await cell.until_ready()
            await cell.set_spec(packageVersion=NEW)
            told = await cell.until_condition("UpToDate", "UpgradeUnsecured")
            assert "No space left on device" in told["message"]
            assert cell.condition("BackedUp")["reason"] == "StoreFull"
            await delete_and_await_back(cell, "demo-scheduler")
            assert {each["packageVersion"] for each in cell.status()["components"]} == {OLD}
            rest.unlink()
            await cell.kubelet.until(lambda: cell.status().get("upgrade", {}).get("snapshot"), "it goes on")


async def test_keys_that_are_missing_are_told_until_they_are_mounted(cell: Cell, means: Means, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.rename(tmp_path / "elsewhere")
    async with cell.operator(haste=HASTE, means=means):
        await cell.declare(backup={**CALM, "request": "a"})
        await cell.until_ready()
        await cell.until_condition("BackedUp", "KeysUnusable")
        (tmp_path / "elsewhere").rename(keys)
        await cell.until_condition("BackedUp", "BackupsPaused")


async def test_an_etcd_that_does_not_answer_is_told_and_tried_again(
    cell: Cell, means: Means, source: FakeSource
) -> None:
    source.failure = Unreachable("etcd: no member is well")
    async with cell.operator(haste=HASTE, means=means):
        await cell.declare(backup={**CALM, "request": "a"})
        await cell.until_ready()
        await cell.until_condition("BackedUp", "EtcdUnreachable")
        source.failure = None
        await cell.until_condition("BackedUp", "BackupsPaused")
    assert backup(cell)["answered"] == "a"


async def test_an_operator_that_dies_while_it_takes_one_leaves_a_failure_and_the_next_takes_another(
    cell: Cell, means: Means, tmp_path: Path, source: FakeSource
) -> None:
    source.held = asyncio.Event()
    async with cell.operator(haste=HASTE, means=means):
        await cell.declare(backup={**CALM, "request": "a"})
        await cell.until_ready()
        await source.reached.wait()
        await cell.kubelet.until(lambda: "taking" in backup(cell), "it is written down")
    source.held = None
    async with cell.operator(haste=HASTE, means=means):
        await cell.until_condition("BackedUp", "Interrupted")
        status = await until(cell, "another one is taken", answered="a")
    assert "failure" not in status
    assert len(stored(tmp_path)) == 1
    assert list((tmp_path / "scratch").iterdir()) == []


async def test_while_one_hangs_the_cluster_is_healed_and_only_two_are_taken_at_once(
    cell: Cell, means: Means, source: FakeSource
) -> None:
    source.held = asyncio.Event()
    names = ("a", "b", "c", "d")
    async with cell.operator(means=means):
        for name in names:
            await cell.declare(name, backup={**CALM, "request": "now"})
        for name in names:
            await cell.until_ready(name)
        await source.reached.wait()
        for name in names:
            await delete_and_await_back(cell, f"{name}-scheduler")
        assert source.drawn == 0
        source.held.set()
        for name in names:
            await until(cell, f"{name} is backed up", name, answered="now")
    assert source.most == 2


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("write", [1, 2])  # that it begins, and how it ended
async def test_an_operator_that_dies_at_any_of_its_writes_leaves_nothing_that_stays(
    cell: Cell, means: Means, tmp_path: Path, moment: Literal["before", "after"], write: int
) -> None:
    async with cell.operator(haste=HASTE, means=means) as operator:
        await cell.declare(backup=CALM)
        await cell.until_ready()
        await request(cell, "first")
        operator.faults.kill_at(moment, write)
        await cell.set_spec(backup={"request": "second"})
        async with cell.clock.timeout(30):
            await operator.faults.stopped.wait()
    async with cell.operator(haste=HASTE, means=means):
        status = await until(cell, "the next one answers it", answered="second")
    assert "taking" not in status
    assert "failure" not in status
    assert {each["id"] for each in status["snapshots"]} == {each.name for each in stored(tmp_path)}
    assert list((tmp_path / "scratch").iterdir()) == []


async def test_before_an_upgrade_one_is_taken_and_named(cell: Cell, means: Means, source: FakeSource) -> None:
    source.held = asyncio.Event()
    async with cell.operator(means=means):
        await cell.declare(packageVersion=OLD, backup=CALM)
        await cell.until_ready()
        await cell.set_spec(packageVersion=NEW)
        await source.reached.wait()
        assert {each["packageVersion"] for each in cell.status()["components"]} == {OLD}
        assert cell.condition("UpToDate")["reason"] == "AwaitingSnapshot"
        source.held.set()
        named = await cell.kubelet.until(lambda: cell.status().get("upgrade", {}).get("snapshot"), "it is named")
        assert named == backup(cell)["last"]["id"]
        assert backup(cell)["last"]["because"] == "Upgrade"
        await cell.kubelet.until(lambda: cell.status().get("packageVersion") == NEW, "it is upgraded", within_s=60)
    assert source.drawn == 1


async def test_without_a_snapshot_nothing_moves_until_it_is_not_required(
    cell: Cell, means: Means, source: FakeSource
) -> None:
    source.failure = Unreachable("etcd: no member is well")
    async with cell.operator(haste=HASTE, means=means):
        await cell.declare(packageVersion=OLD, backup=CALM)
        await cell.until_ready()
        await cell.set_spec(packageVersion=NEW)
        told = await cell.until_condition("UpToDate", "UpgradeUnsecured")
        assert "no member is well" in told["message"]
        assert {each["packageVersion"] for each in cell.status()["components"]} == {OLD}
        await cell.set_spec(upgradePolicy={"snapshot": "BestEffort"})
        await cell.kubelet.until(lambda: cell.status().get("packageVersion") == NEW, "it is upgraded", within_s=60)
