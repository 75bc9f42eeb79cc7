"""A world per test, on both engines: Kubernetes' own controllers and scheduler, and those of the simulated world."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.support.engines import SIM
from tests.support.engines import on_both_engines as pytest_generate_tests
from tests.support.front import Kubectl, fronted
from tests.support.managing import control_plane
from tests.support.simulated import client_of, simulated_server
from tests.support.world import World, new_namespace

from homeostat.api.core import NAMESPACE
from homeostat.kit.clock import SystemClock
from homeostat.kit.random import system_random
from homeostat.kube.client import Client
from homeostat.kube.connect import connect
from homeostat.runtime.manager import Manager, ManagerSettings
from homeostat.sim.apiserver.server import ApiServer
from homeostat.sim.world.controllers.all import add_controllers
from homeostat.sim.world.controllers.endpoints.mirroring import add_mirrors
from homeostat.sim.world.controllers.endpoints.older import add_endpoints
from homeostat.sim.world.scheduler.scheduler import add_scheduler

__all__ = ["pytest_generate_tests"]


@pytest.fixture
async def world(engine: str) -> AsyncIterator[World]:
    """A namespace, controllers and a scheduler over it, and Nodes to add."""
    clock = SystemClock()
    async with (_simulated if engine == SIM else _real)() as (client, simulated):
        namespace = new_namespace()
        await client.create(NAMESPACE, {"metadata": {"name": namespace}})
        made = World(engine, client, namespace, clock=clock, random=system_random())
        made.simulated = simulated
        async with made.turning():
            yield made


@pytest.fixture
async def kubectl(world: World, tmp_path: Path) -> AsyncIterator[Kubectl]:
    """kubectl before the world's API server."""
    if world.simulated is not None:
        async with fronted(tmp_path, world.simulated) as made:
            yield made
    else:
        server = control_plane().server
        yield Kubectl(tmp_path, server.url, server.authority)


@asynccontextmanager
async def _real() -> AsyncIterator[tuple[Client, ApiServer | None]]:
    async with connect(control_plane().server.config, clock=SystemClock(), random=system_random()) as client:
        yield client, None


@asynccontextmanager
async def _simulated() -> AsyncIterator[tuple[Client, ApiServer | None]]:
    clock = SystemClock()
    server = simulated_server(clock)
    async with client_of(server, clock) as client, at_work(server):
        yield client, server


@asynccontextmanager
async def at_work(server: ApiServer) -> AsyncIterator[None]:
    """The world's controllers, on a simulated API server."""
    clock = SystemClock()
    async with client_of(server, clock) as client:
        manager = Manager(clock=clock, random=random.Random(0), settings=ManagerSettings(tune_gc=False))
        add_controllers(manager, client)
        add_endpoints(manager, client)
        add_mirrors(manager, client)
        add_scheduler(manager, client)
        stop = asyncio.Event()
        run = asyncio.ensure_future(manager.run(stop))
        try:
            yield
            assert not run.done(), "a controller ended by itself"
        finally:
            stop.set()
            await run
