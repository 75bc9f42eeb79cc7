"""Drives Pods out of Nodes with a taint that says so: at once, or when they have borne it for as long as they would."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from homeostat.kube.client import Client
from homeostat.kube.errors import NotFound
from homeostat.runtime.events import reference
from homeostat.runtime.manager import Manager
from homeostat.runtime.outcome import DONE, Outcome, Progress
from homeostat.runtime.queue import Priority
from homeostat.sim.world.controllers.disrupting import disrupt
from homeostat.sim.world.controllers.loops import loop as make_loop
from homeostat.sim.world.controllers.nodes.lifecycle import ON_NODE, node_of
from homeostat.sim.world.kinds.nodes import NODE, Node, Taint
from homeostat.sim.world.kinds.pods import POD, Pod, Toleration
from homeostat.sim.world.scheduler.terms import bears

NAME = "taint-eviction-controller"
_WHY = "Taint manager: deleting due to NoExecute taint"


def leaves_at(taints: Sequence[Taint], tolerations: Sequence[Toleration], now: datetime) -> datetime | None:
    """When a Pod must go; None when it may stay for ever."""
    soonest: datetime | None = None
    for taint in taints:
        if taint.effect != "NoExecute":
            continue
        bearing = [each for each in tolerations if bears(each, taint)]
        if not bearing:
            return now
        limits = [each.toleration_seconds for each in bearing if each.toleration_seconds is not None]
        if limits:
            until = (taint.time_added or now) + timedelta(seconds=max(0, min(limits)))
            soonest = until if soonest is None else min(soonest, until)
    return soonest


def add_taint_eviction(manager: Manager, client: Client) -> None:
    """Drive Pods out of Nodes that say so."""
    _Eviction(manager, client)


class _Eviction:
    def __init__(self, manager: Manager, client: Client) -> None:
        self._client = client
        self._clock = manager.clock
        self._recorder = manager.recorder(client, NAME)
        self._nodes = manager.informer(client, NODE)
        self._pods = manager.informer(client, POD, indexes={ON_NODE: node_of})
        self._loop = make_loop(manager, NAME, self._reconcile)
        self._nodes.add_handler(self._tainted)
        self._loop.informers.append(self._nodes)
        self._loop.watch(self._pods, when=self._is_placed)

    def _tainted(self, old: Node | None, new: Node | None, priority: Priority) -> None:
        if new is None or _driving(new) == (() if old is None else _driving(old)):
            return
        for pod in self._pods.store.by_index(ON_NODE, new.metadata.name):
            self._loop.queue.add(pod.metadata.key, priority)

    def _is_placed(self, old: Pod | None, new: Pod | None) -> bool:
        if new is None or not new.spec.node_name:
            return False
        if old is not None and (old.spec.node_name, old.spec.tolerations) == (new.spec.node_name, new.spec.tolerations):
            return False
        node = self._nodes.store.get(new.spec.node_name)
        return node is not None and bool(_driving(node))

    async def _reconcile(self, key: str) -> Outcome:
        pod = self._pods.store.get(key)
        node = self._nodes.store.get(pod.spec.node_name) if pod is not None else None
        if pod is None or node is None or pod.is_ending:
            return DONE
        now = self._clock.now()
        until = leaves_at(node.spec.taints, pod.spec.tolerations, now)
        if until is None:
            return DONE
        if until > now:
            return Progress((until - now).total_seconds(), "bears a taint for a while")
        about = reference(POD, pod)
        self._recorder.normal(about, "TaintManagerEviction", f"Marking for deletion Pod {key}")
        try:
            await disrupt(self._client, pod, "DeletionByTaintManager", _WHY, now)
            await self._client.delete(POD, pod.metadata.name, pod.metadata.namespace, uid=pod.metadata.uid)
        except NotFound:
            return DONE
        return DONE


def _driving(node: Node) -> tuple[Taint, ...]:
    return tuple(each for each in node.spec.taints if each.effect == "NoExecute")
