"""Where Pods are put, and what is said of those that fit nowhere, by kube-scheduler and by the world's."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.controllers import CLAIMS, CLASSES, EVENTS, PODS, PRIORITIES
from tests.support.placing import away_from, spread
from tests.support.placing import pod as any_pod
from tests.support.world import World

pytestmark = pytest.mark.real
WEB = {"app": "web"}
HOST, ZONE = "kubernetes.io/hostname", "topology.kubernetes.io/zone"
NO_CLAIMS = "no new claims to deallocate"
UNHELPFUL = "Preemption is not helpful for scheduling"


async def place(world: World, name: str, **more: Any) -> None:
    """Make a Pod that may stand on this test's Nodes only."""
    body = any_pod(name, **more)
    body["metadata"] = {"name": name, "labels": body["metadata"]["labels"]}
    await world.create(PODS, body)


def node_of(world: World, name: str) -> str:
    return str(world.find(PODS, name).get("spec", {}).get("nodeName", ""))


def message(world: World, name: str) -> str:
    said = world.find(PODS, name).get("status", {}).get("conditions", [])
    return next((str(each.get("message", "")) for each in said if each["type"] == "PodScheduled"), "")


async def refused(world: World, name: str) -> str:
    """What is said of a Pod that fits nowhere; how many Nodes there are beside this test's does not matter."""
    return await world.until(lambda: message(world, name))


async def test_a_pod_is_bound_and_an_event_tells_where(world: World) -> None:
    node = await world.add_node()
    await place(world, "a", cpu="1")
    await world.until(lambda: node_of(world, "a") == node)
    said = {each["type"]: each["status"] for each in world.find(PODS, "a")["status"]["conditions"]}
    assert said["PodScheduled"] == "True"
    found: list[Any] = []
    while not found:
        events = (await world.client.list(EVENTS, world.namespace)).items
        found = [each["message"] for each in events if each["reason"] == "Scheduled"]
        await world.clock.sleep(0.05)
    assert found == [f"Successfully assigned {world.namespace}/a to {node}"]


async def test_without_nodes_that_is_said(world: World) -> None:
    await place(world, "a")
    assert await refused(world, "a") == "no nodes available to schedule pods"
    node = await world.add_node()
    await world.until(lambda: node_of(world, "a") == node)


async def test_each_node_is_told_by_what_it_lacks(world: World) -> None:
    await world.add_node()
    await world.add_node(unschedulable=True)
    await world.add_node(taints=[{"key": "dedicated", "value": "db", "effect": "NoSchedule"}])
    await world.add_node(labels={"disk": "ssd"})
    await place(world, "a", cpu="9", nodeSelector={"disk": "ssd"})
    assert await refused(world, "a") == (
        "0/4 nodes are available: 1 Insufficient cpu, 1 node(s) didn't match Pod's node affinity/selector,"
        " 1 node(s) had untolerated taint(s), 1 node(s) were unschedulable."
        f" {NO_CLAIMS}, preemption: 0/4 nodes are available: 4 {UNHELPFUL}."
    )
    said = next(each for each in world.find(PODS, "a")["status"]["conditions"] if each["type"] == "PodScheduled")
    assert (said["status"], said["reason"]) == ("False", "Unschedulable")


async def test_a_full_node_is_told_apart_from_a_small_one(world: World) -> None:
    node = await world.add_node()
    await place(world, "a", cpu="6")
    await world.until(lambda: node_of(world, "a") == node)
    await place(world, "b", cpu="4", memory="17Gi")
    assert await refused(world, "b") == (
        "0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory."
        f" {NO_CLAIMS}, preemption: 0/1 nodes are available: 1 {UNHELPFUL}."
    )
    await place(world, "c", cpu="4")
    assert await refused(world, "c") == (
        "0/1 nodes are available: 1 Insufficient cpu."
        f" {NO_CLAIMS}, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod."
    )
    await world.delete(PODS, "a")
    await world.until(lambda: node_of(world, "c") == node)


async def test_pods_that_keep_apart_are_told_who_is_in_the_way(world: World) -> None:
    node = await world.add_node()
    await place(world, "a", labels=WEB, affinity=away_from(WEB))
    await world.until(lambda: node_of(world, "a") == node)
    await place(world, "b", labels=WEB, affinity=away_from(WEB))
    assert "1 node(s) didn't match pod anti-affinity rules." in await refused(world, "b")
    await place(world, "c", labels=WEB)
    assert "1 node(s) didn't satisfy existing pods anti-affinity rules." in await refused(world, "c")
    await place(world, "d", affinity=away_from({"app": "db"}, HOST, "podAffinity"))
    assert await refused(world, "d") == (
        "0/1 nodes are available: 1 node(s) didn't match pod affinity rules."
        f" {NO_CLAIMS}, preemption: 0/1 nodes are available: 1 {UNHELPFUL}."
    )
    await place(world, "db", labels={"app": "db"})
    await world.until(lambda: node_of(world, "d") == node)


