"""Which keys come first when there are more than workers: who is not well, then who moves or goes, then who is made."""

from __future__ import annotations

from homeostat.api.cluster.v1alpha1 import Cluster
from homeostat.operators.cluster import words
from homeostat.operators.cluster.ending import is_ending
from homeostat.runtime.conditions import find_condition
from homeostat.runtime.queue import Priority

_VITAL = (words.ETCD_READY, words.API_SERVER_READY, words.AVAILABLE)


def urgency(cluster: Cluster | None, asked: Priority) -> Priority:
    """The priority of a Cluster's key, whatever it was woken by."""
    if cluster is None:
        return asked
    status = cluster.status
    if is_ending(cluster):
        return min(asked, Priority.CHANGE)
    if status.ready_at is None:
        return max(asked, Priority.LATER)
    if any(_is_false(cluster, type_) for type_ in _VITAL):
        return Priority.URGENT
    is_moving = status.upgrade is not None and status.upgrade.component != ""
    return min(asked, Priority.CHANGE) if is_moving else asked


def _is_false(cluster: Cluster, type_: str) -> bool:
    told = find_condition(cluster.status.conditions, type_)
    return told is not None and told.status == "False"
