"""The loop of StatefulSets: keeps revisions, decides about Pods, makes and ends them, and says how far it is."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from homeostat.kube.client import Client
from homeostat.kube.errors import AlreadyExists, ApiError, Invalid, KubeError, NotFound
from homeostat.runtime.manager import Manager
from homeostat.runtime.outcome import DONE, Outcome, Progress, Retry
from homeostat.sim.world.controllers.loops import loop
from homeostat.sim.world.controllers.statefulsets.deciding import Action, End, Make, Provide, Seen, decide
from homeostat.sim.world.controllers.statefulsets.identity import (
    claim_stem,
    claim_stems,
    claims_of,
    numbered_pod,
    ordinal_of,
    revision_of,
)
from homeostat.sim.world.controllers.statefulsets.retaining import changed_owners, owner_of_claims
from homeostat.sim.world.controllers.statefulsets.telling import status_of
from homeostat.sim.world.controllers.terminating import is_of_ending_namespace
from homeostat.sim.world.controllers.workloads.ending import Ending
from homeostat.sim.world.controllers.workloads.owning import (
    BY_CONTROLLER,
    BY_NAMESPACE,
    Note,
    by_controller,
    by_namespace,
    children_of,
    owners_of,
)
from homeostat.sim.world.controllers.workloads.pods import is_active, soonest_s
from homeostat.sim.world.controllers.workloads.revisions import Revisions, in_order, template_in
from homeostat.sim.world.controllers.workloads.telling import MANAGER, tell
from homeostat.sim.world.kinds.pods import POD, Pod
from homeostat.sim.world.kinds.volumes import CLAIM, Claim
from homeostat.sim.world.kinds.workloads import CONTROLLER_REVISION, STATEFUL_SET, ControllerRevision, StatefulSet

HASH = "controller.kubernetes.io/hash"
_BY_CLAIMS = "claims"


class ClaimEnding(Exception):
    """A Pod cannot be made before the claim of its name is gone."""


def add_stateful_sets(manager: Manager, client: Client) -> None:
    """Keep the Pods, claims and revisions of StatefulSets."""
    StatefulSets(manager, client)


class StatefulSets:
    """Works on one StatefulSet at a time."""

    def __init__(self, manager: Manager, client: Client) -> None:
        self._client = client
        self._clock = manager.clock
        sets = manager.informer(client, STATEFUL_SET, indexes={BY_NAMESPACE: by_namespace, _BY_CLAIMS: claim_stems})
        pods = manager.informer(client, POD, indexes={BY_CONTROLLER: by_controller})
        revisions = manager.informer(client, CONTROLLER_REVISION, indexes={BY_CONTROLLER: by_controller})
        claims = manager.informer(client, CLAIM)
        self._sets, self._pods, self._claims, self._revisions = sets.store, pods.store, claims.store, revisions.store
        self._ending = Ending(client)
        self._history = Revisions(client, STATEFUL_SET, revisions.store, HASH)
        self._controller = loop(manager, "statefulset", self._reconcile, workers=4)
        self._controller.watch(sets)
        self._controller.watch(pods, owners_of(STATEFUL_SET, sets.store))
        self._controller.watch(revisions, owners_of(STATEFUL_SET, sets.store))
        self._controller.watch(claims, self._having, when=lambda _, new: new is None)
        sets.add_handler(self._forget_set)
        revisions.add_handler(self._history.forget)

    def _having(self, claim: Claim) -> Iterable[str]:
        """The sets that give claims such names."""
        stem = claim_stem(claim.metadata.key)
        return [each.metadata.key for each in self._sets.by_index(_BY_CLAIMS, stem)]

    def _forget_set(self, old: StatefulSet | None, new: StatefulSet | None, _: object) -> None:
        if new is None and old is not None:
            self._history.forget_owner(old)
            self._ending.forget(old.metadata.key)

    async def _reconcile(self, key: str) -> Outcome:
        owner = self._sets.get(key)
        if owner is None or owner.metadata.deletion_timestamp is not None:
            return DONE

        def note(store: Any, version: str) -> None:
            self._controller.writes.note(key, store, version)

        pods = await children_of(
            self._client,
            STATEFUL_SET,
            owner,
            POD,
            self._pods,
            note,
            lambda pod: ordinal_of(owner, pod.metadata.name) is not None,
        )
        revisions = await children_of(self._client, STATEFUL_SET, owner, CONTROLLER_REVISION, self._revisions, note)
        if pods is None or revisions is None:
            return DONE
        try:
            return await self._worked(key, owner, pods, in_order(revisions), note)
        except ApiError as error:
            if is_of_ending_namespace(error):
                return DONE  # with its namespace
            raise

    async def _worked(
        self, key: str, owner: StatefulSet, pods: list[Pod], revisions: list[ControllerRevision], note: Note
    ) -> Outcome:
        collisions = owner.status.collision_count or 0
        update, collisions = await self._history.newest(owner, revisions, collisions, note)
        by_name = {each.metadata.name: each for each in revisions} | {update.metadata.name: update}
        current = by_name.get(owner.status.current_revision, update).metadata.name
        # The cache may not show yet which ones were asked to end.
        staying = {pod.metadata.uid for pod in self._ending.left(key, pods)}
        going = frozenset(pod.metadata.uid for pod in pods if pod.metadata.uid not in staying)
        seen = Seen(owner, tuple(pods), current, update.metadata.name, going, self._clock.now())
        made: list[Pod] = []
        error: Exception | None = None
        try:
            for pod in pods:
                await self._own(owner, pod, note)
            for action in decide(seen):
                await self._act(key, owner, action, by_name, made, note)
        except (KubeError, ClaimEnding) as failure:
            error = failure
        staying = {pod.metadata.uid for pod in self._ending.left(key, pods)}
        going = frozenset(pod.metadata.uid for pod in pods if pod.metadata.uid not in staying)
        after = Seen(owner, (*pods, *made), current, update.metadata.name, going, seen.now)
        status = status_of(after, collisions)
        if status != owner.status:
            written = await tell(self._client, STATEFUL_SET, owner, status)
            note(self._sets, written.metadata.resource_version)
        if isinstance(error, KubeError):
            return Retry(error)
        used = {current, update.metadata.name, *map(revision_of, pods)}
        await self._history.prune(revisions, used, owner.spec.revision_history_limit)
        after_s = soonest_s((pod for pod in pods if is_active(pod)), owner.spec.min_ready_seconds, seen.now)
        return Progress(after_s) if after_s is not None else DONE

    async def _act(
        self,
        key: str,
        owner: StatefulSet,
        action: Action,
        revisions: dict[str, ControllerRevision],
        made: list[Pod],
        note: Note,
    ) -> None:
        match action:
            case End(pod=pod):
                await self._ending.end(key, pod)
            case Provide(ordinal=ordinal):
                await self._provide(owner, ordinal)
            case Make(ordinal=ordinal, revision=revision):
                await self._provide(owner, ordinal)
                body = numbered_pod(owner, template_in(revisions[revision]), revision, ordinal)
                pod = await self._client.create(POD, body, owner.metadata.namespace, field_manager=MANAGER)
                note(self._pods, pod.metadata.resource_version)
                made.append(pod)

    async def _own(self, owner: StatefulSet, pod: Pod, note: Note) -> None:
        """Let the claims of a Pod go with whom they are to go."""
        ordinal = ordinal_of(owner, pod.metadata.name)
        if ordinal is None:
            return
        start = owner.spec.ordinals.start
        is_condemned = ordinal not in range(start, start + owner.spec.replicas)
        for body in claims_of(owner, ordinal):
            claim = self._claims.get(body["metadata"]["name"], owner.metadata.namespace)
            owners = changed_owners(claim, owner, pod, is_condemned=is_condemned) if claim is not None else None
            if claim is None or owners is None:
                continue
            meta = claim.metadata
            patch: list[dict[str, Any]] = [
                {"op": "test", "path": "/metadata/uid", "value": meta.uid},
                {"op": "test", "path": "/metadata/resourceVersion", "value": meta.resource_version},
                {"op": "add", "path": "/metadata/ownerReferences", "value": list(owners)},
            ]
            with suppress(NotFound, Invalid):  # another one by now; it is looked at again
                written = await self._client.json_patch(CLAIM, meta.name, patch, meta.namespace, field_manager=MANAGER)
                note(self._claims, written.metadata.resource_version)

    async def _provide(self, owner: StatefulSet, ordinal: int) -> None:
        """Make the claims of a Pod that are not there. Raises ClaimEnding."""
        reference = owner_of_claims(owner, None, is_condemned=False)
        for body in claims_of(owner, ordinal):
            if reference is not None:
                body["metadata"]["ownerReferences"] = [reference]
            name, namespace = body["metadata"]["name"], owner.metadata.namespace
            there = self._claims.get(name, namespace)
            if there is None:
                try:
                    await self._client.create(CLAIM, body, namespace, field_manager=MANAGER)
                except AlreadyExists:
                    continue
            elif there.metadata.deletion_timestamp is not None:
                raise ClaimEnding(f"pvc {name} is being deleted")
