"""Carries the balancer's decisions: the file first, then the Services' status, so that no address is shown unserved.

One pass over everything, whenever anything changed: a cell has few Services, and a whole file is never half right. A
pass that fails is tried again with back-off; the caches go on meanwhile.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

import structlog

from homeostat.api.core import ENDPOINT_SLICE, SERVICE, EndpointSlice, Service
from homeostat.kit.backoff import Backoff
from homeostat.kit.clock import Clock
from homeostat.kit.random import Random
from homeostat.kube.client import Client
from homeostat.kube.errors import KubeError, NotFound
from homeostat.local.balancer.addresses import Allocation, allocate
from homeostat.local.balancer.desired import frontends, held, wishes
from homeostat.local.balancer.haproxy import MARK, render
from homeostat.runtime.informer import Informer
from homeostat.runtime.queue import Priority
from homeostat.runtime.store import split_key

log = structlog.get_logger(__name__)
BACKOFF = Backoff(base_s=0.2, cap_s=10.0, jitter=0.2)
GATHER_S = 0.05  # changes of one rollout come in bursts; one pass serves all of them


class Balancer:
    """Owns the status of Services of type LoadBalancer and one file."""

    def __init__(self, client: Client, *, pool: str, file: Path, clock: Clock, random: Random) -> None:
        self._client, self._pool, self._file, self._clock, self._random = client, pool, file, clock, random
        self._services: Informer[Service] = Informer(client, SERVICE, clock=clock, random=random)
        self._slices: Informer[EndpointSlice] = Informer(client, ENDPOINT_SLICE, clock=clock, random=random)
        self._changed = asyncio.Event()
        self._told: tuple[str, ...] = ()
        self._is_marked = False  # a process before this one may have died between the file and its mark

    async def run(self) -> None:
        """Serve until cancelled."""
        self._services.add_handler(self._wake)
        self._slices.add_handler(self._wake)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._services.run(), name="services")
            group.create_task(self._slices.run(), name="endpoint slices")
            group.create_task(self._follow(), name="passes")

    def _wake(self, _old: object, _new: object, _priority: Priority) -> None:
        self._changed.set()

    async def _follow(self) -> None:
        await self._services.synced.wait()
        await self._slices.synced.wait()
        attempt = 0
        while True:
            self._changed.clear()
            try:
                await self.reconcile(self._services.store.values(), self._slices.store.values())
            except (KubeError, OSError) as error:
                log.warning("trying again", error=str(error))
                await self._clock.sleep(BACKOFF.delay_s(attempt, self._random))
                attempt += 1
                continue
            attempt = 0
            await self._changed.wait()
            await self._clock.sleep(GATHER_S)

    async def reconcile(self, services: Sequence[Service], slices: Sequence[EndpointSlice]) -> None:
        """One pass: allocate, write the file where it differs, show addresses that are not shown yet."""
        allocation = allocate(self._pool, wishes(services))
        self._tell(allocation)
        content = render(frontends(services, slices, allocation.addresses))
        if write_if_changed(self._file, content):
            self._is_marked = False
            log.info("wrote", file=str(self._file), services=len(allocation.addresses))
        if not self._is_marked:
            self._file.with_name(MARK).touch()
            self._is_marked = True
        shown = {service.metadata.key: held(service) for service in services}
        for key, address in sorted(allocation.addresses.items()):
            if shown.get(key) != address:
                await self._show(key, address)

    async def _show(self, key: str, address: str) -> None:
        namespace, name = split_key(key)
        # ipMode Proxy: kube-proxies must not short-cut this address, or the health checks would be short-cut too.
        ingress = [{"ip": address, "ipMode": "Proxy"}]
        patch = {"status": {"loadBalancer": {"ingress": ingress}}}
        log.info("giving address", service=key, address=address)
        try:
            await self._client.merge_patch(SERVICE, name, patch, namespace, subresource="status")
        except NotFound:
            log.info("service is gone", service=key)

    def _tell(self, allocation: Allocation) -> None:
        told = tuple(f"{refusal.key}: {refusal.why}" for refusal in allocation.refusals)
        if told != self._told:
            for line in told:
                log.warning("no address", reason=line)
        self._told = told


def write_if_changed(file: Path, content: str) -> bool:
    """Replace a file as a whole unless it is the same already; whether it was replaced."""
    if file.is_file() and file.read_text() == content:
        return False
    temporary = file.with_name(f".{file.name}.new")
    temporary.write_text(content)
    with temporary.open("rb") as written:
        os.fsync(written.fileno())
    temporary.replace(file)
    return True
