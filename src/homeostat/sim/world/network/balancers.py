"""Addresses for Services of type LoadBalancer: the one that was asked for, or the next that is free.

Health checks are the network's: a balancer here is an address and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network

from homeostat.api.core import SERVICE, Service
from homeostat.kube.client import Client
from homeostat.kube.errors import NotFound
from homeostat.runtime.controller import Controller
from homeostat.runtime.manager import Manager
from homeostat.runtime.outcome import DONE, Outcome
from homeostat.runtime.store import split_key

POOL = "198.18.0.0/15"  # of RFC 2544: nobody else here has any of it


def add_balancers(manager: Manager, client: Client, pool: str = POOL) -> None:
    """Give addresses out as long as a manager runs."""
    _Balancers(manager, client, IPv4Network(pool))


class _Balancers:
    def __init__(self, manager: Manager, client: Client, pool: IPv4Network) -> None:
        self._client, self._pool = client, pool
        self._given: dict[str, str] = {}  # Service by address
        self._held: dict[str, str] = {}  # address by Service
        self._next = 1
        self._services = manager.informer(client, SERVICE)
        loop: Controller[str] = Controller(
            "balancers",
            self._reconcile,
            clock=manager.clock,
            random=manager.random,
            metrics=manager.metrics,
            workers=1,
        )
        loop.watch(self._services, _key)
        manager.add(loop)

    async def _reconcile(self, key: str) -> Outcome:
        service = self._services.store.get(key)
        if service is None:
            self._given.pop(self._held.pop(key, ""), None)
            return DONE
        if service.spec.type != "LoadBalancer" or service.metadata.deletion_timestamp is not None:
            return DONE
        if service.status.load_balancer.ingress:
            self._hold(service.status.load_balancer.ingress[0].ip, key)
            return DONE
        address = self._free(service.spec.load_balancer_ip, key)
        if address:
            self._hold(address, key)
            await self._show(key, address)
        return DONE

    def _hold(self, address: str, key: str) -> None:
        self._given[address] = key
        self._held[key] = address

    def _free(self, asked: str, key: str) -> str:
        """The address that is asked for, or any; empty when it is another's, or there is none."""
        if asked:
            return asked if self._given.get(asked, key) == key else ""
        for _ in range(self._pool.num_addresses):
            address = str(self._pool[self._next])
            self._next = self._next % (self._pool.num_addresses - 2) + 1
            if address not in self._given:
                return address
        return ""

    async def _show(self, key: str, address: str) -> None:
        namespace, name = split_key(key)
        patch = {"status": {"loadBalancer": {"ingress": [{"ip": address, "ipMode": "Proxy"}]}}}
        try:
            await self._client.merge_patch(SERVICE, name, patch, namespace, subresource="status")
        except NotFound:
            self._given.pop(self._held.pop(key, ""), None)


def _key(service: Service) -> Iterable[str]:
    return (service.metadata.key,) if service.spec.type == "LoadBalancer" else ()
