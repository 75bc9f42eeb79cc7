"""What happens to objects and Nodes of a cluster, whoever's controllers look after them."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.controllers import BUDGETS, CLAIMS, CONFIG_MAPS, NAMESPACES, NODES, PODS, SERVICES, SLICES, VOLUMES
from tests.support.placing import pod as any_pod
from tests.support.world import World

from homeostat.kube.errors import NotFound

pytestmark = pytest.mark.real
WEB = {"app": "web"}
HOST = "kubernetes.io/hostname"


async def place(world: World, name: str, **more: Any) -> None:
    body = any_pod(name, labels=more.pop("labels", WEB), **more)
    body["metadata"] = {"name": name, "labels": body["metadata"]["labels"]}
    await world.create(PODS, body)


async def owned(world: World, name: str, *owners: dict[str, Any], blocks: bool = False, **meta: Any) -> dict[str, Any]:
    """A ConfigMap that belongs to others."""
    references = [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "name": each["metadata"]["name"],
            "uid": each["metadata"]["uid"],
            "blockOwnerDeletion": blocks,
        }
        for each in owners
    ]
    return await world.create(CONFIG_MAPS, {"metadata": {"name": name, "ownerReferences": references, **meta}})


async def maps(world: World) -> list[str]:
    found = (await world.client.list(CONFIG_MAPS, world.namespace)).items
    return sorted(each["metadata"]["name"] for each in found if each["metadata"]["name"] != "kube-root-ca.crt")


async def until_maps(world: World, *names: str) -> None:
    """Wait until these are left, and no others."""
    async with world.clock.timeout(30):
        while await maps(world) != sorted(names):
            await world.clock.sleep(0.05)


async def test_what_belonged_to_an_owner_goes_with_it_and_what_has_another_one_stays(world: World) -> None:
    first, second = await owned(world, "first"), await owned(world, "second")
    child = await owned(world, "child", first)
    await owned(world, "grandchild", child)
    await owned(world, "shared", first, second)
    await world.delete(CONFIG_MAPS, "first")
    await until_maps(world, "second", "shared")
    await world.delete(CONFIG_MAPS, "second")
    await until_maps(world)


async def test_in_the_foreground_an_owner_goes_last(world: World) -> None:
    owner = await owned(world, "owner")
    child = await owned(world, "child", owner, blocks=True)
    await owned(world, "grandchild", child, blocks=True, finalizers=["example.com/wait"])
    await world.client.delete(CONFIG_MAPS, "owner", world.namespace, propagation="Foreground")
    async with world.clock.timeout(30):
        while "deletionTimestamp" not in (await _map(world, "grandchild"))["metadata"]:
            await world.clock.sleep(0.05)
    assert await maps(world) == ["child", "grandchild", "owner"]
    await world.patch(CONFIG_MAPS, "grandchild", {"metadata": {"finalizers": None}})
    await until_maps(world)


async def test_orphans_stay_and_an_owner_in_another_namespace_is_none(world: World) -> None:
    owner = await owned(world, "owner")
    await owned(world, "child", owner)
    await world.client.delete(CONFIG_MAPS, "owner", world.namespace, propagation="Orphan")
    await until_maps(world, "child")
    assert "ownerReferences" not in (await _map(world, "child"))["metadata"]
    elsewhere = await world.client.create(CONFIG_MAPS, {"metadata": {"name": f"o-{world.namespace}"}}, "default")
    await owned(world, "stray", elsewhere)
    await until_maps(world, "child")


async def _map(world: World, name: str) -> dict[str, Any]:
    return await world.client.get(CONFIG_MAPS, name, world.namespace)


async def test_a_namespace_says_what_it_waits_for_and_then_goes(world: World) -> None:
    name = f"{world.namespace}-ends"
    await world.client.create(NAMESPACES, {"metadata": {"name": name}})
    held = {"metadata": {"name": "held", "finalizers": ["example.com/wait"]}}
    await world.client.create(CONFIG_MAPS, held, name)
    await world.client.create(CONFIG_MAPS, {"metadata": {"name": "free"}}, name)
    await world.client.delete(NAMESPACES, name)
    said: dict[str, Any] = {}
    async with world.clock.timeout(30):
        while said.get("NamespaceFinalizersRemaining", {}).get("status") != "True":
            await world.clock.sleep(0.05)
            found = (await world.client.get(NAMESPACES, name))["status"].get("conditions", [])
            said = {each["type"]: each for each in found}
    assert {key: (each["status"], each["reason"], each["message"]) for key, each in said.items()} == {
        "NamespaceDeletionDiscoveryFailure": ("False", "ResourcesDiscovered", "All resources successfully discovered"),
        "NamespaceDeletionGroupVersionParsingFailure": (
            "False",
            "ParsedGroupVersions",
            "All legacy kube types successfully parsed",
        ),
        "NamespaceDeletionContentFailure": (
            "False",
            "ContentDeleted",
            "All content successfully deleted, may be waiting on finalization",
        ),
        "NamespaceContentRemaining": (
            "True",
            "SomeResourcesRemain",
            "Some resources are remaining: configmaps. has 1 resource instances",
        ),
        "NamespaceFinalizersRemaining": (
            "True",
            "SomeFinalizersRemain",
            "Some content in the namespace has finalizers remaining: example.com/wait in 1 resource instances",
        ),
    }
    await world.client.merge_patch(CONFIG_MAPS, "held", {"metadata": {"finalizers": None}}, name)
    async with world.clock.timeout(30):
        while await _is_there(world, name):
            await world.clock.sleep(0.1)


async def _is_there(world: World, namespace: str) -> bool:
    try:
        await world.client.get(NAMESPACES, namespace)
    except NotFound:
        return False
    return True


async def test_endpoints_follow_their_pods(world: World) -> None:
    node = await world.add_node(labels={"topology.kubernetes.io/zone": "a"})
    ports = [{"name": "http", "port": 80, "targetPort": "web"}]
    await world.create(SERVICES, {"metadata": {"name": "web"}, "spec": {"selector": WEB, "ports": ports}})
    (empty,) = await world.until(lambda: world.all(SLICES))
    assert (empty.get("endpoints") or [], empty["addressType"]) == ([], "IPv4")
    await place(world, "a", ports=[{"name": "web", "containerPort": 8080}])
    await world.until(lambda: world.find(PODS, "a").get("status", {}).get("phase") == "Running")
    address = {"podIP": "10.9.0.1", "podIPs": [{"ip": "10.9.0.1"}]}
    await world.client.merge_patch(PODS, "a", {"status": address}, world.namespace, subresource="status")
    (endpoint,) = await world.until(lambda: endpoints(world))
    assert endpoint == {
        "addresses": ["10.9.0.1"],
        "conditions": {"ready": True, "serving": True, "terminating": False},
        "nodeName": node,
        "zone": "a",
        "targetRef": {
            "kind": "Pod",
            "namespace": world.namespace,
            "name": "a",
            "uid": world.find(PODS, "a")["metadata"]["uid"],
        },
    }
    (full,) = [each for each in world.all(SLICES) if each.get("endpoints")]
    assert full["ports"] == [{"name": "http", "protocol": "TCP", "port": 8080}]
    assert full["metadata"]["labels"] == {
        "kubernetes.io/service-name": "web",
        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
    }
    world.ends_pods = False
    await world.delete(PODS, "a")
    gone = {"ready": False, "serving": True, "terminating": True}
    await world.until(lambda: [each["conditions"] for each in endpoints(world)] == [gone])
    world.ends_pods = True
    world.play_all()
    await world.until(lambda: not endpoints(world))


def endpoints(world: World) -> list[dict[str, Any]]:
    return [endpoint for each in world.all(SLICES) for endpoint in each.get("endpoints") or ()]


async def test_a_budget_counts_and_counts_again_after_an_eviction(world: World) -> None:
    await world.add_node()
    selector = {"selector": {"matchLabels": WEB}}
    await world.create(BUDGETS, {"metadata": {"name": "b"}, "spec": {**selector, "minAvailable": 1}})
    for name in "ab":
        await place(world, name)
    await world.until(lambda: counted(world) == (1, 2, 1, 2))
    (condition,) = world.find(BUDGETS, "b")["status"]["conditions"]
    assert (condition["type"], condition["status"], condition["reason"], condition["message"]) == (
        "DisruptionAllowed",
        "True",
        "SufficientPods",
        "",
    )
    await world.client.evict("a", world.namespace)
    await world.until(lambda: counted(world) == (0, 1, 1, 1))
    assert world.find(BUDGETS, "b")["status"]["conditions"][0]["reason"] == "InsufficientPods"


def counted(world: World) -> tuple[int, ...]:
    said = world.find(BUDGETS, "b").get("status", {})
    names = ("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods")
    return tuple(said.get(name, -1) for name in names)


async def test_a_claim_and_its_volume_say_both_that_they_belong_together(world: World) -> None:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, "storageClassName": ""}
    await world.create(CLAIMS, {"metadata": {"name": "data"}, "spec": spec})
    await world.until(lambda: world.find(CLAIMS, "data").get("status", {}).get("phase") == "Bound")
    claim = world.find(CLAIMS, "data")
    assert claim["status"] == {
        "phase": "Bound",
        "accessModes": ["ReadWriteOnce"],
        "capacity": {"storage": "1Gi"},
    }
    assert claim["metadata"]["annotations"]["pv.kubernetes.io/bind-completed"] == "yes"
    name = claim["spec"]["volumeName"]
    volume = await world.client.get(VOLUMES, name)
    assert (volume["status"]["phase"], volume["spec"]["claimRef"]["uid"]) == ("Bound", claim["metadata"]["uid"])
    await world.delete(CLAIMS, "data")
    await world.until(lambda: not world.find(CLAIMS, "data"))
    async with world.clock.timeout(30):
        while (await world.client.get(VOLUMES, name))["status"]["phase"] != "Released":
            await world.clock.sleep(0.05)
    await world.client.delete(VOLUMES, name)


async def test_a_claim_in_use_stays_until_its_pod_is_gone(world: World) -> None:
    await world.add_node()
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, "storageClassName": ""}
    await world.create(CLAIMS, {"metadata": {"name": "data"}, "spec": spec})
    await place(world, "a", volumes=[{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}])
    await world.until(lambda: world.find(PODS, "a").get("status", {}).get("phase") == "Running")
    await world.delete(CLAIMS, "data")
    await world.until(lambda: "deletionTimestamp" in world.find(CLAIMS, "data")["metadata"])
    await world.delete(PODS, "a")
    await world.until(lambda: not world.find(CLAIMS, "data"))


async def test_a_node_that_is_not_ready_is_tainted_and_its_pods_leave_when_they_have_borne_it(world: World) -> None:
    await world.add_node()
    ill = await world.add_node()
    on_it = {"nodeSelector": {HOST: ill}}
    for_ever = [{"operator": "Exists"}]
    a_second = {"operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 1}
    briefly = [{"key": "node.kubernetes.io/not-ready", **a_second}]
    await place(world, "daemon", tolerations=for_ever, **on_it)
    await place(world, "brief", tolerations=briefly, **on_it)
    await world.until(lambda: all(is_ready(world, name) for name in ("daemon", "brief")))
    now = world.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    times = {"lastHeartbeatTime": now, "lastTransitionTime": now}
    said = {"type": "Ready", "status": "False", "reason": "KubeletNotReady", "message": "", **times}
    await world.client.merge_patch(NODES, ill, {"status": {"conditions": [said]}}, subresource="status")
    async with world.clock.timeout(30):
        while await taints(world, ill) != ["not-ready:NoExecute", "not-ready:NoSchedule"]:
            await world.clock.sleep(0.05)
    await world.until(lambda: not world.find(PODS, "brief"))
    assert is_ready(world, "daemon")
    assert "deletionTimestamp" not in world.find(PODS, "daemon")["metadata"]


async def test_a_cordoned_node_is_tainted_until_it_is_uncordoned(world: World) -> None:
    node = await world.add_node()
    for cordoned, wanted in ((True, ["unschedulable:NoSchedule"]), (None, [])):
        await world.client.merge_patch(NODES, node, {"spec": {"unschedulable": cordoned}})
        async with world.clock.timeout(30):
            while await taints(world, node) != wanted:
                await world.clock.sleep(0.05)


async def taints(world: World, node: str) -> list[str]:
    found = (await world.client.get(NODES, node))["spec"].get("taints") or ()
    return sorted(f"{each['key'].rpartition('/')[2]}:{each['effect']}" for each in found)


def is_ready(world: World, name: str) -> bool:
    conditions = world.find(PODS, name).get("status", {}).get("conditions", ())
    return any((each["type"], each["status"]) == ("Ready", "True") for each in conditions)
