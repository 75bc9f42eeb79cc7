"""Taking one snapshot, from etcd's member to the store, and clearing the store of what is not kept any longer."""

from __future__ import annotations

from pathlib import Path

from homeostat.api.cluster.certificates import ClusterRotationStatus
from homeostat.api.cluster.v1alpha1 import CLUSTER, Cluster
from homeostat.api.core import SECRET
from homeostat.kit.clock import Clock
from homeostat.kit.pki.soundness import decoded
from homeostat.kube.client import Client
from homeostat.kube.errors import KubeError
from homeostat.operators.cluster.backup import errors
from homeostat.operators.cluster.backup.listing import Entry
from homeostat.operators.cluster.backup.manifest import ClusterRef, Manifest, Taken
from homeostat.operators.cluster.backup.ports import SnapshotStore
from homeostat.operators.cluster.backup.retention import Policy, retain
from homeostat.operators.cluster.names import names_of
from homeostat.operators.cluster.pki.material import secrets_keys
from homeostat.operators.cluster.pki.states import ENCRYPTION_KEY, TRUSTING
from homeostat.operators.cluster.ports import EtcdRefused, SnapshotSource, Unreachable
from homeostat.operators.cluster.reaching import etcd_access
from homeostat.operators.cluster.snapshots import words
from homeostat.operators.cluster.snapshots.decide import TakeSnapshot
from homeostat.operators.cluster.snapshots.outcomes import NotTaken, Took
from homeostat.operators.cluster.snapshots.trusting import distrust, trusted
from homeostat.operators.cluster.words import ETCD_CORRUPT, ETCD_UNREACHABLE

SCRATCH_PREFIX = "homeostat-"  # of files that are on their way; what a dead process left is known by it
_SOON_S = 0.1  # until what was told is looked at
_DELETED_AT_ONCE = 20  # the rest goes after the next snapshot: whoever lowers a policy holds up nobody
_REASONS: tuple[tuple[type[Exception], str], ...] = (
    (errors.StoreFull, words.STORE_FULL),
    (errors.StoreRefused, words.STORE_REFUSED),
    (errors.StoreUnreachable, words.STORE_UNREACHABLE),
    (errors.StoreWrong, words.STORE_WRONG),
    (errors.KeysUnusable, words.KEYS_UNUSABLE),
    (errors.LocalFileFailed, words.SCRATCH_FAILED),
    (Unreachable, ETCD_UNREACHABLE),
    (EtcdRefused, words.ETCD_REFUSED),
)


class Taker:
    """Takes snapshots; `scratch` is a directory of this process alone."""

    def __init__(
        self, client: Client, source: SnapshotSource, store: SnapshotStore, scratch: Path, *, clock: Clock
    ) -> None:
        self._client = client
        self._source = source
        self._store = store
        self._scratch = scratch
        self._clock = clock

    async def take(self, cluster: Cluster, action: TakeSnapshot) -> Took | NotTaken:
        """The store is tried out first: etcd is not read for a store that cannot take what it has.

        Where nobody knows which data is right, none is stored, and none goes.
        """
        corrupt = distrust(cluster)
        if corrupt:
            return NotTaken(_SOON_S, corrupt, reason=ETCD_CORRUPT)
        file = self._scratch / f"{SCRATCH_PREFIX}{cluster.metadata.uid}.db"
        try:
            await self._store.probe()
            manifest = await self._store_one(cluster, file)
        except (errors.SnapshotError, Unreachable, EtcdRefused, KubeError) as error:
            reason = next((word for kind, word in _REASONS if isinstance(error, kind)), words.SNAPSHOT_FAILED)
            return NotTaken(_SOON_S, str(error), reason=reason)
        finally:
            file.unlink(missing_ok=True)
        listed, trouble = await self._clear(cluster, action)
        return Took(_SOON_S, manifest=manifest, listed=listed, retention_failure=trouble)

    async def _store_one(self, cluster: Cluster, file: Path) -> Manifest:
        access = trusted(await etcd_access(self._client, cluster), cluster)
        keys = await self._keys(cluster)
        began = self._clock.now()  # all that was written before is in it
        drawn = await self._source.draw(access, file)
        # It takes as long as a rotation may need for a stage: whatever encrypted at either end may have done it.
        keys += await self._keys(await self._client.get(CLUSTER, cluster.metadata.name, cluster.metadata.namespace))
        first, other = (*dict.fromkeys(keys), "", "")[:2]
        taken = Taken(
            cluster=reference(cluster),
            etcd_version=drawn.etcd_version,
            kubernetes_version=cluster.status.kubernetes_version,
            package_version=cluster.status.package_version,
            revision=drawn.revision,
            taken_at=began,
            secrets_key=first,
            other_secrets_key=other,
        )
        try:
            return await self._store.put(file, taken)
        except errors.StoreUnreachable:
            return await self._put_again(file, taken)

    async def _keys(self, cluster: Cluster) -> tuple[str, ...]:
        """The names of the keys that Secrets are encrypted with at this moment; of a rotation it may be both."""
        going = cluster.status.rotation
        if going is None or going.keys != ENCRYPTION_KEY or _has_used_none(cluster, going):
            return (cluster.status.encryption_key,) if cluster.status.encryption_key else ()
        secret = await self._client.get(SECRET, names_of(cluster).authority, cluster.metadata.namespace)
        return secrets_keys(decoded(secret.data), going.keys, going.stage)

    async def _put_again(self, file: Path, taken: Taken) -> Manifest:
        """Once more; that it is there already means that only the answer was lost."""
        try:
            return await self._store.put(file, taken)
        except errors.AlreadyExists:
            return await self._store.manifest(taken.cluster, taken.id)

    async def _clear(self, cluster: Cluster, action: TakeSnapshot) -> tuple[tuple[Entry, ...] | None, str]:
        """What is in the store after those that are not kept went, and why some could not."""
        keep, ref = cluster.spec.backup.keep, reference(cluster)
        policy = Policy(last=keep.last, hourly=keep.hourly, daily=keep.daily, weekly=keep.weekly)
        try:
            listed = await self._store.list(ref)
        except errors.SnapshotError as error:
            return None, f"old snapshots are still there: {error}"
        surplus = retain(listed, policy, self._clock.now(), action.pinned).go[:_DELETED_AT_ONCE]
        gone: set[str] = set()
        try:
            for each in surplus:
                await self._store.delete(ref, each.id)
                gone.add(each.id)
        except errors.SnapshotError as error:
            trouble = f"old snapshots are still there: {error}"
        else:
            trouble = ""
        return tuple(entry for entry in listed if entry.id not in gone), trouble


def _has_used_none(cluster: Cluster, going: ClusterRotationStatus) -> bool:
    """Whether the new key is only known yet; on the way back it has encrypted what was written meanwhile."""
    return going.stage == TRUSTING and cluster.spec.keys.rotations.of(going.keys) == going.number


def reference(cluster: Cluster) -> ClusterRef:
    """Whose snapshots they are."""
    return ClusterRef(cluster.metadata.namespace, cluster.metadata.name, cluster.metadata.uid)
