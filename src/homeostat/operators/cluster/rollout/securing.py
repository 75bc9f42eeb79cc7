"""The snapshot before an upgrade: the first master moves only when what is there before is safe. Pure.

The wish to have one is told by the condition UpToDate; the backup loop reads it there, and takes the snapshot. One
counts when it was begun after the spec last changed, so nothing that was written before the wish can be lost, and when
it is fresh. What goes back to what was complete before waits for nobody, nor does a third wish in the middle of a move:
the snapshot from before its first step is still the one to have.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from homeostat.api.cluster.upgrades import ClusterUpgradeStatus
from homeostat.api.cluster.v1alpha1 import Cluster
from homeostat.operators.cluster import words
from homeostat.operators.cluster.actions import Verdict
from homeostat.runtime.conditions import find_condition

FRESH = timedelta(minutes=30)
_WAITING = (words.AWAITING_SNAPSHOT, words.UPGRADE_UNSECURED)


def unsecured(cluster: Cluster, store: str, now: datetime) -> Verdict | None:
    """Why the first master may not move yet; None: it may."""
    policy, backup = cluster.spec.upgrade_policy.snapshot, cluster.status.backup
    if not store:
        return without_store(cluster)
    if securing(cluster, now):
        return None
    failure = backup.failure if backup is not None else None
    if failure is None or failure.generation < cluster.metadata.generation:
        return Verdict(words.AWAITING_SNAPSHOT, "a snapshot of etcd is taken before anything moves")
    if policy == "BestEffort":
        return None
    what = "no snapshot could be taken before anything moves"
    return Verdict(words.UPGRADE_UNSECURED, f"{what}, tried again at {failure.retry_at:%FT%TZ}: {failure.message}")


def without_store(cluster: Cluster) -> Verdict | None:
    """Why nothing may move in a cell that keeps no snapshots; None: it may."""
    if cluster.spec.upgrade_policy.snapshot != "Required":
        return None
    return Verdict(
        words.UPGRADE_UNSECURED,
        "spec.upgradePolicy.snapshot is Required, and this cell has no store of snapshots; configure one, or declare"
        " BestEffort",
    )


def is_at_rest(upgrade: ClusterUpgradeStatus | None) -> bool:
    """Whether no move is under way, be it that one failed."""
    return upgrade is None or (upgrade.failed_version != "" and not upgrade.component)


def is_first_move(cluster: Cluster, to: str) -> bool:
    """Whether nothing has moved yet on the way to another package version."""
    return is_at_rest(cluster.status.upgrade) and to != cluster.status.package_version


def securing(cluster: Cluster, now: datetime) -> str:
    """The snapshot that an upgrade can begin with; empty: there is none."""
    last = cluster.status.backup.last if cluster.status.backup is not None else None
    if last is None or last.generation < cluster.metadata.generation or now - last.taken_at > FRESH:
        return ""
    return last.id


def awaits_snapshot(cluster: Cluster, now: datetime) -> bool:
    """Whether an upgrade waits for a snapshot that is not there yet."""
    told = find_condition(cluster.status.conditions, words.UP_TO_DATE)
    return told is not None and told.reason in _WAITING and not securing(cluster, now)
