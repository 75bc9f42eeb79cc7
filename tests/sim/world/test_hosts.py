"""Hosts, kubelets and the life cycle of Nodes together, on virtual time."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from tests.support.simulated_hosts import HOST, OTHER, WHOLE, SimulatedHosts, container, hosts_at

from homeostat.kit.clock import Clock
from homeostat.kit.random import Random
from homeostat.kube.client import Client
from homeostat.runtime.manager import Manager
from homeostat.sim.time.running import run
from homeostat.sim.world.controllers.nodes.eviction import add_taint_eviction
from homeostat.sim.world.controllers.nodes.lifecycle import add_node_lifecycle
from homeostat.sim.world.faults.injecting import inject
from homeostat.sim.world.hosts.times import Times


def add_life_cycle(manager: Manager, client: Client) -> None:
    add_node_lifecycle(manager, client)
    add_taint_eviction(manager, client)


async def ready(world: SimulatedHosts, host: str = HOST) -> str:
    conditions = (await world.node(host))["status"]["conditions"]
    return str(next(each["status"] for each in conditions if each["type"] == "Ready"))


async def taints(world: SimulatedHosts, host: str = HOST) -> list[str]:
    return sorted(f"{each['key']}:{each['effect']}" for each in (await world.node(host))["spec"].get("taints", ()))


async def silence(clock: Clock, chance: Random) -> str:
    """A host loses its power for a while: what is said of it, and the whole history of it all."""
    async with hosts_at(clock, chance, 6, times=Times(), add=add_life_cycle) as world:
        await world.after(5)
        assert await taints(world) == []
        await world.bind(containers=[container(readinessProbe={"httpGet": {"path": "/", "port": 80}})])
        await world.after(60)
        assert await world.is_ready()
        outage = inject(world, "host-down", on=HOST)
        await world.after(35)
        assert await ready(world) == "True"
        await world.after(20)
        assert (await ready(world), await ready(world, OTHER)) == ("Unknown", "True")
        assert "node.kubernetes.io/unreachable:NoSchedule" in await taints(world)
        assert not await world.is_ready()
        outage.undo()
        await world.after(200)
        assert await ready(world) == "True"
        assert await taints(world) == []
        assert await world.is_ready()
        assert (await world.of_container())["restartCount"] == 1
        return digest(world)


def digest(world: SimulatedHosts) -> str:
    found = hashlib.sha256()
    for plural in ("nodes", "pods"):
        for each in world.server.store.shelf(("", plural)).within(""):
            found.update(each.key.encode() + each.rest)
    return f"{world.server.store.revision} {found.hexdigest()}"


def test_a_host_without_power_is_unknown_after_fifty_seconds_and_well_again_when_it_is_back(seed: int) -> None:
    assert run(silence, seed=seed) == run(silence, seed=seed)


def test_a_pod_of_a_host_that_is_cut_off_is_told_to_go_after_five_minutes_and_goes_when_its_host_hears_of_it() -> None:
    async def main(clock: Clock, chance: Random) -> None:
        async with hosts_at(clock, chance, 6, add=add_life_cycle) as world:
            await world.bind()
            cut = inject(world, "network-partition", on=HOST)
            await world.after(300)
            assert await world.exists()
            await world.after(120)
            assert (await world.client.get(WHOLE, "web", "default"))["metadata"]["deletionTimestamp"]
            assert not world.started[0].was_killed
            cut.undo()
            await world.after(60)
            assert not await world.exists()
            assert world.started[0].was_killed

    run(main)


def test_a_day_of_idle_hosts_takes_no_writes() -> None:
    async def main(clock: Clock, chance: Random) -> None:
        async with hosts_at(clock, chance, 30, add=add_life_cycle) as world:
            await world.after(600)
            before, began = world.server.store.revision, clock.now()
            await world.after(86_400)
            assert clock.now() - began == timedelta(days=1)
            assert world.server.store.revision == before

    run(main)
