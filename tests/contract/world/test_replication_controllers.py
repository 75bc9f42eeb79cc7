"""ReplicationControllers, on Kubernetes and in the simulated world."""

from __future__ import annotations

import pytest
from tests.support.controllers import PODS
from tests.support.workloads import template
from tests.support.world import REPLICATION_CONTROLLERS as CONTROLLERS
from tests.support.world import World

pytestmark = pytest.mark.real


def is_complete(world: World, replicas: int) -> bool:
    available = world.status(CONTROLLERS, "web").get("availableReplicas", 0)
    return bool(available == replicas == len(world.all(PODS)))


async def test_a_controller_keeps_as_many_pods_as_it_is_told(world: World) -> None:
    await world.add_node()
    await world.create(CONTROLLERS, {"metadata": {"name": "web"}, "spec": {"replicas": 2, "template": template()}})
    await world.until(lambda: is_complete(world, 2))

    await world.patch(CONTROLLERS, "web", {"spec": {"replicas": 1}})
    await world.until(lambda: is_complete(world, 1))
    assert world.status(CONTROLLERS, "web") == {
        "replicas": 1,
        "fullyLabeledReplicas": 1,
        "readyReplicas": 1,
        "availableReplicas": 1,
        "observedGeneration": 2,
    }
