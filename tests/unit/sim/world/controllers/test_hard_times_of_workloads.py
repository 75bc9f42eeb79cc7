"""Workloads whose controllers meet failing writes, lost answers and broken watches end as if nothing had been."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest
from tests.support.controllers import DEPLOYMENTS, PODS, REPLICA_SETS, Site, working
from tests.support.faults import Faults, make_trouble
from tests.support.workloads import deployment, stateful_set, template
from tests.support.world import STATEFUL_SETS

from homeostat.kube.transport import Transport
from homeostat.sim.world.controllers.deployments.controller import add_deployments
from homeostat.sim.world.controllers.replicasets.controller import add_replica_sets
from homeostat.sim.world.controllers.statefulsets.controller import add_stateful_sets

READY = {"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(2, 40))])
async def test_all_ends_well_and_no_name_is_ever_given_twice(seed: int) -> None:
    dice = random.Random(seed)
    faulty: list[Faults] = []

    def between(way: Transport) -> Transport:
        faulty.append(Faults(way))
        return faulty[0]

    async with working(add_replica_sets, add_deployments, add_stateful_sets, between=between) as site:
        faults, wanted = faulty[0], {"web": (2, "web:0"), "db": (2, "db:0")}
        await site.make(DEPLOYMENTS, deployment("web", "web:0", replicas=2), "default")
        parallel = dice.choice(("Parallel", "OrderedReady"))
        body = stateful_set("db", "db:0", replicas=2, podManagementPolicy=parallel, claims=("data",))
        await site.make(STATEFUL_SETS, body, "default")
        for number in range(1, 16):
            make_trouble(faults, dice)
            name = dice.choice(("web", "db"))
            wanted[name] = (dice.randrange(4), f"{name}:{dice.randrange(number)}")
            await _declare(site, name, *wanted[name])
            await site.pass_time(dice.choice((0, 1, 5)))
            await _run(site)
        faults.heal()
        for _ in range(12):
            await site.pass_time(40)
            await _run(site)
        await _check_end(site, wanted)
        at_rest = site.revision
        await site.pass_time(3600)
        assert site.revision == at_rest


async def _declare(site: Site, name: str, replicas: int, image: str) -> None:
    kind, labels = (DEPLOYMENTS, {"app": "web"}) if name == "web" else (STATEFUL_SETS, {"app": "db"})
    spec = {"replicas": replicas, "template": template(image, labels)}
    await site.client.merge_patch(kind, name, {"spec": spec}, "default")


async def _run(site: Site) -> None:
    """What kubelets do: every Pod runs and is ready."""
    for pod in await site.all(PODS, "default"):
        if pod["status"]["phase"] == "Pending":
            status = {"phase": "Running", "conditions": [READY]}
            await site.set_status(PODS, pod["metadata"]["name"], status, "default")


async def _check_end(site: Site, wanted: dict[str, tuple[int, str]]) -> None:
    pods = await site.all(PODS, "default")
    found = Counter(each["spec"]["containers"][0]["image"] for each in pods)
    assert found == +Counter({image: replicas for replicas, image in wanted.values()})
    for kind, name in ((DEPLOYMENTS, "web"), (STATEFUL_SETS, "db")):
        status: dict[str, Any] = (await site.get(kind, name, "default"))["status"]
        counts = ("replicas", "readyReplicas", "updatedReplicas", "availableReplicas")
        assert [status.get(each, 0) for each in counts] == [wanted[name][0]] * 4
        assert not any(each["type"] == "ReplicaFailure" for each in status.get("conditions", ()))
    revisions = [each["metadata"]["annotations"] for each in await site.all(REPLICA_SETS, "default")]
    numbers = [each["deployment.kubernetes.io/revision"] for each in revisions]
    assert len(set(numbers)) == len(numbers)
