"""Claims get their volumes, keep them, and give them back; nothing goes that is in use."""

from __future__ import annotations

from typing import Any

from tests.support.controllers import CLAIMS, CLASSES, EVENTS, NODES, PODS, VOLUMES, Site, working
from tests.support.placing import node, pod

from homeostat.sim.world.controllers.volumes.controller import LOCAL_PATH, add_volume_binder
from homeostat.sim.world.controllers.volumes.protection import add_volume_protection
from homeostat.sim.world.controllers.volumes.provisioner import add_volume_provisioner
from homeostat.sim.world.kinds.volumes import DEFAULT_CLASS, SELECTED
from homeostat.sim.world.scheduler.scheduler import add_scheduler

ALL = (add_volume_binder, add_volume_provisioner, add_volume_protection)


async def _class(site: Site, name: str = "local", *, default: bool = False, **more: Any) -> None:
    meta: dict[str, Any] = {"name": name}
    if default:
        meta["annotations"] = {DEFAULT_CLASS: "true"}
    body = {"provisioner": LOCAL_PATH, "volumeBindingMode": "WaitForFirstConsumer", **more}
    await site.make(CLASSES, {"metadata": meta, **body})


async def _claim(site: Site, name: str = "data", size: str = "1Gi", **more: Any) -> dict[str, Any]:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}, **more}
    return await site.make(CLAIMS, {"metadata": {"name": name}, "spec": spec}, "default")


