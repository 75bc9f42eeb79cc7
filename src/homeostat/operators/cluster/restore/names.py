"""What the objects of a restore are called, and how they are marked."""

from __future__ import annotations

from homeostat.api.cluster.restoring import ClusterRestoreStatus
from homeostat.operators.cluster.names import Names

COMPONENT = "etcd-restore"
ATTEMPT_ANNOTATION = "cluster.homeostat.dev/restore"
OFFER_ANNOTATION = "cluster.homeostat.dev/offer"


def attempt_of(restore: ClusterRestoreStatus) -> str:
    """Names one restore of one Cluster: in annotations, in directories, and as the new token of its members."""
    return f"{restore.number}-{restore.snapshot}"


def pod_name(member: str) -> str:
    """The Pod that restores a member."""
    return f"{member}-restore"


def secret_name(names: Names) -> str:
    """The Secret by which these Pods get the snapshot."""
    return f"{names.etcd}-restore"
