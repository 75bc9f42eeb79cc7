"""A simulated cell with one operator that leads, on virtual time, in which every second of the processor has an owner.

The operator is wired as the application does it; what is the world's is told apart where the operator enters it
(apart.py). How much may be under way at once follows the size of the cell, as an operator's options would.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from math import ceil

from msgspec import Struct
from msgspec.structs import replace
from tests.support.fleets import furnish, operate
from tests.support.kinds import cluster

from benchmarks.fleets.apart import OPERATOR, Entrance, Stopwatch, Wire
from homeostat.api.cluster.v1alpha1 import CLUSTER, Cluster
from homeostat.api.kind import unstructured
from homeostat.app.simulated_operator import ports_of
from homeostat.kit.clock import Clock
from homeostat.kit.random import Random
from homeostat.kube.client import Client
from homeostat.kube.target import Config
from homeostat.kube.transport import Transport
from homeostat.operators.cluster.decide import Policy
from homeostat.operators.cluster.pacing.pace import Policy as PacingPolicy
from homeostat.operators.cluster.ports import Outside
from homeostat.operators.cluster.restore.ports import RestoreTools
from homeostat.operators.cluster.snapshots.controller import Means
from homeostat.providers.endpoint.granting import BusinessRights
from homeostat.providers.endpoint.probing import EndpointProbe
from homeostat.providers.endpoint.ways import Dial
from homeostat.sim.time.order import PROCESS
from homeostat.sim.world.network.dialling import reach_from
from homeostat.sim.world.ports.snapshots import WorldHandout
from homeostat.sim.world.world import WORLD, Plan, World

_PODS, _PER_HOST, _ROOM = 4, 110, 1.25  # of a single cluster; on a host; for moves and dead hosts
_CREATING, _ROLLING = 2, 1  # clusters at once, for each host


class Size(Struct, frozen=True):
    """How large a cell is."""

    clusters: int
    creating: int = 0  # at once; 0: by the number of hosts
    rolling: int = 0

    @property
    def hosts(self) -> int:
        """As many as have room for all masters, three at least."""
        return max(ceil(self.clusters * _PODS * _ROOM / _PER_HOST), 6)

    @property
    def pacing(self) -> PacingPolicy:
        """How much may be under way at once."""
        creating = self.creating or max(_CREATING * self.hosts, PacingPolicy().creating)
        return PacingPolicy(
            creating=creating, rolling=self.rolling or max(_ROLLING * self.hosts, PacingPolicy().rolling)
        )


class Counts:
    """What is so of all Clusters, kept as they change: looking at each would cost more than is measured."""

    def __init__(self) -> None:
        self.there: set[str] = set()
        self.ready: dict[str, set[str]] = {}  # by package version
        self._of: dict[str, str] = {}

    def note(self, old: Cluster | None, new: Cluster | None, _: object) -> None:
        """A Cluster came, changed or went."""
        one = new or old
        assert one is not None
        key = one.metadata.key
        self.ready.get(self._of.pop(key, ""), set()).discard(key)
        if new is None:
            self.there.discard(key)
            return
        self.there.add(key)
        if is_ready(new):
            self._of[key] = new.status.package_version
            self.ready.setdefault(new.status.package_version, set()).add(key)

    def are_ready(self, count: int, version: str) -> bool:
        """Whether so many are Ready at a package version."""
        return len(self.ready.get(version, ())) == count


def is_ready(one: Cluster) -> bool:
    """Whether what is declared now is Ready."""
    told = next((each for each in one.status.conditions if each.type == "Ready"), None)
    return (
        told is not None
        and told.status == "True"
        and told.observed_generation == one.metadata.generation
        and one.status.package_version == one.spec.package_version
    )


class Cell:
    """What a benchmark does to a cell and hears of it."""

    def __init__(self, world: World, people: Client, watch: Stopwatch, counts: Counts) -> None:
        self.world, self.people, self.watch, self.counts = world, people, watch, counts
        self.clock: Clock = world.clock
        self.wire: Wire | None = None  # of the operator that works

    async def declare(self, names: list[str], version: str) -> None:
        """All at one instant: no time passes between them."""
        for name in names:
            await self.people.create(unstructured(CLUSTER.resource), cluster(name, packageVersion=version))

    async def move(self, names: list[str], version: str) -> None:
        """Ask for another package version."""
        for name in names:
            await self.people.merge_patch(CLUSTER, name, {"spec": {"packageVersion": version}}, "default")

    async def delete(self, names: list[str]) -> None:
        """Ask for their end."""
        for name in names:
            await self.people.delete(CLUSTER, name, "default")

    async def until(self, holds: Callable[[], bool], what: str, within_s: float, every_s: float = 1.0) -> float:
        """Wait in virtual time, and say how long it took. Raises TimeoutError."""
        began = self.clock.monotonic()
        while not holds():
            if self.clock.monotonic() > began + within_s:
                ready = {version: len(keys) for version, keys in self.counts.ready.items()}
                raise TimeoutError(f"expected within {within_s:g} s: {what}; Ready: {ready}")
            await self.clock.sleep(every_s)
        return self.clock.monotonic() - began


@asynccontextmanager
async def cell(size: Size, watch: Stopwatch, clock: Clock, random: Random) -> AsyncIterator[Cell]:
    """A world, furnished, that has booted, with an operator that has nothing to do yet."""
    world = World(clock=clock, random=random, plan=Plan(hosts=size.hosts))
    counts = Counts()
    world.manager.informer(world.client, CLUSTER).add_handler(counts.note)
    people = world.client_of(WORLD, "people")
    await furnish(people)
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(world.run(), name="world")]
        made = Cell(world, people, watch, counts)
        running.append(_as_operator(tasks, made, Policy(pacing=size.pacing, node_ports=False)))
        yield made
        for task in reversed(running):
            task.cancel()


def _as_operator(tasks: asyncio.TaskGroup, made: Cell, policy: Policy) -> asyncio.Task[None]:
    process = PROCESS.set(OPERATOR)
    try:
        return tasks.create_task(_operate(made, policy), name="operator")
    finally:
        PROCESS.reset(process)


async def _operate(made: Cell, policy: Policy) -> None:
    def wire(transport: Transport) -> Transport:
        made.wire = Wire(made.watch, transport)
        return made.wire

    await operate(made.world, policy, wire=wire, ports=lambda *given: _told_apart(made, *given))


def _told_apart(made: Cell, world: World, handout: WorldHandout) -> tuple[Outside, Means]:
    """The ports of a world, each an entrance; the probe and the rights are the operator's own, up to the wire."""
    outside, means = ports_of(world, handout)
    watch, clock, random = made.watch, world.clock, world.random
    dialling = reach_from(world.network, clock)

    def reach(config: Config) -> Dial:
        dial = dialling(config)
        return lambda url, server_name: Wire(watch, dial(url, server_name))

    store = Entrance(watch, world.snapshots)
    outside = replace(
        outside,
        probe=EndpointProbe(clock=clock, random=random, reach=reach),
        rights=BusinessRights(clock=clock, random=random, reach=reach),
        etcd=Entrance(watch, outside.etcd),
        upkeep=Entrance(watch, outside.upkeep),
        store=store,
        restoring=RestoreTools(store, Entrance(watch, handout), "homeostat.local/homeostat:simulated"),
    )
    return outside, replace(means, source=Entrance(watch, means.source), store=store)
