"""The operator's own webhooks in virtual time: asked by the cell's API server over the network of its world."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.support.fleets import Fleet, Whole
from tests.support.kinds import cluster

from homeostat.api.kind import Resource, unstructured
from homeostat.app.cell import LEASE, WEBHOOKS
from homeostat.app.simulated_program import add_programs
from homeostat.kit.clock import Clock
from homeostat.kit.random import Random
from homeostat.kube.errors import ApiError, Invalid
from homeostat.local.manifests import Manifests, root
from homeostat.local.meta import applying
from homeostat.sim.time.running import run
from homeostat.sim.world.world import WORLD, World

HOME = "homeostat-system"
ADDRESS = "10.100.1.77"
CLUSTERS = unstructured(Resource("cluster.homeostat.dev", "v1alpha1", "Cluster", "clusters"))
FORGETS_S = 75.0  # until a Service leads to nobody on a host that has died: 50 s to find out, and some to tell
STORY = Callable[["Hosted"], Coroutine[Any, Any, None]]


class Hosted(Fleet):
    """A cell whose operator runs in its Pods."""

    def replicas(self) -> list[Whole]:
        """Its Pods that serve."""
        found = [each for each in self._shelf("", "pods", HOME) if each["metadata"]["name"].startswith("homeostat-")]
        return [each for each in found if is_ready(each)]

    def leader(self) -> str:
        """The name of the Pod that leads."""
        (lease,) = (each for each in self._shelf("coordination.k8s.io", "leases", HOME) if LEASE in str(each))
        return str(lease["spec"].get("holderIdentity", ""))

    def is_asked(self) -> bool:
        """Whether the API server has been told of the webhooks."""
        group = "admissionregistration.k8s.io"
        return any(each["metadata"]["name"] == WEBHOOKS for each in self._shelf(group, _CONFIGURATIONS))

    def _shelf(self, group: str, plural: str, namespace: str = "") -> list[Whole]:
        return [each.value(b"") for each in self.world.server.store.shelf((group, plural)).within(namespace)]

    async def try_wrong(self) -> str:
        """What comes of a Cluster that would take the address of another one."""
        wrong = cluster("wrong", endpoint={"address": ADDRESS})
        try:
            await self.client.create(CLUSTERS, wrong)
        except Invalid as error:
            fields = [cause.field for cause in error.causes]
            return "judged" if fields == ["spec.endpoint.address"] else f"judged by {fields}"
        except ApiError as error:
            return error.message
        return "taken"


_CONFIGURATIONS = "validatingwebhookconfigurations"


def is_ready(pod: Whole) -> bool:
    conditions = pod.get("status", {}).get("conditions", ())
    return any((each["type"], each["status"]) == ("Ready", "True") for each in conditions)


@asynccontextmanager
async def hosted(clock: Clock, random: Random) -> AsyncIterator[Hosted]:
    """A world with everything of deploy/ in it, and what its Pods do."""
    world = World(clock=clock, random=random)
    add_programs(world)
    client = world.client_of(WORLD, "test")
    manifests = Manifests(root())
    await applying.apply(client, [*manifests.definitions(), *manifests.operator("")])
    await applying.apply(client, manifests.package_versions())
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(world.run(), name="world")
        cell = Hosted(world, client)
        await cell.until(lambda: len(cell.replicas()) == 2 and cell.is_asked(), "two replicas serve", 300)
        yield cell
        running.cancel()


def played(story: STORY) -> None:
    async def main(clock: Clock, random: Random) -> None:
        async with hosted(clock, random) as cell:
            await story(cell)

    run(main)


def test_a_cluster_that_would_hurt_another_is_refused_with_its_field_and_the_other_one_is_made() -> None:
    async def story(cell: Hosted) -> None:
        await cell.declare(endpoint={"address": ADDRESS})
        assert await cell.try_wrong() == "judged"
        await cell.until_ready(within_s=300)

    played(story)


@pytest.mark.parametrize("whose", ["leader", "other"])
def test_when_the_host_of_a_webhook_dies_no_write_slips_by_and_soon_all_are_judged_again(whose: str) -> None:
    async def story(cell: Hosted) -> None:
        await cell.declare(endpoint={"address": ADDRESS})
        await cell.until_ready(within_s=300)
        one, other = cell.replicas()
        is_first = (one["metadata"]["name"] == cell.leader()) == (whose == "leader")
        dying = one if is_first else other
        cell.world.centre.cut_power(dying["spec"]["nodeName"])
        died, told = cell.clock.monotonic(), []
        while cell.clock.monotonic() - died < 300:
            told.append((await cell.try_wrong(), cell.clock.monotonic() - died))
            await cell.clock.sleep(2)
        failed = [(what, at) for what, at in told if what != "judged"]
        assert failed, "some were sent to the dead"
        assert all("context deadline exceeded" in what for what, _ in failed)
        assert max(at for _, at in failed) < FORGETS_S
        assert any(at < FORGETS_S for what, at in told if what == "judged"), "the other one answers meanwhile"
        await cell.until(lambda: len(cell.replicas()) == 2, "two replicas serve again", 300)
        assert cell.leader() != dying["metadata"]["name"] or whose == "other"
        await cell.declare("later")
        await cell.until_ready("later", within_s=300)

    played(story)
