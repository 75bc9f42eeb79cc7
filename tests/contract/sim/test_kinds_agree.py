"""What homeostat makes, and what people get wrong, comes out of the simulated API server as out of the real one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.contract.sim.both import Both, comparable, in_namespace, refusal
from tests.contract.sim.change_cases import CHANGES
from tests.contract.sim.kind_cases import FLOW_SCHEMAS, GOOD, WRONG, service
from tests.contract.sim.kind_manifests import manifests_of_ours
from tests.contract.sim.placing import MERGE, end, named, placed
from tests.support.apiserver import ApiServer

pytestmark = pytest.mark.real
OURS = manifests_of_ours() | GOOD
NAMESPACE = "kinds-agree"
MASTERS = {
    "metadata": {"name": "homeostat-masters"},
    "value": 100000000,
    "description": "Masters of business clusters.",
}
CLASSES = "/apis/scheduling.k8s.io/v1/priorityclasses"
ADDRESSES = {"for a name elsewhere": "10.0.77.7", "for good": "10.0.77.8", "of somebody else": "10.0.77.9"}
APPLY = "application/apply-patch+yaml"


@pytest.fixture(scope="module")
def both(api_server: ApiServer) -> Iterator[Both]:
    """Both with a namespace, and the class of masters."""
    with in_namespace(api_server, NAMESPACE) as made:
        made.ask("POST", CLASSES, MASTERS)
        yield made
        made.ask("DELETE", f"{CLASSES}/homeostat-masters")


@pytest.mark.parametrize("case", OURS)
def test_an_object_is_made_and_changed_as_the_same_one(case: str, both: Both) -> None:
    body, collection, path = placed(both, OURS[case], NAMESPACE)
    end(both, path)

    try:
        agree(both, "POST", collection, body)
        agree(both, "PATCH", path, {"metadata": {"labels": {"added": "later"}}}, media=MERGE)
        for change in changes_of(body):
            agree(both, "PATCH", path, change, media=MERGE)
        if body["kind"] != "Job":  # of which nobody knows the template before it is made
            agree(both, "PUT", path, body)
    finally:
        end(both, path)


@pytest.mark.parametrize("case", FLOW_SCHEMAS)
def test_a_flow_schema_would_be_made_as_the_same_one(case: str, both: Both) -> None:
    body, collection, _ = placed(both, FLOW_SCHEMAS[case], NAMESPACE)

    agree(both, "POST", collection, body, query="dryRun=All")


@pytest.mark.parametrize("kind", ["ClusterIP", "NodePort"])
def test_a_service_gives_its_addresses_back_when_it_becomes_a_name(kind: str, both: Both) -> None:
    body, collection, path = placed(both, service(type=kind), NAMESPACE)

    agree(both, "POST", collection, body)
    for spec in ({"type": "ExternalName", "externalName": "a.b"}, {"type": kind, "externalName": None}):
        agree(both, "PATCH", path, {"spec": spec}, media=MERGE)
    agree(both, "PATCH", path, {"spec": {"type": "ExternalName", "externalName": "a.b", "clusterIP": ""}}, media=MERGE)

    end(both, path)


@pytest.mark.parametrize("leaves", ["for a name elsewhere", "for good"])
def test_the_address_of_a_service_is_told_of_by_an_object_while_it_has_it(leaves: str, both: Both) -> None:
    # No name twice: a real server mends in the background what it takes for left by the Service of before.
    declared = service(clusterIP=ADDRESSES[leaves]) | {"metadata": {"name": leaves.replace(" ", "-")}}
    body, collection, path = placed(both, declared, NAMESPACE)
    held = f"/apis/networking.k8s.io/v1/ipaddresses/{ADDRESSES[leaves]}"

    agree(both, "POST", collection, body)
    agree(both, "GET", held, None)
    if leaves != "for good":
        elsewhere = {"type": "ExternalName", "externalName": "a.b", "clusterIP": ""}
        agree(both, "PATCH", path, {"spec": elsewhere}, media=MERGE)
        agree(both, "GET", held, None)
    end(both, path)
    agree(both, "GET", held, None)


def test_an_address_of_somebody_else_is_not_given_to_a_service(both: Both) -> None:
    address = ADDRESSES["of somebody else"]
    held = f"/apis/networking.k8s.io/v1/ipaddresses/{address}"
    parent = {"resource": "gateways", "group": "example.com", "name": "g"}
    agree(both, "POST", held.rpartition("/")[0], {"metadata": {"name": address}, "spec": {"parentRef": parent}})
    body, collection, _ = placed(both, service(clusterIP=address), NAMESPACE)

    agree(both, "POST", collection, body)

    end(both, held)


def test_endpoints_go_with_their_service(both: Both) -> None:
    body, collection, path = placed(both, service(), NAMESPACE)
    name, endpoints = path.rpartition("/")[2], collection.replace("services", "endpoints")
    agree(both, "POST", collection, body)
    both.ask("POST", endpoints, {"metadata": {"name": name}})

    end(both, path)

    agree(both, "GET", f"{endpoints}/{name}", None)


@pytest.mark.parametrize("case", OURS)
def test_an_object_is_applied_as_the_same_one(case: str, both: Both) -> None:
    body, _, path = placed(both, OURS[case], NAMESPACE)
    end(both, path)
    applied = "fieldManager=homeostat&force=true"

    try:
        agree(both, "PATCH", path, body, media=APPLY, query=applied)
        agree(both, "PATCH", path, body, media=APPLY, query=applied)
        for change in changes_of(body):
            agree(both, "PATCH", path, change, media=MERGE)
        agree(both, "PATCH", path, body, media=APPLY, query=applied)
    finally:
        end(both, path)


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_object_is_refused_for_the_same_causes(case: str, both: Both) -> None:
    _, collection, _ = placed(both, WRONG[case], NAMESPACE)

    real, simulated = both.ask("POST", collection, named(WRONG[case]), query="dryRun=All")

    assert real["kind"] == "Status", real
    assert refusal(comparable(simulated)) == refusal(comparable(real))


@pytest.mark.parametrize("case", CHANGES)
def test_a_change_that_is_not_allowed_is_refused_for_the_same_causes(case: str, both: Both) -> None:
    given, change = CHANGES[case]
    body, collection, path = placed(both, given, NAMESPACE)
    end(both, path)
    agree(both, "POST", collection, body)

    real, simulated = both.ask("PATCH", path, change, media=MERGE)

    end(both, path)
    assert real["kind"] == "Status", real
    assert refusal(comparable(simulated)) == refusal(comparable(real))


def agree(
    both: Both, method: str, path: str, body: object, *, query: str = "", media: str = "application/json"
) -> None:
    """Both make the same of it."""
    real, simulated = both.ask(method, path, body, query=query, media=media)
    assert refusal(comparable(simulated)) == refusal(comparable(real))


def changes_of(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What operators change of such an object."""
    spec = body.get("spec") or {}
    if "replicas" in spec:
        yield {"spec": {"replicas": 2}}
    holder = spec.get("template", {}).get("spec") if "template" in spec else spec
    if holder and "containers" in holder and body["kind"] != "Job":
        containers = json.loads(json.dumps(holder["containers"]))
        # Of a Pod that is there, everything that was filled in would be missing.
        if "template" in spec:
            containers[0]["image"] = "another:2"
            yield {"spec": {"template": {"spec": {"containers": containers}}}}