async def _volume(site: Site, name: str, size: str = "1Gi", **more: Any) -> None:
    spec = {"capacity": {"storage": size}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/v"}, **more}
    await site.make(VOLUMES, {"metadata": {"name": name}, "spec": spec})


async def _phase(site: Site, kind: Any, name: str) -> str:
    found = await site.get(kind, name, "default" if kind is CLAIMS else "")
    return str(found["status"]["phase"])


async def _reasons(site: Site) -> list[str]:
    return [str(each["reason"]) for each in await site.all(EVENTS, "default")]


async def test_a_claim_gets_the_smallest_volume_that_suits_and_both_say_so() -> None:
    async with working(*ALL) as site:
        for name, size in (("big", "5Gi"), ("right", "2Gi"), ("small", "1Gi")):
            await _volume(site, name, size)
        assert await _phase(site, VOLUMES, "right") == "Available"
        await _claim(site, size="2Gi", storageClassName="")
        claim = await site.get(CLAIMS, "data", "default")
        assert claim["spec"]["volumeName"] == "right"
        assert claim["status"] == {
            "phase": "Bound",
            "accessModes": ["ReadWriteOnce"],
            "capacity": {"storage": "2Gi"},
        }
        volume = await site.get(VOLUMES, "right")
        assert (volume["status"]["phase"], volume["spec"]["claimRef"]["uid"]) == ("Bound", claim["metadata"]["uid"])
        before = site.revision
        await site.pass_time(3600)
        assert site.revision == before


async def test_a_claim_waits_for_a_volume_and_takes_it_when_it_comes() -> None:
    async with working(*ALL) as site:
        await _claim(site, storageClassName="")
        assert (await _phase(site, CLAIMS, "data"), await _reasons(site)) == ("Pending", ["FailedBinding"])
        await _volume(site, "v")
        assert await _phase(site, CLAIMS, "data") == "Bound"


async def test_a_volume_that_names_a_claim_is_kept_for_it() -> None:
    async with working(*ALL) as site:
        await _volume(site, "v", claimRef={"namespace": "default", "name": "mine"})
        await _claim(site, "other", storageClassName="")
        await _claim(site, "mine", storageClassName="")
        assert await _phase(site, CLAIMS, "mine") == "Bound"
        assert await _phase(site, CLAIMS, "other") == "Pending"


async def test_a_class_that_does_not_wait_makes_a_volume_at_once() -> None:
    async with working(*ALL) as site:
        await _class(site, volumeBindingMode="Immediate")
        made = await _claim(site, storageClassName="local")
        assert await _phase(site, CLAIMS, "data") == "Bound"
        volume = await site.get(VOLUMES, f"pvc-{made['metadata']['uid']}")
        assert "nodeAffinity" not in volume["spec"]


async def test_a_class_that_waits_makes_it_where_the_pod_stands() -> None:
    async with working(*ALL, add_scheduler) as site:
        await _class(site)
        await site.make(NODES, node("n1"))
        await site.client.json_patch(NODES, "n1", [{"op": "remove", "path": "/spec/taints"}])
        await _claim(site, storageClassName="local")
        assert (await _phase(site, CLAIMS, "data"), await _reasons(site)) == ("Pending", ["WaitForFirstConsumer"])
        body = pod("a", volumes=[{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}])
        del body["metadata"]["uid"]
        await site.make(PODS, body, "default")
        assert (await site.get(PODS, "a", "default"))["spec"]["nodeName"] == "n1"
        volume = (await site.all(VOLUMES))[0]
        term = volume["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"][0]["matchExpressions"][0]
        assert term == {"key": "kubernetes.io/hostname", "operator": "In", "values": ["n1"]}


async def test_a_claim_without_a_class_gets_the_default_one_also_when_that_comes_later() -> None:
    async with working(*ALL) as site:
        await _claim(site, "early")
        await _class(site, default=True, volumeBindingMode="Immediate")
        made = await _claim(site, "late")
        assert made["spec"]["storageClassName"] == "local"
        assert [await _phase(site, CLAIMS, name) for name in ("early", "late")] == ["Bound", "Bound"]


async def test_a_choice_of_a_node_that_is_gone_is_given_back() -> None:
    async with working(*ALL) as site:
        await _class(site)
        await _claim(site, storageClassName="local")
        chosen = {"metadata": {"annotations": {SELECTED: "gone"}}}
        await site.client.merge_patch(CLAIMS, "data", chosen, "default")
        await site.rest()
        assert SELECTED not in (await site.get(CLAIMS, "data", "default"))["metadata"]["annotations"]
        assert "ProvisioningFailed" in await _reasons(site)


async def test_a_volume_goes_with_its_claim_or_is_kept_as_its_policy_says() -> None:
    async with working(*ALL) as site:
        await _class(site, volumeBindingMode="Immediate")
        await _claim(site, storageClassName="local")
        await _volume(site, "kept")
        await _claim(site, "other", storageClassName="")
        for name in ("data", "other"):
            await site.client.delete(CLAIMS, name, "default")
        await site.rest()
        left = await site.all(VOLUMES)
        assert [(each["metadata"]["name"], each["status"]["phase"]) for each in left] == [("kept", "Released")]


async def test_a_claim_stays_as_long_as_a_pod_uses_it() -> None:
    async with working(*ALL) as site:
        await _volume(site, "v")
        await _claim(site, storageClassName="")
        body = pod("a", nodeName="n1", volumes=[{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}])
        del body["metadata"]["uid"]
        await site.make(PODS, body, "default")
        await site.client.delete(CLAIMS, "data", "default")
        await site.client.delete(VOLUMES, "v")
        await site.rest()
        assert await site.has(CLAIMS, "data", "default")
        await site.client.delete(PODS, "a", "default", grace_s=0)
        await site.rest()
        assert not await site.has(CLAIMS, "data", "default")
        assert not await site.has(VOLUMES, "v")


async def test_a_claim_whose_volume_is_gone_is_lost() -> None:
    async with working(add_volume_binder) as site:
        await _volume(site, "v")
        await _claim(site, storageClassName="")
        await site.client.json_patch(VOLUMES, "v", [{"op": "remove", "path": "/metadata/finalizers"}])
        await site.client.delete(VOLUMES, "v")
        await site.rest()
        assert await _phase(site, CLAIMS, "data") == "Lost"
        assert "ClaimLost" in await _reasons(site)
