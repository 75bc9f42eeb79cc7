"""DaemonSets, on Kubernetes and in the simulated world. Each keeps to the Nodes of its own test."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.controllers import NODES, PODS
from tests.support.workloads import daemon_set, template
from tests.support.world import DAEMON_SETS, REVISIONS, TEST, World

pytestmark = pytest.mark.real
Object = dict[str, Any]


def here(world: World) -> Object:
    return {"nodeSelector": {TEST: world.namespace}}


def status(world: World) -> Object:
    return world.status(DAEMON_SETS, "agent")


def is_complete(world: World, count: int) -> bool:
    counts = ("desiredNumberScheduled", "currentNumberScheduled", "numberReady", "numberAvailable")
    return [status(world).get(each, 0) for each in (*counts, "updatedNumberScheduled")] == [count] * 5


def nodes(world: World) -> list[str]:
    return sorted(each["spec"].get("nodeName", "") for each in world.all(PODS))


def images(world: World) -> list[str]:
    return sorted(each["spec"]["containers"][0]["image"] for each in world.all(PODS))


async def test_every_node_that_suits_has_a_pod_also_one_that_comes_later(world: World) -> None:
    first, second = await world.add_node(), await world.add_node(unschedulable=True)
    await world.add_node(taints=[{"key": "only", "value": "others", "effect": "NoSchedule"}])
    await world.create(DAEMON_SETS, daemon_set(pod=here(world)))

    await world.until(lambda: is_complete(world, 2))

    assert nodes(world) == [first, second]
    pod, (revision,) = world.all(PODS)[0], world.all(REVISIONS)
    digest = revision["metadata"]["labels"]["controller-revision-hash"]
    assert (revision["metadata"]["name"], revision["revision"]) == (f"agent-{digest}", 1)
    assert pod["metadata"]["labels"] == {
        "app": "agent",
        "controller-revision-hash": digest,
        "pod-template-generation": "1",
    }
    name = pod["spec"]["nodeName"]
    field = {"key": "metadata.name", "operator": "In", "values": [name]}
    terms = {"nodeSelectorTerms": [{"matchFields": [field]}]}
    assert pod["spec"]["affinity"]["nodeAffinity"] == {"requiredDuringSchedulingIgnoredDuringExecution": terms}
    borne = [(each["key"].rpartition("/")[2], each["effect"]) for each in pod["spec"]["tolerations"]]
    assert borne == [
        ("not-ready", "NoExecute"),
        ("unreachable", "NoExecute"),
        ("disk-pressure", "NoSchedule"),
        ("memory-pressure", "NoSchedule"),
        ("pid-pressure", "NoSchedule"),
        ("unschedulable", "NoSchedule"),
    ]
    third = await world.add_node()
    await world.until(lambda: is_complete(world, 3))
    assert nodes(world) == sorted([first, second, third])


async def test_a_node_that_suits_no_longer_loses_its_pod(world: World) -> None:
    first, second = await world.add_node(), await world.add_node()
    await world.create(DAEMON_SETS, daemon_set(pod=here(world)))
    await world.until(lambda: is_complete(world, 2))

    await world.client.merge_patch(NODES, second, {"metadata": {"labels": {TEST: "another"}}})

    await world.until(lambda: is_complete(world, 1) and nodes(world) == [first])


async def test_a_new_template_replaces_one_pod_after_the_other(world: World) -> None:
    for _ in range(3):
        await world.add_node()
    await world.create(DAEMON_SETS, daemon_set(pod=here(world)))
    await world.until(lambda: is_complete(world, 3))
    world.behave("running", "agent:2")

    new = template("agent:2", {"app": "agent"}, **here(world))
    await world.patch(DAEMON_SETS, "agent", {"spec": {"template": new}})

    await world.until(lambda: images(world) == ["agent:1", "agent:1", "agent:2"])
    await world.until(lambda: status(world).get("updatedNumberScheduled") == 1)
    assert status(world)["numberUnavailable"] == 1
    world.behave("ready", "agent:2")
    await world.until(lambda: is_complete(world, 3))
    assert images(world) == ["agent:2"] * 3
    assert "numberUnavailable" not in status(world)


async def test_with_a_surge_new_pods_come_before_old_ones_go(world: World) -> None:
    for _ in range(2):
        await world.add_node()
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    await world.create(DAEMON_SETS, daemon_set(pod=here(world), updateStrategy=strategy))
    await world.until(lambda: is_complete(world, 2))
    world.behave("running", "agent:2")

    new = template("agent:2", {"app": "agent"}, **here(world))
    await world.patch(DAEMON_SETS, "agent", {"spec": {"template": new}})

    await world.until(lambda: images(world) == ["agent:1", "agent:1", "agent:2"])
    await world.until(lambda: all(each.get("status", {}).get("phase") == "Running" for each in world.all(PODS)))
    await world.until(lambda: bool(status(world)))
    assert images(world) == ["agent:1", "agent:1", "agent:2"]
    world.behave("ready", "agent:2")
    await world.until(lambda: is_complete(world, 2) and images(world) == ["agent:2"] * 2)


async def test_on_delete_pods_are_replaced_by_whoever_deletes_them(world: World) -> None:
    await world.add_node()
    await world.create(DAEMON_SETS, daemon_set(pod=here(world), updateStrategy={"type": "OnDelete"}))
    await world.until(lambda: is_complete(world, 1))
    new = template("agent:2", {"app": "agent"}, **here(world))
    await world.patch(DAEMON_SETS, "agent", {"spec": {"template": new}})
    await world.until(lambda: status(world).get("updatedNumberScheduled", 0) == 0 and bool(status(world)))
    assert images(world) == ["agent:1"]

    await world.delete(PODS, world.names(PODS)[0])

    await world.until(lambda: is_complete(world, 1) and images(world) == ["agent:2"])


async def test_a_pod_that_has_failed_is_made_anew(world: World) -> None:
    await world.add_node()
    await world.create(DAEMON_SETS, daemon_set(pod=here(world)))
    await world.until(lambda: is_complete(world, 1))
    (before,) = world.names(PODS)

    world.behave("failed", before)

    await world.until(lambda: is_complete(world, 1) and world.names(PODS) != [before])
