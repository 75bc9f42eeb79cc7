"""One idempotent function per action. Each looks again at what it is about to change, right before it changes it."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from homeostat.api.cluster.v1alpha1 import CLUSTER, Cluster
from homeostat.api.core import PERSISTENT_VOLUME_CLAIM, POD, SECRET, Secret
from homeostat.api.kind import Kind
from homeostat.kit.clock import Clock
from homeostat.kit.pki.soundness import decoded
from homeostat.kube.client import Client
from homeostat.kube.errors import ApiError, Conflict, Forbidden, Invalid, NotFound
from homeostat.operators.cluster.actions import (
    Action,
    AddFinalizer,
    Applied,
    Apply,
    AskKubelets,
    Conflicted,
    Discard,
    IssueAuthority,
    IssueLeaf,
    Keep,
    Probed,
    ProbeEndpoint,
    ProbeFailed,
    Refused,
    Remove,
    RemoveFinalizer,
    RemoveMember,
    Wrote,
)
from homeostat.operators.cluster.ending import is_ending
from homeostat.operators.cluster.healing.healer import Healer, HealingAction
from homeostat.operators.cluster.healing.restart import note_leaders
from homeostat.operators.cluster.hosting.act import HostingActor
from homeostat.operators.cluster.hosting.actions import HostingAction
from homeostat.operators.cluster.hosts import is_host_ready
from homeostat.operators.cluster.manifests.shape import Desired
from homeostat.operators.cluster.names import (
    FIELD_MANAGER,
    FINALIZER,
    KUBECONFIG_KEY,
    NAME_LABEL,
    UID_LABEL,
    labels,
    owner,
)
from homeostat.operators.cluster.observe import KubeletsSeen, Memory, Observed, ProbeSeen, fingerprint
from homeostat.operators.cluster.pki import authority, leaves
from homeostat.operators.cluster.pki.material import material
from homeostat.operators.cluster.ports import Outside, Unreachable
from homeostat.operators.cluster.restore.act import RestoreActor
from homeostat.operators.cluster.restore.actions import RestoreAction
from homeostat.operators.cluster.turns.act import KeyAction, KeyActor
from homeostat.operators.cluster.upkeep.act import UpkeepActor
from homeostat.operators.cluster.upkeep.actions import UpkeepAction
from homeostat.runtime.finalizers import add_finalizer, remove_finalizer
from homeostat.runtime.outcome import DONE, Outcome, Progress

_APPLIES = 8  # at once, of all clusters: each takes a connection, which stays open for a while with its buffers
_CONFLICT_S = 30.0
_REFUSED_S = 30.0
_CORRUPT_AGAIN_S = 5.0
_PROBE_AGAIN_S = 1.0
_LEFT_AGAIN_S = 1.0
_KUBELETS_AGAIN_S = 5.0
_MADE_BY_OTHERS: tuple[Kind[Any], ...] = (PERSISTENT_VOLUME_CLAIM, POD)
_REFUSALS = (Forbidden, Invalid)  # trying again soon does not help; by quota, rights, policies or validation


class NameTaken(Exception):
    """A foreign object bears a name that we need."""


class Actor:
    """Carries out actions on the cell."""

    def __init__(self, client: Client, outside: Outside, memory: Callable[[str], Memory], *, clock: Clock) -> None:
        self._client = client
        self._healer = Healer(client, outside.probe, outside.etcd, memory, clock=clock)
        self._keys = KeyActor(client, outside.probe, memory, clock=clock)
        self._restores = RestoreActor(client, outside.restoring, memory, clock=clock)
        self._upkeep = UpkeepActor(client, outside.upkeep, memory, clock=clock)
        self._hosting = HostingActor(client, outside.rights, memory, clock=clock)
        self._probe = outside.probe
        self._memory = memory
        self._clock = clock
        self._applying = asyncio.Semaphore(_APPLIES)

    async def act(self, seen: Observed, action: Action) -> Outcome:
        """Do one thing."""
        if isinstance(action, KeyAction):
            return await self._keys.act(seen, action)
        if isinstance(action, RemoveMember) and action.corrupt:
            held = await self._upkeep.still_deviates(seen, action)
            if held:
                return Progress(_CORRUPT_AGAIN_S, held)
        if isinstance(action, HealingAction):
            return await self._heal(seen, action)
        if isinstance(action, HostingAction):
            return await self._hosting.act(seen, action)
        if isinstance(action, RestoreAction):
            return await self._restores.act(seen, action)
        if isinstance(action, UpkeepAction):
            return await self._upkeep.act(seen, action)
        try:
            return await self._do(seen, action)
        except NameTaken as error:
            return Conflicted(_CONFLICT_S, str(error))

    async def _heal(self, seen: Observed, action: HealingAction) -> Outcome:
        """What may not be done to one master holds up nothing else; without its volume gone a Pod is not touched."""
        try:
            return await self._healer.act(seen, action)
        except _REFUSALS as error:
            if isinstance(action, Discard):
                raise
            return _refused([error])

    async def _do(self, seen: Observed, action: Action) -> Outcome:
        match action:
            case AddFinalizer():
                await add_finalizer(self._client, CLUSTER, seen.cluster, FINALIZER)
            case IssueAuthority():
                entries = await self._authorities(seen)
                return await self._create_secret(seen, seen.names.authority, "authority", entries)
            case IssueLeaf(leaf=leaf):
                return await self._issue_or_tell(seen, leaf)
            case Apply(objects=objects):
                return await self._apply_all(seen, objects)
            case Keep(objects=objects):
                self._keep(seen, objects)
            case ProbeEndpoint():
                return await self._ask(seen)
            case AskKubelets():
                return await self._ask_kubelets(seen)
            case Remove():
                return await self._remove(seen, action)
            case RemoveFinalizer():
                return await self._let_go(seen)
        return DONE

    async def _let_go(self, seen: Observed) -> Outcome:
        """Take the finalizer away, unless the cell has what our caches do not show.

        Claims and Pods are made by the cell's controllers, so that nothing parks us until their caches are as new.
        """
        for kind in _MADE_BY_OTHERS:
            left = await self._unseen(seen, kind)
            if left is not None:
                return left
        await remove_finalizer(self._client, CLUSTER, seen.cluster, FINALIZER)
        return DONE

    async def _unseen(self, seen: Observed, kind: Kind[Any]) -> Progress | None:
        """What to wait for when the cell has more of a kind than our caches show, which show none."""
        mark = f"{UID_LABEL}={seen.cluster.metadata.uid}"
        found = await self._client.list(kind, seen.cluster.metadata.namespace, labels=mark)
        if not found.items:
            return None
        names = ", ".join(each.metadata.name for each in found.items)
        return Progress(_LEFT_AGAIN_S, f"{kind.resource.kind} {names}, which is not in our caches yet")

    def _keep(self, seen: Observed, objects: tuple[Desired, ...]) -> None:
        known = self._memory(seen.cluster.metadata.uid).applied
        for desired in objects:
            mark = desired.object
            known[mark] = (desired.digest, seen.live[mark].fingerprint)

    async def _apply_all(self, seen: Observed, objects: tuple[Desired, ...]) -> Outcome:
        """Side by side; the first failure is told when all have ended, so that none is cut off in the middle.

        An object that the cell refuses holds up no other one, nor what is done beside: healing, probes.
        """
        if any(desired.object not in seen.live for desired in objects):
            await self._require_alive(seen)
        results = await asyncio.gather(*(self._in_turn(seen, desired) for desired in objects), return_exceptions=True)
        refused = [result for result in results if isinstance(result, _REFUSALS)]
        taken = next((result for result in results if isinstance(result, NameTaken)), None)
        for result in results:
            if isinstance(result, BaseException) and not isinstance(result, (*_REFUSALS, NameTaken)):
                raise result
        done = [result for result in results if not isinstance(result, BaseException)]
        versions = tuple(wrote for wrote, _ in done)
        if taken is not None:
            return Conflicted(_CONFLICT_S, str(taken), versions)
        put_back = tuple(" ".join(mark) for _, mark in done if mark is not None)
        return _refused(refused, versions, put_back) if refused else Applied(versions=versions, put_back=put_back)

    async def _in_turn(self, seen: Observed, desired: Desired) -> tuple[tuple[str, str], tuple[str, str] | None]:
        async with self._applying:
            return await self._apply(seen, desired)

    async def _apply(self, seen: Observed, desired: Desired) -> tuple[tuple[str, str], tuple[str, str] | None]:
        """What was written, and which object others had changed; None when it was as declared, or is declared anew."""
        mark, body = desired.object, desired.body
        if mark not in seen.live:
            await self._require_ours(seen.cluster, desired.kind, desired.name)
        else:  # what is gone by now is not made anew for what our caches show
            body = {**body, "metadata": {**body["metadata"], "uid": seen.live[mark].uid}}
        try:
            done = await self._client.apply(desired.kind, body, force=True, field_manager=FIELD_MANAGER)
        except Invalid:
            done = await self._replace_lists(seen, desired)
        left = (desired.digest, fingerprint(done))
        self._memory(seen.cluster.metadata.uid).applied[mark] = left
        live, before = seen.live.get(mark), seen.applied.get(mark)
        is_edited = live is None or live.fingerprint != left[1]
        is_put_back = is_edited and before is not None and before[0] == desired.digest
        return (mark[0], done.metadata.resource_version), mark if is_put_back else None

    async def _replace_lists(self, seen: Observed, desired: Desired) -> Any:
        """What others put into our lists can make them invalid (two ports of one name): then the lists are ours whole.

        An apply only adds to such lists and changes entries of the same key; a merge patch replaces them.
        """
        found = await self._require_ours(seen.cluster, desired.kind, desired.name)
        content = {field: value for field, value in desired.body.items() if field not in ("apiVersion", "kind")}
        patch = {**content, "metadata": {"uid": found.metadata.uid if found else ""}}
        where = seen.names.namespace
        await self._client.merge_patch(desired.kind, desired.name, patch, where, field_manager=FIELD_MANAGER)
        return await self._client.apply(desired.kind, desired.body, force=True, field_manager=FIELD_MANAGER)

    async def _require_alive(self, seen: Observed) -> None:
        """Nothing is made for a Cluster that somebody removes: it might come after all others are gone, and stay."""
        now = await self._client.get(CLUSTER, seen.cluster.metadata.name, seen.names.namespace)
        if now.metadata.uid != seen.cluster.metadata.uid or is_ending(now):
            raise Conflict(409, "Conflict", f"{now.metadata.key} is being deleted: look again")

    async def _require_ours(self, cluster: Cluster, kind: Any, name: str) -> Any | None:
        """The object of that name, if it is ours; None when there is none. Raises NameTaken when it is foreign."""
        try:
            found = await self._client.get(kind, name, cluster.metadata.namespace)
        except NotFound:
            return None
        uid = cluster.metadata.uid
        owners = {reference.uid for reference in found.metadata.owner_references}
        if uid not in owners and found.metadata.labels.get(UID_LABEL) != uid:
            raise NameTaken(
                f"{kind.resource.kind} {found.metadata.key} is not of this Cluster and is not touched; remove or rename"
                " it, or give the Cluster another name"
            )
        return found

    async def _authorities(self, seen: Observed) -> dict[str, bytes]:
        """New ones; or those of the former cluster whose snapshot this one begins with, if they were kept."""
        entries, wish = authority.new_authorities(self._clock.now()), seen.cluster.spec.restore_from
        if wish is None or not wish.keys_from:
            return entries
        kept = await self._client.get(SECRET, wish.keys_from, seen.names.namespace)
        return {**entries, **decoded(kept.data)}

    async def _create_secret(self, seen: Observed, name: str, component: str, entries: Mapping[str, bytes]) -> Outcome:
        """Create, never overwrite: an authority that another process made a moment ago is the one that counts."""
        if await self._is_there(seen, name, component):
            return DONE
        body = self._secret(seen.cluster, name, component, entries)
        return _wrote(await self._client.create(SECRET, body, seen.names.namespace, field_manager=FIELD_MANAGER))

    async def _is_there(self, seen: Observed, name: str, component: str) -> bool:
        """Whether there is a Secret of ours that was out of sight: made a moment ago by another process, which counts
        as much as we do, or without its labels, which it is given back; it is seen soon.
        """
        found: Secret | None = await self._require_ours(seen.cluster, SECRET, name)
        if found is None:
            return False
        wanted = labels(seen.cluster, component)
        if all(found.metadata.labels.get(key) == wanted[key] for key in (NAME_LABEL, UID_LABEL)):
            return (SECRET.resource.kind, name) not in seen.live
        patch = {"metadata": {"uid": found.metadata.uid, "labels": wanted}}
        await self._client.merge_patch(SECRET, name, patch, seen.names.namespace, field_manager=FIELD_MANAGER)
        return True

    async def _issue_or_tell(self, seen: Observed, leaf: leaves.Leaf) -> Outcome:
        """A certificate that cannot be kept holds up nothing but the masters that would be made with it."""
        try:
            return await self._issue(seen, leaf)
        except _REFUSALS as error:
            return _refused([error])

    async def _issue(self, seen: Observed, leaf: leaves.Leaf) -> Outcome:
        """Sign with the authority as it is now, not as a cache remembers it."""
        top: Secret = await self._client.get(SECRET, seen.names.authority, seen.names.namespace)
        await self._require_ours(seen.cluster, SECRET, seen.names.authority)
        if await self._is_there(seen, leaf.name, leaf.component):
            return DONE
        going = seen.cluster.status.rotation
        keys = material(decoded(top.data), going.keys if going else "", going.stage if going else "")
        entries = leaves.make(leaf, keys, self._clock.now())
        body = self._secret(seen.cluster, leaf.name, leaf.component, entries)
        return _wrote(await self._client.apply(SECRET, body, force=True, field_manager=FIELD_MANAGER))

    async def _ask(self, seen: Observed) -> Outcome:
        memory = self._memory(seen.cluster.metadata.uid)
        last, now = memory.probed, self._clock.now()
        if last is not None and not last.version and now < last.at + timedelta(seconds=_PROBE_AGAIN_S):
            # Something else woke us; the endpoint is not asked more often for that.
            return ProbeFailed((last.at - now).total_seconds() + _PROBE_AGAIN_S, last.message)
        try:
            told = await self._probe.probe(memory.admin.data)
        except Unreachable as error:
            memory.probed = ProbeSeen(self._clock.now(), "", str(error))
            memory.leaders.clear()  # nobody can renew a Lease meanwhile, so how old one is says nothing of who holds it
            return ProbeFailed(_PROBE_AGAIN_S, str(error))
        note_leaders(memory, told, self._clock.now())
        memory.probed = ProbeSeen(self._clock.now(), told.version, refused=told.refused)
        return Probed(version=told.version, refused=told.refused)

    async def _ask_kubelets(self, seen: Observed) -> Outcome:
        secret = await self._client.get(SECRET, seen.names.admin, seen.names.namespace)
        try:
            versions = await self._probe.kubelets(decoded(secret.data).get(KUBECONFIG_KEY, b""))
        except Unreachable as error:
            return Progress(_KUBELETS_AGAIN_S, str(error))
        meta = seen.cluster.metadata
        self._memory(meta.uid).kubelets = KubeletsSeen(self._clock.now(), versions, meta.generation)
        return DONE

    async def _remove(self, seen: Observed, action: Remove) -> Outcome:
        """Only while the Cluster is still being deleted, and only the very object that was seen.

        Volumes go when no Pod is left, also none that our caches do not show.
        """
        cluster = await self._client.get(CLUSTER, seen.cluster.metadata.name, seen.names.namespace)
        if cluster.metadata.uid != seen.cluster.metadata.uid or not is_ending(cluster):
            raise Conflict(409, "Conflict", f"{cluster.metadata.key} is not being deleted any more: look again")
        if action.away and await is_host_ready(self._client, action.away):
            raise Conflict(
                409, "Conflict", f"{action.name} is not given up: its host {action.away} is ready: look again"
            )
        users = await self._unseen(seen, POD) if action.kind is PERSISTENT_VOLUME_CLAIM else None
        if users is not None:
            return users
        grace_s = 0 if action.away else None
        try:
            await self._client.delete(action.kind, action.name, seen.names.namespace, uid=action.uid, grace_s=grace_s)
        except NotFound:
            return DONE
        return DONE

    def _secret(self, cluster: Cluster, name: str, component: str, entries: Mapping[str, bytes]) -> dict[str, Any]:
        return {
            "metadata": {
                "name": name,
                "namespace": cluster.metadata.namespace,
                "labels": labels(cluster, component),
                "ownerReferences": [owner(cluster)],
            },
            "type": "Opaque",
            "data": {entry: b64encode(content).decode() for entry, content in sorted(entries.items())},
        }


def _refused(
    errors: Sequence[ApiError], versions: tuple[tuple[str, str], ...] = (), put_back: tuple[str, ...] = ()
) -> Refused:
    """What is told of objects that the cell does not take: each error names its verb and its object."""
    why = "; ".join(dict.fromkeys(map(str, errors)))
    is_forbidden = any(isinstance(error, Forbidden) for error in errors)
    return Refused(_REFUSED_S, why, versions=versions, put_back=put_back, is_forbidden=is_forbidden)


def _wrote(secret: Secret) -> Wrote:
    return Wrote(((SECRET.resource.kind, secret.metadata.resource_version),))
