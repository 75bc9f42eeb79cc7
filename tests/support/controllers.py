"""Controllers of a simulated cluster at work on a simulated API server, with a clock that only tests move."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from tests.support.clock import ManualClock, settle
from tests.support.simulated import ADMIN, client_of, simulated_server

from homeostat.api.kind import Kind, Resource, unstructured
from homeostat.kube.client import Client
from homeostat.kube.errors import NotFound
from homeostat.kube.retrying import NO_RETRIES
from homeostat.kube.transport import Transport
from homeostat.runtime.manager import Manager, ManagerSettings
from homeostat.sim.apiserver.server import ApiServer
from homeostat.sim.transport import SimTransport

Add = Callable[[Manager, Client], object]
Object = dict[str, Any]


def kind(group: str, name: str, plural: str, *, namespaced: bool = True, version: str = "v1") -> Kind[Object]:
    """Any kind, as plain data."""
    return unstructured(Resource(group, version, name, plural, namespaced))


PODS = kind("", "Pod", "pods")
NODES = kind("", "Node", "nodes", namespaced=False)
EVENTS = kind("", "Event", "events")
CLAIMS = kind("", "PersistentVolumeClaim", "persistentvolumeclaims")
VOLUMES = kind("", "PersistentVolume", "persistentvolumes", namespaced=False)
CLASSES = kind("storage.k8s.io", "StorageClass", "storageclasses", namespaced=False)
BUDGETS = kind("policy", "PodDisruptionBudget", "poddisruptionbudgets")
SERVICES = kind("", "Service", "services")
ENDPOINTS = kind("", "Endpoints", "endpoints")
SLICES = kind("discovery.k8s.io", "EndpointSlice", "endpointslices")
NAMESPACES = kind("", "Namespace", "namespaces", namespaced=False)
CONFIG_MAPS = kind("", "ConfigMap", "configmaps")
LEASES = kind("coordination.k8s.io", "Lease", "leases")
DEPLOYMENTS = kind("apps", "Deployment", "deployments")
REPLICA_SETS = kind("apps", "ReplicaSet", "replicasets")
PRIORITIES = kind("scheduling.k8s.io", "PriorityClass", "priorityclasses", namespaced=False)
QUOTAS = kind("", "ResourceQuota", "resourcequotas")
ACCOUNTS = kind("", "ServiceAccount", "serviceaccounts")


class Site:
    """A cluster in which these controllers work."""

    def __init__(self, server: ApiServer, client: Client, clock: ManualClock) -> None:
        self.server = server
        self.client = client
        self.clock = clock

    @property
    def revision(self) -> int:
        """How often anything was written."""
        return self.server.store.revision

    async def rest(self) -> None:
        """Wait, without time passing, until nobody writes any more."""
        quiet = 0
        while quiet < 3:
            before = self.revision
            await settle(30)
            quiet = quiet + 1 if before == self.revision else 0

    async def pass_time(self, seconds: float) -> None:
        """Let time pass, and what it brings about be done."""
        await self.clock.advance(seconds)
        await self.rest()

    async def make(self, of: Kind[Object], body: Object, namespace: str = "") -> Object:
        """Make an object, with its status, and let everybody see it."""
        made = await self.client.create(of, body, namespace)
        if "status" in body and of is not NODES:
            made = await self.set_status(of, made["metadata"]["name"], body["status"], namespace)
        await self.rest()
        return made

    async def set_status(self, of: Kind[Object], name: str, status: Object, namespace: str = "") -> Object:
        """Change an object's status."""
        return await self.client.merge_patch(of, name, {"status": status}, namespace, subresource="status")

    async def get(self, of: Kind[Object], name: str, namespace: str = "") -> Object:
        """An object as it is."""
        return await self.client.get(of, name, namespace)

    async def has(self, of: Kind[Object], name: str, namespace: str = "") -> bool:
        """Whether there is such an object."""
        try:
            await self.client.get(of, name, namespace)
        except NotFound:
            return False
        return True

    async def all(self, of: Kind[Object], namespace: str = "") -> list[Object]:
        """All objects of a kind."""
        return (await self.client.list(of, namespace)).items


@asynccontextmanager
async def working(*adders: Add, between: Callable[[Transport], Transport] = lambda way: way) -> AsyncIterator[Site]:
    """A cluster with these controllers at work; what is `between` them and the server may make their lives hard."""
    clock = ManualClock()
    server = simulated_server(clock)
    way = between(SimTransport(server, ADMIN, clock=clock))
    theirs = Client(way, clock=clock, random=random.Random(0), retries=NO_RETRIES)
    async with client_of(server, clock) as client, theirs:
        manager = Manager(clock=clock, random=random.Random(0), settings=ManagerSettings(tune_gc=False))
        for add in adders:
            add(manager, theirs)
        stop = asyncio.Event()
        run = asyncio.ensure_future(manager.run(stop))
        site = Site(server, client, clock)
        try:
            await site.rest()
            yield site
            assert not run.done(), "a controller ended by itself"
        finally:
            stop.set()
            await asyncio.wait({run}, timeout=5)
            if not run.done():
                run.cancel()
