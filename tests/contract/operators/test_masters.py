"""Ill API servers and controllers are kept from clients and replaced; whoever dies in between changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from tests.support.cells import Cell
from tests.support.clock import ManualClock
from tests.support.kubelet import Whole
from tests.support.podlife import HOST

from homeostat.api.core import NODE, POD, POD_DISRUPTION_BUDGET
from homeostat.kube.client import Client
from homeostat.kube.observing import Observation
from homeostat.operators.cluster.decide import Policy
from homeostat.operators.cluster.healing.cell import CellPolicy
from homeostat.operators.cluster.healing.policy import Policy as HealingPolicy
from homeostat.operators.cluster.healing.pulse import Pulse

QUICK = 10.0
HASTE = 60.0  # so that the patience of half a minute is half a second
ENDPOINT = "cluster.homeostat.dev/endpoint"
SERVER, MANAGER = "kube-apiserver", "kube-controller-manager"


async def declare(cell: Cell, **spec: Any) -> None:
    await cell.declare(topology="ha", **spec)
    await cell.until_ready()


def pods(cell: Cell, component: str = SERVER) -> list[Whole]:
    found = [pod for pod in cell.all("Pod") if pod["metadata"]["labels"]["app.kubernetes.io/component"] == component]
    return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]


def name_of(pod: Whole) -> str:
    return str(pod["metadata"]["name"])


def uids(cell: Cell, component: str = SERVER) -> set[str]:
    return {pod["metadata"]["uid"] for pod in pods(cell, component)}


def label(cell: Cell, pod: Whole) -> str:
    found = cell.find("Pod", name_of(pod))
    return "" if found is None else str(found["metadata"]["labels"].get(ENDPOINT, ""))


def hang(cell: Cell, pod: Whole, *, for_its_kubelet: bool = True) -> None:
    """It answers nobody, or nobody but its kubelet."""
    cell.endpoint.hung.add(f"https://{pod['status']['podIP']}:6443")
    if for_its_kubelet:
        cell.kubelet.behave("start", name_of(pod))


async def until(cell: Cell, claim: Callable[[], object], why: str) -> None:
    await cell.kubelet.until(claim, why)


async def until_they_were_ready(cell: Cell) -> None:
    """What turns unready in the second of its start looks as if it never was ready: the API has whole seconds."""
    begun = cell.clock.now().replace(microsecond=0)
    await until(cell, lambda: cell.clock.now() >= begun + timedelta(seconds=1), "the second is over")


async def until_another(cell: Cell, old: Whole) -> None:
    """The Pod has given way to one that works."""
    component = old["metadata"]["labels"]["app.kubernetes.io/component"]
    await until(cell, lambda: old["metadata"]["uid"] not in uids(cell, component), f"{name_of(old)} has given way")
    cell.kubelet.behave("run", name_of(old))
    await until(cell, lambda: cell.condition("Ready").get("status") == "True", "all is well again")


async def test_an_api_server_that_hangs_is_taken_out_then_replaced_and_the_story_is_told(tall: Cell) -> None:
    cell = tall
    async with cell.operator(haste=HASTE):
        await declare(cell)
        sick = pods(cell)[0]
        hang(cell, sick)
        await until(cell, lambda: label(cell, sick) == "out", "it is out of the endpoint")
        await until_another(cell, sick)
        await cell.until_told("MasterRestarted", "kube-apiserver is well again, 1 restarts")
    (told,) = cell.status()["healing"]["restarts"]
    assert (told["step"], told["attempts"], told["pod"]) == ("Recreate", 1, name_of(sick))
    assert "not ready since" in told["reason"]
    assert [label(cell, pod) for pod in pods(cell)] == ["in", "in"]


async def test_one_that_hangs_although_its_kubelet_finds_it_well_is_found_too(tall: Cell) -> None:
    cell = tall
    async with cell.operator(haste=HASTE):
        await declare(cell)
        sick = pods(cell)[0]
        hang(cell, sick, for_its_kubelet=False)
        cell.endpoint.failure = "half of all connections hang"  # what makes the operator look closer
        await until(cell, lambda: label(cell, sick) == "out", "it is out of the endpoint")
        cell.endpoint.failure = ""
        await cell.until_condition("APIServerReady", "Unresponsive")
        await until_another(cell, sick)
    assert "is ready, but does not answer" in cell.status()["healing"]["restarts"][0]["reason"]


async def test_one_that_hangs_is_found_in_its_turn_although_the_endpoint_answers(tall: Cell) -> None:
    cell = tall
    async with cell.operator(haste=100.0):
        await declare(cell)
        sick = pods(cell)[0]
        hang(cell, sick, for_its_kubelet=False)
        await until(cell, lambda: label(cell, sick) == "out", "it is out of the endpoint")
        await until_another(cell, sick)


async def test_one_that_answers_again_is_put_back_and_nothing_is_restarted_even_while_paused(tall: Cell) -> None:
    cell = tall
    async with cell.operator(haste=5.0):
        await declare(cell)
        sick, before = pods(cell)[0], uids(cell)
        hang(cell, sick, for_its_kubelet=False)
        cell.endpoint.failure = "half of all connections hang"
        await until(cell, lambda: label(cell, sick) == "out", "it is out of the endpoint")
        cell.endpoint.failure = ""
        await cell.set_spec(healing={"paused": True})
        cell.endpoint.hung.clear()
        await until(cell, lambda: label(cell, sick) == "in", "it is back")
        await until(cell, lambda: cell.condition("Ready").get("status") == "True", "all is well again")
    assert uids(cell) == before


async def test_one_that_answers_again_is_put_back_while_nothing_else_of_the_cluster_is_touched(tall: Cell) -> None:
    cell = tall
    async with cell.operator(haste=5.0):
        await declare(cell)
        sick = pods(cell)[0]
        hang(cell, sick, for_its_kubelet=False)
        cell.endpoint.failure = "half of all connections hang"
        await until(cell, lambda: label(cell, sick) == "out", "it is out of the endpoint")
        cell.endpoint.failure = ""
        await cell.set_spec(paused=True)
        await cell.until_condition("Accepted", "Paused")
        cell.endpoint.hung.clear()
        await until(cell, lambda: label(cell, sick) == "in", "it is back")


async def test_an_operator_that_dies_after_every_step_goes_on_where_it_was(tall: Cell) -> None:
    cell = tall
    async with cell.operator(haste=HASTE):
        await declare(cell)
        sick = pods(cell)[0]
        hang(cell, sick)
        await until(cell, lambda: label(cell, sick) == "out", "it is out of the endpoint")
    async with cell.operator(haste=HASTE):
        await until(cell, lambda: "restarts" in cell.status().get("healing", {}), "it is written down")
    async with cell.operator(haste=HASTE):
        await until(cell, lambda: sick["metadata"]["uid"] not in uids(cell), "the Pod has given way")
    async with cell.operator(haste=HASTE):
        await until_another(cell, sick)
        await until(cell, lambda: "endedAt" in cell.status()["healing"]["restarts"][0], "it is over")
    assert cell.status()["healing"]["restarts"][0]["attempts"] == 1
    made = [name for _, name in cell.kubelet.started if name == name_of(sick)]
    assert len(made) == 2


async def test_while_healing_is_paused_an_api_server_that_hangs_is_told_and_left(tall: Cell) -> None:
    cell = tall
    async with cell.operator(haste=HASTE):
        await declare(cell, healing={"paused": True})
        sick = pods(cell)[0]
        hang(cell, sick)
        told = await cell.until_condition("APIServerReady", "HealingPaused")
        assert name_of(sick) in told["message"]
        assert (label(cell, sick), sick["metadata"]["uid"] in uids(cell)) == ("in", True)
        await cell.set_spec(healing={"paused": False})
        await until_another(cell, sick)


async def test_one_that_fails_again_on_its_host_moves_to_another(tall: Cell) -> None:
    cell = tall
    async with cell.operator(haste=100.0):
        await declare(cell)
        sick = pods(cell)[0]
        cell.endpoint.are_all_hung = True
        cell.kubelet.behave("start", name_of(sick))  # and so does the next one of that name

        def preference() -> object:
            found = cell.find("Deployment", "demo-apiserver")
            return found and found["spec"]["template"]["spec"].get("affinity")

        await until(cell, preference, "other hosts are preferred")
        cell.endpoint.are_all_hung = False
        await until(cell, lambda: cell.condition("Ready").get("status") == "True", "all is well again")
    (told,) = cell.status()["healing"]["restarts"]
    assert (told["step"], told["attempts"], told["avoidedHosts"]) == ("Move", 2, ["host-1"])
    assert "host-1" in str(preference())


async def test_a_controller_that_is_not_ready_and_does_not_lead_is_replaced(tall: Cell) -> None:
    cell = tall
    async with cell.operator(haste=HASTE):
        await declare(cell)
        first, second = pods(cell, MANAGER)
        cell.endpoint.leaders = {MANAGER: f"{name_of(second)}_1"}
        cell.kubelet.behave("start", name_of(first))
        await until_another(cell, first)
    assert second["metadata"]["uid"] in uids(cell, MANAGER)
    assert "does not lead" in cell.status()["healing"]["restarts"][0]["reason"]


async def test_a_leader_that_holds_its_lease_and_does_not_renew_it_is_replaced(tall: Cell) -> None:
    cell = tall
    async with cell.operator(haste=HASTE):
        await declare(cell)
        leader = pods(cell, MANAGER)[0]
        cell.endpoint.leaders, cell.endpoint.are_leaders_hung = {MANAGER: f"{name_of(leader)}_1"}, True
        await until(cell, lambda: leader["metadata"]["uid"] not in uids(cell, MANAGER), "the leader has given way")
    told = cell.status()["healing"]["restarts"][0]
    assert "has not renewed" in told["reason"]
    assert (told["step"], told["attempts"]) == ("Recreate", 1)


async def test_when_many_are_ill_at_once_nothing_is_touched_until_most_are_well(cell: Cell) -> None:
    names = ("one", "two", "six")
    async with cell.operator(haste=5.0) as operator:  # the last must look sick before the first is ill
        for name in names:
            await cell.declare(name)
        for name in names:
            await cell.until_ready(name)
        await until_they_were_ready(cell)
        before, sick = uids(cell), pods(cell)
        cell.endpoint.are_all_hung = True
        cell.kubelet.behave("start", *map(name_of, sick))
        for name in names:
            await cell.until_condition("APIServerReady", "HealingFrozen", name)
        assert operator.value("healing_frozen", why="MassFailure") == 1
        assert uids(cell) == before
        for pod in sick[1:]:
            cell.kubelet.behave("run", name_of(pod))
        hang(cell, sick[0])
        cell.endpoint.are_all_hung = False
        await until(cell, lambda: sick[0]["metadata"]["uid"] not in uids(cell), "the one that is still ill gives way")
        assert operator.value("healing_frozen", why="MassFailure") == 0
        counted = {"component": SERVER, "reason": "Unready"}
        await until(cell, lambda: operator.value("healing_restarts_total", **counted) == 1, "it is counted")
    assert len(uids(cell) & before) == 2


async def test_two_that_are_still_ill_when_a_freeze_ends_are_replaced_a_minute_apart(cell: Cell) -> None:
    names = ("one", "two", "six")
    async with cell.operator(haste=QUICK) as operator:
        for name in names:
            await cell.declare(name)
        for name in names:
            await cell.until_ready(name)
        await until_they_were_ready(cell)
        well, *ill = pods(cell)
        cell.endpoint.are_all_hung, cell.endpoint.silence_s = True, 3 / QUICK
        cell.kubelet.behave("start", *map(name_of, (well, *ill)))
        for name in names:
            await cell.until_condition("APIServerReady", "HealingFrozen", name)
        for pod in ill:
            hang(cell, pod)
        cell.kubelet.behave("run", name_of(well))
        cell.endpoint.are_all_hung = False
        left = {pod["metadata"]["uid"] for pod in ill}
        await until(cell, lambda: len(left & uids(cell)) == 1, "the freeze ends, and one gives way")
        first = cell.clock.monotonic()
        await until(cell, lambda: not left & uids(cell), "so does the other one")
        assert cell.clock.monotonic() - first > 30 / QUICK  # of a minute, some of which the first one itself took
        assert operator.value("healing_budget_left") == 3
    assert well["metadata"]["uid"] in uids(cell)


async def test_while_the_cells_api_server_is_slow_nothing_is_touched(tall: Cell) -> None:
    cell, felt = tall, ManualClock()
    async with cell.operator(haste=HASTE):
        await declare(cell)
        sick, before = pods(cell)[0], uids(cell)
    hang(cell, sick)
    pulse = Pulse(felt)
    operator = cell.operator(haste=HASTE, pulse=pulse)
    operator.answers.each_takes_s = 2.0
    async with operator:
        told = await cell.until_condition("APIServerReady", "HealingFrozen")
        assert "the cell's API server is slow" in told["message"]
        assert operator.value("healing_frozen", why="SlowCell") == 1
        assert (uids(cell), label(cell, sick)) == (before, "in")
        operator.answers.each_takes_s = 0.0
        for _ in range(130):  # as an operator that leads renews its Lease: a minute until it is well, and a calm one
            felt.step(1.0)
            pulse(Observation("patch", "leases.coordination.k8s.io", "200", 0.01))
        await until_another(cell, sick)
        assert operator.value("healing_frozen", why="SlowCell") == 0


async def test_a_budget_that_is_spent_comes_back_when_its_window_has_passed(cell: Cell) -> None:
    policy = CellPolicy(acts=1)
    async with cell.operator(haste=60.0, policy=Policy(healing=HealingPolicy(cell=policy))) as operator:
        for name in ("one", "two"):
            await cell.declare(name)
            await cell.until_ready(name)
        sick = {pod["metadata"]["uid"]: pod for pod in pods(cell)}
        for pod in sick.values():
            hang(cell, pod)
        await until(cell, lambda: len(sick.keys() & uids(cell)) == 1, "one of two has given way")
        (left,) = sick.keys() & uids(cell)
        for uid in sick.keys() - {left}:
            cell.kubelet.behave("run", name_of(sick[uid]))
        waits = str(sick[left]["metadata"]["labels"]["cluster.homeostat.dev/name"])
        told = await cell.until_condition("APIServerReady", "HealingBudgetSpent", waits)
        assert "1 masters of the cell were replaced or restarted" in told["message"]
        assert operator.value("healing_budget_left") == 0
        await until(cell, lambda: not sick.keys() & uids(cell), "so has the other")
    began = [cell.status(name)["healing"]["restarts"][0]["startedAt"] for name in ("one", "two")]
    first, second = sorted(map(datetime.fromisoformat, began))
    assert second - first >= policy.window - timedelta(minutes=1), "who waits is stamped anew once a minute"


async def test_an_object_that_a_policy_refuses_ends_no_healing(tall: Cell) -> None:
    cell = tall
    async with cell.operator(haste=HASTE) as operator:
        await declare(cell)
        sick = pods(cell)[0]
        operator.faults.refuse(403, "Forbidden", "no budgets", when=lambda sent: "/poddisruptionbudgets/" in sent.path)
        await cell.client.delete(POD_DISRUPTION_BUDGET, "demo-etcd", cell.namespace)
        told = await cell.until_condition("Accepted", "Forbidden")
        assert f"poddisruptionbudgets.policy {cell.namespace}/demo-etcd: " in told["message"]
        hang(cell, sick)
        await until(cell, lambda: label(cell, sick) == "out", "it is out of the endpoint")
        await until_another(cell, sick)
        assert cell.condition("Accepted")["reason"] == "Forbidden"
        operator.faults.heal()
        await until(cell, lambda: cell.find("PodDisruptionBudget", "demo-etcd"), "it is made when it may be")


async def test_a_pod_that_cannot_end_because_its_host_is_away_is_let_go(cell: Cell, client: Client) -> None:
    async with cell.operator(haste=HASTE):
        await cell.declare()
        await cell.until_ready()
        going = pods(cell)[0]
        await client.create(NODE, {"metadata": {"name": HOST}})  # nobody says that it is ready
        try:
            cell.kubelet.kills_pods = False
            await client.delete(POD, name_of(going), cell.namespace)
            await cell.until_told("LetGo", f"Pod {name_of(going)} could not end, because its host is away")
            await until(cell, lambda: going["metadata"]["uid"] not in all_uids(cell), "it is forgotten")
        finally:
            await client.delete(NODE, HOST)


def all_uids(cell: Cell) -> set[str]:
    return {pod["metadata"]["uid"] for pod in cell.all("Pod")}
