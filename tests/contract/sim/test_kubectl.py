"""kubectl of the real build, over HTTPS, with a simulated API server behind it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support.front import Kubectl, fronted

pytestmark = pytest.mark.real


def config_map(**data: str) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": data})


def deployment() -> str:
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "web", "image": "web:1"}]}}
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    whole = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}
    return json.dumps(whole)


@pytest.fixture
async def kubectl(tmp_path: Path) -> AsyncIterator[Kubectl]:
    """kubectl, and a server of the test's own."""
    async with fronted(tmp_path) as made:
        yield made


async def read(kubectl: Kubectl, *what: str) -> Any:
    return yaml.safe_load(await kubectl("get", *what, "-o", "yaml"))


async def test_objects_are_applied_in_both_ways_and_changed_and_go(kubectl: Kubectl) -> None:
    assert await kubectl("apply", "-f", "-", stdin=config_map(x="1", y="1")) == "configmap/a created\n"
    assert await kubectl("apply", "-f", "-", stdin=config_map(x="2")) == "configmap/a configured\n"
    assert await kubectl("apply", "-f", "-", stdin=config_map(x="2")) == "configmap/a unchanged\n"
    assert (await read(kubectl, "configmap", "a"))["data"] == {"x": "2"}
    applied = await kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=config_map(x="3"))
    assert applied == "configmap/a serverside-applied\n"
    code, differences = await kubectl.run("diff", "-f", "-", stdin=config_map(x="4"))
    assert (code, '+  x: "4"' in differences) == (1, True)
    await kubectl("label", "configmap", "a", "colour=red")
    await kubectl("annotate", "configmap", "a", "note=b")
    await kubectl("patch", "configmap", "a", "-p", '{"data":{"z":"9"}}')
    found = await read(kubectl, "configmaps", "-l", "colour=red")
    assert [one["data"] for one in found["items"]] == [{"x": "3", "z": "9"}]
    await kubectl("delete", "configmap", "a")
    assert (await kubectl.run("get", "configmap", "a")) == (
        1,
        'Error from server (NotFound): configmaps "a" not found\n',
    )


async def test_a_deployment_is_scaled_and_its_fields_are_explained(kubectl: Kubectl) -> None:
    await kubectl("apply", "-f", "-", stdin=deployment())
    assert await kubectl("scale", "deployment", "web", "--replicas=3") == "deployment.apps/web scaled\n"
    assert (await read(kubectl, "deployment", "web"))["spec"]["replicas"] == 3
    assert "Number of desired pods" in await kubectl("explain", "deployment.spec.replicas")
    assert "deployments" in await kubectl("api-resources", "--api-group=apps")


async def test_objects_are_shown_in_columns_at_once_and_as_they_change(kubectl: Kubectl) -> None:
    await kubectl("apply", "-f", "-", stdin=deployment())
    rows = [line.split() for line in (await kubectl("get", "deployments")).splitlines()]
    assert rows[0] == ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"]
    assert rows[1][:4] == ["web", "0/1", "0", "0"]
    wide = (await kubectl("get", "deployments", "-o", "wide")).splitlines()
    assert wide[1].split()[-3:] == ["web", "web:1", "app=web"]
    watching = asyncio.ensure_future(kubectl("get", "deployments", "--watch", "--request-timeout=2s"))
    while not watching.done():
        await kubectl("scale", "deployment", "web", "--replicas=7")
        await kubectl("scale", "deployment", "web", "--replicas=3")
    seen = [line.split()[1] for line in (await watching).splitlines()]
    assert (seen[0], "0/7" in seen) == ("READY", True)


async def test_unknown_fields_are_named(kubectl: Kubectl) -> None:
    bad = json.loads(config_map()) | {"dada": {}}
    code, said = await kubectl.run("create", "-f", "-", stdin=json.dumps(bad))
    assert (code, 'unknown field "dada"' in said) == (1, True)


async def test_a_watch_is_told_of_what_comes(kubectl: Kubectl) -> None:
    await kubectl("apply", "-f", "-", stdin=config_map())
    waiting = asyncio.ensure_future(kubectl("wait", "configmap/a", "--for=jsonpath={.data.done}=yes", "--timeout=30s"))
    await kubectl("patch", "configmap", "a", "-p", '{"data":{"done":"yes"}}')
    assert await waiting == "configmap/a condition met\n"


async def test_a_token_proves_who_one_is_and_a_wrong_one_nothing(kubectl: Kubectl) -> None:
    code, said = await kubectl.run("get", "configmaps", user="ann")
    assert (code, 'User "ann" cannot list resource "configmaps"' in said) == (1, True)
    code, said = await kubectl.run("get", "configmaps", user="stranger")
    assert (code, "You must be logged in to the server" in said) == (1, True)
