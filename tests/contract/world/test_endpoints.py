"""Endpoints, the older form of EndpointSlices, and slices that mirror those that people write."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.controllers import ENDPOINTS, PODS, SERVICES, SLICES
from tests.support.world import World

pytestmark = pytest.mark.real
Object = dict[str, Any]
WEB = {"app": "web"}
PORTS = [{"name": "http", "port": 80, "targetPort": "web"}, {"name": "metrics", "port": 9090}]
MIRROR = "endpointslicemirroring-controller.k8s.io"


async def service(world: World, name: str = "web", **spec: Any) -> None:
    body = {"metadata": {"name": name, "labels": {"x": "y"}}, "spec": {"selector": WEB, "ports": PORTS, **spec}}
    await world.create(SERVICES, body)


async def pod(world: World, name: str, ip: str, port: int = 8080) -> None:
    """A Pod at an address, ready or not as the test says."""
    ports = [{"name": "web", "containerPort": port}]
    spec = {"nodeName": world.nodes[0], "containers": [{"name": "c", "image": "i", "ports": ports}]}
    await world.create(PODS, {"metadata": {"name": name, "labels": WEB}, "spec": spec})
    status = {"podIP": ip, "podIPs": [{"ip": ip}]}
    await world.client.merge_patch(PODS, name, {"status": status}, world.namespace, subresource="status")


def subsets(world: World, name: str = "web") -> list[Any]:
    """What Endpoints hold: addresses that are ready, others, and ports."""
    return sorted(
        (
            [each["ip"] for each in subset.get("addresses") or ()],
            [each["ip"] for each in subset.get("notReadyAddresses") or ()],
            sorted((each["name"], each["port"]) for each in subset.get("ports") or ()),
        )
        for subset in world.find(ENDPOINTS, name).get("subsets") or ()
    )


def mirrors(world: World) -> list[Object]:
    key = "endpointslice.kubernetes.io/managed-by"
    return [each for each in world.all(SLICES) if each["metadata"]["labels"].get(key) == MIRROR]


def mirrored(world: World) -> list[Any]:
    """What slices that mirror hold: kinds of addresses, ports, and which addresses take traffic."""
    return sorted(
        (
            each["addressType"],
            [port["port"] for port in each["ports"] or ()],
            sorted((end["addresses"][0], end["conditions"]["ready"]) for end in each["endpoints"] or ()),
        )
        for each in mirrors(world)
    )


async def test_endpoints_tell_whom_a_service_leads_to_and_go_with_it(world: World) -> None:
    world.behaviour["sick"] = "running"
    await world.add_node()
    await service(world)
    await pod(world, "sick", "10.1.0.2")
    await pod(world, "well", "10.1.0.1")

    ports = [("http", 8080), ("metrics", 9090)]
    await world.until(lambda: subsets(world) == [(["10.1.0.1"], ["10.1.0.2"], ports)])

    found = world.find(ENDPOINTS, "web")
    assert found["metadata"]["labels"] == {"x": "y", "endpoints.kubernetes.io/managed-by": "endpoint-controller"}
    (address,) = found["subsets"][0]["addresses"]
    target = {
        "kind": "Pod",
        "namespace": world.namespace,
        "name": "well",
        "uid": world.find(PODS, "well")["metadata"]["uid"],
    }
    assert address == {"ip": "10.1.0.1", "nodeName": world.nodes[0], "targetRef": target}
    assert mirrors(world) == []

    world.ends_pods = False
    await world.delete(PODS, "well")
    await world.until(lambda: subsets(world) == [([], ["10.1.0.2"], ports)])
    await world.delete(SERVICES, "web")
    await world.until(lambda: not world.find(ENDPOINTS, "web"))


async def test_pods_that_serve_a_port_by_other_numbers_have_subsets_of_their_own(world: World) -> None:
    await world.add_node()
    await service(world)
    await pod(world, "a", "10.1.0.1", 8080)
    await pod(world, "b", "10.1.0.2", 8081)

    one, two, both = ["10.1.0.1"], ["10.1.0.2"], ["10.1.0.1", "10.1.0.2"]
    wanted: list[Any] = [(one, [], [("http", 8080)]), (both, [], [("metrics", 9090)]), (two, [], [("http", 8081)])]
    await world.until(lambda: subsets(world) == sorted(wanted))


async def test_a_headless_service_without_ports_tells_addresses_alone_and_may_tell_of_all(world: World) -> None:
    world.usual = "running"
    await world.add_node()
    await service(world, clusterIP="None", ports=None, publishNotReadyAddresses=True)
    await pod(world, "a", "10.1.0.1")

    await world.until(lambda: subsets(world) == [(["10.1.0.1"], [], [])])

    assert world.find(ENDPOINTS, "web")["metadata"]["labels"]["service.kubernetes.io/headless"] == ""


async def test_endpoints_that_somebody_writes_are_mirrored_for_as_long_as_they_are_there(world: World) -> None:
    await service(world, "db", selector=None)
    ports = [{"name": "sql", "port": 5432, "protocol": "TCP"}]
    written = {
        "metadata": {"name": "db", "labels": {"a": "b"}, "annotations": {"why": "outside"}},
        "subsets": [{"addresses": [{"ip": "192.168.7.1"}, {"ip": "2001:db8::7"}], "ports": ports}],
    }
    await world.create(ENDPOINTS, written)

    six = ("IPv6", [5432], [("2001:db8::7", True)])
    await world.until(lambda: mirrored(world) == [("IPv4", [5432], [("192.168.7.1", True)]), six])
    meta = mirrors(world)[0]["metadata"]
    assert meta["labels"] == {
        "a": "b",
        "kubernetes.io/service-name": "db",
        "endpointslice.kubernetes.io/managed-by": MIRROR,
    }
    assert meta["annotations"] == {"why": "outside"}
    assert [(each["kind"], each["name"]) for each in meta["ownerReferences"]] == [("Endpoints", "db")]

    changed = [{"addresses": [{"ip": "192.168.7.2"}], "notReadyAddresses": [{"ip": "192.168.7.1"}], "ports": ports}]
    await world.patch(ENDPOINTS, "db", {"subsets": changed, "metadata": {"labels": {"a": None, "c": "d"}}})
    four = ("IPv4", [5432], [("192.168.7.1", False), ("192.168.7.2", True)])
    await world.until(lambda: mirrored(world) == [four])
    await world.until(lambda: mirrors(world)[0]["metadata"]["labels"].get("c") == "d")
    assert "a" not in mirrors(world)[0]["metadata"]["labels"]

    await world.patch(ENDPOINTS, "db", {"metadata": {"labels": {"endpointslice.kubernetes.io/skip-mirror": "true"}}})
    await world.until(lambda: mirrored(world) == [])
    await world.patch(ENDPOINTS, "db", {"metadata": {"labels": {"endpointslice.kubernetes.io/skip-mirror": None}}})
    await world.until(lambda: mirrored(world) == [four])
    await world.delete(ENDPOINTS, "db")
    await world.until(lambda: mirrored(world) == [])
