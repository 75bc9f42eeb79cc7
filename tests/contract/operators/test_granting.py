"""Rights of hosted operators on a real API server: granted, narrowed, taken back, and nobody else's touched."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from msgspec.structs import replace
from tests.contract.operators.test_probing import kubeconfig
from tests.support.apiserver import ApiServer, free_port

from homeostat.api.cluster.hosted import HostedGrant
from homeostat.api.kind import Resource, unstructured
from homeostat.kit.clock import SystemClock
from homeostat.kit.random import system_random
from homeostat.kube.connect import connect
from homeostat.operators.cluster.hosting.rights import HOSTED_LABEL, rights, user_of
from homeostat.operators.cluster.ports import Unreachable
from homeostat.providers.endpoint.granting import BusinessRights

RIGHTS = BusinessRights(clock=SystemClock(), random=system_random())
REVIEW = unstructured(
    Resource("authorization.k8s.io", "v1", "SubjectAccessReview", "subjectaccessreviews", namespaced=False)
)
NAME = "sweeper"
READS = HostedGrant(verbs=("get", "list", "watch"), api_groups=("",), resources=("nodes",))
WRITES = HostedGrant(verbs=("create", "patch"), api_groups=("",), resources=("configmaps",), namespace="kube-system")


async def grant(server: ApiServer, **grants: tuple[HostedGrant, ...]) -> Mapping[str, str]:
    return await RIGHTS.grant(kubeconfig(server), {name: rights(name, each) for name, each in grants.items()})


async def may(server: ApiServer, verb: str, resource: str, namespace: str = "", name: str = NAME) -> bool:
    """What the API server answers to whether the operator may do something in the core group."""
    asked = {"verb": verb, "resource": resource, "namespace": namespace}
    review = {"spec": {"user": user_of(name), "resourceAttributes": asked}}
    async with connect(server.config, clock=SystemClock(), random=system_random()) as client:
        told = await client.create(REVIEW, review)
    return bool(told["status"]["allowed"])


def left(server: ApiServer) -> list[str]:
    kinds = "clusterroles,clusterrolebindings,roles,rolebindings"
    found: dict[str, Any] = json.loads(server.kubectl("get", kinds, "-A", "-l", f"{HOSTED_LABEL}={NAME}", "-o", "json"))
    return sorted(f"{each['kind']} {each['metadata'].get('namespace', '')}".strip() for each in found["items"])


async def test_what_is_granted_holds_and_nothing_more(api_server: ApiServer) -> None:
    await grant(api_server, sweeper=(READS, WRITES))
    await grant(api_server, sweeper=(READS, WRITES))
    assert await may(api_server, "list", "nodes")
    assert await may(api_server, "create", "configmaps", "kube-system")
    assert not await may(api_server, "create", "configmaps", "default")
    assert not await may(api_server, "delete", "nodes")
    assert not await may(api_server, "get", "secrets", "kube-system")


async def test_what_is_not_declared_any_more_is_taken_back(api_server: ApiServer) -> None:
    await grant(api_server, sweeper=(READS, WRITES))
    await grant(api_server, sweeper=(replace(READS, verbs=("get",)),))
    assert left(api_server) == ["ClusterRole", "ClusterRoleBinding"]
    assert await may(api_server, "get", "nodes")
    assert not await may(api_server, "list", "nodes")
    assert not await may(api_server, "create", "configmaps", "kube-system")
    await grant(api_server)
    assert left(api_server) == []
    assert not await may(api_server, "get", "nodes")


async def test_what_others_widened_by_hand_is_narrowed_again(api_server: ApiServer) -> None:
    await grant(api_server, sweeper=(READS,))
    more = [{"op": "add", "path": "/rules/-", "value": {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}}]
    api_server.kubectl("patch", "clusterrole", user_of(NAME), "--type=json", "-p", json.dumps(more))
    assert await may(api_server, "get", "secrets", "default")
    await grant(api_server, sweeper=(READS,))
    assert not await may(api_server, "get", "secrets", "default")


async def test_what_one_gives_up_another_keeps(api_server: ApiServer) -> None:
    await grant(api_server, sweeper=(READS,), other=(READS,))
    await grant(api_server, other=(READS,))
    assert left(api_server) == []
    assert await may(api_server, "list", "nodes", name="other")
    await grant(api_server)
    assert not await may(api_server, "list", "nodes", name="other")


async def test_a_binding_that_was_led_elsewhere_is_made_anew(api_server: ApiServer) -> None:
    await grant(api_server, sweeper=(READS,))
    api_server.kubectl("delete", "clusterrolebinding", user_of(NAME))
    api_server.kubectl("create", "clusterrolebinding", user_of(NAME), "--clusterrole=view", "--user", user_of(NAME))
    assert not await may(api_server, "list", "nodes")
    assert await grant(api_server, sweeper=(READS,)) == {}
    assert await may(api_server, "list", "nodes")
    assert not await may(api_server, "list", "pods", "default")
    await grant(api_server)


async def test_what_is_refused_is_told_and_all_else_is_granted(api_server: ApiServer) -> None:
    nowhere = replace(WRITES, namespace="nowhere")
    refused = await grant(api_server, sweeper=(nowhere, READS), other=(READS,))
    assert list(refused) == ["sweeper"]
    assert 'namespaces "nowhere" not found' in refused["sweeper"]
    assert await may(api_server, "list", "nodes")
    assert await may(api_server, "list", "nodes", name="other")
    await grant(api_server)


async def test_a_cluster_that_does_not_answer_is_told(api_server: ApiServer) -> None:
    away = kubeconfig(api_server, url=f"https://127.0.0.1:{free_port()}")
    with pytest.raises(Unreachable, match="granting rights to hosted operators: "):
        await RIGHTS.grant(away, {})
