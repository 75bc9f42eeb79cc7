"""Many Clusters at one instant: all are made, the oldest first, never more at once than may be, and none twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from tests.support.cells import Cell
from tests.support.kubelet import COMPONENT, Whole
from tests.support.operating import Operator

from homeostat.api.cluster.masters import COMPONENTS
from homeostat.operators.cluster.decide import Policy
from homeostat.operators.cluster.pacing.pace import Policy as Pacing

pytestmark = pytest.mark.long_on_sim("tests/sim/test_fleet.py has thirty at once")

OLD, NEW = "v1.34.4", "v1.35.4"
CREATING, ROLLING = 4, 2
FEW_OR_MANY = pytest.mark.parametrize("count", [16, pytest.param(250, marks=pytest.mark.soak)])
PACED = Policy(pacing=Pacing(creating=CREATING, rolling=ROLLING))


class Crowd:
    """Looks at all Clusters at every change, and remembers the most that were ever under way at once."""

    def __init__(self, cell: Cell) -> None:
        self._cell = cell
        self.most_created = self.most_rolled = self.most_hurt = 0

    def look(self) -> list[Whole]:
        statuses = [one.get("status", {}) for one in self._cell.all("Cluster")]
        created = sum("startedAt" in each and "readyAt" not in each for each in statuses)
        rolled = sum("rollingSince" in each for each in statuses)
        self.most_created = max(self.most_created, created)
        self.most_rolled = max(self.most_rolled, rolled)
        self.most_hurt = max(self.most_hurt, len(self.hurt()))
        return statuses

    def hurt(self) -> set[str]:
        """The Clusters that were Ready once and of which a master is on its way; one that is tried is no master."""
        served = {one["metadata"]["name"] for one in self._cell.all("Cluster") if one.get("status", {}).get("readyAt")}
        unready = [pod["metadata"]["labels"] for pod in self._cell.all("Pod") if not is_ready(pod)]
        return served & {each["cluster.homeostat.dev/name"] for each in unready if each[COMPONENT] in COMPONENTS}


def is_ready(pod: Whole) -> bool:
    conditions = pod.get("status", {}).get("conditions", ())
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def age(one: Whole) -> tuple[str, str]:
    return str(one["metadata"]["creationTimestamp"]), str(one["metadata"]["uid"])


def operator(cell: Cell) -> Operator:
    return cell.operator(policy=PACED)


@contextmanager
def watched(cell: Cell) -> Iterator[Crowd]:
    crowd = Crowd(cell)
    yield crowd
    assert crowd.most_created <= CREATING
    assert crowd.most_rolled <= ROLLING
    assert crowd.most_hurt <= ROLLING


def is_queued(cell: Cell, name: str) -> bool:
    return bool(cell.condition("UpToDate", name).get("reason") == "Queued")


async def declare_all(cell: Cell, count: int) -> list[str]:
    names = [f"many-{number:03}" for number in range(count)]
    for name in names:
        await cell.declare(name, packageVersion=OLD)
    return names


async def until_all(cell: Cell, crowd: Crowd, field: str, value: str, count: int) -> None:
    await until_each(cell, crowd, lambda status: status.get(field) == value, count)


async def until_each(cell: Cell, crowd: Crowd, claim: Callable[[Whole], bool], count: int) -> None:
    await cell.kubelet.until(lambda: sum(map(claim, crowd.look())) >= count, "all are there", within_s=60 + 5 * count)


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


def is_of_level(status: Whole) -> bool:
    return bool(status.get("auditLevel") == "Request")


def is_holding(status: Whole) -> bool:
    return bool(status.get("rotation", {}).get("stage") == "Holding")


@pytest.mark.parametrize(
    ("wish", "is_there"),
    [
        ({"audit": {"level": "Request"}}, is_of_level),
        ({"keys": {"rotations": {"tokenKey": 1}}}, is_holding),
    ],
    ids=["level of the audit log", "rotation of keys"],
)
async def test_whatever_makes_masters_anew_waits_in_the_same_line(
    cell: Cell, wish: dict[str, Any], is_there: Callable[[Whole], bool]
) -> None:
    count = 4
    with watched(cell) as crowd:
        async with cell.operator(policy=PACED, haste=3):
            names = await declare_all(cell, count)
            await until_all(cell, crowd, "phase", "Ready", count)
            await wish_where_new_masters_hang(cell, crowd, names, wish)
            cell.kubelet.behaviour.clear()
            cell.kubelet.look_again()
            await until_each(cell, crowd, is_there, count)
        assert crowd.most_rolled == ROLLING, "places are made use of"


async def test_a_change_of_the_topology_waits_in_it_too(tall: Cell) -> None:
    count = 4
    with watched(tall) as crowd:
        async with tall.operator(policy=PACED):
            names = await declare_all(tall, count)
            await until_all(tall, crowd, "phase", "Ready", count)
            await wish_where_new_masters_hang(tall, crowd, names, {"topology": "ha"})
            others = [name for name in names if "rollingSince" not in tall.status(name)]
            assert len(others) == count - ROLLING
            for name in others:
                told = await tall.until_condition("Scaled", "Queued", name)
                assert "made anew at once as may (2)" in told["message"]


async def wish_where_new_masters_hang(cell: Cell, crowd: Crowd, names: list[str], wish: dict[str, Any]) -> None:
    """Return once as many clusters as may have a master that does not become ready."""
    cell.kubelet.behave("run", *(pod["metadata"]["name"] for pod in cell.all("Pod")))
    cell.kubelet.behave("start", *COMPONENTS)
    for name in names:
        await cell.set_spec(name, **wish)
    await cell.kubelet.until(lambda: crowd.look() and len(crowd.hurt()) == ROLLING, "some masters are made")


async def test_a_pause_gives_the_place_back_and_who_goes_on_after_it_waits_for_one_again(cell: Cell) -> None:
    count = 4

    def rolling() -> set[str]:
        crowd.look()
        return {name for name in names if "rollingSince" in cell.status(name)}

    with watched(cell) as crowd:
        async with cell.operator(policy=PACED):
            names = await declare_all(cell, count)
            await until_all(cell, crowd, "phase", "Ready", count)
            cell.kubelet.behave("start", f"homeostat.local/kube-apiserver:{NEW}")  # the one that is tried
            for name in names:
                await cell.set_spec(name, packageVersion=NEW)
            first = await cell.kubelet.until(
                lambda: moving if len(moving := rolling()) == ROLLING else None, "some move"
            )
            for name in first:
                await cell.until_condition("UpToDate", "AwaitingHealth", name)
                await cell.set_spec(name, paused=True)
            await cell.kubelet.until(lambda: len(rolling() - first) == ROLLING, "others have their places")
            for name in first:
                await cell.set_spec(name, paused=False)
                await cell.until_condition("UpToDate", "Queued", name)
            assert rolling().isdisjoint(first)
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
