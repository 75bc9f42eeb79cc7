"""Writes that fail, answers that are lost, watches that break: all ends as if nothing had been."""

from __future__ import annotations

import random
from typing import Any

import pytest
from tests.support.controllers import BUDGETS, CLAIMS, CLASSES, NODES, PODS, SERVICES, SLICES, VOLUMES, Site, working
from tests.support.faults import Faults, make_trouble
from tests.support.placing import node, pod

from homeostat.kube.errors import NotFound
from homeostat.kube.transport import Transport
from homeostat.sim.world.controllers.budgets import add_disruption_budgets
from homeostat.sim.world.controllers.endpoints.controller import add_endpoint_slices
from homeostat.sim.world.controllers.garbage.collector import add_garbage_collector
from homeostat.sim.world.controllers.volumes.controller import LOCAL_PATH, add_volume_binder
from homeostat.sim.world.controllers.volumes.protection import add_volume_protection
from homeostat.sim.world.controllers.volumes.provisioner import add_volume_provisioner
from homeostat.sim.world.scheduler.scheduler import add_scheduler

PARTS = (
    add_scheduler,
    add_volume_binder,
    add_volume_provisioner,
    add_volume_protection,
    add_endpoint_slices,
    add_disruption_budgets,
    add_garbage_collector,
)
ROOM = 4  # Pods that fit on a Node


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(2, 40))])
async def test_all_ends_well_and_no_node_ever_gets_more_than_it_has(seed: int) -> None:
    dice = random.Random(seed)
    faulty: list[Faults] = []

    def between(way: Transport) -> Transport:
        faulty.append(Faults(way))
        return faulty[0]

    async with working(*PARTS, between=between) as site:
        faults = faulty[0]
        await _prepare(site)
        for number in range(24):
            make_trouble(faults, dice)
            await _change(site, dice, number)
            await site.pass_time(dice.choice((0, 1, 5)))
            await _check_room(site)
        faults.heal()
        for _ in range(3):  # what was tried in vain is tried again
            await site.pass_time(40)
        await _check_end(site)


async def _prepare(site: Site) -> None:
    mode = {"provisioner": LOCAL_PATH, "volumeBindingMode": "WaitForFirstConsumer"}
    await site.make(CLASSES, {"metadata": {"name": "local"}, **mode})
    for at in range(3):
        await site.make(NODES, node(f"n{at}", cpu=str(ROOM)))
        await site.client.json_patch(NODES, f"n{at}", [{"op": "remove", "path": "/spec/taints"}])
    selector = {"selector": {"app": "web"}}
    await site.make(SERVICES, {"metadata": {"name": "web"}, "spec": {**selector, "ports": [{"port": 80}]}}, "default")
    chosen = {"selector": {"matchLabels": {"app": "web"}}, "minAvailable": 1}
    await site.make(BUDGETS, {"metadata": {"name": "web"}, "spec": chosen}, "default")


async def _change(site: Site, dice: random.Random, number: int) -> None:
    if number > 8 and dice.random() < 0.4:
        name = f"p{dice.randrange(number)}"
        try:
            await site.client.delete(PODS, name, "default", grace_s=0)
            await site.client.delete(CLAIMS, name, "default")
        except NotFound:
            return
        return
    name = f"p{number}"
    body: dict[str, Any] = pod(name, cpu="1", labels={"app": "web"})
    del body["metadata"]["uid"]
    if dice.random() < 0.5:
        spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
        claim = {"metadata": {"name": name}, "spec": {**spec, "storageClassName": "local"}}
        await site.client.create(CLAIMS, claim, "default")
        body["spec"]["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": name}}]
    await site.client.create(PODS, body, "default")
    said = {"podIP": f"10.0.0.{number}", "phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
    await site.set_status(PODS, name, said, "default")


async def _standing(site: Site) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for each in await site.all(PODS, "default"):
        found.setdefault(each["spec"].get("nodeName", ""), []).append(each)
    return found


async def _check_room(site: Site) -> None:
    standing = await _standing(site)
    assert all(len(pods) <= ROOM for where, pods in standing.items() if where)


async def _check_end(site: Site) -> None:
    standing = await _standing(site)
    waiting = standing.pop("", [])
    assert not waiting or sum(map(len, standing.values())) == 3 * ROOM
    pods = {each["metadata"]["name"]: each for each in await site.all(PODS, "default")}
    claims = {each["metadata"]["name"]: each for each in await site.all(CLAIMS, "default")}
    volumes = {each["metadata"]["name"]: each for each in await site.all(VOLUMES)}
    used = [claims[name] for name, each in pods.items() if each["spec"].get("volumes") and each["spec"].get("nodeName")]
    assert {each["spec"]["volumeName"] for each in used} <= set(volumes)
    assert all(each["status"]["phase"] == "Bound" for each in used)
    assert {each["spec"]["claimRef"]["name"] for each in volumes.values()} <= set(claims)
    listed = [
        endpoint["targetRef"]["name"]
        for each in await site.all(SLICES, "default")
        for endpoint in each["endpoints"] or ()
    ]
    assert sorted(listed) == sorted(pods)
    budget = (await site.client.get(BUDGETS, "web", "default"))["status"]
    assert (budget["expectedPods"], budget["currentHealthy"]) == (len(pods), len(pods))