async def test_members_stand_in_different_zones_and_wait_for_one_that_is_free(world: World) -> None:
    first = await world.add_node(labels={ZONE: "a"})
    rules = [spread(WEB, ZONE), spread(WEB, HOST)]
    await place(world, "a", labels=WEB, topologySpreadConstraints=rules)
    await world.until(lambda: node_of(world, "a") == first)
    full = await world.add_node(labels={ZONE: "b"})
    await place(world, "filler", cpu="7900m", nodeSelector={HOST: full})
    await world.until(lambda: node_of(world, "filler"))
    await place(world, "b", cpu="1", labels=WEB, topologySpreadConstraints=rules)
    assert await refused(world, "b") == (
        "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) didn't match pod topology spread constraints."
        f" {NO_CLAIMS}, preemption: 0/2 nodes are available: 2 No preemption victims found for incoming pod."
    )
    await world.delete(PODS, "filler")
    await world.until(lambda: node_of(world, "b") == full)


async def test_only_pods_of_one_revision_are_spread(world: World) -> None:
    nodes = [await world.add_node(), await world.add_node()]
    rule = spread(WEB, HOST, matchLabelKeys=["revision"])
    for name, revision in (("a", "1"), ("b", "1"), ("c", "2"), ("d", "2")):
        labels = {**WEB, "revision": revision}
        await place(world, name, labels=labels, topologySpreadConstraints=[rule])
        await world.until(lambda name=name: node_of(world, name))  # type: ignore[misc]
    for pair in ("ab", "cd"):
        assert sorted(node_of(world, name) for name in pair) == nodes


async def test_a_preferred_node_is_taken(world: World) -> None:
    first, second = await world.add_node(), await world.add_node()
    for avoided, wanted in ((first, second), (second, first)):
        elsewhere = {"matchExpressions": [{"key": HOST, "operator": "NotIn", "values": [avoided]}]}
        rule = {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 100, "preference": elsewhere}]}
        name = f"on-{wanted}"
        await place(world, name, affinity={"nodeAffinity": rule})
        assert await world.until(lambda name=name: node_of(world, name)) == wanted  # type: ignore[misc]


async def test_a_more_important_pod_gets_the_place_of_a_lesser_one(world: World) -> None:
    name = f"{world.namespace}-high"
    await world.client.create(PRIORITIES, {"metadata": {"name": name}, "value": 1000})
    node = await world.add_node()
    await place(world, "low", cpu="6")
    await world.until(lambda: node_of(world, "low") == node)
    await world.until(lambda: world.find(PODS, "low")["status"]["phase"] == "Running")
    world.ends_pods = False
    await place(world, "high", cpu="6", priorityClassName=name)
    await world.until(lambda: "deletionTimestamp" in world.find(PODS, "low")["metadata"])
    await world.until(lambda: world.find(PODS, "high")["status"].get("nominatedNodeName") == node)
    target = next(
        each for each in world.find(PODS, "low")["status"]["conditions"] if each["type"] == "DisruptionTarget"
    )
    assert (target["status"], target["reason"], target["message"]) == (
        "True",
        "PreemptionByScheduler",
        "default-scheduler: preempting to accommodate a higher priority pod",
    )
    assert message(world, "high").startswith("0/1 nodes are available: 1 Insufficient cpu.")
    world.ends_pods = True
    world.play_all()
    await world.until(lambda: node_of(world, "high") == node)


async def test_a_gated_pod_waits_for_its_gates(world: World) -> None:
    node = await world.add_node()
    await place(world, "a", schedulingGates=[{"name": "example.com/wait"}])
    await refused(world, "a")
    said = next(each for each in world.find(PODS, "a")["status"]["conditions"] if each["type"] == "PodScheduled")
    assert (said["status"], said["reason"], said["message"]) == (
        "False",
        "SchedulingGated",
        "Scheduling is blocked due to non-empty scheduling gates",
    )
    await world.patch(PODS, "a", {"spec": {"schedulingGates": None}})
    await world.until(lambda: node_of(world, "a") == node)


async def test_a_pod_waits_for_its_claims(world: World) -> None:
    node = await world.add_node()
    await place(world, "a", volumes=[{"name": "data", "persistentVolumeClaim": {"claimName": "none"}}])
    assert 'persistentvolumeclaim "none" not found' in await refused(world, "a")
    name = f"{world.namespace}-waits"
    mode = {"provisioner": "example.com/none", "volumeBindingMode": "WaitForFirstConsumer"}
    await world.client.create(CLASSES, {"metadata": {"name": name}, **mode})
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, "storageClassName": name}
    await world.create(CLAIMS, {"metadata": {"name": "none"}, "spec": spec})
    await world.until(lambda: node_of(world, "a") == node)
    assert world.find(CLAIMS, "none")["status"]["phase"] == "Bound"


async def test_a_name_of_a_node_in_a_term_is_enough(world: World) -> None:
    await world.add_node()
    second = await world.add_node()
    field = {"key": "metadata.name", "operator": "In", "values": [second]}
    terms = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchFields": [field]}]}}
    await place(world, "a", affinity={"nodeAffinity": terms})
    assert await world.until(lambda: node_of(world, "a")) == second
    await place(world, "b", cpu="9", affinity={"nodeAffinity": terms})
    assert await refused(world, "b") == (
        "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) didn't satisfy plugin(s) [NodeAffinity]."
        f" {NO_CLAIMS}, preemption: 0/2 nodes are available: 2 {UNHELPFUL}."
    )
