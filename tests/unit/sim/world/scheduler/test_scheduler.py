"""The scheduler at work on a simulated API server: it binds, says why not, makes room, and looks again when it may."""

from __future__ import annotations

from typing import Any

from tests.support.controllers import CLAIMS, CLASSES, EVENTS, NODES, PODS, PRIORITIES, VOLUMES, Site, working
from tests.support.placing import away_from, node, pod

from homeostat.sim.world.kinds.volumes import BOUND, SELECTED
from homeostat.sim.world.scheduler.scheduler import add_scheduler


async def _ready_node(site: Site, name: str, **more: Any) -> None:
    """A Node as it is when somebody has seen that it is ready."""
    body = node(name, **more)
    await site.make(NODES, body)
    taints = [{"op": "replace", "path": "/spec/taints", "value": body["spec"].get("taints", [])}]
    await site.client.json_patch(NODES, name, taints)
    await site.rest()


async def _make_pod(site: Site, name: str, **more: Any) -> None:
    body = pod(name, **more)
    del body["metadata"]["uid"]
    await site.make(PODS, body, "default")


async def _node_of(site: Site, name: str) -> str:
    return str((await site.get(PODS, name, "default"))["spec"].get("nodeName", ""))


async def _condition(site: Site, name: str) -> dict[str, Any]:
    found = (await site.get(PODS, name, "default"))["status"].get("conditions") or []
    return next((each for each in found if each["type"] == "PodScheduled"), {})


async def test_a_pod_that_fits_is_bound_once_and_an_event_tells() -> None:
    async with working(add_scheduler) as site:
        await _ready_node(site, "n1")
        await _make_pod(site, "a", cpu="1")
        assert await _node_of(site, "a") == "n1"
        assert (await _condition(site, "a"))["status"] == "True"
        events = [(each["reason"], each["message"]) for each in await site.all(EVENTS, "default")]
        assert events == [("Scheduled", "Successfully assigned default/a to n1")]
        before = site.revision
        await site.pass_time(3600)
        assert site.revision == before


async def test_a_pod_that_fits_nowhere_says_why_and_is_looked_at_when_room_comes() -> None:
    async with working(add_scheduler) as site:
        await _make_pod(site, "a", cpu="3")
        assert (await _condition(site, "a"))["message"] == "no nodes available to schedule pods"
        await _ready_node(site, "n1", cpu="2")
        await site.pass_time(600)
        await _ready_node(site, "n2", unschedulable=True)
        await site.client.merge_patch(PODS, "a", {"metadata": {"labels": {"x": "y"}}}, "default")
        await site.rest()
        said = await _condition(site, "a")
        assert (said["status"], said["reason"]) == ("False", "Unschedulable")
        assert said["message"] == (
            "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) were unschedulable."
            " no new claims to deallocate, preemption: 0/2 nodes are available:"
            " 2 Preemption is not helpful for scheduling."
        )
        assert any(each["reason"] == "FailedScheduling" for each in await site.all(EVENTS, "default"))
        await site.client.merge_patch(NODES, "n2", {"spec": {"unschedulable": None}})
        await site.rest()
        assert await _node_of(site, "a") == "n2"


async def test_a_pod_waits_for_another_to_go_and_is_not_looked_at_for_what_does_not_help() -> None:
    async with working(add_scheduler) as site:
        await _ready_node(site, "n1", cpu="2")
        await _make_pod(site, "a", cpu="2")
        await _make_pod(site, "b", cpu="1")
        assert "1 Insufficient cpu" in (await _condition(site, "b"))["message"]
        before = site.revision
        await _ready_node(site, "small", cpu="100m")
        assert site.revision == before + 2
        await site.client.delete(PODS, "a", "default", grace_s=0)
        await site.rest()
        assert await _node_of(site, "b") == "n1"


