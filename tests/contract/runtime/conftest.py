"""A real API server for the runtime's promises, and a namespace per test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import count

import pytest
from tests.support.apiserver import ApiServer, api_server

from homeostat.api.core import NAMESPACE
from homeostat.kit.clock import SystemClock
from homeostat.kit.random import system_random
from homeostat.kube.client import Client
from homeostat.kube.connect import connect

__all__ = ["api_server"]

_numbers = count()


@pytest.fixture
async def client(api_server: ApiServer) -> AsyncIterator[Client]:
    made = connect(api_server.config, clock=SystemClock(), random=system_random())
    async with made:
        yield made


@pytest.fixture
async def namespace(client: Client) -> str:
    name = f"runtime-{next(_numbers)}"
    await client.create(NAMESPACE, {"metadata": {"name": name}})
    return name
