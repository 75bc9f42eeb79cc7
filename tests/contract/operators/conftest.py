"""A cell in a namespace per test: homeostat's kinds, a double of its controllers, and operators to start."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from itertools import count

import pytest
from tests.support.apiserver import ApiServer, api_server
from tests.support.cells import Cell, clear, open_zones
from tests.support.cutting import PREFIX, Yard
from tests.support.kinds import install
from tests.support.kubelet import Kubelet
from tests.support.operating import USER, transport_of
from tests.support.tree import ROOT

from homeostat.api.core import NAMESPACE
from homeostat.kit.clock import SystemClock
from homeostat.kit.random import system_random
from homeostat.kube.client import Client
from homeostat.kube.connect import connect
from homeostat.kube.transport import Transport

__all__ = ["api_server"]

_numbers = count()


@pytest.fixture(scope="session")
def server(api_server: ApiServer) -> ApiServer:
    """The API server with CRDs, package version, and the operator's rights bound to a user."""
    install(api_server)
    api_server.kubectl("apply", "--server-side", "--force-conflicts", "-f", str(ROOT / "deploy/operator/rights.yaml"))
    api_server.kubectl("apply", "--server-side", "-f", str(ROOT / "examples/packageversions"))
    for role in ("homeostat:cell", "homeostat:cell-wide"):
        binding = {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": f"test:{role}"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": USER}],
        }
        api_server.kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(binding))
    return api_server


@pytest.fixture
async def client(server: ApiServer) -> AsyncIterator[Client]:
    """An admin's client, closed after the test, and then every other connection too."""
    async with connect(server.config, clock=SystemClock(), random=system_random()) as made:
        yield made
    await _connections_closed()


async def _connections_closed() -> None:
    """Watches that are given up say good-bye over TLS; the loop must not end before they have."""
    clock, selector = SystemClock(), asyncio.get_running_loop()._selector  # type: ignore[attr-defined]
    async with clock.timeout(20):
        while len(selector.get_map()) > 1:  # the loop's own pipe
            await clock.sleep(0.002)


@pytest.fixture
async def transport(server: ApiServer, client: Client) -> AsyncIterator[Transport]:
    """The operators' connections; closed before the admin's, which looks that none is left."""
    made = transport_of(server)
    yield made
    await made.close()


@pytest.fixture
async def cell(transport: Transport, client: Client) -> AsyncIterator[Cell]:
    """A fresh namespace with its double at work."""
    name = f"cell-{next(_numbers)}"
    await client.create(NAMESPACE, {"metadata": {"name": name}})
    kubelet = Kubelet(client, clock=SystemClock(), random=system_random(), namespace=name)
    async with kubelet.running():
        yield Cell(transport, client, kubelet, name)
        await clear(client, kubelet.all("Cluster"))


@pytest.fixture
async def tall(cell: Cell, client: Client) -> AsyncIterator[Cell]:
    """A cell with room for three members."""
    async with open_zones(client):
        yield cell


@pytest.fixture
async def yard(transport: Transport, client: Client) -> AsyncIterator[Yard]:
    """Cells that share one double, for many operators at once."""
    kubelet = Kubelet(client, clock=SystemClock(), random=system_random(), prefix=PREFIX)
    kubelet.collects_pods = True
    async with kubelet.running():
        yield Yard(transport, client, kubelet)
        await clear(client, [one for one in kubelet.all("Cluster") if one["metadata"]["namespace"].startswith(PREFIX)])
