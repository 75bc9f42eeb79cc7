"""EndpointSlices tell which Pods stand behind a Service, where, and whether they take traffic."""

from __future__ import annotations

from typing import Any

from tests.support.controllers import NODES, PODS, SERVICES, SLICES, Site, working
from tests.support.placing import node, pod

from homeostat.sim.world.controllers.endpoints.controller import add_endpoint_slices

WEB = {"app": "web"}


async def _service(site: Site, name: str = "web", **spec: Any) -> None:
    ports = [{"name": "http", "port": 80, "targetPort": 8080}]
    body = {"metadata": {"name": name, "labels": {"x": "y"}}, "spec": {"selector": WEB, "ports": ports, **spec}}
    await site.make(SERVICES, body, "default")


async def _pod(site: Site, name: str, ip: str = "10.0.0.1", *, ready: bool = True, **spec: Any) -> None:
    body = pod(name, labels=WEB, nodeName=spec.pop("on", "n1"), **spec)
    del body["metadata"]["uid"]
    said = [{"type": "Ready", "status": "True" if ready else "False"}]
    body["status"] = {"phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}], "conditions": said}
    await site.make(PODS, body, "default")


async def _endpoints(site: Site) -> dict[str, tuple[bool, bool, bool]]:
    """Ready, serving and terminating of each Pod."""
    found = {}
    for each in await site.all(SLICES, "default"):
        for endpoint in each["endpoints"] or ():
            said = endpoint["conditions"]
            name = endpoint["targetRef"]["name"]
            found[name] = (said["ready"], said["serving"], said["terminating"])
    return found


async def test_a_service_has_a_slice_even_without_pods_and_none_without_a_selector() -> None:
    async with working(add_endpoint_slices) as site:
        await _service(site)
        await _service(site, "external", selector=None)
        (made,) = await site.all(SLICES, "default")
        assert made["metadata"]["labels"] == {
            "x": "y",
            "kubernetes.io/service-name": "web",
            "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
        }
        assert made["metadata"]["ownerReferences"][0]["name"] == "web"
        assert (made["addressType"], made["endpoints"] or []) == ("IPv4", [])


async def test_an_endpoint_tells_its_pod_its_node_its_zone_and_its_ports() -> None:
    async with working(add_endpoint_slices) as site:
        await site.make(NODES, node("n1", zone="a"))
        await _service(site)
        await _pod(site, "a")
        (made,) = await site.all(SLICES, "default")
        (endpoint,) = made["endpoints"]
        uid = (await site.get(PODS, "a", "default"))["metadata"]["uid"]
        assert endpoint == {
            "addresses": ["10.0.0.1"],
            "conditions": {"ready": True, "serving": True, "terminating": False},
            "nodeName": "n1",
            "zone": "a",
            "targetRef": {"kind": "Pod", "namespace": "default", "name": "a", "uid": uid},
        }
        assert made["ports"] == [{"name": "http", "protocol": "TCP", "port": 8080}]
        before = site.revision
        await site.pass_time(600)
        assert site.revision == before


async def test_pods_that_are_not_ready_or_about_to_go_are_told_as_such() -> None:
    async with working(add_endpoint_slices) as site:
        await _service(site)
        await _pod(site, "a", "10.0.0.1", ready=False)
        await _pod(site, "b", "10.0.0.2")
        await site.client.delete(PODS, "b", "default")
        await site.rest()
        assert await _endpoints(site) == {"a": (False, False, False), "b": (False, True, True)}
        await site.client.delete(PODS, "b", "default", grace_s=0)
        await site.rest()
        assert await _endpoints(site) == {"a": (False, False, False)}


async def test_members_find_each_other_before_they_are_ready_where_a_service_says_so() -> None:
    async with working(add_endpoint_slices) as site:
        await _service(site, clusterIP="None", publishNotReadyAddresses=True)
        await _pod(site, "a", ready=False, hostname="a", subdomain="web")
        (made,) = await site.all(SLICES, "default")
        assert made["endpoints"][0]["conditions"] == {"ready": True, "serving": False, "terminating": False}
        assert made["endpoints"][0]["hostname"] == "a"
        assert made["metadata"]["labels"]["service.kubernetes.io/headless"] == ""


async def test_pods_that_ended_have_no_address_or_another_label_are_left_out() -> None:
    async with working(add_endpoint_slices) as site:
        await _service(site)
        await _pod(site, "a")
        await site.set_status(PODS, "a", {"phase": "Failed"}, "default")
        await _pod(site, "b", "")
        await _pod(site, "c", "10.0.0.3")
        assert list(await _endpoints(site)) == ["c"]
        await site.client.merge_patch(PODS, "c", {"metadata": {"labels": {"app": "other"}}}, "default")
        await site.rest()
        assert await _endpoints(site) == {}


async def test_a_named_port_may_be_another_number_in_each_pod() -> None:
    async with working(add_endpoint_slices) as site:
        await _service(site, ports=[{"port": 80, "targetPort": "web"}])
        for name, port in (("a", 8080), ("b", 9090), ("c", 8080)):
            await _pod(site, name, f"10.0.0.{port % 7}", ports=[{"name": "web", "containerPort": port}])
        found = await site.all(SLICES, "default")
        assert sorted((each["ports"][0]["port"], len(each["endpoints"])) for each in found) == [(8080, 2), (9090, 1)]


async def test_a_change_of_one_of_many_pods_writes_one_slice() -> None:
    async with working(add_endpoint_slices) as site:
        await _service(site)
        for at in range(103):
            await _pod(site, f"p{at}", f"10.0.1.{at}")
        found = await site.all(SLICES, "default")
        assert sorted(len(each["endpoints"]) for each in found) == [3, 100]
        before = site.revision
        await site.set_status(PODS, "p7", {"conditions": [{"type": "Ready", "status": "False"}]}, "default")
        await site.rest()
        assert site.revision == before + 2
        assert (await _endpoints(site))["p7"] == (False, False, False)


async def test_slices_follow_the_labels_of_their_service() -> None:
    async with working(add_endpoint_slices) as site:
        await _service(site)
        await site.client.merge_patch(SERVICES, "web", {"metadata": {"labels": {"x": None, "z": "1"}}}, "default")
        await site.rest()
        (made,) = await site.all(SLICES, "default")
        assert "x" not in made["metadata"]["labels"]
        assert made["metadata"]["labels"]["z"] == "1"
