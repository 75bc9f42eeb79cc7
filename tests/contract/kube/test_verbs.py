"""Every verb of the client, on both engines."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.support.apiserver import ApiServer

from homeostat.api.kind import Kind, Resource, unstructured
from homeostat.kit.clock import SystemClock
from homeostat.kit.random import system_random
from homeostat.kube.client import Client
from homeostat.kube.connect import connect
from homeostat.kube.discovery import Discovery
from homeostat.kube.errors import (
    AlreadyExists,
    BadRequest,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    TooManyRequests,
    Unauthorized,
    UntrustedServer,
)
from homeostat.kube.target import Config, Secret, StaticToken

pytestmark = pytest.mark.real

CONFIG_MAPS = unstructured(Resource("", "v1", "ConfigMap", "configmaps"))
NAMESPACES = unstructured(Resource("", "v1", "Namespace", "namespaces", namespaced=False))
PODS = unstructured(Resource("", "v1", "Pod", "pods"))
ACCOUNTS = unstructured(Resource("", "v1", "ServiceAccount", "serviceaccounts"))
DEPLOYMENTS = unstructured(Resource("apps", "v1", "Deployment", "deployments"))
BUDGETS = unstructured(Resource("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets"))


@pytest.fixture
async def namespace(client: Client) -> AsyncIterator[str]:
    """A namespace of the test's own."""
    made = await client.create(NAMESPACES, {"metadata": {"generateName": "kube-"}})
    name: str = made["metadata"]["name"]
    yield name
    await client.delete(NAMESPACES, name)


def config_map(name: str = "a", **data: str) -> dict[str, Any]:
    return {"metadata": {"name": name}, "data": data}


def pod(name: str = "p", **labels: str) -> dict[str, Any]:
    spec = {"containers": [{"name": "c", "image": "i"}], "terminationGracePeriodSeconds": 0}
    return {"metadata": {"name": name, "labels": labels}, "spec": spec}


def deployment(name: str = "d") -> dict[str, Any]:
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": pod()["spec"] | {"terminationGracePeriodSeconds": 30}}
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    return {"metadata": {"name": name}, "spec": spec}


def applied(namespace: str, **data: str) -> dict[str, Any]:
    return {"metadata": {"name": "a", "namespace": namespace}, "data": data}


async def test_create_get_and_create_again(client: Client, namespace: str) -> None:
    await client.create(CONFIG_MAPS, config_map(key="1"), namespace)
    found = await client.get(CONFIG_MAPS, "a", namespace)
    assert (found["kind"], found["data"]) == ("ConfigMap", {"key": "1"})
    with pytest.raises(AlreadyExists, match=r'create configmaps.*"a" already exists'):
        await client.create(CONFIG_MAPS, config_map(), namespace)


async def test_a_dry_run_changes_nothing(client: Client, namespace: str) -> None:
    await client.create(CONFIG_MAPS, config_map(), namespace, dry_run=True)
    with pytest.raises(NotFound, match=r"get configmaps .*/a"):
        await client.get(CONFIG_MAPS, "a", namespace)


async def test_an_invalid_object_names_its_fields(client: Client, namespace: str) -> None:
    bad = deployment() | {"spec": deployment()["spec"] | {"replicas": -1}}
    with pytest.raises(Invalid) as caught:
        await client.create(DEPLOYMENTS, bad, namespace)
    assert [cause.field for cause in caught.value.causes] == ["spec.replicas"]


async def test_apply_owns_fields_and_takes_them_from_others_only_by_force(client: Client, namespace: str) -> None:
    await client.apply(CONFIG_MAPS, applied(namespace, key="1", other="1"))
    with pytest.raises(Conflict) as caught:
        await client.apply(CONFIG_MAPS, applied(namespace, key="2"), field_manager="someone")
    assert caught.value.causes[0].field == ".data.key"
    taken = await client.apply(CONFIG_MAPS, applied(namespace, key="2"), field_manager="someone", force=True)
    assert taken["data"] == {"key": "2", "other": "1"}
    given_up = await client.apply(CONFIG_MAPS, applied(namespace))
    assert given_up["data"] == {"key": "2"}


async def test_apply_that_names_a_uid_makes_nothing_anew_and_takes_no_other_for_it(
    client: Client, namespace: str
) -> None:
    made = await client.apply(CONFIG_MAPS, applied(namespace, key="1"))
    named = applied(namespace, key="2")
    named["metadata"]["uid"] = made["metadata"]["uid"]
    assert (await client.apply(CONFIG_MAPS, named))["data"] == {"key": "2"}
    await client.delete(CONFIG_MAPS, "a", namespace)
    with pytest.raises(Conflict, match="no existing object was found"):
        await client.apply(CONFIG_MAPS, named)
    await client.create(CONFIG_MAPS, config_map(), namespace)
    with pytest.raises((Conflict, Invalid)):
        await client.apply(CONFIG_MAPS, named)


