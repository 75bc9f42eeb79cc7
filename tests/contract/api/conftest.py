"""A client of an API server that knows homeostat's kinds."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from tests.support.apiserver import ApiServer, api_server
from tests.support.kinds import clear, install

from homeostat.kit.clock import SystemClock
from homeostat.kit.random import system_random
from homeostat.kube.client import Client
from homeostat.kube.connect import connect

__all__ = ["api_server"]


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


@pytest.fixture
async def client(server: ApiServer) -> AsyncIterator[Client]:
    """An admin's client, closed after the test."""
    async with connect(server.config, clock=SystemClock(), random=system_random()) as made:
        yield made
