"""A simulated server as a whole: whatever is sent to it, it answers."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest
from tests.support.clock import ManualClock
from tests.support.simulated import ADMIN, CONFIG_MAPS, client_of, config_map, simulated_server

from homeostat.kube.errors import ApiError, Forbidden, UnsupportedMediaType
from homeostat.sim.apiserver.access.attributes import AUTHENTICATED, User
from homeostat.sim.apiserver.server import Request
from homeostat.sim.apiserver.types.type import Type

SCALARS: tuple[Any, ...] = ("x", "", 1, 0, -1, True, None, 1.5, "10.0.0.1", "TCP", "1Gi")
FIELDS = [
    "spec",
    "status",
    "metadata",
    "name",
    "labels",
    "selector",
    "matchLabels",
    "template",
    "containers",
    "image",
    "ports",
    "port",
    "targetPort",
    "protocol",
    "type",
    "data",
    "stringData",
    "binaryData",
    "replicas",
    "clusterIP",
    "clusterIPs",
    "volumes",
    "env",
    "resources",
    "requests",
    "limits",
    "cpu",
    "memory",
    "subsets",
    "addresses",
    "endpoints",
    "rules",
    "roleRef",
    "subjects",
    "finalizers",
    "ownerReferences",
    "group",
    "names",
    "versions",
    "scope",
    "capacity",
    "accessModes",
    "minAvailable",
    "maxUnavailable",
    "value",
    "provisioner",
    "strategy",
    "rollingUpdate",
    "volumeClaimTemplates",
    "taints",
    "tolerations",
    "conditions",
    "phase",
    "involvedObject",
    "reason",
    "podSelector",
    "ingress",
    "egress",
    "schema",
    "openAPIV3Schema",
]
PATCHES = ("application/merge-patch+json", "application/strategic-merge-patch+json", "application/apply-patch+yaml")


def value(chance: random.Random, depth: int = 0) -> Any:
    """Anything that JSON can be."""
    kind = chance.randrange(9)
    if kind < 2 or depth > 3:
        return chance.choice(SCALARS)
    if kind < 5:
        return [value(chance, depth + 1) for _ in range(chance.randrange(3))]
    return {chance.choice(FIELDS): value(chance, depth + 1) for _ in range(chance.randrange(4))}


def senseless(chance: random.Random, type_: Type) -> Request:
    """A write of something that has the fields of Kubernetes, and hardly ever its sense."""
    resource, name = type_.resource, f"n{chance.randrange(5)}"
    body: dict[str, Any] = {"metadata": {"name": name} if chance.random() < 0.8 else value(chance)}
    body |= {each: value(chance, 1) for each in ("spec", "data", "subsets", "rules") if chance.random() < 0.5}
    method, path, media = "POST", resource.path(namespace="default"), "application/json"
    if chance.random() < 0.3:
        method, path, media = "PATCH", resource.path(name, "default"), chance.choice(PATCHES)
        body |= {"kind": resource.kind, "apiVersion": resource.api_version}
    query = {"fieldManager": "somebody", "force": "true"}
    headers = {"content-type": media}
    return Request(method=method, path=path, query=query, headers=headers, body=msgspec.json.encode(body))


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_written_is_answered_and_never_with_a_trace(seed: int) -> None:
    chance = random.Random(seed)
    server = simulated_server(ManualClock(), seed)
    types = list(server.types)
    codes = {server.answer_at_once(senseless(chance, chance.choice(types)), ADMIN).code for _ in range(1500)}
    assert {201, 400, 422, 501} <= codes
    assert max(codes) <= 501


async def test_what_is_not_imitated_is_refused_by_name() -> None:
    clock = ManualClock()
    async with client_of(simulated_server(clock), clock) as client:
        with pytest.raises(ApiError, match=r"does not imitate deviceclasses\.resource") as caught:
            await client.request("GET", "/apis/resource.k8s.io/v1/deviceclasses")
        assert (caught.value.status, caught.value.reason) == (501, "NotImplemented")
        headers = {"Content-Type": "application/vnd.kubernetes.protobuf"}
        with pytest.raises(UnsupportedMediaType, match="found application/vnd"):
            await client.request("POST", "/api/v1/namespaces", headers=headers, body=b"k8s")


async def test_who_has_no_role_may_read_what_is_served_and_no_object() -> None:
    clock = ManualClock()
    server = simulated_server(clock)
    async with client_of(server, clock, User("ann", (AUTHENTICATED,))) as ann:
        assert (await ann.version()).git_version.startswith("v1.")
        with pytest.raises(Forbidden, match='User "ann" cannot list resource "configmaps"'):
            await ann.list(CONFIG_MAPS)
        with pytest.raises(Forbidden, match='User "ann" cannot create resource "configmaps"'):
            await ann.create(CONFIG_MAPS, config_map("a"), "default")
    async with client_of(server, clock, User("nobody")) as nobody:
        with pytest.raises(Forbidden, match='cannot get path "/version"'):
            await nobody.version()


async def test_servers_of_one_process_share_nothing() -> None:
    clock = ManualClock()
    one, other = simulated_server(clock, 1), simulated_server(clock, 2)
    async with client_of(one, clock) as client:
        await client.create(CONFIG_MAPS, config_map("a"), "default")
    async with client_of(other, clock) as client:
        assert (await client.list(CONFIG_MAPS)).items == []
