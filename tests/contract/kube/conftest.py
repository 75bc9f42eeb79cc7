"""Clients of the session's real API server."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from tests.support.apiserver import ApiServer, api_server

from homeostat.kit.clock import SystemClock
from homeostat.kit.random import system_random
from homeostat.kube.client import Client
from homeostat.kube.connect import connect

__all__ = ["api_server"]


@pytest.fixture
async def client(api_server: ApiServer) -> AsyncIterator[Client]:
    """An admin's client, closed after the test."""
    async with connect(api_server.config, clock=SystemClock(), random=system_random()) as made:
        yield made
