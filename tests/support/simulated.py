"""Simulated API servers, and clients of them."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from homeostat.api.kind import Resource, unstructured
from homeostat.kit.clock import Clock
from homeostat.kube.client import Client
from homeostat.kube.retrying import NO_RETRIES
from homeostat.sim.apiserver.access.attributes import AUTHENTICATED, User
from homeostat.sim.apiserver.server import ApiServer
from homeostat.sim.apiserver.store.store import Store
from homeostat.sim.calling import HttpsCaller
from homeostat.sim.transport import SimTransport

ADMIN = User("admin", ("system:masters", AUTHENTICATED))
CONFIG_MAPS = unstructured(Resource("", "v1", "ConfigMap", "configmaps"))
NAMESPACES = unstructured(Resource("", "v1", "Namespace", "namespaces", namespaced=False))


def simulated_server(clock: Clock, seed: int = 0, store: Store | None = None) -> ApiServer:
    """A server with nothing in it, or of what is in a store."""
    return ApiServer(clock=clock, random=random.Random(seed), caller=HttpsCaller(), store=store)


@asynccontextmanager
async def client_of(server: ApiServer, clock: Clock, user: User = ADMIN) -> AsyncIterator[Client]:
    """A user's client, that tries nothing twice."""
    transport = SimTransport(server, user, clock=clock)
    async with Client(transport, clock=clock, random=random.Random(0), retries=NO_RETRIES) as client:
        yield client


def config_map(name: str, *, labels: dict[str, str] | None = None, **data: str) -> dict[str, Any]:
    """A small object."""
    return {"metadata": {"name": name, "labels": labels or {}}, "data": data}