async def test_patches_change_what_they_name(client: Client, namespace: str) -> None:
    await client.create(CONFIG_MAPS, config_map(key="1", other="1"), namespace)
    merged = await client.merge_patch(CONFIG_MAPS, "a", {"data": {"other": None}}, namespace)
    assert merged["data"] == {"key": "1"}
    operations = [
        {"op": "test", "path": "/data/key", "value": "1"},
        {"op": "replace", "path": "/data/key", "value": "2"},
    ]
    assert (await client.json_patch(CONFIG_MAPS, "a", operations, namespace))["data"] == {"key": "2"}
    with pytest.raises(Invalid):
        await client.json_patch(CONFIG_MAPS, "a", operations, namespace)


async def test_replace_is_conditional_on_the_version(client: Client, namespace: str) -> None:
    old = await client.create(CONFIG_MAPS, config_map(key="1"), namespace)
    await client.replace(CONFIG_MAPS, old | {"data": {"key": "2"}})
    with pytest.raises(Conflict, match="the object has been modified"):
        await client.replace(CONFIG_MAPS, old | {"data": {"key": "3"}})


async def test_status_is_written_through_its_subresource(client: Client, namespace: str) -> None:
    await client.create(DEPLOYMENTS, deployment(), namespace)
    status = {"metadata": {"name": "d", "namespace": namespace}, "status": {"observedGeneration": 1, "replicas": 1}}
    assert (await client.apply(DEPLOYMENTS, status, subresource="status"))["status"]["replicas"] == 1


async def test_delete_keeps_its_preconditions(client: Client, namespace: str) -> None:
    made = await client.create(CONFIG_MAPS, config_map(), namespace)
    with pytest.raises(Conflict):
        await client.delete(CONFIG_MAPS, "a", namespace, uid="00000000-0000-0000-0000-000000000000")
    with pytest.raises(Conflict):
        await client.delete(CONFIG_MAPS, "a", namespace, resource_version="1")
    await client.delete(CONFIG_MAPS, "a", namespace, uid=made["metadata"]["uid"])
    with pytest.raises(NotFound):
        await client.delete(CONFIG_MAPS, "a", namespace)


async def test_foreground_deletion_leaves_a_finalizer_to_the_collector(client: Client, namespace: str) -> None:
    await client.create(CONFIG_MAPS, config_map(), namespace)
    await client.delete(CONFIG_MAPS, "a", namespace, propagation="Foreground")
    assert (await client.get(CONFIG_MAPS, "a", namespace))["metadata"]["finalizers"] == ["foregroundDeletion"]
    await client.merge_patch(CONFIG_MAPS, "a", {"metadata": {"finalizers": None}}, namespace)


async def test_a_collection_is_deleted_by_label(client: Client, namespace: str) -> None:
    for name, colour in (("a", "red"), ("b", "blue")):
        body = {"metadata": {"name": name, "labels": {"colour": colour}}}
        await client.create(CONFIG_MAPS, body, namespace)
    await client.delete_collection(CONFIG_MAPS, namespace, labels="colour=red")
    left = await client.list(CONFIG_MAPS, namespace, labels="colour")
    assert [one["metadata"]["name"] for one in left.items] == ["b"]


async def test_lists_come_in_pages_of_one_version(client: Client, namespace: str) -> None:
    for number in range(5):
        await client.create(CONFIG_MAPS, config_map(f"m{number}"), namespace)
    pages = [page async for page in client.pages(CONFIG_MAPS, namespace, page_size=2)]
    assert [len(page.items) for page in pages] == [2, 2, 1]
    assert len({page.resource_version for page in pages}) == 1
    assert pages[0].remaining == 3
    whole = await client.list(CONFIG_MAPS, namespace, page_size=2, resource_version=pages[0].resource_version)
    assert [one["metadata"]["name"] for one in whole.items] == [f"m{number}" for number in range(5)]
    assert (await client.list(CONFIG_MAPS, namespace, fields="metadata.name=m3")).items[0]["metadata"]["name"] == "m3"


async def test_a_watch_resumes_from_a_list(client: Client, namespace: str) -> None:
    start = (await client.list(CONFIG_MAPS, namespace)).resource_version
    await client.create(CONFIG_MAPS, config_map(key="1"), namespace)
    await client.merge_patch(CONFIG_MAPS, "a", {"data": {"key": "2"}}, namespace)
    await client.delete(CONFIG_MAPS, "a", namespace)
    seen = []
    async with contextlib.aclosing(client.watch(CONFIG_MAPS, namespace, resource_version=start)) as events:
        async for event in events:
            seen.append(event.type)
            if event.type == "DELETED":
                break
    assert seen == ["ADDED", "MODIFIED", "DELETED"]


async def test_a_watch_ends_when_its_time_is_over(client: Client, namespace: str) -> None:
    events = [event async for event in client.watch(CONFIG_MAPS, namespace, resource_version="0", timeout_s=1)]
    assert all(event.type in ("ADDED", "BOOKMARK") for event in events)


