"""A cell in a namespace per test: homeostat's kinds, a double of its controllers, and operators to start.

Every test runs on both engines, but for those whose mark says what the simulated one does not imitate.
"""

from __future__ import annotations

import functools
import json
from collections.abc import AsyncIterator
from itertools import count

import pytest
from tests.support.apiserver import ApiServer, shared
from tests.support.cells import Cell, clear, open_zones
from tests.support.cutting import PREFIX, Yard
from tests.support.engines import SIM, on_both_engines
from tests.support.grounds import Ground, InMemory, Served, prepared_store
from tests.support.kinds import install
from tests.support.kubelet import Kubelet
from tests.support.loops import needs_server, pytest_asyncio_loop_factories, pytest_runtest_setup
from tests.support.operating import USER
from tests.support.preparing import bindings
from tests.support.simulated_process import shared_process
from tests.support.tree import ROOT

from homeostat.api.core import NAMESPACE
from homeostat.kube.client import Client
from homeostat.kube.transport import Transport
from homeostat.sim.apiserver.store.store import Store

__all__ = ["pytest_asyncio_loop_factories", "pytest_runtest_setup"]

# On the simulated engine all of them take minutes: those of every change, and `make soak` has the others.
SHORT_ON_SIM = frozenset({"delete", "metrics", "probing", "refusals", "scaling", "topology"})
_numbers = count()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """On both engines; see `SHORT_ON_SIM`."""
    if metafunc.module.__name__.rpartition(".test_")[2] not in SHORT_ON_SIM:
        metafunc.definition.add_marker(pytest.mark.long_on_sim("all of them take minutes there"))
    on_both_engines(metafunc)


@pytest.fixture
def api_server(engine: str) -> ApiServer:
    """The session's API server of the engine, shared: use a namespace, and names, of your own."""
    return shared_process() if engine == SIM else shared()


@pytest.fixture
def server(api_server: ApiServer) -> ApiServer:
    """The API server with CRDs, package version, and the operator's rights bound to a user."""
    _prepare(api_server)
    return api_server


@functools.cache
def _prepare(server: ApiServer) -> None:
    install(server)
    server.kubectl("apply", "--server-side", "--force-conflicts", "-f", str(ROOT / "deploy/operator/rights.yaml"))
    server.kubectl("apply", "--server-side", "-f", str(ROOT / "examples/packageversions"))
    for binding in bindings():
        server.kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(binding))


@pytest.fixture
def beneath(engine: str, request: pytest.FixtureRequest) -> ApiServer | Store:
    """A server that is reached over HTTPS, or what one in memory begins with."""
    if engine == SIM and not needs_server(request.fixturenames):
        return prepared_store()
    found: ApiServer = request.getfixturevalue("server")
    return found


@pytest.fixture
async def ground(beneath: ApiServer | Store) -> Ground:
    """What the test's cell stands on."""
    if isinstance(beneath, ApiServer):
        return Served(beneath)
    return InMemory(beneath)


@pytest.fixture
async def client(ground: Ground) -> AsyncIterator[Client]:
    """An admin's client, closed after the test, and then every other connection too."""
    async with ground.client() as made:
        yield made


@pytest.fixture
async def transport(ground: Ground, client: Client) -> AsyncIterator[Transport]:
    """The operators' connections; closed before the admin's, which looks that none is left."""
    async with ground.transport(USER) as made:
        yield made


@pytest.fixture
async def cell(ground: Ground, transport: Transport, client: Client) -> AsyncIterator[Cell]:
    """A fresh namespace with its double at work."""
    name = f"cell-{next(_numbers)}"
    await client.create(NAMESPACE, {"metadata": {"name": name}})
    kubelet = Kubelet(client, clock=ground.clock, random=ground.random, namespace=name)
    async with kubelet.running():
        yield Cell(transport, client, kubelet, name)
        await clear(client, kubelet.all("Cluster"))


@pytest.fixture
async def tall(cell: Cell, client: Client) -> AsyncIterator[Cell]:
    """A cell with room for three members."""
    async with open_zones(client):
        yield cell


@pytest.fixture
async def yard(ground: Ground, transport: Transport, client: Client) -> AsyncIterator[Yard]:
    """Cells that share one double, for many operators at once."""
    kubelet = Kubelet(client, clock=ground.clock, random=ground.random, prefix=PREFIX)
    kubelet.collects_pods = True
    async with kubelet.running():
        yield Yard(transport, client, kubelet)
        await clear(client, [one for one in kubelet.all("Cluster") if one["metadata"]["namespace"].startswith(PREFIX)])
