"""The loop of DaemonSets. One look goes over all Nodes, as Kubernetes' own does."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from homeostat.kube.client import Client
from homeostat.kube.errors import ApiError
from homeostat.runtime.manager import Manager
from homeostat.runtime.outcome import DONE, Outcome, Progress
from homeostat.runtime.queue import Priority
from homeostat.sim.world.controllers.daemonsets.deciding import Seen, by_node, decide, status_of
from homeostat.sim.world.controllers.daemonsets.suiting import HASH, pod_for, purpose_of
from homeostat.sim.world.controllers.loops import loop
from homeostat.sim.world.controllers.terminating import is_of_ending_namespace
from homeostat.sim.world.controllers.workloads.ending import Ending
from homeostat.sim.world.controllers.workloads.owning import (
    BY_CONTROLLER,
    BY_NAMESPACE,
    by_controller,
    by_namespace,
    children_of,
    owners_of,
)
from homeostat.sim.world.controllers.workloads.pods import is_active, soonest_s
from homeostat.sim.world.controllers.workloads.revisions import Revisions, in_order
from homeostat.sim.world.controllers.workloads.telling import MANAGER, tell
from homeostat.sim.world.kinds.nodes import NODE, Node
from homeostat.sim.world.kinds.pods import POD, Pod
from homeostat.sim.world.kinds.workloads import CONTROLLER_REVISION, DAEMON_SET, ControllerRevision, DaemonSet

_AT_MOST = 250  # Pods at a time


def add_daemon_sets(manager: Manager, client: Client) -> None:
    """Keep the Pods and revisions of DaemonSets."""
    DaemonSets(manager, client)


class DaemonSets:
    """Works on one DaemonSet at a time."""

    def __init__(self, manager: Manager, client: Client) -> None:
        self._client = client
        self._clock = manager.clock
        sets = manager.informer(client, DAEMON_SET, indexes={BY_NAMESPACE: by_namespace})
        pods = manager.informer(client, POD, indexes={BY_CONTROLLER: by_controller})
        revisions = manager.informer(client, CONTROLLER_REVISION, indexes={BY_CONTROLLER: by_controller})
        nodes = manager.informer(client, NODE)
        self._sets, self._pods, self._nodes, self._revisions = sets.store, pods.store, nodes.store, revisions.store
        self._ending = Ending(client)
        self._history = Revisions(client, DAEMON_SET, revisions.store, HASH)
        self._controller = loop(manager, "daemonset", self._reconcile, workers=2)
        self._controller.watch(sets)
        self._controller.watch(pods, owners_of(DAEMON_SET, sets.store))
        self._controller.watch(revisions, owners_of(DAEMON_SET, sets.store))
        self._controller.informers.append(nodes)
        nodes.add_handler(self._node_changed)
        sets.add_handler(self._forget)
        revisions.add_handler(self._history.forget)

    def _node_changed(self, old: Node | None, new: Node | None, priority: Priority) -> None:
        if old is not None and new is not None and _stands(old) == _stands(new):
            return  # a heartbeat
        for key in list(self._sets.keys()):
            self._controller.queue.add(key, priority)

    def _forget(self, old: DaemonSet | None, new: DaemonSet | None, _: object) -> None:
        if new is None and old is not None:
            self._history.forget_owner(old)
            self._ending.forget(old.metadata.key)

    async def _reconcile(self, key: str) -> Outcome:
        owner = self._sets.get(key)
        if owner is None or owner.metadata.deletion_timestamp is not None:
            return DONE

        def note(store: Any, version: str) -> None:
            self._controller.writes.note(key, store, version)

        pods = await children_of(self._client, DAEMON_SET, owner, POD, self._pods, note)
        revisions = await children_of(self._client, DAEMON_SET, owner, CONTROLLER_REVISION, self._revisions, note)
        if pods is None or revisions is None:
            return DONE
        try:
            return await self._worked(key, owner, pods, in_order(revisions))
        except ApiError as error:
            if is_of_ending_namespace(error):
                return DONE  # with its namespace
            raise

    async def _worked(
        self, key: str, owner: DaemonSet, pods: list[Pod], revisions: list[ControllerRevision]
    ) -> Outcome:
        note = self._controller.writes.note
        update, collisions = await self._history.newest(
            owner, revisions, owner.status.collision_count or 0, lambda store, version: note(key, store, version)
        )
        digest, now = update.metadata.labels[HASH], self._clock.now()
        purpose = purpose_of(owner)
        nodes = {each.metadata.name: purpose.suits(each) for each in _by_name(self._nodes.values())}
        seen = Seen(owner, nodes, by_node(self._ending.left(key, pods)), digest, now)
        plan = decide(seen)
        for name in plan.make[:_AT_MOST]:
            body = pod_for(owner, digest, name)
            made = await self._client.create(POD, body, owner.metadata.namespace, field_manager=MANAGER)
            note(key, self._pods, made.metadata.resource_version)
        for pod in plan.end:
            await self._ending.end(key, pod)
        status = status_of(seen, collisions)
        if status != owner.status and not plan.make:  # those that were made change it again at once
            written = await tell(self._client, DAEMON_SET, owner, status)
            note(key, self._sets, written.metadata.resource_version)
        used = {update.metadata.name, *(f"{owner.metadata.name}-{pod.metadata.labels.get(HASH)}" for pod in pods)}
        await self._history.prune(revisions, used, owner.spec.revision_history_limit)
        after_s = soonest_s((pod for pod in pods if is_active(pod)), owner.spec.min_ready_seconds, now)
        return Progress(after_s) if after_s is not None else DONE


def _by_name(nodes: Iterable[Node]) -> list[Node]:
    return sorted(nodes, key=lambda each: each.metadata.name)


def _stands(node: Node) -> tuple[object, ...]:
    return node.metadata.labels, node.spec.taints, node.spec.unschedulable