async def test_a_streaming_list_ends_with_its_bookmark_and_goes_on(client: Client, namespace: str) -> None:
    await client.create(CONFIG_MAPS, config_map("a"), namespace)
    seen = []
    async with contextlib.aclosing(client.watch(CONFIG_MAPS, namespace, send_initial_events=True)) as events:
        async for event in events:
            seen.append((event.type, event.initial_end))
            if event.initial_end:
                await client.create(CONFIG_MAPS, config_map("b"), namespace)
            elif event.object and event.object["metadata"]["name"] == "b":
                break
    assert seen == [("ADDED", False), ("BOOKMARK", True), ("ADDED", False)]


async def test_scale_is_read_and_set(client: Client, namespace: str) -> None:
    await client.create(DEPLOYMENTS, deployment(), namespace)
    assert (await client.set_scale(DEPLOYMENTS, "d", namespace, 3)).wanted == 3
    scale = await client.scale(DEPLOYMENTS, "d", namespace)
    assert (scale.wanted, scale.present) == (3, 0)


async def test_pods_are_bound_and_evicted(client: Client, namespace: str) -> None:
    await client.create(PODS, pod(), namespace)
    await client.bind("p", namespace, "node-1")
    assert (await client.get(PODS, "p", namespace))["spec"]["nodeName"] == "node-1"
    with pytest.raises(Conflict):
        await client.bind("p", namespace, "node-2")
    await client.evict("p", namespace, grace_s=0)
    with pytest.raises(NotFound):
        await client.get(PODS, "p", namespace)


async def test_a_disruption_budget_holds_an_eviction_back(client: Client, namespace: str) -> None:
    await client.create(PODS, pod(app="a"), namespace)
    await client.bind("p", namespace, "node-1")
    ready = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
    await client.merge_patch(PODS, "p", {"status": ready}, namespace, subresource="status")
    spec = {"minAvailable": 1, "selector": {"matchLabels": {"app": "a"}}}
    await client.create(BUDGETS, {"metadata": {"name": "b"}, "spec": spec}, namespace)
    with pytest.raises(TooManyRequests, match="disruption budget"):
        await client.evict("p", namespace)


async def test_logs_of_a_pod_without_node_are_refused(client: Client, namespace: str) -> None:
    await client.create(PODS, pod(), namespace)
    chunks = [chunk async for chunk in client.logs("p", namespace)]
    assert b"".join(chunks) == b""
    with pytest.raises(BadRequest, match="container x is not valid"):
        await anext(client.logs("p", namespace, container="x"))


@pytest.mark.not_imitated("credentials below HTTPS: users in memory are given")
async def test_a_service_account_token_is_a_credential(client: Client, api_server: ApiServer, namespace: str) -> None:
    await client.create(ACCOUNTS, {"metadata": {"name": "robot"}}, namespace)
    token = await client.create_token("robot", namespace, expiration_s=600)
    assert token.expires is not None
    config = Config(
        server=api_server.url, ca=api_server.authority.certificate, credential=StaticToken(Secret(token.token))
    )
    async with connect(config, clock=SystemClock(), random=system_random()) as robot:
        with pytest.raises(Forbidden, match=f"system:serviceaccount:{namespace}:robot"):
            await robot.list(CONFIG_MAPS, namespace)


async def test_a_wrong_token_is_unauthorized(api_server: ApiServer) -> None:
    config = Config(server=api_server.url, ca=api_server.authority.certificate, credential=StaticToken(Secret("no")))
    async with connect(config, clock=SystemClock(), random=system_random()) as stranger:
        with pytest.raises(Unauthorized):
            await stranger.list(NAMESPACES)


async def test_without_its_authority_the_server_is_not_trusted(api_server: ApiServer) -> None:
    async with connect(Config(server=api_server.url), clock=SystemClock(), random=system_random()) as stranger:
        with pytest.raises(UntrustedServer):
            await stranger.version()


async def test_versions_and_readiness_are_told(client: Client) -> None:
    assert (await client.version()).git_version.startswith("v1.")
    assert await client.request("GET", "/readyz") == b"ok"


async def test_discovery_finds_what_is_served(client: Client) -> None:
    discovery = Discovery(client)
    deployments = await discovery.find("deploy")
    assert deployments.resource == DEPLOYMENTS.resource
    assert {"status", "scale"} <= set(deployments.subresources)
    assert not (await discovery.find("ns")).resource.namespaced
    with pytest.raises(LookupError, match="unicorn"):
        await discovery.find("unicorn")


async def test_a_kubeconfig_of_files_reaches_the_same_server(client: Client, api_server: ApiServer) -> None:
    assert "default" in api_server.kubectl("get", "namespaces", "-o", "name")
    kind: Kind[dict[str, Any]] = NAMESPACES
    assert (await client.get(kind, "default"))["metadata"]["name"] == "default"