async def test_a_pod_that_would_be_near_others_waits_until_one_of_them_stands_somewhere() -> None:
    async with working(add_scheduler) as site:
        await _ready_node(site, "n1")
        near = away_from({"app": "db"}, "kubernetes.io/hostname", "podAffinity")
        await _make_pod(site, "a", affinity=near)
        await _make_pod(site, "db", labels={"app": "db"})
        assert await _node_of(site, "a") == "n1"


async def test_a_gated_pod_is_placed_when_its_gates_are_gone() -> None:
    async with working(add_scheduler) as site:
        await _ready_node(site, "n1")
        await _make_pod(site, "a", schedulingGates=[{"name": "example.com/wait"}])
        assert await _node_of(site, "a") == ""
        await site.client.json_patch(PODS, "a", [{"op": "remove", "path": "/spec/schedulingGates"}], "default")
        await site.rest()
        assert await _node_of(site, "a") == "n1"


async def test_a_more_important_pod_gets_the_place_of_a_lesser_one() -> None:
    async with working(add_scheduler) as site:
        await site.make(PRIORITIES, {"metadata": {"name": "high"}, "value": 1000})
        await _ready_node(site, "n1", cpu="1")
        await _make_pod(site, "low", cpu="1")
        await _make_pod(site, "high", cpu="1", priorityClassName="high")
        victim = await site.get(PODS, "low", "default")
        assert "deletionTimestamp" in victim["metadata"]
        target = next(each for each in victim["status"]["conditions"] if each["type"] == "DisruptionTarget")
        assert target["reason"] == "PreemptionByScheduler"
        assert (await site.get(PODS, "high", "default"))["status"]["nominatedNodeName"] == "n1"
        await _make_pod(site, "thief", cpu="1")
        await site.client.delete(PODS, "low", "default", grace_s=0)
        await site.rest()
        assert (await _node_of(site, "high"), await _node_of(site, "thief")) == ("n1", "")


async def test_a_claim_gets_its_node_first_and_its_pod_is_bound_when_the_volume_is_there() -> None:
    async with working(add_scheduler) as site:
        mode = {"volumeBindingMode": "WaitForFirstConsumer", "provisioner": "example.com/local"}
        await site.make(CLASSES, {"metadata": {"name": "local"}, **mode})
        await _ready_node(site, "n1")
        spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
        await site.make(
            CLAIMS, {"metadata": {"name": "data"}, "spec": {**spec, "storageClassName": "local"}}, "default"
        )
        await _make_pod(site, "a", volumes=[{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}])
        claim = await site.get(CLAIMS, "data", "default")
        assert (claim["metadata"]["annotations"][SELECTED], await _node_of(site, "a")) == ("n1", "")
        bound = {"metadata": {"annotations": {BOUND: "yes"}}, "spec": {"volumeName": "v"}}
        await site.client.merge_patch(CLAIMS, "data", bound, "default")
        await site.rest()
        assert await _node_of(site, "a") == "n1"


async def test_a_free_volume_is_claimed_by_one_pod_only() -> None:
    async with working(add_scheduler) as site:
        mode = {"volumeBindingMode": "WaitForFirstConsumer", "provisioner": "kubernetes.io/no-provisioner"}
        await site.make(CLASSES, {"metadata": {"name": "local"}, **mode})
        await _ready_node(site, "n1")
        await site.make(
            VOLUMES,
            {
                "metadata": {"name": "v"},
                "spec": {
                    "capacity": {"storage": "1Gi"},
                    "accessModes": ["ReadWriteOnce"],
                    "storageClassName": "local",
                    "hostPath": {"path": "/v"},
                },
                "status": {"phase": "Available"},
            },
        )
        spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
        for name in ("x", "y"):
            body = {"metadata": {"name": name}, "spec": {**spec, "storageClassName": "local"}}
            await site.make(CLAIMS, body, "default")
            volume = {"name": "data", "persistentVolumeClaim": {"claimName": name}}
            await _make_pod(site, name, volumes=[volume])
        assert (await site.get(VOLUMES, "v"))["spec"]["claimRef"]["name"] == "x"
        assert "1 node(s) didn't find available persistent volumes to bind" in (await _condition(site, "y"))["message"]
