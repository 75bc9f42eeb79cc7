"""Whether a restore that somebody asked for may begin, and as what. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct

from homeostat.api.cluster.restoring import ClusterRestoreStatus, SnapshotOwner
from homeostat.api.cluster.v1alpha1 import Cluster
from homeostat.operators.cluster.backup.manifest import ClusterRef, Manifest
from homeostat.operators.cluster.components import made_of
from homeostat.operators.cluster.observe import Observed
from homeostat.operators.cluster.restore.actions import AskSnapshots
from homeostat.operators.cluster.restore.fitting import refusal, unreadable

FETCHING, STOPPING, RESTORING, STARTING = "Fetching", "Stopping", "Restoring", "Starting"
DONE, DROPPED = "Done", "Dropped"
ASKED_AGAIN = timedelta(seconds=60)  # how long an answer of the store's counts


class Judged(Struct, frozen=True):
    """One of these is set."""

    ask: AskSnapshots | None = None  # the store must be asked first
    refused: str = ""
    begins: ClusterRestoreStatus | None = None


def own(cluster: Cluster) -> ClusterRef:
    """This very Cluster, as snapshots name it."""
    return ClusterRef(cluster.metadata.namespace, cluster.metadata.name, cluster.metadata.uid)


def owner_of(status: ClusterRestoreStatus) -> ClusterRef:
    """The cluster that a restore's snapshot is of."""
    return reference(status.cluster)


def reference(owner: SnapshotOwner) -> ClusterRef:
    """As the store takes it. Raises ValueError."""
    return ClusterRef(owner.namespace, owner.name, owner.uid)


def is_under_way(cluster: Cluster) -> bool:
    """Whether a restore was decided, and is neither done nor dropped."""
    return cluster.status.restore is not None and cluster.status.restore.stage not in (DONE, DROPPED)


def judge(seen: Observed, owner: ClusterRef, snapshot: str, lost_at: datetime | None, now: datetime) -> Judged:
    """Whether a restore from this snapshot may begin; `lost_at` is when the quorum was lost, None of a new Cluster."""
    answer = seen.snapshots
    if answer is None or not answer.is_about(owner, snapshot) or now >= answer.at + ASKED_AGAIN:
        wish = seen.cluster.spec.restore_from
        keys = wish.keys_from if wish is not None and lost_at is None else ""
        return Judged(ask=AskSnapshots(owner, snapshot, keys))
    if answer.manifest is None:
        return Judged(refused=answer.failure)
    wrong = refusal(answer.manifest, made_of(seen)) or _unreadable(seen, answer.manifest, answer.secrets_key)
    if wrong:
        return Judged(refused=f"snapshot {snapshot}: {wrong}")
    before, taken_at = seen.cluster.status.restore, answer.manifest.taken_at
    return Judged(
        begins=ClusterRestoreStatus(
            snapshot=snapshot,
            cluster=SnapshotOwner(namespace=owner.namespace, name=owner.name, uid=owner.uid),
            number=before.number + 1 if before else 1,
            stage=FETCHING,
            started_at=now.replace(microsecond=0),
            stage_started_at=now.replace(microsecond=0),
            taken_at=taken_at,
            lost_seconds=lost_seconds(taken_at, lost_at),
        )
    )


def lost_seconds(taken_at: datetime | None, lost_at: datetime | None) -> int:
    """How much time's writes are in no snapshot."""
    if taken_at is None or lost_at is None:
        return 0
    return max(int((lost_at - taken_at).total_seconds()), 0)


def _unreadable(seen: Observed, manifest: Manifest, kept: str) -> str:
    """By the keys of the former cluster if this one is new, else by its own."""
    is_halfway = len(manifest.secrets_keys) > 1
    halfway = "it is from the middle of a rotation of that key: choose one from before or after it"
    if seen.cluster.spec.restore_from is not None and not seen.is_begun:
        remedy = halfway if is_halfway else "name the Secret that holds the former cluster's keys in keysFrom"
        return unreadable(manifest, (kept,) if kept else (), remedy)
    remedy = "it is from before or after a rotation of that key: choose another one"
    return unreadable(manifest, seen.authority.secrets_keys, halfway if is_halfway else remedy)
