"""Clients of API servers that know homeostat's kinds, on both engines."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from tests.support.apiserver import ApiServer, api_server
from tests.support.engines import SIM, client_on
from tests.support.engines import on_both_engines as pytest_generate_tests
from tests.support.kinds import clear, contents, define, install
from tests.support.simulated import client_of, simulated_server
from tests.support.tree import ROOT

from homeostat.api.kind import Resource, unstructured
from homeostat.kit.clock import SystemClock
from homeostat.kube.client import Client
from homeostat.sim.apiserver.server import ApiServer as Simulated

_GROUP = "admissionregistration.k8s.io"
POLICIES = {
    kind: unstructured(Resource(_GROUP, "v1", kind, plural, namespaced=False))
    for kind, plural in (
        ("ValidatingAdmissionPolicy", "validatingadmissionpolicies"),
        ("ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings"),
    )
}

__all__ = ["api_server", "pytest_generate_tests"]


@pytest.fixture(scope="session")
def server(api_server: ApiServer) -> ApiServer:
    """The API server with the CRDs of deploy/crds."""
    install(api_server)
    return api_server


@pytest.fixture(scope="module", autouse=True)
def leave_no_cluster(server: ApiServer) -> Iterator[None]:
    """Operators of later tests care for all Clusters that there are."""
    yield
    clear(server)


@pytest.fixture(scope="session")
def simulated() -> Simulated:
    """A simulated API server with the CRDs of deploy/crds."""
    clock = SystemClock()
    server = simulated_server(clock)

    async def install_there() -> None:
        async with client_of(server, clock) as client:
            await define(client)
            for policy in contents(ROOT / "deploy/crds/deletion-protection.yaml"):
                await client.apply(POLICIES[policy["kind"]], policy)

    asyncio.run(install_there())
    return server


@pytest.fixture
async def client(engine: str, request: pytest.FixtureRequest, simulated: Simulated) -> AsyncIterator[Client]:
    """An admin's client, closed after the test."""
    if engine != SIM:
        request.getfixturevalue("server")
    async with client_on(engine, request, simulated) as made:
        yield made
