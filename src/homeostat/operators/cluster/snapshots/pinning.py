"""Which snapshots must stay, whatever the policy of their cluster says. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from homeostat.api.cluster.v1alpha1 import Cluster
from homeostat.operators.cluster.restore.beginning import is_under_way


def pinned(cluster: Cluster) -> frozenset[str]:
    """Of a cluster's own snapshots those that something under way may still need."""
    upgrade, restore, loss = cluster.status.upgrade, cluster.status.restore, cluster.status.quorum_loss
    named = (
        upgrade.snapshot if upgrade is not None else "",
        restore.snapshot if restore is not None and is_under_way(cluster) else "",
        loss.newest_snapshot if loss is not None else "",
        cluster.spec.healing.approve_restore,
    )
    return frozenset(each for each in named if each)


def wished(cluster: Cluster, all_clusters: Iterable[Cluster]) -> frozenset[str]:
    """Of its snapshots those that new Clusters are to begin with: they may wait for their turn, or for their owner."""
    uid = cluster.metadata.uid
    wishes = (
        other.spec.restore_from
        for other in all_clusters
        if other.status.ready_at is None and other.metadata.deletion_timestamp is None
    )
    return frozenset(wish.snapshot for wish in wishes if wish is not None and wish.cluster.uid == uid)
