"""The loop of Deployments: sees a Deployment with its ReplicaSets, does what was decided, and says how far it is.

Of all that one look finds out, the status is written once.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from homeostat.kube.client import Client
from homeostat.kube.errors import AlreadyExists, KubeError, NotFound
from homeostat.runtime.controller import Controller
from homeostat.runtime.manager import Manager
from homeostat.runtime.outcome import DONE, Outcome, Progress, Retry
from homeostat.sim.world.controllers.deployments.deciding import Action, Change, Make, Remove, Seen, decide
from homeostat.sim.world.controllers.deployments.revisions import RECREATE, REVISION, by_age
from homeostat.sim.world.controllers.deployments.telling import seconds_left, status_of
from homeostat.sim.world.controllers.terminating import is_of_ending_namespace
from homeostat.sim.world.controllers.workloads.owning import (
    BY_CONTROLLER,
    BY_NAMESPACE,
    by_controller,
    by_namespace,
    children_of,
    controller_of,
    owners_of,
    reference_to,
)
from homeostat.sim.world.controllers.workloads.telling import MANAGER, tell
from homeostat.sim.world.controllers.workloads.templates import HASH_LABEL, Digests, hash_of, read
from homeostat.sim.world.kinds.pods import POD, Pod
from homeostat.sim.world.kinds.workloads import DEPLOYMENT, REPLICA_SET, Deployment, ReplicaSet


class Done(Struct):
    """What has come of what was decided."""

    made: ReplicaSet | None = None
    collisions: int = 0
    changed: dict[str, ReplicaSet] = {}  # by uid
    removed: set[str] = set()
    error: KubeError | None = None


def add_deployments(manager: Manager, client: Client) -> None:
    """Keep the ReplicaSets of Deployments."""
    Deployments(manager, client)


class Deployments:
    """Works on one Deployment at a time."""

    def __init__(self, manager: Manager, client: Client) -> None:
        self._client = client
        self._clock = manager.clock
        self._digests = Digests()
        deployments = manager.informer(client, DEPLOYMENT, indexes={BY_NAMESPACE: by_namespace})
        sets = manager.informer(client, REPLICA_SET, indexes={BY_CONTROLLER: by_controller, BY_NAMESPACE: by_namespace})
        pods = manager.informer(client, POD, indexes={BY_CONTROLLER: by_controller})
        self._deployments, self._sets, self._pods = deployments.store, sets.store, pods.store
        self._controller = Controller(
            "deployment", self._reconcile, clock=manager.clock, random=manager.random, metrics=manager.metrics
        )
        self._controller.watch(deployments)
        self._controller.watch(sets, owners_of(DEPLOYMENT, deployments.store))
        self._controller.watch(pods, self._waiting_for, when=lambda _, new: new is None)
        sets.add_handler(self._forget)
        deployments.add_handler(self._forget)
        manager.add(self._controller)

    def _waiting_for(self, pod: Pod) -> Iterable[str]:
        """The Deployment that cannot go on before a Pod is gone: one that recreates its Pods."""
        owner = controller_of(pod)
        if owner is None or owner.kind != REPLICA_SET.resource.kind:
            return ()
        one = self._sets.get(owner.name, pod.metadata.namespace)
        above = controller_of(one) if one is not None else None
        found = self._deployments.get(above.name, pod.metadata.namespace) if above is not None else None
        return (found.metadata.key,) if found is not None and found.spec.strategy.type == RECREATE else ()

    def _forget(self, old: Any, new: Any, _: object) -> None:
        if new is None and old is not None:
            self._digests.forget(old)

    async def _reconcile(self, key: str) -> Outcome:
        deployment = self._deployments.get(key)
        if deployment is None:
            return DONE
        sets = await children_of(
            self._client,
            DEPLOYMENT,
            deployment,
            REPLICA_SET,
            self._sets,
            lambda store, version: self._controller.writes.note(key, store, version),
        )
        if sets is None:
            return DONE
        seen = self._seen(deployment, sets)
        done = Done()
        if deployment.metadata.deletion_timestamp is None:
            await self._act(key, seen, decide(seen), done)
        return await self._told(key, self._after(seen, done), done)

    def _seen(self, deployment: Deployment, sets: list[ReplicaSet]) -> Seen:
        wanted = self._digests.of(deployment, deployment.spec.template)
        same = [each for each in by_age(sets) if self._digests.of(each, each.spec.template) == wanted]
        new = same[0] if same else None
        olds = tuple(each for each in sets if each is not new)
        old_run = deployment.spec.strategy.type == RECREATE and any(
            not pod.is_over for each in olds for pod in self._pods.by_index(BY_CONTROLLER, each.metadata.uid)
        )
        return Seen(deployment, new, olds, old_run)

    async def _act(self, key: str, seen: Seen, actions: tuple[Action, ...], done: Done) -> None:
        try:
            for action in actions:
                match action:
                    case Make():
                        await self._make(key, seen, action, done)
                    case Change():
                        await self._change(key, action, done)
                    case Remove(of=one):
                        meta = one.metadata
                        done.removed.add(meta.uid)
                        await self._client.delete(REPLICA_SET, meta.name, meta.namespace, uid=meta.uid)
        except NotFound:
            return  # the change that brings it wakes the key
        except KubeError as error:
            done.error = error

    async def _make(self, key: str, seen: Seen, action: Make, done: Done) -> None:
        deployment = seen.deployment
        digest = self._digests.of(deployment, deployment.spec.template)
        collisions = deployment.status.collision_count or 0
        body = _new_set(deployment, hash_of(digest, collisions), action)
        namespace = deployment.metadata.namespace
        try:
            made = await self._client.create(REPLICA_SET, body, namespace, field_manager=MANAGER)
        except AlreadyExists:
            made = await self._client.get(REPLICA_SET, body["metadata"]["name"], namespace)
            owner = controller_of(made)
            is_ours = owner is not None and owner.uid == deployment.metadata.uid
            if not is_ours or self._digests.of(made, made.spec.template) != digest:
                done.collisions = collisions + 1  # the next one has another name
                return
        done.made = made
        self._controller.writes.note(key, self._sets, made.metadata.resource_version)

    async def _change(self, key: str, action: Change, done: Done) -> None:
        meta = action.of.metadata
        wanted = {"replicas": action.replicas, "minReadySeconds": action.min_ready_seconds}
        body: dict[str, Any] = {"metadata": {"uid": meta.uid}}
        if action.annotations:
            body["metadata"]["annotations"] = dict(action.annotations)
        if spec := {name: number for name, number in wanted.items() if number is not None}:
            body["spec"] = spec
        written = await self._client.merge_patch(REPLICA_SET, meta.name, body, meta.namespace, field_manager=MANAGER)
        done.changed[meta.uid] = written
        self._controller.writes.note(key, self._sets, written.metadata.resource_version)

    def _after(self, seen: Seen, done: Done) -> Seen:
        """As it is after what was done."""

        def now(one: ReplicaSet) -> ReplicaSet:
            return done.changed.get(one.metadata.uid, one)

        new = done.made or (now(seen.new) if seen.new is not None else None)
        olds = tuple(now(each) for each in seen.olds if each.metadata.uid not in done.removed)
        return Seen(seen.deployment, new, olds, seen.old_run)

    async def _told(self, key: str, seen: Seen, done: Done) -> Outcome:
        now, deployment = self._clock.now(), seen.deployment
        if done.error is not None and is_of_ending_namespace(done.error):
            return DONE
        status = status_of(
            seen,
            now,
            made=done.made.metadata.name if done.made is not None else "",
            failure=str(done.error) if done.error is not None and seen.new is None else "",
            collisions=done.collisions,
        )
        marks = self._marks(seen)
        if status != deployment.status or marks:
            written = await tell(self._client, DEPLOYMENT, deployment, status, marks)
            self._controller.writes.note(key, self._deployments, written.metadata.resource_version)
        if done.error is not None:
            return Retry(done.error)
        after_s = seconds_left(deployment, status, now)
        return Progress(after_s) if after_s is not None else DONE

    def _marks(self, seen: Seen) -> dict[str, str]:
        """The revision, as `kubectl rollout` reads it."""
        revision = seen.new.metadata.annotations.get(REVISION, "") if seen.new is not None else ""
        is_told = not revision or seen.deployment.metadata.annotations.get(REVISION) == revision
        return {} if is_told else {REVISION: revision}


def _new_set(deployment: Deployment, name: str, action: Make) -> dict[str, Any]:
    """A ReplicaSet of the present template, whose Pods bear its name and no other one's."""
    template, selector = read(deployment.spec.template), dict(deployment.spec.selector)
    metadata = template.setdefault("metadata", {})
    metadata["labels"] = {**(metadata.get("labels") or {}), HASH_LABEL: name}
    selector["matchLabels"] = {**(selector.get("matchLabels") or {}), HASH_LABEL: name}
    meta = deployment.metadata
    return {
        "metadata": {
            "name": f"{meta.name}-{name}",
            "namespace": meta.namespace,
            "labels": metadata["labels"],
            "annotations": dict(action.annotations),
            "ownerReferences": [reference_to(DEPLOYMENT, deployment)],
        },
        "spec": {
            "replicas": action.replicas,
            "minReadySeconds": deployment.spec.min_ready_seconds,
            "selector": selector,
            "template": template,
        },
    }
