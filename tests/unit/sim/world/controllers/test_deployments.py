"""What a Deployment costs: so many writes until it is available, and none at rest."""

from __future__ import annotations

from tests.support.controllers import DEPLOYMENTS, PODS, REPLICA_SETS, Site, working
from tests.support.workloads import deployment

from homeostat.sim.world.controllers.deployments.controller import add_deployments
from homeostat.sim.world.controllers.replicasets.controller import add_replica_sets


async def _ready(site: Site) -> None:
    ready = {"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}
    for pod in await site.all(PODS, "default"):
        status = {"phase": "Running", "conditions": [ready]}
        await site.set_status(PODS, pod["metadata"]["name"], status, "default")
    await site.rest()


async def test_a_deployment_of_one_pod_takes_seven_writes_of_its_controllers_and_then_none() -> None:
    async with working(add_replica_sets, add_deployments) as site:
        before = site.revision
        await site.make(DEPLOYMENTS, deployment(), "default")
        await _ready(site)
        # The Deployment itself and its Pod's status are others' writes. ReplicaSet, Pod, three statuses of the
        # Deployment, two of the ReplicaSet.
        assert site.revision - before == 2 + 7
        at_rest = site.revision
        await site.pass_time(24 * 3600)
        assert site.revision == at_rest


async def test_a_name_that_another_replica_set_has_is_not_fought_for() -> None:
    async with working(add_replica_sets, add_deployments) as site:
        await site.make(DEPLOYMENTS, deployment(), "default")
        (first,) = await site.all(REPLICA_SETS, "default")
        await site.client.delete(DEPLOYMENTS, "web", "default", propagation="Orphan")
        await site.rest()
        free = [{"op": "remove", "path": "/metadata/finalizers"}]
        await site.client.json_patch(DEPLOYMENTS, "web", free, "default")
        owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "y", "controller": True}
        body = {"metadata": {"ownerReferences": [owner]}}
        await site.client.merge_patch(REPLICA_SETS, first["metadata"]["name"], body, "default")
        await site.rest()

        await site.make(DEPLOYMENTS, deployment(), "default")

        found = await site.get(DEPLOYMENTS, "web", "default")
        assert found["status"]["collisionCount"] == 1
        assert len(await site.all(REPLICA_SETS, "default")) == 2
