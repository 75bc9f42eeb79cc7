"""Where an API server is reached is told by the Service `kubernetes`, and told again when somebody takes it away."""

from __future__ import annotations

import asyncio
import random
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.support.apiserver import launch
from tests.support.controllers import ENDPOINTS, SERVICES, SLICES
from tests.support.engines import SIM
from tests.support.simulated import client_of, simulated_server

from homeostat.api.kind import Kind
from homeostat.kit.clock import SystemClock
from homeostat.kit.random import system_random
from homeostat.kube.client import Client
from homeostat.kube.connect import connect
from homeostat.kube.errors import NotFound
from homeostat.runtime.manager import Manager, ManagerSettings
from homeostat.sim.world.controllers.entrance import add_entrance

pytestmark = pytest.mark.real
ADDRESS, PORT = "192.0.2.1", 6443
Object = dict[str, Any]


async def test_an_api_server_tells_where_it_is_reached(engine: str) -> None:
    async with (simulated if engine == SIM else real)() as (client, port):
        ports = [{"name": "https", "port": port, "protocol": "TCP"}]

        service, endpoints, slice_ = [await found(client, kind) for kind in (SERVICES, ENDPOINTS, SLICES)]

        assert service["metadata"]["labels"] == {"component": "apiserver", "provider": "kubernetes"}
        assert service["spec"]["clusterIP"] == "10.0.0.1"
        assert service["spec"]["ports"] == [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": port}]
        assert endpoints["metadata"]["labels"]["endpointslice.kubernetes.io/skip-mirror"] == "true"
        assert endpoints["subsets"] == [{"addresses": [{"ip": ADDRESS}], "ports": ports}]
        assert slice_["metadata"]["labels"] == {"kubernetes.io/service-name": "kubernetes"}
        assert slice_["endpoints"] == [{"addresses": [ADDRESS], "conditions": {"ready": True}}]
        assert slice_["ports"] == ports


async def test_what_somebody_takes_away_of_it_comes_back(engine: str) -> None:
    async with (simulated if engine == SIM else real)() as (client, _):
        uids = [(await found(client, kind))["metadata"]["uid"] for kind in (SERVICES, ENDPOINTS, SLICES)]
        for kind in (SLICES, ENDPOINTS, SERVICES):
            await client.delete(kind, "kubernetes", "default")

        assert not {(await found(client, kind))["metadata"]["uid"] for kind in (SERVICES, ENDPOINTS, SLICES)} & {*uids}


async def found(client: Client, kind: Kind[Object]) -> Object:
    """The object, once it is there."""
    clock = SystemClock()
    async with clock.timeout(60):
        while True:
            try:
                return await client.get(kind, "kubernetes", "default")
            except NotFound:
                await clock.sleep(0.05)


@asynccontextmanager
async def real() -> AsyncIterator[tuple[Client, int]]:
    server = launch(flags=("--endpoint-reconciler-type=lease", f"--advertise-address={ADDRESS}"))
    try:
        async with connect(server.config, clock=SystemClock(), random=system_random()) as client:
            yield client, int(server.url.rpartition(":")[2])
    finally:
        server.stop()
        shutil.rmtree(server.directory, ignore_errors=True)


@asynccontextmanager
async def simulated() -> AsyncIterator[tuple[Client, int]]:
    clock = SystemClock()
    server = simulated_server(clock)
    async with client_of(server, clock) as client, client_of(server, clock) as own:
        manager = Manager(clock=clock, random=random.Random(0), settings=ManagerSettings(tune_gc=False))
        add_entrance(manager, own, ADDRESS, PORT)
        stop = asyncio.Event()
        run = asyncio.ensure_future(manager.run(stop))
        yield client, PORT
        stop.set()
        await run
