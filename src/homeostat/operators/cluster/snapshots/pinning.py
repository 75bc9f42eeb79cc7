"""Which snapshots must stay, whatever the policy of their cluster says. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct

from homeostat.api.cluster.v1alpha1 import Cluster
from homeostat.operators.cluster.restore.beginning import is_under_way


def pinned(cluster: Cluster, wishes: Iterable[Wished] = ()) -> frozenset[str]:
    """Of a cluster's own snapshots those that something under way, or a way back that the status names, may need."""
    emulation = cluster.status.emulation
    upgrade, restore, loss = cluster.status.upgrade, cluster.status.restore, cluster.status.quorum_loss
    named = (
        upgrade.snapshot if upgrade is not None else "",
        emulation.snapshot if emulation is not None else "",
        restore.snapshot if restore is not None and is_under_way(cluster) else "",
        loss.newest_snapshot if loss is not None else "",
        cluster.spec.healing.approve_restore,
        _sound(cluster),
        *(each.snapshot for each in wishes),
    )
    return frozenset(each for each in named if each)


def _sound(cluster: Cluster) -> str:
    """The newest from when all members were last seen to agree: a later one may have been drawn from corrupt data."""
    etcd, backup = cluster.status.etcd, cluster.status.backup
    if etcd is None or etcd.agreed_at is None or backup is None:
        return ""
    known, agreed_at = backup.snapshots, etcd.agreed_at
    of_then = (each.id for each in known if not each.damaged and each.taken_at and each.taken_at <= agreed_at)
    return max(of_then, default="")  # ids sort by age


class Wished(Struct, frozen=True):
    """A snapshot that a new Cluster is to begin with."""

    snapshot: str
    by: str  # namespace/name of that Cluster
    since: datetime | None


WISHES_INDEX = "wishes"  # new Clusters by the uid of the one whose snapshot they are to begin with


def by_wish(cluster: Cluster) -> Iterable[str]:
    """An index."""
    wish = cluster.spec.restore_from
    return (wish.cluster.uid,) if wish is not None else ()


def wished(cluster: Cluster, others: Iterable[Cluster]) -> tuple[Wished, ...]:
    """Of its snapshots those that new Clusters are to begin with: they may wait for their turn, or for their owner."""
    waiting = (each for each in others if each.status.ready_at is None and each.metadata.deletion_timestamp is None)
    return tuple(
        Wished(wish.snapshot, each.metadata.key, each.metadata.creation_timestamp)
        for each in waiting
        if (wish := each.spec.restore_from) is not None and wish.cluster.uid == cluster.metadata.uid
    )
