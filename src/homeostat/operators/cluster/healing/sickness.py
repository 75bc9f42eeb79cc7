"""Which clusters fell sick at once: what many have in common is not the fault of their masters. Pure.

At once is: within two neighbouring spells of `CellPolicy.spell`, by the times in their conditions, so that a restart of
the operator forgets none. A cause in common is believed in for `CellPolicy.believed`, for which somebody was woken; who
is sick for longer is mended like any other. What a person looks at already, and what people of a business cluster can
break, says nothing of the cell.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from homeostat.api.cluster.masters import CONTROLLERS
from homeostat.api.cluster.v1alpha1 import Cluster
from homeostat.operators.cluster import words
from homeostat.operators.cluster.healing.ladder import is_handed_over
from homeostat.operators.cluster.topology import is_changing
from homeostat.runtime.conditions import FALSE, find_condition


def sick_since(cluster: Cluster) -> datetime | None:
    """Since when masters with data are not all well; None: they are, or somebody is removing them, or adding some."""
    status = cluster.status
    if is_changing(cluster):
        return None
    if status.ready_at is None or cluster.metadata.deletion_timestamp is not None or cluster.spec.paused:
        return None
    moving = status.upgrade is not None and bool(status.upgrade.component)
    types = (words.ETCD_READY, words.AVAILABLE, *(() if moving else (words.API_SERVER_READY, words.CONTROLLERS_READY)))
    told = (find_condition(status.conditions, type_) for type_ in types)
    since = (each.last_transition_time for each in told if each is not None and each.status == FALSE)
    return min((each or status.ready_at for each in since), default=None)


def speaks_of_the_cell(cluster: Cluster) -> bool:
    """Whether one that is sick counts among those that may have a cause in common."""
    status, healing = cluster.status, cluster.status.healing
    restarts = healing.restarts if healing is not None else ()
    is_a_persons = cluster.spec.healing.paused or status.quorum_loss is not None or any(map(is_handed_over, restarts))
    return not is_a_persons and not _only_guests_are_unwell(cluster)


def _only_guests_are_unwell(cluster: Cluster) -> bool:
    """Whether it looks sick for nothing but hosted operators, and for what its people refuse them."""
    others = (words.ETCD_READY, words.AVAILABLE, words.API_SERVER_READY)
    told = (find_condition(cluster.status.conditions, type_) for type_ in others)
    if any(each is not None and each.status == FALSE for each in told):
        return False
    unready = {each.name for each in cluster.status.components if each.state != words.COMPONENTS_READY}
    return bool(unready) and unready.isdisjoint(CONTROLLERS)


class Falls:
    """How many fell sick when, kept so that a question costs the same however many there are."""

    def __init__(self, spell: timedelta, believed: timedelta) -> None:
        self._spell_s = spell.total_seconds()
        self._believed = believed
        self._spells: dict[str, int] = {}  # by uid
        self._counts: Counter[int] = Counter()

    def note(self, uid: str, since: datetime | None) -> None:
        """One fell sick then; None: it is well, or says nothing."""
        old = self._spells.pop(uid, None)
        if old is not None:
            self._counts[old] -= 1
            if not self._counts[old]:
                del self._counts[old]
        if since is not None:
            self._spells[uid] = self._spell(since)
            self._counts[self._spells[uid]] += 1

    def at_once(self, now: datetime) -> int:
        """The most of those that are sick who fell so at once, not too long ago; by a hasty clock, who did just now."""
        first, last = self._spell(now - self._believed), self._spell(now)
        recent: Counter[int] = Counter()
        for spell, count in self._counts.items():
            if spell >= first:
                recent[min(spell, last)] += count
        return max((count + recent[spell + 1] for spell, count in tuple(recent.items())), default=0)

    def _spell(self, at: datetime) -> int:
        return int(at.timestamp() // self._spell_s)
