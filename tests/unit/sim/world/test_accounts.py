"""A world whose server gives Pods accounts: they are there in time, and what comes with them is mounted."""

from __future__ import annotations

import asyncio
import random
from typing import Any

from tests.support.clock import ManualClock, settle
from tests.support.controllers import PODS

from homeostat.kube.errors import Forbidden
from homeostat.sim.world.controllers.accounts import add_root_certificates
from homeostat.sim.world.hosts.times import AT_ONCE
from homeostat.sim.world.world import Plan, World

BODY = {"metadata": {"name": "web"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
LOOKS = 60


async def test_a_pod_runs_with_the_account_of_its_namespace() -> None:
    clock = ManualClock()
    world = World(clock=clock, random=random.Random(0), plan=Plan(hosts=1, times=AT_ONCE, accounts=True))
    add_root_certificates(world.manager, world.client, "PEM")
    running = asyncio.ensure_future(world.run())
    try:
        pod = await _made(world, clock)
        assert pod["spec"]["serviceAccountName"] == "default"
        volume, mount = pod["spec"]["volumes"][0], pod["spec"]["containers"][0]["volumeMounts"][0]
        assert mount["name"] == volume["name"]
        assert mount["mountPath"] == "/var/run/secrets/kubernetes.io/serviceaccount"
        for _ in range(LOOKS):
            await clock.advance(1.0)
            await settle()
            pod = await world.client.get(PODS, "web", "default")
            if pod["status"]["phase"] == "Running":
                return
        raise AssertionError(pod["status"])
    finally:
        running.cancel()
        await asyncio.wait({running}, timeout=5)


async def _made(world: World, clock: ManualClock) -> dict[str, Any]:
    """The Pod, once there is the account that it needs."""
    for _ in range(LOOKS):
        try:
            return await world.client.create(PODS, BODY, "default")
        except Forbidden:
            await clock.advance(1.0)
            await settle()
    raise AssertionError("there is no account")
