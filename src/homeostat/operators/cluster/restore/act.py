"""One idempotent function per action of a restore; what cannot be taken back is looked at again right before."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from homeostat.api.cluster.v1alpha1 import CLUSTER, Cluster
from homeostat.api.core import SECRET, Secret
from homeostat.kit.clock import Clock
from homeostat.kit.pki.authority import Damaged
from homeostat.kit.pki.soundness import decoded
from homeostat.kube.client import Client
from homeostat.kube.errors import AlreadyExists, NotFound
from homeostat.operators.cluster.actions import Wrote
from homeostat.operators.cluster.backup.errors import SnapshotError
from homeostat.operators.cluster.backup.listing import Entry
from homeostat.operators.cluster.backup.manifest import ClusterRef
from homeostat.operators.cluster.components import made_of
from homeostat.operators.cluster.ending import is_ending
from homeostat.operators.cluster.hosts import is_host_ready
from homeostat.operators.cluster.manifests.shape import Desired, Inputs
from homeostat.operators.cluster.names import FIELD_MANAGER
from homeostat.operators.cluster.observe import Memory, Observed
from homeostat.operators.cluster.pki.material import ENCRYPTION_KEY, check_keys, name_of
from homeostat.operators.cluster.restore import manifests
from homeostat.operators.cluster.restore.actions import (
    AskSnapshots,
    Clear,
    FetchSnapshot,
    RestoreAction,
    RestoreMember,
)
from homeostat.operators.cluster.restore.beginning import owner_of
from homeostat.operators.cluster.restore.names import attempt_of
from homeostat.operators.cluster.restore.ports import Busy, RestoreTools
from homeostat.operators.cluster.restore.seen import HandedSeen, SnapshotsSeen
from homeostat.runtime.outcome import DONE, Outcome, Progress

_AGAIN_S = 5.0
NO_STORE = (
    "this operator has no store of snapshots, or nothing to hand them out by; start it with --snapshot-store,"
    " --snapshot-keys and --image"
)


class RestoreActor:
    """Carries out the actions of restores."""

    def __init__(
        self, client: Client, tools: RestoreTools | None, memory: Callable[[str], Memory], *, clock: Clock
    ) -> None:
        self._client = client
        self._tools = tools
        self._memory = memory
        self._clock = clock

    async def act(self, seen: Observed, action: RestoreAction) -> Outcome:
        """Do one thing."""
        match action:
            case AskSnapshots():
                self._know(seen, await self._ask(action, seen.names.namespace))
            case FetchSnapshot(owner=owner, snapshot=snapshot):
                return await self._fetch(seen, owner, snapshot)
            case RestoreMember(member=member):
                return await self._restore(seen, member)
            case Clear():
                return await self._clear(seen, action)
        return DONE

    async def _ask(self, asked: AskSnapshots, namespace: str) -> SnapshotsSeen:
        """The answer, or why there is none, which another try in a minute may change."""
        owner, snapshot = asked.owner, asked.snapshot
        if self._tools is None:
            return SnapshotsSeen(self._clock.now(), owner, snapshot, failure=NO_STORE)
        sound: tuple[Entry, ...] = ()
        manifest, failure, key = None, "", ""
        try:
            listed = await self._tools.store.list(owner)
            sound = tuple(entry for entry in listed if entry.is_sound)
            if asked.keys:
                key, failure = await self._kept_key(asked.keys, namespace)
            manifest = await self._tools.store.manifest(owner, snapshot) if snapshot and not failure else None
        except SnapshotError as error:
            failure = str(error)
        return SnapshotsSeen(self._clock.now(), owner, snapshot, sound, manifest, key, failure)

    async def _kept_key(self, name: str, namespace: str) -> tuple[str, str]:
        """The name of the key of Secrets among the keys of a former cluster, or else what is wrong with them."""
        try:
            entries = decoded((await self._client.get(SECRET, name, namespace)).data)
            check_keys(entries)
        except NotFound:
            missing = f"there is no Secret {name} in {namespace}; copy the former cluster's Secret of keys there"
            return "", f"keysFrom: {missing}"
        except Damaged as error:
            return "", f"keysFrom: Secret {name}: {error}; it must hold what the Secret of keys of a cluster holds"
        key = entries.get(ENCRYPTION_KEY, b"")
        return name_of(key) if key else "", ""

    async def _fetch(self, seen: Observed, owner: ClusterRef, snapshot: str) -> Outcome:
        if self._tools is None:
            self._know(seen, SnapshotsSeen(self._clock.now(), owner, snapshot, failure=NO_STORE))
            return Progress(_AGAIN_S, NO_STORE)
        try:
            offer = await self._tools.handout.offer(seen.cluster.metadata.uid, owner, snapshot)
        except Busy as error:
            return Progress(_AGAIN_S, str(error))
        except SnapshotError as error:
            self._know(seen, SnapshotsSeen(self._clock.now(), owner, snapshot, failure=str(error)))
            return Progress(_AGAIN_S, str(error))
        self._memory(seen.cluster.metadata.uid).handed = HandedSeen(owner, snapshot, offer.digest)
        return DONE

    async def _restore(self, seen: Observed, member: str) -> Outcome:
        """The Secret first, then the claim, then the Pod; what is there already is left as it is."""
        restore = seen.cluster.status.restore
        if restore is None or self._tools is None or not await self._is_still_so(seen):
            return Progress(_AGAIN_S, f"{member} is not to be restored any more")
        uid = seen.cluster.metadata.uid
        offer = self._tools.handout.offered(uid, owner_of(restore), restore.snapshot)
        if offer is None:
            self._memory(uid).handed = None
            return Progress(_AGAIN_S, f"snapshot {restore.snapshot} is not at hand any more")
        inputs = Inputs(seen.cluster, made_of(seen), seen.names, seen.endpoint, {})
        self._memory(uid).rewriting = None  # what was written anew by a rotation is not in the snapshot
        secret = manifests.secret(inputs, offer)
        applied: Secret = await self._client.apply(secret.kind, secret.body, force=True, field_manager=FIELD_MANAGER)
        wrote = [(SECRET.resource.kind, applied.metadata.resource_version)]
        if not any(claim.metadata.name == f"data-{member}" for claim in seen.claims):
            wrote += await self._create(manifests.claim(inputs, member))
        wrote += await self._create(manifests.pod(inputs, member, restore, offer, self._tools.image))
        return Wrote(tuple(wrote))

    async def _create(self, desired: Desired) -> list[tuple[str, str]]:
        """What our caches are to show before the next look: what was made, or what another process has made before."""
        kind, metadata = desired.kind, desired.body["metadata"]
        try:
            made = await self._client.create(kind, desired.body, metadata["namespace"], field_manager=FIELD_MANAGER)
        except AlreadyExists:
            try:
                made = await self._client.get(kind, metadata["name"], metadata["namespace"])
            except NotFound:  # it is gone again
                return []
        return [(kind.resource.kind, made.metadata.resource_version)]

    async def _clear(self, seen: Observed, action: Clear) -> Outcome:
        """With the Secret goes what it leads to: nobody needs the plain snapshot any more."""
        if not await self._is_still_so(seen):
            return Progress(_AGAIN_S, f"{action.name} is not in the way of a restore any more")
        if action.away and await is_host_ready(self._client, action.away):
            return Progress(_AGAIN_S, f"{action.name} is not given up: its host {action.away} is ready again")
        with suppress(NotFound):  # that it is gone is what is wanted
            grace_s = 0 if action.away else None
            await self._client.delete(action.kind, action.name, seen.names.namespace, uid=action.uid, grace_s=grace_s)
        if action.kind is SECRET and self._tools is not None:
            await self._tools.handout.withdraw(seen.cluster.metadata.uid)
            self._memory(seen.cluster.metadata.uid).handed = None
        return DONE

    async def _is_still_so(self, seen: Observed) -> bool:
        """Whether the restore is, by the API's own word, where it was when this was planned."""
        cluster: Cluster = await self._client.get(CLUSTER, seen.cluster.metadata.name, seen.names.namespace)
        is_held = cluster.spec.paused or is_ending(cluster)
        return not is_held and _standing(cluster) == _standing(seen.cluster)

    def _know(self, seen: Observed, what: SnapshotsSeen) -> None:
        self._memory(seen.cluster.metadata.uid).snapshots = what


def _standing(cluster: Cluster) -> tuple[str, str, str]:
    """Where a restore of this very Cluster is."""
    restore = cluster.status.restore
    return (cluster.metadata.uid, attempt_of(restore), restore.stage) if restore else (cluster.metadata.uid, "", "")
