"""Whether a Cluster is on its way out. One that is protected is cared for as if nobody had deleted it."""

from __future__ import annotations

from homeostat.api.cluster.v1alpha1 import Cluster

_IN_FOREGROUND = "foregroundDeletion"


def is_ending(cluster: Cluster) -> bool:
    """Whether it was deleted, and nothing holds that: its masters are removed, or gone already."""
    return cluster.metadata.deletion_timestamp is not None and not is_held(cluster)


def is_held(cluster: Cluster) -> bool:
    """Whether it was deleted although it is protected. What Kubernetes itself removes is not held by that."""
    meta = cluster.metadata
    is_taken = meta.deletion_timestamp is None or _IN_FOREGROUND in meta.finalizers
    return cluster.spec.deletion_protection and not is_taken
