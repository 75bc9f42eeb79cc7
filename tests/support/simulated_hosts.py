"""A few simulated hosts with kubelets on a simulated API server, and programs that tests hold the strings of."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from tests.support.clock import ManualClock, settle
from tests.support.simulated import client_of

from homeostat.api.core import NODE, POD
from homeostat.api.kind import unstructured
from homeostat.kit.clock import Clock
from homeostat.kit.random import Random
from homeostat.kube.client import Client
from homeostat.kube.errors import NotFound
from homeostat.runtime.manager import Manager, ManagerSettings
from homeostat.sim.apiserver.server import ApiServer
from homeostat.sim.world.hosts.containers import Container
from homeostat.sim.world.hosts.datacentre import DataCentre
from homeostat.sim.world.hosts.kubelet.kubelets import add_kubelets
from homeostat.sim.world.hosts.laying_out import lay_out
from homeostat.sim.world.hosts.times import AT_ONCE, Times

WHOLE = unstructured(POD.resource)
NODES = unstructured(NODE.resource)
HOST, OTHER = "host-a1", "host-b1"


class Scripted:
    """A program that does what a test says."""

    def __init__(self, container: Container, changed: Callable[[], None]) -> None:
        self.container = container
        self.is_well = True
        self.was_killed = False
        self.holds_on = False  # does not end when it is asked to
        self._changed = changed
        self._end = asyncio.get_running_loop().create_future()

    async def run(self) -> int:
        try:
            return await asyncio.shield(self._end)
        except asyncio.CancelledError:
            self.was_killed = True
            if self.holds_on:
                return int(await self._end)
            raise

    def answers(self, port: int, path: str) -> bool:
        return self.is_well

    def become(self, *, well: bool) -> None:
        self.is_well = well
        self._changed()

    def end(self, code: int, message: str = "") -> None:
        self.container.disks["/dev/termination-log"].content["message"] = message
        self._end.set_result(code)


class SimulatedHosts:
    """What a test sees of it."""

    def __init__(self, server: ApiServer, client: Client, clock: Clock, centre: DataCentre) -> None:
        self.server, self.client, self.clock, self.centre = server, client, clock, centre
        self.started: list[Scripted] = []  # every program `scripted` that was ever started
        self.begins_well = True

    def start(self, container: Container, changed: Callable[[], None]) -> Scripted:
        self.started.append(Scripted(container, changed))
        self.started[-1].is_well = self.begins_well
        return self.started[-1]

    async def after(self, seconds: float) -> None:
        """Let time pass, and everybody do what is due."""
        if isinstance(self.clock, ManualClock):
            await self.clock.advance(seconds)
            await settle(150)
        else:
            await self.clock.sleep(seconds or 1e-3)

    async def bind(self, name: str = "web", host: str = HOST, **spec: Any) -> None:
        """A Pod that a scheduler gave to a host."""
        containers = spec.pop("containers", None) or [container()]
        body = {"metadata": {"name": name}, "spec": {"nodeName": host, "containers": containers, **spec}}
        await self.client.create(WHOLE, body, "default")
        await self.after(0)

    async def status(self, name: str = "web") -> dict[str, Any]:
        whole = await self.client.get(WHOLE, name, "default")
        return dict(whole["status"])

    async def of_container(self, name: str = "web", at: int = 0) -> dict[str, Any]:
        return dict((await self.status(name))["containerStatuses"][at])

    async def is_ready(self, name: str = "web") -> bool:
        conditions = (await self.status(name)).get("conditions", ())
        return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)

    async def exists(self, name: str = "web") -> bool:
        try:
            await self.client.get(WHOLE, name, "default")
        except NotFound:
            return False
        return True

    async def node(self, name: str = HOST) -> dict[str, Any]:
        return await self.client.get(NODES, name)


def container(name: str = "main", **parts: Any) -> dict[str, Any]:
    """One that runs a program of the test's."""
    return {"name": name, "image": f"registry.test/{name}:1", "command": ["/bin/scripted"], **parts}


@asynccontextmanager
async def simulated_hosts(
    hosts: int = 2, *, times: Times = AT_ONCE, beat_s: float | None = None
) -> AsyncIterator[SimulatedHosts]:
    """Hosts that run, with registered Nodes, on a clock that a test moves."""
    async with hosts_at(ManualClock(), random.Random(0), hosts, times=times, beat_s=beat_s) as made:
        yield made


@asynccontextmanager
async def hosts_at(
    clock: Clock,
    chance: Random,
    hosts: int = 2,
    *,
    times: Times = AT_ONCE,
    beat_s: float | None = None,
    add: Callable[[Manager, Client], None] = lambda manager, client: None,
) -> AsyncIterator[SimulatedHosts]:
    """Hosts on any clock, with controllers that a test adds."""
    server = ApiServer(clock=clock, random=chance)
    centre = DataCentre(lay_out(hosts), clock=clock, random=chance, times=times)
    async with client_of(server, clock) as client:
        made = SimulatedHosts(server, client, clock, centre)
        manager = Manager(clock=clock, random=chance, settings=ManagerSettings(tune_gc=False))
        add_kubelets(manager, client, centre, {"scripted": made.start}, beat_s=beat_s)
        add(manager, client)
        stop = asyncio.Event()
        running = asyncio.ensure_future(manager.run(stop))
        centre.start_all()
        await made.after(0)
        try:
            yield made
        finally:
            stop.set()
            await settle()
            assert await running == 0
