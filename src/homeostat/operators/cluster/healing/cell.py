"""What is known of all clusters of a cell when one of them is to be mended: how many fell sick, how many are mended.

Counted as Clusters change, so that a look at one cluster costs the same in a cell of ten thousand. Nothing is kept that
the Clusters do not say: after a restart of the operator the counts are the same as before. Only since when all is calm,
and who flapped, is not known then, so a start counts as the end of a freeze.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from homeostat.api.cluster.masters import ETCD
from homeostat.api.cluster.v1alpha1 import Cluster
from homeostat.operators.cluster.healing.ladder import is_handed_over
from homeostat.operators.cluster.healing.remembered import not_after
from homeostat.operators.cluster.healing.sickness import Falls, fell_at, sick_since, well_since


class CellPolicy(Struct, frozen=True):
    """How much may be mended in a cell at once, and when so much is wrong that the clusters are not the cause."""

    acts: int = 5  # masters that may be replaced or restarted within the window
    window: timedelta = timedelta(minutes=10)
    sick_share: float = 0.2  # of the clusters that were Ready once
    sick_at_least: int = 3  # few sick ones are no mass failure, however small the cell
    spell: timedelta = timedelta(minutes=10)  # who falls sick within two such is so at once (sickness.py)
    believed: timedelta = timedelta(hours=6)  # for how long that is laid to what they have in common
    settled: timedelta = timedelta(hours=1)  # who was well for less falls sick again with the time of its first fall
    pace: timedelta = timedelta(minutes=1)  # between two of them, for one window after a freeze
    heard: timedelta = timedelta(seconds=3)  # until what is decided for one cluster is known when others are looked at


class Act(Struct, frozen=True, order=True):
    """A master that was replaced or restarted, or will be."""

    at: datetime
    uid: str  # of its Cluster
    component: str


class CellSeen(Struct, frozen=True):
    """The cell beside one cluster."""

    clusters: int = 1  # that were Ready once
    sick: int = 0  # of those, at once
    recent: int = 0  # masters touched within the window
    ahead: int = 0  # of these, by others, before what this cluster's status says to be under way
    last: datetime | None = None  # when one was touched last, in another cluster
    turn: datetime | None = None  # at a pace, of what this cluster's status says to be under way; None: it is the first
    thawed: datetime | None = None  # when a freeze was last seen, or this process began to look
    is_slow: bool = False  # its API server is

    def why_frozen(self, policy: CellPolicy) -> str:
        """What else than single masters must be the matter; empty: nothing."""
        if self.is_slow:
            return "the cell's API server is slow: look at it"
        if self.is_mass_failure(policy):
            return f"{self.sick} of {self.clusters} clusters of the cell look sick at once: look at the cell"
        return ""

    def is_mass_failure(self, policy: CellPolicy) -> bool:
        """Whether so many look sick at once that something else than their masters must be the matter."""
        return self.sick >= policy.sick_at_least and self.sick > policy.sick_share * self.clusters

    def paced_until(self, now: datetime, policy: CellPolicy, *, is_begun: bool = False) -> datetime | None:
        """Until when the next one waits, so that what a freeze held back does not begin at once; None: it may.

        Several may be decided before any of them is told: what is begun has its turn among them.
        """
        if self.thawed is None or now >= self.thawed + policy.window:
            return None
        next_one = self.last + policy.pace if self.last is not None else None
        until = self.turn if is_begun else next_one
        return until if until is not None and now < until else None


class CellHealth:
    """The counts, kept up to date by `note`."""

    def __init__(self, policy: CellPolicy, *, is_slow: Callable[[], bool] = lambda: False) -> None:
        self.policy = policy
        self._is_slow = is_slow
        self._formed: set[str] = set()  # uids
        self._sick: set[str] = set()
        self._falls = Falls(policy.spell, policy.believed, policy.settled)
        self._began: dict[str, tuple[Act, ...]] = {}  # by uid
        self._handed_over: dict[str, int] = {}
        self._thawed: datetime | None = None

    @property
    def handed_over(self) -> int:
        """How many masters a person must look at."""
        return sum(self._handed_over.values())

    @property
    def formed(self) -> int:
        """How many were Ready once."""
        return len(self._formed)

    @property
    def sick(self) -> int:
        """How many of those are not well, since whenever."""
        return len(self._sick)

    def is_mass_failure(self, now: datetime) -> bool:
        """Whether so many look sick at once that nothing is mended."""
        return CellSeen(clusters=self.formed, sick=self._falls.at_once(now)).is_mass_failure(self.policy)

    @property
    def is_slow(self) -> bool:
        """Whether the cell's API server is."""
        return self._is_slow()

    def note(self, old: Cluster | None, new: Cluster | None) -> None:
        """A Cluster came, changed or went."""
        if old is not None and (new is None or new.metadata.uid != old.metadata.uid):
            self._forget(old.metadata.uid)
        if new is not None:
            self._count(new)

    def look(self, now: datetime, uid: str = "") -> CellSeen:
        """The counts as of now, as one cluster sees them."""
        recent = sorted(self._recent(now))
        own = max((act for act in recent if act.uid == uid), default=None)
        others = [act for act in recent if act.uid != uid]
        ahead = [act for act in others if own is not None and act < own]
        seen = CellSeen(
            clusters=len(self._formed),
            sick=self._falls.at_once(now),
            recent=len(recent),
            ahead=len(ahead),
            last=others[-1].at if others else None,
            turn=self._after(ahead),
            is_slow=self._is_slow(),
        )
        if self._thawed is None or seen.why_frozen(self.policy):
            self._thawed = now
        self._thawed = min(self._thawed, now)
        return replace(seen, thawed=self._thawed)

    def left(self, now: datetime) -> int:
        """How many masters may still be touched now."""
        return max(0, self.policy.acts - len(self._recent(now)))

    def _after(self, ahead: Sequence[Act]) -> datetime | None:
        """When it is the turn of the next one, if each of those before waited for its own."""
        turn = None
        for act in ahead:
            turn = (act.at if turn is None else max(act.at, turn)) + self.policy.pace
        return turn

    def _recent(self, now: datetime) -> list[Act]:
        """What began within the window; what is older is forgotten, and by a hasty clock it began just now."""
        since = now - self.policy.window
        kept = {
            uid: tuple(replace(act, at=not_after(act.at, now)) for act in acts if act.at > since)
            for uid, acts in self._began.items()
        }
        self._began = {uid: acts for uid, acts in kept.items() if acts}
        return [act for acts in self._began.values() for act in acts]

    def _count(self, cluster: Cluster) -> None:
        uid, healing = cluster.metadata.uid, cluster.status.healing
        _set(self._formed, uid, is_in=cluster.status.ready_at is not None)
        _set(self._sick, uid, is_in=sick_since(cluster) is not None)
        self._falls.note(uid, fell_at(cluster), well_since(cluster))
        self._began[uid] = tuple(_begun(cluster))
        restarts = healing.restarts if healing is not None else ()
        self._handed_over[uid] = sum(map(is_handed_over, restarts))

    def _forget(self, uid: str) -> None:
        """What was begun for it still counts: masters of the cell were touched."""
        self._formed.discard(uid)
        self._sick.discard(uid)
        self._falls.forget(uid)
        self._handed_over.pop(uid, None)


def _begun(cluster: Cluster) -> Iterator[Act]:
    uid, healing = cluster.metadata.uid, cluster.status.healing
    if healing is None:
        return
    if healing.last_started_at is not None:
        yield Act(healing.last_started_at, uid, ETCD)
    for each in healing.restarts:
        yield from (Act(at, uid, each.component) for at in (each.started_at, *each.earlier))


def _set(members: set[str], uid: str, *, is_in: bool) -> None:
    if is_in:
        members.add(uid)
    else:
        members.discard(uid)
