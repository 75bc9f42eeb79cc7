"""Hours of faults by chance: whatever happened to hosts, when it is undone all runs that should, and nothing else."""

from __future__ import annotations

import pytest
from tests.support.simulated_hosts import WHOLE, SimulatedHosts, container, hosts_at

from homeostat.kit.clock import Clock
from homeostat.kit.random import Random
from homeostat.sim.time.running import run
from homeostat.sim.world.faults.fault import FaultError
from homeostat.sim.world.faults.injecting import CATALOGUE, Injection, inject
from homeostat.sim.world.hosts.times import Times

HOSTS, PODS, MOMENTS = 4, 8, 60
COURSES = 5  # for each seed
HEALING_S = 3600.0  # a boot, and the longest back-offs of images and containers
GET = {"httpGet": {"path": "/", "port": 80}}


async def chaos(clock: Clock, chance: Random) -> str:
    async with hosts_at(clock, chance, HOSTS, times=Times()) as world:
        hosts = list(world.centre.hosts)
        for number in range(PODS):
            probes = {"readinessProbe": GET, "livenessProbe": {**GET, "initialDelaySeconds": 5}}
            containers = [container(f"main-{number}", **probes)]
            await world.bind(f"web-{number}", hosts[number % HOSTS], containers=containers)
        ended = await hurt(world, clock, chance, hosts)
        await clock.sleep(HEALING_S)
        for number in range(PODS):
            name = f"web-{number}"
            assert await world.exists(name) == (name not in ended), name
            if name not in ended:
                assert await world.is_ready(name), (name, await world.status(name))
        running = sorted(process.pod for host in world.centre.hosts.values() for process in host.processes.values())
        assert running == sorted(f"default/web-{number}" for number in range(PODS) if f"web-{number}" not in ended)
        return f"{world.server.store.revision} {clock.now()} {chance.random()}"


async def hurt(world: SimulatedHosts, clock: Clock, chance: Random, hosts: list[str]) -> set[str]:
    """Begin and end faults, let programs end and answer otherwise, delete some Pods; which those are."""
    lasting: list[Injection] = []
    ended: set[str] = set()
    names = sorted(name for name, fault in CATALOGUE.items() if fault.on == "host" and name != "disk-lost")
    for _ in range(MOMENTS):
        await clock.sleep(chance.uniform(0, 120))
        what = chance.randrange(0, 6)
        if what <= 2:
            try:
                fault, host = (each[chance.randrange(0, len(each))] for each in (names, hosts))
                lasting.append(inject(world, fault, on=host))
            except FaultError:
                continue
        elif what == 3 and lasting:
            lasting.pop(chance.randrange(0, len(lasting))).undo()
        elif what == 4 and world.started:
            program = world.started[chance.randrange(0, len(world.started))]
            program.become(well=not program.is_well)
        elif what == 5 and len(ended) < PODS // 2:
            name = f"web-{chance.randrange(0, PODS)}"
            if name not in ended:
                ended.add(name)
                await world.client.delete(WHOLE, name, "default", grace_s=(None, 0, 3)[chance.randrange(0, 3)])
    for injection in lasting:
        injection.undo()
    world.begins_well = True
    for program in world.started:
        program.become(well=True)
    return ended


@pytest.mark.parametrize("course", range(COURSES))
def test_after_hours_of_faults_all_runs_that_should_and_nothing_else(seed: int, course: int) -> None:
    run(chaos, seed=seed * COURSES + course)


def test_a_seed_gives_one_history_of_faults(seed: int) -> None:
    assert run(chaos, seed=seed) == run(chaos, seed=seed)
