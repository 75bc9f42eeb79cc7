"""A whole simulated cell from a few numbers: its API server, its controllers, a scheduler, hosts, and what runs there.

All of it is one task group: `run` lives until it is cancelled, and ends when any part of it fails, so that no fault of
the world is taken for one of whoever is tested in it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from msgspec import Struct

from homeostat.kit.clock import Clock
from homeostat.kit.random import Random
from homeostat.kube.client import Client
from homeostat.runtime.manager import Manager, ManagerSettings
from homeostat.sim.apiserver.access.attributes import AUTHENTICATED, User
from homeostat.sim.apiserver.admission.calling import Caller
from homeostat.sim.apiserver.server import ApiServer
from homeostat.sim.transport import SimTransport
from homeostat.sim.world.controllers.all import add_controllers
from homeostat.sim.world.controllers.endpoints.mirroring import add_mirrors
from homeostat.sim.world.controllers.endpoints.older import add_endpoints
from homeostat.sim.world.controllers.volumes.provisioner import add_volume_provisioner
from homeostat.sim.world.faults.keeping import Book
from homeostat.sim.world.hosts.containers import Start
from homeostat.sim.world.hosts.datacentre import DataCentre
from homeostat.sim.world.hosts.host import Host
from homeostat.sim.world.hosts.kubelet.kubelets import add_kubelets
from homeostat.sim.world.hosts.laying_out import Layout, lay_out
from homeostat.sim.world.hosts.times import Times
from homeostat.sim.world.kinds.volumes import STORAGE_CLASS
from homeostat.sim.world.network.balancers import POOL, add_balancers
from homeostat.sim.world.network.network import Network
from homeostat.sim.world.network.reviewing import NetworkCaller
from homeostat.sim.world.network.services import Services
from homeostat.sim.world.ports.snapshots import WorldStore
from homeostat.sim.world.programs.etcd.copies import Copies
from homeostat.sim.world.programs.masters import masters
from homeostat.sim.world.programs.shell.running import shell
from homeostat.sim.world.programs.starting import Surroundings
from homeostat.sim.world.scheduler.scheduler import add_scheduler

WORLD = User("world", ("system:masters", AUTHENTICATED))
_CLASS = "local-path"


class Plan(Struct, frozen=True, kw_only=True):
    """How large a world is."""

    zones: tuple[str, ...] = ("a", "b", "c")
    hosts: int = 6  # dealt out to the zones in turn
    pods_per_host: int = 110
    times: Times = Times()
    pool: str = POOL  # of the addresses of load balancers
    endpoints: bool = False  # whether Endpoints, the older form of slices, are written beside them, and mirrored
    accounts: bool = False  # whether Pods are given the accounts of their namespaces, and mount what proves them


class World:
    """One cell. Made without I/O; nothing happens before `run`."""

    def __init__(
        self,
        *,
        clock: Clock,
        random: Random,
        plan: Plan = Plan(),  # noqa: B008  (a frozen value)
        caller: Caller | None = None,
    ) -> None:
        """`caller`: how the cell's API server calls webhooks; without it, it finds them in the world's network."""
        self.clock, self.random, self._plan = clock, random, plan
        self.network = Network(is_heard=self._is_heard)
        caller = caller or NetworkCaller(self.network, random)
        self.server = ApiServer(clock=clock, random=random, caller=caller, accounts=plan.accounts)
        layout = Layout(zones=plan.zones, pods=plan.pods_per_host)
        self.centre = DataCentre(lay_out(plan.hosts, layout), clock=clock, random=random, times=plan.times)
        self.faults = Book(self.centre)
        self.copies = Copies()
        self.snapshots = WorldStore(self.copies)
        self.around = Surroundings(self.network, clock, random)
        # More may be put in before it runs.
        self.programs: dict[str, Start] = {**shell(clock), **masters(self.around, self.copies)}
        self.manager = Manager(clock=clock, random=random, settings=ManagerSettings(tune_gc=False))
        self.client = self.client_of(WORLD, "homeostat-world")
        self.network.names = Services(self.manager, self.client)
        self._add_parts()

    def client_of(self, user: User, manager: str = "homeostat") -> Client:
        """A client of the cell's API server; to be closed."""
        transport = SimTransport(self.server, user, clock=self.clock)
        return Client(transport, clock=self.clock, random=self.random, field_manager=manager)

    async def run(self) -> None:
        """Live until cancelled. Raises RuntimeError when a part of the world fails."""
        await self._furnish()
        self.centre.start_all()
        code = await self.manager.run(asyncio.Event())
        raise RuntimeError(f"the world has ended with {code}")

    def _add_parts(self) -> None:
        manager, client = self.manager, self.client
        add_kubelets(manager, client, self.centre, self.programs)
        add_scheduler(manager, client)
        add_controllers(manager, client)
        for add in (add_endpoints, add_mirrors) if self._plan.endpoints else ():
            add(manager, client)
        add_volume_provisioner(manager, client)
        add_balancers(manager, client, self._plan.pool)
        for host in self.centre.hosts.values():
            host.hear(self._teller(host))

    def _teller(self, host: Host) -> Callable[[], None]:
        return lambda: self.network.tell(host.name)

    def _is_heard(self, name: str) -> bool:
        host = self.centre.hosts.get(name)
        return host is not None and host.is_up and host.is_connected

    async def _furnish(self) -> None:
        """What an empty cell has beside Nodes: the class of its volumes."""
        meta = {"name": _CLASS, "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}
        body = {"metadata": meta, "provisioner": "rancher.io/local-path", "volumeBindingMode": "WaitForFirstConsumer"}
        await self.client.create(STORAGE_CLASS, {**body, "reclaimPolicy": "Delete"})
