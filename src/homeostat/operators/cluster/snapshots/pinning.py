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
        *(each.snapshot for each in wishes),
    )
    return frozenset(each for each in named if each)


class Wished(Struct, frozen=True):
    """A snapshot that a new Cluster is to begin with."""

    snapshot: str
    by: str  # namespace/name of that Cluster
    since: datetime | None


def wished(cluster: Cluster, all_clusters: Iterable[Cluster]) -> tuple[Wished, ...]:
    """Of its snapshots those that new Clusters are to begin with: they may wait for their turn, or for their owner."""
    waiting = (
        each for each in all_clusters if each.status.ready_at is None and each.metadata.deletion_timestamp is None
    )
    return tuple(
        Wished(wish.snapshot, each.metadata.key, each.metadata.creation_timestamp)
        for each in waiting
        if (wish := each.spec.restore_from) is not None and wish.cluster.uid == cluster.metadata.uid
    )
