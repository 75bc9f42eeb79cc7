"""The operator looks after the stores of etcd, and tells etcd when its members change their minor."""

from __future__ import annotations

from tests.contract.operators.test_upgrade import images, until_at
from tests.support.cells import Cell
from tests.support.stores import MIB, QUOTA

from homeostat.operators.cluster.upkeep.stores import NO_SPACE, Alarm

OLD, NEW = "v1.34.4-etcd3.5", "v1.34.4"


async def test_an_etcd_that_is_full_is_told_and_has_room_again(tall: Cell) -> None:
    cell, stores = tall, tall.stores
    async with cell.operator(haste=60):
        await cell.declare(topology="ha")
        await cell.until_ready()
        await cell.kubelet.until(lambda: stores.stores or None, "etcd is looked at", within_s=30)
        stores.fill(1030 * MIB)
        stores.alarms = {Alarm(NO_SPACE, 10)}
        full = "EtcdReady: etcd takes no writes: its largest store has 1030.0 MiB of 1024.0 MiB; 1030.0 MiB hold data"
        await cell.until_told("EtcdNoSpace", full)
        await cell.kubelet.until(lambda: not stores.alarms or None, "the alarm is taken back", within_s=60)
        await cell.until_condition("EtcdReady", "Ready")
        sizes = "the largest store had 1030.0 MiB, and has 1.0 MiB of 1024.0 MiB"
        await cell.until_told("EtcdAlarmCleared", f"the alarm NOSPACE was taken back: {sizes}")
    assert stores.story == [
        "compacted",
        "defragmented demo-etcd-1",
        "defragmented demo-etcd-2",
        "defragmented demo-etcd-0",
        "disarmed NOSPACE",
    ]
    assert cell.etcd.story == ["moved the leader to demo-etcd-1"]
    kept = cell.status()["etcd"]
    assert (kept["quotaBytes"], kept["fullSizeBytes"]) == (QUOTA, 1030 * MIB)
    assert "alarms" not in kept


async def test_a_member_with_other_data_than_the_two_others_is_replaced(tall: Cell) -> None:
    cell, victim = tall, "demo-etcd-1"
    cell.stores.corrupt = {f"{victim}.demo-etcd.{cell.namespace}.svc"}
    async with cell.operator(haste=60):
        await cell.declare(topology="ha")
        await cell.until_ready()
        await cell.until_told("ReplacingMember", f"{victim}: its data is not what the other members agree on")
        await cell.kubelet.until(lambda: f"added {victim}" in cell.etcd.story, "a learner takes its place")
        cell.etcd.start(victim)
        await cell.until_told("MemberReplaced", f"{victim} is a member again, and ready")
        await cell.until_ready()
    assert cell.etcd.story == [f"removed {victim}", f"added {victim}", f"promoted {victim}"]
    assert cell.status()["healing"]["attempts"] == 1


async def test_etcd_is_told_before_its_members_go_back_a_minor(tall: Cell) -> None:
    cell = tall
    async with cell.operator(haste=20):
        await cell.declare(packageVersion=NEW, topology="ha")
        await cell.until_ready()
        await cell.set_spec(packageVersion=OLD)
        await cell.kubelet.until(lambda: cell.stores.story or None, "etcd is told", within_s=60)
        cell.stores.become("3.5.35", form="")
        await until_at(cell, OLD)
        assert images(cell) == {NEW, "3.5.35"}
        await cell.until_told("EtcdDowngrade", "etcd was told that its members go back to 3.5")
        cell.stores.become("3.6.16", form="3.6")
        await cell.set_spec(packageVersion=NEW)
        await until_at(cell, NEW)
    assert cell.stores.story == ["goes back to 3.5"]
    assert images(cell) == {NEW, "3.6.16"}
