"""Typed custom resources, on both engines."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.support.widgets import RESOURCE, WIDGET, widget

from homeostat.api.kind import Resource, unstructured
from homeostat.kube.client import Client
from homeostat.kube.discovery import Discovery
from homeostat.kube.errors import AlreadyExists, Gone, NotFound

pytestmark = pytest.mark.real

DEFINITIONS = unstructured(
    Resource("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", namespaced=False)
)


def definition() -> dict[str, Any]:
    schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": {"size": {"type": "integer"}}}}}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"plural": RESOURCE.plural, "kind": RESOURCE.kind, "shortNames": ["wd"]}
    spec = {"group": RESOURCE.group, "scope": "Namespaced", "names": names, "versions": [version]}
    return {"metadata": {"name": RESOURCE.qualified}, "spec": spec}


@pytest.fixture
async def widgets(client: Client) -> AsyncIterator[Client]:
    """The client, once the server serves widgets."""
    with contextlib.suppress(AlreadyExists):  # left by an earlier test
        await client.create(DEFINITIONS, definition())
    for _ in range(100):
        try:
            await client.list(WIDGET)
            break
        except NotFound:  # established a moment after it was made
            await client.clock.sleep(0.1)
    yield client
    await client.delete_collection(WIDGET, "default")


async def test_custom_objects_are_listed_and_watched_typed(widgets: Client) -> None:
    await widgets.create(WIDGET, widget("a", size=3, version="", namespace="default"))
    found = await widgets.list(WIDGET, "default")
    assert [(one.metadata.name, one.spec.size) for one in found.items] == [("a", 3)]
    await widgets.merge_patch(WIDGET, "a", {"spec": {"size": 4}}, "default")
    async with contextlib.aclosing(widgets.watch(WIDGET, resource_version=found.resource_version)) as events:
        event = await anext(events)
    assert event.type == "MODIFIED"
    assert event.object is not None
    assert event.object.spec.size == 4
    assert event.resource_version == event.object.metadata.resource_version


async def test_a_version_from_before_the_servers_memory_is_gone(widgets: Client) -> None:
    with pytest.raises(Gone, match="too old resource version"):
        await anext(widgets.watch(WIDGET, resource_version="1", idle_timeout_s=10))


async def test_a_new_kind_is_discovered_without_waiting_for_the_cache(widgets: Client) -> None:
    assert (await Discovery(widgets).find("wd")).resource == RESOURCE
