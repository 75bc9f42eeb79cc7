"""A cell in virtual time: a simulated API server, doubles of what else there is, and processes of an operator."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Hashable, Sized
from contextlib import asynccontextmanager
from pathlib import Path

from tests.support.cells import Cell
from tests.support.killing.disturbing import Disturbing
from tests.support.killing.faults import OVERLAP_S, Fault, Faulty
from tests.support.killing.mortal import Life, MortalTransport, mortal
from tests.support.killing.points import Points
from tests.support.killing.repeating import Repeating
from tests.support.killing.witness import Witness
from tests.support.kubelet import Kubelet
from tests.support.membership import FakeEtcd
from tests.support.operating import USER, FakeEndpoint
from tests.support.preparing import prepare
from tests.support.restoring import FakeHandout
from tests.support.simulated import ADMIN
from tests.support.stores import FakeStores

from homeostat.api.core import NAMESPACE, SECRET
from homeostat.kit.clock import Clock
from homeostat.kit.random import Random
from homeostat.kube.client import Client
from homeostat.kube.transport import Transport
from homeostat.operators.cluster.controller import add_cluster_operator, fleet_of
from homeostat.operators.cluster.ports import Outside, SnapshotSource
from homeostat.operators.cluster.restore.ports import RestoreTools
from homeostat.operators.cluster.snapshots.controller import Means, add_backups
from homeostat.runtime.manager import Manager, ManagerSettings
from homeostat.sim.apiserver.access.attributes import AUTHENTICATED, User
from homeostat.sim.apiserver.server import ApiServer
from homeostat.sim.time.order import PROCESS

PLACE = "cell"
IMAGE = "homeostat.local/homeostat:test"


class World:
    """One cell with one namespace of clusters, and what an operator in it talks to."""

    def __init__(self, clock: Clock, random: Random, disturbing: Disturbing) -> None:
        """A process dies, or has trouble with the API server, where it is told to."""
        self.clock, self.random = clock, random
        self.server = ApiServer(clock=clock, random=random)
        etcd = FakeEtcd()
        self.witness = Witness(self.server, clock, etcd)
        self.points = Points(self.state, self.kill, disturbing.dies)
        self.client = Client(self.witness.watched(ADMIN), clock=clock, random=random)
        self.kubelet = Kubelet(self.client, clock=clock, random=random, namespace=PLACE)
        self.kubelet.collects_pods = True
        self.cell = Cell(self.witness.watched(ADMIN), self.client, self.kubelet, PLACE)
        self.cell.endpoint = FakeEndpoint(clock)
        self.cell.etcd, self.cell.stores = etcd, FakeStores(etcd)
        self.cell.etcd.runs = self._runs
        self.source: SnapshotSource | None = None  # None: there is no store to take any to
        self.process: Process | None = None
        self.fault: Fault | None = None
        self.chosen, self.may_fail = disturbing.fault, disturbing.has_faults
        self._all: list[Process] = []

    def _runs(self, member: str) -> bool:
        return self.cell.find("Pod", member) is not None and self.kubelet.behaviour.get(member) != "crash"

    def state(self) -> Hashable:
        """Changes whenever anything changes that a process could have changed."""
        cell = self.cell
        stories: tuple[Sized, ...] = (
            *(cell.etcd.story, cell.stores.story, cell.rights.story, cell.endpoint.rewritten),
            *(cell.store.manifests, cell.kubelet.behaviour),
        )
        return (self.clock.monotonic(), self.server.store.revision, *map(len, stories))

    @asynccontextmanager
    async def playing(self) -> AsyncIterator[Cell]:
        """The cell at work, without an operator."""
        await self._prepare()
        async with self.kubelet.running():
            yield self.cell
            for process in self._all:
                await process.end()
        self.witness.check()

    def start(self) -> Process:
        """Another process of the operator."""
        self.process = Process(self, number=len(self._all))
        self._all.append(self.process)
        return self.process

    def overlap(self) -> None:
        """Another process begins to lead; the one that led finds out when its Lease has run out."""
        assert self.process is not None
        asyncio.get_running_loop().call_later(OVERLAP_S, self.process.kill)
        self.start()

    def kill(self) -> None:
        """End the process that runs, between two instructions."""
        assert self.process is not None
        self.process.kill()

    async def _prepare(self) -> None:
        await prepare(self.client)
        await self.client.create(NAMESPACE, {"metadata": {"name": PLACE}})
        await self.client.create(SECRET, {"metadata": {"name": "stranger", "namespace": PLACE}})


class Process:
    """The cluster operator as the application wires it, with the rights of deploy/operator alone, until it dies."""

    def __init__(self, world: World, number: int) -> None:
        self.number = number
        self.life = Life(world.points)
        clock, random, cell = world.clock, world.random, world.cell
        user = User(USER, (AUTHENTICATED,))
        transport: Transport = world.witness.watched(user, judged=USER)
        if world.may_fail and world.fault is None:
            transport = Faulty(transport, clock=clock, world=world)
        transport = MortalTransport(Repeating(transport, world.witness), self.life)
        self._client = Client(transport, clock=clock, random=random, field_manager="homeostat-cluster")
        self._manager = Manager(clock=clock, random=random, settings=ManagerSettings(tune_gc=False))
        outside = Outside(
            probe=mortal(cell.endpoint, "probe", self.life),
            etcd=mortal(cell.etcd, "etcd", self.life),
            rights=mortal(cell.rights, "rights", self.life),
            upkeep=mortal(cell.stores, "stores", self.life),
            store=mortal(cell.store, "store", self.life) if world.source is not None else None,
            restoring=RestoreTools(cell.store, mortal(FakeHandout(cell.store), "handout", self.life), IMAGE),
        )
        add_cluster_operator(self._manager, self._client, outside, namespace=PLACE, fleet=fleet_of(self._manager))
        if world.source is not None and outside.store is not None:
            means = Means(mortal(world.source, "source", self.life), outside.store, Path("/nowhere"))
            add_backups(self._manager, self._client, means, namespaces=(PLACE,))
        name = PROCESS.set(f"operator {number}")
        self._task = asyncio.get_running_loop().create_task(self._manager.run(asyncio.Event()), name="manager")
        PROCESS.reset(name)

    @property
    def name(self) -> str:
        """As its tasks tell it."""
        return f"operator {self.number}"

    def kill(self) -> None:
        """End it: what it does from now on reaches nobody."""
        self.life.is_over = True
        self._task.cancel()

    async def gone(self) -> None:
        """Wait until nothing of it runs any more."""
        await asyncio.wait((self._task,))

    async def end(self) -> None:
        """Kill it, if it lives, and wait until nothing of it runs."""
        self.kill()
        (ended,) = await asyncio.gather(self._task, return_exceptions=True)
        assert isinstance(ended, asyncio.CancelledError), f"the operator ended: {ended}"
