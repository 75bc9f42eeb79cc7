"""All kubelets of one cell: one watch of its Pods for all of them, told apart by the Node that a Pod is bound to."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from homeostat.api.pods import POD, Pod
from homeostat.kube.client import Client
from homeostat.runtime.informer import Informer
from homeostat.runtime.manager import Manager
from homeostat.runtime.queue import Priority
from homeostat.sim.world.hosts.containers import Programs
from homeostat.sim.world.hosts.datacentre import DataCentre
from homeostat.sim.world.hosts.kubelet.cell import Cell
from homeostat.sim.world.hosts.kubelet.kubelet import Kubelet
from homeostat.sim.world.hosts.kubelet.sources import Sources
from homeostat.sim.world.hosts.kubelet.spec import CONFIG_MAP_TRACE, HOST_VOLUME, SECRET_TRACE

_BY_NODE = "kubelets: node"


class Kubelets:
    """One kubelet for each host of a data centre."""

    def __init__(
        self, cell: Cell, pods: Informer[Pod], others: Sequence[Informer[Any]], beat_s: float | None = None
    ) -> None:
        self._pods = pods
        self._others = others
        self._is_going = False
        hosts = cell.centre.hosts.values()
        self._by_host = {host.name: Kubelet(host, cell, self._bound, beat_s) for host in hosts}
        pods.add_handler(self._pod_changed)

    def of(self, host: str) -> Kubelet:
        """One of them."""
        return self._by_host[host]

    def go(self) -> None:
        """Begin, once caches are filled: hosts that run register, and take up their Pods."""
        self._is_going = True
        for kubelet in self._by_host.values():
            kubelet.host.hear(kubelet.host_changed)
            kubelet.host_changed()

    async def run(self, centre: DataCentre) -> None:
        """Begin when all caches are filled, and live in the data centre until cancelled."""
        for informer in (self._pods, *self._others):
            await informer.synced.wait()
        await centre.runs.wait()
        self.go()
        await asyncio.get_running_loop().create_future()

    def _bound(self, host: str) -> list[Pod]:
        return self._pods.store.by_index(_BY_NODE, host)

    def _pod_changed(self, old: Pod | None, new: Pod | None, priority: Priority) -> None:  # noqa: ARG002
        if not self._is_going:
            return
        names = dict.fromkeys(pod.spec.node_name for pod in (old, new) if pod is not None and pod.spec.node_name)
        for name in names:
            kubelet = self._by_host.get(name)
            if kubelet is not None:
                kubelet.pod_changed(*(_if_on(pod, name) for pod in (old, new)))


def add_kubelets(
    manager: Manager, client: Client, centre: DataCentre, programs: Programs, *, beat_s: float | None = None
) -> Kubelets:
    """Let a manager run a data centre, with a kubelet on each host that speaks to the client's API server.

    `beat_s` is the switch of decision 0032: so often each Lease is renewed by a write of its own.
    """
    pods = manager.informer(client, POD, indexes={_BY_NODE: _node_of})
    secrets, maps = manager.informer(client, SECRET_TRACE), manager.informer(client, CONFIG_MAP_TRACE)
    volumes = manager.informer(client, HOST_VOLUME)
    cell = Cell(client, centre, programs, Sources(client, secrets, maps), volumes)
    kubelets = Kubelets(cell, pods, (secrets, maps, volumes), beat_s)
    manager.add_task("data centre", centre.run)
    manager.add_task("kubelets", lambda: kubelets.run(centre))
    return kubelets


def _node_of(pod: Pod) -> tuple[str, ...]:
    return (pod.spec.node_name,) if pod.spec.node_name else ()


def _if_on(pod: Pod | None, host: str) -> Pod | None:
    return pod if pod is not None and pod.spec.node_name == host else None
