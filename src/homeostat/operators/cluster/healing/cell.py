"""What is known of all clusters of a cell when one of them is to be mended: how many look sick, how many are mended.

Counted as Clusters change, so that a look at one cluster costs the same in a cell of ten thousand. Nothing is kept that
the Clusters do not say: after a restart of the operator the counts are the same as before.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct

from homeostat.api.cluster.v1alpha1 import Cluster
from homeostat.operators.cluster import words
from homeostat.runtime.conditions import find_condition


class CellPolicy(Struct, frozen=True):
    """How much may be mended in a cell at once, and when so much is wrong that the clusters are not the cause."""

    replacements: int = 3  # of etcd members that may begin within the window
    window: timedelta = timedelta(minutes=10)
    sick_share: float = 0.2  # of the clusters that were Ready once
    sick_at_least: int = 3  # few sick ones are no mass failure, however small the cell


class CellSeen(Struct, frozen=True):
    """The cell beside one cluster."""

    clusters: int = 1  # that were Ready once
    sick: int = 0
    recent: int = 0  # replacements of the window

    def is_frozen(self, policy: CellPolicy) -> bool:
        """Whether so many look sick at once that something else than their masters must be the matter."""
        return self.sick >= policy.sick_at_least and self.sick > policy.sick_share * self.clusters


class CellHealth:
    """The counts, kept up to date by `note`."""

    def __init__(self, policy: CellPolicy) -> None:
        self._policy = policy
        self._formed: set[str] = set()  # uids
        self._sick: set[str] = set()
        self._began: dict[str, datetime] = {}

    def note(self, old: Cluster | None, new: Cluster | None) -> None:
        """A Cluster came, changed or went."""
        if old is not None and (new is None or new.metadata.uid != old.metadata.uid):
            self._forget(old.metadata.uid)
        if new is not None:
            self._count(new)

    def look(self, now: datetime) -> CellSeen:
        """The counts as of now."""
        since = now - self._policy.window
        self._began = {uid: began for uid, began in self._began.items() if began > since}
        return CellSeen(len(self._formed), len(self._sick), len(self._began))

    def _count(self, cluster: Cluster) -> None:
        uid, healing = cluster.metadata.uid, cluster.status.healing
        _set(self._formed, uid, is_in=cluster.status.ready_at is not None)
        _set(self._sick, uid, is_in=_is_sick(cluster))
        if healing is not None and healing.last_started_at is not None:
            self._began[uid] = healing.last_started_at

    def _forget(self, uid: str) -> None:
        """What was begun for it still counts: masters of the cell were touched."""
        self._formed.discard(uid)
        self._sick.discard(uid)


def _is_sick(cluster: Cluster) -> bool:
    """Whether masters with data are not all well, and nobody is removing or moving them."""
    status = cluster.status
    if status.ready_at is None or cluster.metadata.deletion_timestamp is not None or cluster.spec.paused:
        return False
    told = (find_condition(status.conditions, type_) for type_ in (words.ETCD_READY, words.AVAILABLE))
    return any(condition is not None and condition.status == "False" for condition in told)


def _set(members: set[str], uid: str, *, is_in: bool) -> None:
    if is_in:
        members.add(uid)
    else:
        members.discard(uid)
