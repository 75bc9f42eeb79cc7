"""The loop of ReplicaSets, and of the older ReplicationControllers, which are the same but for how they are written.

What one look has made or ended, the next one counts: the cache brings it, and wakes the key. So a status is written
once for a change of Pods, and not before it as well.
"""

from __future__ import annotations

from homeostat.api.kind import Kind
from homeostat.kube.client import Client
from homeostat.kube.errors import KubeError
from homeostat.runtime.controller import Controller
from homeostat.runtime.manager import Manager
from homeostat.runtime.outcome import DONE, Outcome, Progress, Retry
from homeostat.sim.world.controllers.replicasets.choosing import surplus
from homeostat.sim.world.controllers.replicasets.status import status_of
from homeostat.sim.world.controllers.terminating import is_of_ending_namespace
from homeostat.sim.world.controllers.workloads.ending import Ending
from homeostat.sim.world.controllers.workloads.owning import (
    BY_CONTROLLER,
    BY_NAMESPACE,
    by_controller,
    by_namespace,
    children_of,
    controller_of,
    owners_of,
)
from homeostat.sim.world.controllers.workloads.pods import is_active, soonest_s
from homeostat.sim.world.controllers.workloads.telling import MANAGER, tell
from homeostat.sim.world.controllers.workloads.templates import pod_of, read
from homeostat.sim.world.kinds.pods import POD, Pod
from homeostat.sim.world.kinds.workloads import REPLICA_SET, REPLICATION_CONTROLLER, ReplicaSet

_AT_MOST = 500  # Pods at a time


def add_replica_sets(manager: Manager, client: Client) -> None:
    """Keep the Pods of ReplicaSets."""
    ReplicaSets(manager, client, REPLICA_SET, "replicaset")


def add_replication_controllers(manager: Manager, client: Client) -> None:
    """Keep the Pods of ReplicationControllers."""
    ReplicaSets(manager, client, REPLICATION_CONTROLLER, "replicationcontroller")


class ReplicaSets:
    """Works on one ReplicaSet at a time; `kind` is theirs, or that of the older form."""

    def __init__(self, manager: Manager, client: Client, kind: Kind[ReplicaSet], name: str) -> None:
        self._client, self._kind = client, kind
        self._clock = manager.clock
        indexes = {BY_CONTROLLER: by_controller, BY_NAMESPACE: by_namespace}
        sets = manager.informer(client, self._kind, indexes=indexes)
        pods = manager.informer(client, POD, indexes={BY_CONTROLLER: by_controller})
        self._sets, self._pods = sets.store, pods.store
        self._ending = Ending(client)
        self._controller = Controller(
            name, self._reconcile, clock=manager.clock, random=manager.random, metrics=manager.metrics
        )
        self._controller.watch(sets)
        self._controller.watch(pods, owners_of(self._kind, sets.store))
        manager.add(self._controller)

    async def _reconcile(self, key: str) -> Outcome:
        owner = self._sets.get(key)
        if owner is None:
            self._ending.forget(key)
            return DONE
        note = self._controller.writes.note
        pods = await children_of(
            self._client, self._kind, owner, POD, self._pods, lambda store, version: note(key, store, version)
        )
        if pods is None:
            return DONE
        pods = self._ending.left(key, pods)
        error: KubeError | None = None
        if owner.metadata.deletion_timestamp is None:
            try:
                if await self._managed(key, owner, [pod for pod in pods if is_active(pod)]):
                    return DONE
            except KubeError as failure:
                if is_of_ending_namespace(failure):
                    return DONE
                error = failure
        return await self._told(key, owner, pods, error)

    async def _managed(self, key: str, owner: ReplicaSet, active: list[Pod]) -> bool:
        """Make what is missing, or end what is too much; whether there was any. Raises KubeError."""
        missing = owner.spec.replicas - len(active)
        if missing > 0:
            body = pod_of(read(owner.spec.template), self._kind, owner)
            for _ in range(min(missing, _AT_MOST)):
                made = await self._client.create(POD, body, owner.metadata.namespace, field_manager=MANAGER)
                self._controller.writes.note(key, self._pods, made.metadata.resource_version)
        elif missing < 0:
            for pod in surplus(active, -missing, self._beside(owner, active), self._clock.now()):
                await self._ending.end(key, pod)
        return missing != 0

    def _beside(self, owner: ReplicaSet, active: list[Pod]) -> list[Pod]:
        """All Pods of the Deployment, if it is one's."""
        above = controller_of(owner)
        if above is None:
            return active
        sets = self._sets.by_index(BY_CONTROLLER, above.uid)
        found = (pod for each in sets for pod in self._pods.by_index(BY_CONTROLLER, each.metadata.uid))
        return [pod for pod in found if is_active(pod)]

    async def _told(self, key: str, owner: ReplicaSet, pods: list[Pod], error: KubeError | None) -> Outcome:
        now, spec = self._clock.now(), owner.spec
        labels = (read(spec.template).get("metadata") or {}).get("labels") or {}
        status = status_of(owner, pods, labels, error, now, counts_ending=self._kind is REPLICA_SET)
        if status != owner.status:
            written = await tell(self._client, self._kind, owner, status)
            self._controller.writes.note(key, self._sets, written.metadata.resource_version)
        if error is not None:
            return Retry(error)
        after_s = soonest_s((pod for pod in pods if is_active(pod)), spec.min_ready_seconds, now)
        return Progress(after_s) if after_s is not None else DONE
