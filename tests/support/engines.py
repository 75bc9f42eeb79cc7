"""The two engines that a contract holds on: a real API server, and a simulated one.

A suite takes these fixtures into its conftest. Every test that asks for a client then runs on both, but for those whose
mark names what the simulated one does not imitate.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tests.support.apiserver import ApiServer
from tests.support.simulated import client_of, simulated_server

from homeostat.kit.clock import SystemClock
from homeostat.kit.random import system_random
from homeostat.kube.client import Client
from homeostat.kube.connect import connect
from homeostat.sim.apiserver.server import ApiServer as Simulated

KUBERNETES, SIM = "kubernetes", "sim"


def on_both_engines(metafunc: pytest.Metafunc) -> None:
    """What a conftest does in pytest_generate_tests."""
    if "engine" in metafunc.fixturenames:
        is_long = metafunc.definition.get_closest_marker("long_on_sim") is not None
        simulated = pytest.param(SIM, marks=pytest.mark.soak) if is_long else SIM
        is_imitated = metafunc.definition.get_closest_marker("not_imitated") is None
        real = pytest.param(KUBERNETES, marks=pytest.mark.real)
        metafunc.parametrize("engine", (real, simulated) if is_imitated else (real,))


@asynccontextmanager
async def client_on(
    engine: str, request: pytest.FixtureRequest, simulated: Simulated | None = None
) -> AsyncIterator[Client]:
    """An administrator's client of the session's real server, or of a simulated one: that one, or the test's own."""
    clock = SystemClock()
    if engine == SIM:
        async with client_of(simulated or simulated_server(clock), clock) as client:
            yield client
    else:
        real: ApiServer = request.getfixturevalue("api_server")
        async with connect(real.config, clock=clock, random=system_random()) as client:
            yield client


@pytest.fixture
async def client(engine: str, request: pytest.FixtureRequest) -> AsyncIterator[Client]:
    """An administrator's client, closed after the test."""
    async with client_on(engine, request) as made:
        yield made
