"""Which clusters fell sick at once: what many have in common is not the fault of their masters. Pure.

At once is: within two neighbouring spells of `CellPolicy.spell`, by the times in their conditions, so that a restart of
the operator forgets none. A cause in common is believed in for `CellPolicy.believed`, for which somebody was woken; who
is sick for longer is mended like any other. Who falls sick again before it was well for `CellPolicy.settled` is sick
since it first fell, as far as belief goes: those that flap do not renew a freeze for ever. Only this is forgotten by a
restart of the operator. What a person looks at already, and what people of a business cluster can break, says nothing
of the cell.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from homeostat.api.cluster.masters import CONTROLLERS
from homeostat.api.cluster.v1alpha1 import Cluster
from homeostat.api.meta import Condition
from homeostat.operators.cluster import words
from homeostat.operators.cluster.ending import is_ending
from homeostat.operators.cluster.healing.ladder import is_handed_over
from homeostat.operators.cluster.topology import is_changing
from homeostat.runtime.conditions import FALSE, TRUE, find_condition

_STATELESS = (words.API_SERVER_READY, words.CONTROLLERS_READY)


def sick_since(cluster: Cluster) -> datetime | None:
    """Since when masters with data are not all well; None: they are, or somebody is removing them, or adding some."""
    status = cluster.status
    if is_changing(cluster):
        return None
    if status.ready_at is None or is_ending(cluster) or cluster.spec.paused:
        return None
    return min(_false_since(cluster, status.ready_at), default=None)


def fell_at(cluster: Cluster) -> datetime | None:
    """Since when one is sick that counts among those with a cause in common; None: it is not, or is a case of its own.

    What never came up since the cluster was made, as with a package version whose image nobody has, did not fall.
    """
    made = cluster.status.ready_at
    if made is None or sick_since(cluster) is None or not _speaks_of_the_cell(cluster):
        return None
    return min((each for each in _false_since(cluster, made) if each >= made), default=None)


def well_since(cluster: Cluster) -> datetime | None:
    """Since when masters with data are all well; None: they are not, or it is not known."""
    told = tuple(_told(cluster))
    if any(each.status != TRUE for each in told):
        return None
    return max((each.last_transition_time for each in told if each.last_transition_time is not None), default=None)


def _false_since(cluster: Cluster, made: datetime) -> Iterator[datetime]:
    return (each.last_transition_time or made for each in _told(cluster) if each.status == FALSE)


def _told(cluster: Cluster) -> Iterator[Condition]:
    """What is said of masters with data, but for those that are being moved to another version."""
    upgrade = cluster.status.upgrade
    is_moving = upgrade is not None and bool(upgrade.component)
    types = (words.ETCD_READY, words.AVAILABLE, *(() if is_moving else _STATELESS))
    told = (find_condition(cluster.status.conditions, type_) for type_ in types)
    return (each for each in told if each is not None)


def _speaks_of_the_cell(cluster: Cluster) -> bool:
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


class _Fall(Struct, frozen=True):
    """One that fell sick: when, and when it first did of all the times since which it was not well for long."""

    at: datetime
    first: datetime
    well: datetime | None = None  # since when it is well again


class Falls:
    """How many fell sick when, kept so that a question costs the same however many there are."""

    def __init__(self, spell: timedelta, believed: timedelta, settled: timedelta) -> None:
        self._spell_s = spell.total_seconds()
        self._believed = believed
        self._settled = settled
        self._falls: dict[str, _Fall] = {}  # by uid: also of those that are well again
        self._spells: dict[str, tuple[int, int]] = {}  # by uid: of the fall, and of the first one
        self._counts: Counter[tuple[int, int]] = Counter()

    def note(self, uid: str, since: datetime | None, well: datetime | None = None) -> None:
        """One fell sick then; None: it says nothing, and is well since then, if that is known."""
        self._uncount(uid)
        before = self._falls.get(uid)
        if since is None:
            if before is not None and well is not None:
                self._falls[uid] = replace(before, well=well)
            return
        first = min(before.first, since) if before is not None and self._goes_on(before, since) else since
        self._falls[uid] = _Fall(since, first)
        self._spells[uid] = self._spell(since), self._spell(first)
        self._counts[self._spells[uid]] += 1

    def forget(self, uid: str) -> None:
        """It is gone."""
        self._uncount(uid)
        self._falls.pop(uid, None)

    def at_once(self, now: datetime) -> int:
        """The most of those that are sick who fell so at once, not too long ago; by a hasty clock, who did just now."""
        earliest, last = self._spell(now - self._believed), self._spell(now)
        recent: Counter[int] = Counter()
        for (spell, first), count in self._counts.items():
            if first >= earliest:
                recent[min(spell, last)] += count
        return max((count + recent[spell + 1] for spell, count in tuple(recent.items())), default=0)

    def _goes_on(self, before: _Fall, since: datetime) -> bool:
        """Whether it was hardly well since it fell before."""
        return since == before.at or before.well is None or since < before.well + self._settled

    def _uncount(self, uid: str) -> None:
        spells = self._spells.pop(uid, None)
        if spells is not None:
            self._counts[spells] -= 1
            if not self._counts[spells]:
                del self._counts[spells]

    def _spell(self, at: datetime) -> int:
        return int(at.timestamp() // self._spell_s)
