"""Ends what nobody is left to end: Pods of Nodes that are gone, or out of service, and Pods that never had one."""

from __future__ import annotations

import contextlib

from homeostat.kube.client import Client
from homeostat.kube.errors import NotFound
from homeostat.runtime.manager import Manager
from homeostat.runtime.outcome import DONE, Outcome, Progress
from homeostat.runtime.queue import Priority
from homeostat.sim.world.controllers.disrupting import disrupt
from homeostat.sim.world.controllers.loops import loop as make_loop
from homeostat.sim.world.controllers.nodes.judging import is_well
from homeostat.sim.world.controllers.nodes.lifecycle import ON_NODE, node_of
from homeostat.sim.world.controllers.nodes.settings import NodeSettings
from homeostat.sim.world.kinds.nodes import NODE, Node
from homeostat.sim.world.kinds.pods import POD, Pod

NAME = "pod-garbage-collector-controller"
_GONE = "PodGC: node no longer exists"
OUT_OF_SERVICE = "node.kubernetes.io/out-of-service"


def add_pod_garbage_collector(manager: Manager, client: Client, settings: NodeSettings = NodeSettings()) -> None:  # noqa: B008
    """End Pods that no kubelet will end."""
    _Leftovers(manager, client, settings)


class _Leftovers:
    def __init__(self, manager: Manager, client: Client, settings: NodeSettings) -> None:
        self._client = client
        self._clock = manager.clock
        self._settings = settings
        self._missing_since: dict[str, float] = {}
        self._nodes = manager.informer(client, NODE)
        self._pods = manager.informer(client, POD, indexes={ON_NODE: node_of})
        self._loop = make_loop(manager, NAME, self._reconcile)
        self._nodes.add_handler(self._node_changed)
        self._loop.informers.append(self._nodes)
        self._loop.watch(self._pods, node_of, when=self._is_left)

    def _node_changed(self, old: Node | None, new: Node | None, priority: Priority) -> None:
        if new is None and old is not None:
            self._missing_since[old.metadata.name] = self._clock.monotonic()
            self._loop.queue.add(old.metadata.name, priority)
        elif new is not None and (is_out_of_service(new) or new.metadata.name in self._missing_since):
            self._loop.queue.add(new.metadata.name, priority)

    def _is_left(self, old: Pod | None, new: Pod | None) -> bool:
        if new is None or not new.spec.node_name:
            return False
        node = self._nodes.store.get(new.spec.node_name)
        if node is None:
            return old is None or old.spec.node_name != new.spec.node_name
        return new.is_ending and is_out_of_service(node)

    async def _reconcile(self, name: str) -> Outcome:
        node, left = self._nodes.store.get(name), self._pods.store.by_index(ON_NODE, name)
        if node is not None or not left:
            self._missing_since.pop(name, None)
            if node is not None and is_out_of_service(node):
                await self._end([pod for pod in left if pod.is_ending])
            return DONE
        now = self._clock.monotonic()
        wait_s = self._missing_since.setdefault(name, now) + self._settings.quarantine_s - now
        if wait_s > 0:
            return Progress(wait_s, "the Node may come back")
        for pod in left:
            phase = "" if pod.is_over else "Failed"
            await disrupt(self._client, pod, "DeletionByPodGC", _GONE, self._clock.now(), phase=phase)
        await self._end(left)
        return DONE

    async def _end(self, pods: list[Pod]) -> None:
        for pod in pods:
            meta = pod.metadata
            with contextlib.suppress(NotFound):
                await self._client.delete(POD, meta.name, meta.namespace, uid=meta.uid, grace_s=0)


def is_out_of_service(node: Node) -> bool:
    """Whether somebody vouches that nothing runs there any more."""
    return not is_well(node) and any(each.key == OUT_OF_SERVICE for each in node.spec.taints)
