"""An operator that dies in a whole simulated cell, where masters run, hosts die, and what is acknowledged is kept.

Beside the double of kubelets, where a process dies at every moment, it does so here at fewer: a course costs a second
and more. What is compared is what people have in the end: which objects there are, how the cluster fares, which masters
run and were restarted, and the words that the business cluster was told to keep.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from msgspec import Struct
from msgspec.structs import replace
from tests.support.fleets import Fleet, Whole, furnish
from tests.support.killing.mortal import Life, MortalTransport, mortal
from tests.support.killing.points import Point, Points
from tests.support.simulated import CONFIG_MAPS, config_map

from homeostat.app.simulated_operator import ports_of
from homeostat.kit.clock import Clock
from homeostat.kit.pki.source import drawn_from
from homeostat.kit.random import Random
from homeostat.kube.client import Client
from homeostat.kube.errors import KubeError
from homeostat.operators.cluster.controller import add_cluster_operator, fleet_of
from homeostat.operators.cluster.restore.ports import RestoreTools
from homeostat.operators.cluster.snapshots.controller import Means, add_backups
from homeostat.runtime.manager import Manager, ManagerSettings
from homeostat.sim.keys import SeededKeys
from homeostat.sim.time.running import run
from homeostat.sim.transport import SimTransport
from homeostat.sim.world.ports.snapshots import WorldHandout
from homeostat.sim.world.world import WORLD, World

Deed = Callable[[Fleet], Awaitable[None]]
REST_S = 240.0  # after the end, until nothing is left to do
RESTART_S = 2.0  # until a process that died has a successor
_KINDS = ("StatefulSet", "Deployment", "Service", "ConfigMap", "Secret", "PersistentVolumeClaim", "PodDisruptionBudget")
_COMPONENT = "app.kubernetes.io/component"


class WholeScenario(Struct, frozen=True):
    """Something that people ask of a cluster, or that happens to it: its beginning, its end, and what goes before."""

    name: str
    begin: Deed
    done: Deed
    before: tuple[Deed, ...] = ()
    moments: int = 6  # how many of a short run, spread over all


class Outcome(Struct, frozen=True):
    """What became of it."""

    objects: Sequence[str]
    pods: Counter[tuple[str, bool, int]]  # component, whether it is ready, restarts
    conditions: Sequence[tuple[str, str, str]]
    words: frozenset[str]


class WholeCourse(Struct, frozen=True):
    """One run."""

    outcome: Outcome
    points: Sequence[Point]
    killed_at: Point | None


def take_whole(scenario: WholeScenario, *, seed: int = 0, kill_at: int | None = None) -> WholeCourse:
    """Run it once, with a death at a moment or without."""

    async def main(clock: Clock, random: Random) -> WholeCourse:
        with drawn_from(SeededKeys(random)):
            async with _at_work(World(clock=clock, random=random)) as cell:
                return await _taken(_Processes(cell.world, kill_at), cell, scenario)

    return run(main, seed=seed)


async def _taken(processes: _Processes, cell: Fleet, scenario: WholeScenario) -> WholeCourse:
    async with processes.running():
        for deed in scenario.before:
            await deed(cell)
        processes.points.is_counting = True
        await scenario.begin(cell)
        await scenario.done(cell)
        await cell.clock.sleep(REST_S)
        await scenario.done(cell)  # whoever died at the last moment had perhaps not done all
        processes.points.is_counting = False
        points = processes.points
        return WholeCourse(await _outcome(cell), points.met, points.killed_at)


class _Processes:
    """The operator as the application wires it, one process after the other."""

    def __init__(self, world: World, kill_at: int | None) -> None:
        self._world = world
        self.points = Points(lambda: world.server.store.revision, self._kill, lambda number: number == kill_at)
        self._life = Life(self.points)
        self._task: asyncio.Task[int] | None = None
        self._number = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """One lives, and when it has died, another one."""
        keeping = asyncio.ensure_future(self._keep())
        try:
            yield
            assert not keeping.done(), "the operator has ended by itself"
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)

    async def _keep(self) -> None:
        while True:
            self._life = Life(self.points)
            self._task = asyncio.ensure_future(self._wired(self._life).run(asyncio.Event()))
            try:
                (ended,) = await asyncio.gather(self._task, return_exceptions=True)
            finally:
                self._life.is_over = True
                self._task.cancel()
            assert isinstance(ended, asyncio.CancelledError), f"the operator has ended: {ended}"
            await self._world.clock.sleep(RESTART_S)

    def _kill(self) -> None:
        """Between two instructions: what it does from now on reaches nobody."""
        assert self._task is not None
        self._life.is_over = True
        self._task.cancel()

    def _wired(self, life: Life) -> Manager:
        world, self._number = self._world, self._number + 1
        clock, random = world.clock, world.random
        transport = MortalTransport(SimTransport(world.server, WORLD, clock=clock), life)
        client = Client(transport, clock=clock, random=random, field_manager="homeostat-cluster")
        manager = Manager(clock=clock, random=random, settings=ManagerSettings(tune_gc=False))
        handout = WorldHandout(world.snapshots, world.copies, f"process-{self._number}")
        outside, means = ports_of(world, handout)
        assert outside.store is not None
        assert outside.restoring is not None
        store = mortal(outside.store, "store", life)
        outside = replace(
            outside,
            probe=mortal(outside.probe, "probe", life),
            etcd=mortal(outside.etcd, "etcd", life),
            upkeep=mortal(outside.upkeep, "upkeep", life),
            rights=mortal(outside.rights, "rights", life),
            store=store,
            restoring=RestoreTools(store, mortal(handout, "handout", life), outside.restoring.image),
        )
        add_cluster_operator(manager, client, outside, fleet=fleet_of(manager))
        add_backups(
            manager, client, Means(mortal(means.source, "source", life), store, means.scratch), namespaces=("",)
        )
        return manager


@asynccontextmanager
async def _at_work(world: World) -> AsyncIterator[Fleet]:
    client = world.client_of(WORLD, "test")
    await furnish(client)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(world.run(), name="world")
        yield Fleet(world, client)
        running.cancel()


async def keep_word(cell: Fleet, word: str) -> None:
    """Have the business cluster keep something, which it has acknowledged then."""
    async with cell.tenant() as tenant:
        await tenant.create(CONFIG_MAPS, config_map(word), "default")


async def _outcome(cell: Fleet) -> Outcome:
    clusters = cell.all("Cluster")
    conditions = [each for one in clusters for each in one.get("status", {}).get("conditions", ())]
    return Outcome(
        sorted(f"{kind} {each['metadata']['name']}" for kind in _KINDS for each in cell.all(kind)),
        Counter(_fares(pod) for pod in cell.all("Pod")),
        sorted((each["type"], each["status"], each["reason"]) for each in conditions),
        await _words(cell) if clusters else frozenset(),
    )


def _fares(pod: Whole) -> tuple[str, bool, int]:
    status = pod.get("status", {})
    is_ready = any((each["type"], each["status"]) == ("Ready", "True") for each in status.get("conditions", ()))
    restarts = sum(each["restartCount"] for each in status.get("containerStatuses", ()))
    return pod["metadata"]["labels"].get(_COMPONENT, ""), is_ready, restarts


async def _words(cell: Fleet) -> frozenset[str]:
    try:
        async with cell.tenant() as tenant:
            found: list[dict[str, Any]] = (await tenant.list(CONFIG_MAPS, "default")).items
    except KubeError as error:
        return frozenset((f"not served: {error}",))
    return frozenset(each["metadata"]["name"] for each in found)
