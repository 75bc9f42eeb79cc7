"""Many Clusters at one instant: all are made, the oldest first, never more at once than may be, and none twice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from tests.support.cells import Cell
from tests.support.kubelet import Whole
from tests.support.operating import Operator

from homeostat.operators.cluster.decide import Policy
from homeostat.operators.cluster.pacing.pace import Policy as Pacing

pytestmark = pytest.mark.real

OLD, NEW = "v1.34.4", "v1.35.4"
CREATING, ROLLING = 4, 2
FEW_OR_MANY = pytest.mark.parametrize("count", [16, pytest.param(250, marks=pytest.mark.soak)])
PACED = Policy(pacing=Pacing(creating=CREATING, rolling=ROLLING))


class Crowd:
    """Looks at all Clusters at every change, and remembers the most that were ever under way at once."""

    def __init__(self, cell: Cell) -> None:
        self._cell = cell
        self.most_created = self.most_moved = 0

    def look(self) -> list[Whole]:
        statuses = [one.get("status", {}) for one in self._cell.all("Cluster")]
        created = sum("startedAt" in each and "readyAt" not in each for each in statuses)
        moved = sum("component" in each.get("upgrade", {}) for each in statuses)
        self.most_created = max(self.most_created, created)
        self.most_moved = max(self.most_moved, moved)
        return statuses


def age(one: Whole) -> tuple[str, str]:
    return str(one["metadata"]["creationTimestamp"]), str(one["metadata"]["uid"])


def operator(cell: Cell) -> Operator:
    return cell.operator(policy=PACED)


@contextmanager
def watched(cell: Cell) -> Iterator[Crowd]:
    crowd = Crowd(cell)
    yield crowd
    assert crowd.most_created <= CREATING
    assert crowd.most_moved <= ROLLING


def is_queued(cell: Cell, name: str) -> bool:
    return bool(cell.condition("UpToDate", name).get("reason") == "Queued")


async def declare_all(cell: Cell, count: int) -> list[str]:
    names = [f"many-{number:03}" for number in range(count)]
    for name in names:
        await cell.declare(name, packageVersion=OLD)
    return names


async def until_all(cell: Cell, crowd: Crowd, field: str, value: str, count: int) -> None:
    def claim() -> bool:
        return [each.get(field) for each in crowd.look()].count(value) >= count

    await cell.kubelet.until(claim, f"all say {field} {value}", within_s=60 + 3 * count)


@FEW_OR_MANY
async def test_all_come_to_be_within_bounds_and_no_master_is_made_twice(cell: Cell, count: int) -> None:
    names = await declare_all(cell, count)
    with watched(cell) as crowd:
        async with operator(cell):
            await until_all(cell, crowd, "phase", "Ready", count)
        assert crowd.most_created == CREATING, "places are made use of"
    assert len(cell.kubelet.started) == len(set(cell.kubelet.started)) == 4 * count
    line = sorted((cell.get("Cluster", name) for name in names), key=age)
    begun = [one["status"]["startedAt"] for one in line]
    assert all(older <= younger for older, younger in zip(begun, begun[CREATING:], strict=False)), "the oldest first"


async def test_an_operator_that_starts_anew_knows_who_is_under_way_and_whose_turn_it_is(cell: Cell) -> None:
    count = 12
    cell.kubelet.behave("hold", "etcd")
    names = await declare_all(cell, count)
    with watched(cell) as crowd:
        for _ in range(2):
            async with operator(cell):
                await cell.kubelet.until(lambda: all(crowd.look()), "all were looked at")
                await cell.kubelet.until(
                    lambda: sum("startedAt" in each for each in crowd.look()) == CREATING, "the places are taken"
                )
        line = sorted((cell.get("Cluster", name) for name in names), key=age)
        assert ["startedAt" in one["status"] for one in line] == [True] * CREATING + [False] * (count - CREATING)
        told = cell.condition("Ready", line[-1]["metadata"]["name"])
        assert (told["reason"], told["status"]) == ("Queued", "False")
        cell.kubelet.behave("run", "etcd")
        async with operator(cell):
            await until_all(cell, crowd, "phase", "Ready", count)


async def test_upgrades_wait_for_each_other_and_a_creation_does_not_wait_for_them(cell: Cell) -> None:
    count = 8
    with watched(cell) as crowd:
        async with operator(cell):
            names = await declare_all(cell, count)
            await until_all(cell, crowd, "phase", "Ready", count)
            cell.kubelet.behave("start", f"homeostat.local/kube-apiserver:{NEW}")
            for name in names:
                await cell.set_spec(name, packageVersion=NEW)
            await cell.kubelet.until(
                lambda: sum("component" in each.get("upgrade", {}) for each in crowd.look()) == ROLLING, "some move"
            )
            await cell.kubelet.until(lambda: any(is_queued(cell, name) for name in names), "some wait")
            await cell.declare("newcomer", packageVersion=OLD)
            await cell.until_ready("newcomer")
            cell.kubelet.behaviour.clear()
            cell.kubelet.look_again()
            await until_all(cell, crowd, "packageVersion", NEW, count)


async def test_what_cannot_begin_holds_nobody_up(cell: Cell) -> None:
    async with operator(cell):
        for number in range(CREATING + 1):
            await cell.declare(f"broken-{number}", packageVersion="v0.0.0")
        await cell.declare("sound")
        await cell.until_ready("sound")
        await cell.until_condition("Accepted", "PackageVersionNotFound", "broken-0")
