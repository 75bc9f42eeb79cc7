"""The two lines of a cell, kept as Clusters change: for creations, and for masters that are made anew (rolling.py).

Who mends is not held up: a Cluster that is not well, and one that goes back in the middle of a move, is in no line.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct

from homeostat.api.cluster.v1alpha1 import Cluster
from homeostat.operators.cluster import words
from homeostat.operators.cluster.ending import is_ending
from homeostat.operators.cluster.pacing.line import Line
from homeostat.operators.cluster.pacing.place import FREE, Place
from homeostat.operators.cluster.pacing.rolling import Standing, UnderWay, Waiting, is_free, rolling
from homeostat.runtime.conditions import find_condition

_WAITING_TO_BE_MADE = (words.AS_DECLARED, words.QUEUED, words.PAUSED)


class Policy(Struct, frozen=True):
    """How much of a cell may be under way at once."""

    creating: int = 10  # four Pods and a volume each: forty starts at once are what a few hosts take without a restart
    rolling: int = 5  # each has one master less than declared for a while: not many clusters at once
    creation_counts_for: timedelta = timedelta(minutes=10)  # one that takes longer is stuck: others go on
    patience: timedelta = timedelta(minutes=5)  # for one that has its turn and does not begin


class Pace:
    """Whose turn it is in a cell."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._creating = Line(policy.creating, policy.patience)
        self._rolling = Line(policy.rolling, policy.patience)
        self._keys: dict[str, str] = {}  # by uid
        self._woken: set[str] = set()

    def note(self, old: Cluster | None, new: Cluster | None, now: datetime) -> None:
        """A Cluster came, changed or went."""
        if old is not None and (new is None or new.metadata.uid != old.metadata.uid):
            self._forget(old.metadata.uid)
        if new is not None:
            self._keys[new.metadata.uid] = new.metadata.key
            _stand(self._creating, new.metadata.uid, creation(new, self._policy, now))
            _stand(self._rolling, new.metadata.uid, rolling(new, now))

    def called(self, now: datetime) -> list[str]:
        """The keys of those whose turn has come since this was asked last."""
        first = {*self._creating.first(now), *self._rolling.first(now)}
        called = first - self._woken
        self._woken = first
        return [self._keys[uid] for uid in called]

    def place(self, cluster: Cluster, now: datetime) -> Place:
        """Where a Cluster stands, if it is to begin something that there is a line for."""
        uid, status = cluster.metadata.uid, cluster.status
        if status.ready_at is None:
            return self._creating.place(uid, now) if status.started_at is None else FREE
        if is_free(cluster, now):
            return FREE
        _stand(self._rolling, uid, rolling(cluster, now))  # certificates become due by time alone
        return self._rolling.place(uid, now)

    def _forget(self, uid: str) -> None:
        self._keys.pop(uid, None)
        self._creating.leave(uid)
        self._rolling.leave(uid)


def creation(cluster: Cluster, policy: Policy, now: datetime) -> Standing:
    """Whether a Cluster waits to be made, is being made, or neither."""
    status = cluster.status
    if status.ready_at is not None or is_ending(cluster) or cluster.spec.paused:
        return None
    if status.started_at is not None:
        return UnderWay(status.started_at + policy.creation_counts_for)
    if not _says(cluster, words.ACCEPTED, _WAITING_TO_BE_MADE):
        return None  # what is refused would hold up all behind it
    return Waiting(cluster.metadata.creation_timestamp or now)


def _stand(line: Line, uid: str, standing: Standing) -> None:
    match standing:
        case Waiting(since=since):
            line.wait(uid, since)
        case UnderWay(until=until):
            line.go(uid, until)
        case None:
            line.leave(uid)


def _says(cluster: Cluster, type_: str, reasons: tuple[str, ...]) -> bool:
    """Whether a condition is not told yet, or has one of these reasons."""
    told = find_condition(cluster.status.conditions, type_)
    return told is None or told.reason in reasons
