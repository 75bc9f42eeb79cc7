"""The loop of Nodes: a timer for each that could fall silent, conditions, taints, and Pods that are ready no more."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec import to_builtins

from homeostat.api.coordination import LEASE
from homeostat.api.events import ObjectReference
from homeostat.kube.client import Client
from homeostat.kube.errors import NotFound
from homeostat.runtime.events import reference
from homeostat.runtime.manager import Manager
from homeostat.runtime.outcome import DONE, Outcome, Progress
from homeostat.runtime.queue import Priority
from homeostat.sim.world.controllers.loops import loop as make_loop
from homeostat.sim.world.controllers.nodes.judging import (
    is_unknown,
    is_well,
    silent_at,
    unknown,
    waits_to_be_driven_out,
    wanted_taints,
    with_taints,
)
from homeostat.sim.world.controllers.nodes.pace import Pace, Zone, rate
from homeostat.sim.world.controllers.nodes.settings import NodeSettings
from homeostat.sim.world.kinds.nodes import NODE, Node
from homeostat.sim.world.kinds.pods import POD, Pod

NAME = "node-controller"
LEASES = "kube-node-lease"
ON_NODE = "node"
_REGION, _ZONE = "topology.kubernetes.io/region", "topology.kubernetes.io/zone"


def node_of(pod: Pod) -> Iterable[str]:
    """An index: where a Pod stands."""
    return (pod.spec.node_name,) if pod.spec.node_name else ()


def add_node_lifecycle(manager: Manager, client: Client, settings: NodeSettings = NodeSettings()) -> None:  # noqa: B008
    """Say of silent Nodes that nobody knows how they are, and keep or drive Pods away from ill ones."""
    _Lifecycle(manager, client, settings)


class _Lifecycle:
    def __init__(self, manager: Manager, client: Client, settings: NodeSettings) -> None:
        self._client = client
        self._clock = manager.clock
        self._settings = settings
        self._recorder = manager.recorder(client, NAME)
        self._pace = Pace()
        self._zones: dict[str, Zone] = {}
        self._zone_of: dict[str, tuple[str, bool]] = {}
        self._nodes = manager.informer(client, NODE)
        self._leases = manager.informer(client, LEASE, namespace=LEASES)
        self._pods = manager.informer(client, POD, indexes={ON_NODE: node_of})
        self._loop = make_loop(manager, NAME, self._reconcile)
        self._nodes.add_handler(self._count)
        self._loop.watch(self._nodes, when=_matters)
        self._loop.watch(self._leases, lambda lease: (lease.metadata.name,))
        self._loop.watch(self._pods, node_of, when=self._is_wrongly_ready)

    def _is_wrongly_ready(self, old: Pod | None, new: Pod | None) -> bool:  # noqa: ARG002
        if new is None or not new.is_ready:
            return False
        node = self._nodes.store.get(new.spec.node_name)
        return node is not None and is_unknown(node)

    def _count(self, old: Node | None, new: Node | None, priority: Priority) -> None:  # noqa: ARG002
        """How each zone is; when that changes, those that wait for their turn look again."""
        named = new if new is not None else old
        if named is None:
            return
        name = named.metadata.name
        before = self._zone_of.pop(name, None)
        after = (zone_of(new), is_well(new)) if new is not None else None
        if after is not None:
            self._zone_of[name] = after
        if before == after:
            return
        for place, change in ((before, -1), (after, 1)):
            if place is not None:
                zone = self._zones.setdefault(place[0], Zone())
                zone.well += change if place[1] else 0
                zone.ill += 0 if place[1] else change
                if not zone.well and not zone.ill:
                    del self._zones[place[0]]
        for each in self._zone_of.items():
            if not each[1][1]:
                self._loop.queue.add(each[0], Priority.LATER)

    async def _reconcile(self, name: str) -> Outcome:
        node = self._nodes.store.get(name)
        if node is None or node.metadata.deletion_timestamp is not None:
            return DONE
        try:
            return await self._judge(node)
        except NotFound:
            return DONE

    async def _judge(self, node: Node) -> Outcome:
        name, now = node.metadata.name, self._clock.now()
        left_s = (silent_at(node, self._leases.store.get(name, LEASES), self._settings) - now).total_seconds()
        if left_s <= 0 and (patch := [op for each in unknown(node) for op in each.patch(_time(now))]):
            if not node.status.conditions:
                patch.insert(0, {"op": "add", "path": "/status/conditions", "value": []})
            await self._client.json_patch(NODE, name, patch, subresource="status")
            return DONE  # what follows from it is done when its echo comes, and its zone is counted anew
        if is_unknown(node):
            await self._tell_pods(node)
        wait_s = await self._taint(node)
        soonest = min((each for each in (wait_s, left_s) if each is not None and each > 0), default=None)
        return DONE if soonest is None else Progress(soonest)

    async def _tell_pods(self, node: Node) -> None:
        """Pods of a silent Node take no traffic; of one that speaks its kubelet says how its Pods are."""
        name = node.metadata.name
        for pod in self._pods.store.by_index(ON_NODE, name):
            places = [at for at, each in enumerate(pod.status.conditions) if (each.type, each.status) == _READY]
            if not places or pod.is_over:
                continue
            place, meta = f"/status/conditions/{places[0]}", pod.metadata
            patch = [
                {"op": "test", "path": f"{place}/type", "value": "Ready"},
                {"op": "replace", "path": f"{place}/status", "value": "False"},
                {"op": "add", "path": f"{place}/lastTransitionTime", "value": _time(self._clock.now())},
            ]
            self._recorder.warning(reference(POD, pod), "NodeNotReady", "Node is not ready")
            try:
                made = await self._client.json_patch(POD, meta.name, patch, meta.namespace, subresource="status")
            except NotFound:
                continue
            self._loop.writes.note(name, self._pods.store, made.metadata.resource_version)

    async def _taint(self, node: Node) -> float | None:
        """Give a Node the taints of its state; how long it must wait for its turn to be given up."""
        name, wait_s, drives_out = node.metadata.name, None, False
        if waits_to_be_driven_out(node):
            zone = zone_of(node)
            wait_s = self._pace.wait_s(
                zone, rate(self._zones.get(zone, Zone()), self._zones, self._settings), self._clock.monotonic()
            )
            drives_out = wait_s == 0
        taints = with_taints(node.spec.taints, wanted_taints(node, drives_out=drives_out), self._clock.now())
        if taints != node.spec.taints:
            meta = {"resourceVersion": node.metadata.resource_version}
            patch: dict[str, Any] = {"metadata": meta, "spec": {"taints": to_builtins(taints)}}
            made = await self._client.merge_patch(NODE, name, patch)
            self._loop.writes.note(name, self._nodes.store, made.metadata.resource_version)
            if not is_well(node) and is_newly_ill(node):
                about = ObjectReference("v1", "Node", "", name, node.metadata.uid)
                self._recorder.normal(about, "NodeNotReady", f"Node {name} status is now: NodeNotReady")
        return wait_s


_READY = ("Ready", "True")


def is_newly_ill(node: Node) -> bool:
    """Whether its taints do not tell yet that it is ill."""
    return not any(
        each.key.startswith("node.kubernetes.io/") and each.effect == "NoSchedule" for each in node.spec.taints
    )


def zone_of(node: Node) -> str:
    """The zone of a Node, with its region."""
    labels = node.metadata.labels
    return f"{labels.get(_REGION, '')}:{labels.get(_ZONE, '')}"


def _matters(old: Node | None, new: Node | None) -> bool:
    """A heartbeat alone puts the timer off, which looks itself when it is due."""
    if old is None or new is None:
        return True
    return (old.spec, _said(old), old.metadata.labels) != (new.spec, _said(new), new.metadata.labels)


def _said(node: Node) -> list[tuple[str, str]]:
    return [(each.type, each.status) for each in node.status.conditions]


def _time(moment: Any) -> str:
    return str(moment.strftime("%Y-%m-%dT%H:%M:%SZ"))
