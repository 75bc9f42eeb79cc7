"""`kubectl rollout` of the real build, with Kubernetes' own controllers and with those of the simulated world."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.controllers import DEPLOYMENTS, PODS
from tests.support.front import Kubectl
from tests.support.workloads import deployment, stateful_set
from tests.support.world import STATEFUL_SETS, World

pytestmark = pytest.mark.real


def images(world: World) -> set[str]:
    return {each["spec"]["containers"][0]["image"] for each in world.all(PODS)}


def revisions(history: str) -> list[list[str]]:
    """The numbers and causes that `kubectl rollout history` prints."""
    return [line.split() for line in history.splitlines() if line[:1].isdecimal()]


async def restarted(kubectl: Kubectl, world: World, what: str) -> None:
    """A restart makes all Pods anew, and is waited for."""
    before = {each["metadata"]["uid"] for each in world.all(PODS)}
    assert "restarted" in await kubectl("rollout", "restart", what, "-n", world.namespace)
    await kubectl("rollout", "status", what, "-n", world.namespace, "--timeout=30s")
    await world.until(lambda: not before & {each["metadata"]["uid"] for each in world.all(PODS)})


async def test_a_deployment_is_followed_undone_paused_and_restarted(world: World, kubectl: Kubectl) -> None:
    here: tuple[Any, ...] = ("deployment/web", "-n", world.namespace)
    await world.add_node()
    await world.create(DEPLOYMENTS, deployment(replicas=2))
    said = await kubectl("rollout", "status", *here, "--timeout=30s")
    assert said.splitlines()[-1] == 'deployment "web" successfully rolled out'

    await kubectl("set", "image", *here, "main=web:2")
    said = await kubectl("rollout", "status", *here, "--timeout=30s")
    assert said.splitlines()[-1] == 'deployment "web" successfully rolled out'
    assert images(world) == {"web:2"}
    assert [number for number, _ in revisions(await kubectl("rollout", "history", *here))] == ["1", "2"]
    assert "web:1" in await kubectl("rollout", "history", *here, "--revision=1")

    assert await kubectl("rollout", "undo", *here) == "deployment.apps/web rolled back\n"
    await kubectl("rollout", "status", *here, "--timeout=30s")
    await world.until(lambda: images(world) == {"web:1"})
    assert [number for number, _ in revisions(await kubectl("rollout", "history", *here))] == ["2", "3"]

    await kubectl("rollout", "pause", *here)
    await kubectl("set", "image", *here, "main=web:3")
    await kubectl("rollout", "resume", *here)
    await kubectl("rollout", "status", *here, "--timeout=30s")
    await world.until(lambda: images(world) == {"web:3"})
    await restarted(kubectl, world, "deployment/web")
    waiting = await kubectl("wait", *here, "--for=condition=Available", "--timeout=30s")
    assert waiting == "deployment.apps/web condition met\n"


async def test_a_stateful_set_is_followed_undone_and_restarted(world: World, kubectl: Kubectl) -> None:
    here = ("statefulset/db", "-n", world.namespace)
    await world.add_node()
    await world.create(STATEFUL_SETS, stateful_set(replicas=2))
    said = await kubectl("rollout", "status", *here, "--timeout=30s")
    assert "partitioned roll out complete" in said or "rolling update complete" in said

    await kubectl("set", "image", *here, "main=db:2")
    await kubectl("rollout", "status", *here, "--timeout=30s")
    assert images(world) == {"db:2"}
    assert [number for number, _ in revisions(await kubectl("rollout", "history", *here))] == ["1", "2"]

    assert await kubectl("rollout", "undo", *here) == "statefulset.apps/db rolled back\n"
    await kubectl("rollout", "status", *here, "--timeout=30s")
    await world.until(lambda: images(world) == {"db:1"})
    assert [number for number, _ in revisions(await kubectl("rollout", "history", *here))] == ["2", "3"]
    await restarted(kubectl, world, "statefulset/db")
