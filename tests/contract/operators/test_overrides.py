"""Overrides reach the masters that they are about, one at a time, and no override takes a cluster down."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.cells import PACKAGE, Cell
from tests.support.kubelet import KINDS, Whole

TUNED: list[dict[str, Any]] = [
    {
        "name": "kube-apiserver",
        "args": {"max-requests-inflight": "800"},
        "removeArgs": ["goaway-chance"],
        "env": {"GOGC": "50"},
        "resources": {"requests": {"cpu": "70m"}},
    },
    {"name": "kube-scheduler", "args": {"profiling": "true"}},
]
BAD_FLAG = "--max-requests-inflight=many"
BROKEN = [{"name": "kube-apiserver", "args": {"max-requests-inflight": "many"}}]
FORBIDDEN = [{"name": "etcd", "args": {"data-dir": "/elsewhere"}}]
WITHIN_S = 60.0


def container(cell: Cell, kind: str, name: str) -> Whole:
    found: Whole = cell.get(kind, name)["spec"]["template"]["spec"]["containers"][0]
    return found


def generations(cell: Cell) -> dict[str, int]:
    workloads = (*cell.all("StatefulSet"), *cell.all("Deployment"))
    return {each["metadata"]["name"]: each["metadata"]["generation"] for each in workloads}


def pods(cell: Cell, component: str) -> list[Whole]:
    return [pod for pod in cell.all("Pod") if component in pod["metadata"]["name"]]


def ready(pod: Whole) -> bool:
    conditions = pod.get("status", {}).get("conditions", ())
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


async def until_declared(cell: Cell, overrides: list[dict[str, Any]]) -> Whole:
    """The status once all masters have these overrides."""
    names = {each["name"] for each in overrides}

    def there() -> Whole | None:
        status = cell.status()
        found = {each["name"] for each in status.get("overrides", ())}
        return status if found == names and "upgrade" not in status else None

    await cell.kubelet.until(there, f"the masters have overrides of {sorted(names)}", within_s=WITHIN_S)
    return await cell.until_ready(within_s=WITHIN_S)


async def test_a_cluster_is_created_with_its_overrides(cell: Cell) -> None:
    async with cell.operator():
        await cell.declare(overrides=TUNED)
        status = await cell.until_ready()
    one = container(cell, "Deployment", "demo-apiserver")
    assert "--max-requests-inflight=800" in one["command"]
    assert not any(argument.startswith("--goaway-chance") for argument in one["command"])
    assert {"name": "GOGC", "value": "50"} in one["env"]
    assert one["resources"] == {"requests": {"cpu": "70m", "memory": "256Mi"}}
    assert len(cell.kubelet.started) == 4, "no Pod was made twice"
    assert {each["name"] for each in status["overrides"]} == {"kube-apiserver", "kube-scheduler"}


async def test_a_change_moves_only_the_masters_that_it_is_about_in_their_order(tall: Cell) -> None:
    cell = tall
    async with cell.operator():
        await cell.declare(topology="ha")
        await cell.until_ready()
        before = generations(cell)
        await cell.set_spec(overrides=TUNED)
        await until_declared(cell, TUNED)
        moves = await cell.until_told(
            "Upgrading", f"moves to {PACKAGE}: kube-scheduler with other overrides, 1 of 4 are left"
        )
        assert [move.split()[3] for move in moves] == ["kube-apiserver", "kube-scheduler"]
        changed = {name for name, generation in generations(cell).items() if generation != before[name]}
        assert changed == {"demo-apiserver", "demo-scheduler"}
        await cell.set_spec(overrides=None)
        await until_declared(cell, [])
    assert any(
        each.startswith("--goaway-chance") for each in container(cell, "Deployment", "demo-apiserver")["command"]
    )


@pytest.mark.parametrize("policy", ["Pause", "Rollback"])
async def test_an_override_that_breaks_the_api_server_leaves_the_old_ones_serving(tall: Cell, policy: str) -> None:
    cell = tall
    cell.kubelet.behave("crash", BAD_FLAG)
    async with cell.operator(haste=20):
        await cell.declare(topology="ha", upgradePolicy={"onFailure": policy})
        await cell.until_ready()
        old = {pod["metadata"]["uid"] for pod in pods(cell, "apiserver")}
        await cell.set_spec(overrides=BROKEN)
        told = await cell.until_condition("UpToDate", "UpgradeFailed" if policy == "Pause" else "RolledBack")
        assert "kube-apiserver: one is tried beside the others: demo-apiserver-trial-" in told["message"]
        assert cell.condition("Available")["status"] == "True"
        serving = {pod["metadata"]["uid"] for pod in pods(cell, "apiserver") if ready(pod)}
        assert serving == old
        if policy == "Pause":
            await cell.set_spec(overrides=[])
            await until_declared(cell, [])
        await cell.kubelet.until(lambda: len(pods(cell, "apiserver")) == 2, "the broken one is gone")
    assert {pod["metadata"]["uid"] for pod in pods(cell, "apiserver")} == old


async def test_an_override_that_breaks_etcd_stops_at_one_member(tall: Cell) -> None:
    cell = tall
    cell.kubelet.behave("crash", "--snapshot-count=none")
    async with cell.operator(haste=20):
        await cell.declare(topology="ha")
        await cell.until_ready()
        await cell.set_spec(overrides=[{"name": "etcd", "args": {"snapshot-count": "none"}}])
        told = await cell.until_condition("UpToDate", "UpgradeFailed")
        assert told["message"].endswith("set spec.overrides back, or to some that work")
        assert len([pod for pod in pods(cell, "etcd") if ready(pod)]) == 2
        assert cell.condition("Available")["status"] == "True"
        await cell.set_spec(overrides=[])
        await until_declared(cell, [])


async def test_members_of_etcd_are_replaced_from_the_last_to_the_first_and_never_while_they_lead(
    tall: Cell,
) -> None:
    cell = tall
    async with cell.operator():
        await cell.declare(topology="ha")
        await cell.until_ready()
        cell.etcd.leader = f"demo-etcd-2.demo-etcd.{cell.namespace}.svc"
        made = len(cell.kubelet.started)
        await cell.set_spec(overrides=[{"name": "etcd", "args": {"snapshot-count": "5000"}}])
        await until_declared(cell, [{"name": "etcd", "args": {"snapshot-count": "5000"}}])
    assert [name for _, name in cell.kubelet.started[made:]] == ["demo-etcd-2", "demo-etcd-1", "demo-etcd-0"]
    assert cell.etcd.story == ["moved the leader to demo-etcd-0", "moved the leader to demo-etcd-2"]


async def test_what_a_webhook_let_by_is_told_and_the_masters_are_kept_and_mended(cell: Cell) -> None:
    cell.kubelet.collects_pods = True
    async with cell.operator():
        await cell.declare()
        await cell.until_ready()
        before = generations(cell)
        await cell.set_spec(overrides=FORBIDDEN)
        told = await cell.until_condition("Accepted", "OverrideRefused")
        assert told["message"].startswith("spec.overrides[etcd].args[data-dir]: the flag is homeostat's own: ")
        assert cell.condition("Available")["status"] == "True"
        assert generations(cell) == before
        uid = cell.get("Deployment", "demo-scheduler")["metadata"]["uid"]
        await cell.client.delete(KINDS["Deployment"], "demo-scheduler", cell.namespace)
        await cell.kubelet.until(
            lambda: (found := cell.find("Deployment", "demo-scheduler")) and found["metadata"]["uid"] != uid, "mended"
        )
        await cell.set_spec(overrides=[])
        await cell.until_condition("Accepted", "AsDeclared")
        await cell.until_ready()


async def test_a_new_cluster_is_not_begun_before_its_overrides_can_be_followed(cell: Cell) -> None:
    async with cell.operator() as operator:
        await cell.declare(overrides=[{"name": "redis", "args": {"v": "1"}}])
        told = await cell.until_condition("Accepted", "OverrideRefused")
        assert f"ClusterPackageVersion {PACKAGE} has no component redis" in told["message"]
        assert {sent.path.rpartition("/")[2] for sent in operator.faults.writes} == {"status"}
        await cell.set_spec(overrides=TUNED)
        await cell.until_ready()
    assert len(cell.kubelet.started) == 4, "no Pod was made twice"


async def test_an_operator_that_dies_in_the_middle_goes_on_where_it_was(cell: Cell) -> None:
    cell.kubelet.behave("start", "--max-requests-inflight=800")
    async with cell.operator():
        await cell.declare()
        await cell.until_ready()
        await cell.set_spec(overrides=TUNED)
        await cell.kubelet.until(lambda: len(pods(cell, "apiserver")) == 2, "the API server moves")
    cell.kubelet.behave("run", "--max-requests-inflight=800")
    async with cell.operator():
        await until_declared(cell, TUNED)
    assert "--profiling=true" in container(cell, "Deployment", "demo-scheduler")["command"]
