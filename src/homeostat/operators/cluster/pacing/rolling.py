"""What of a Cluster makes masters that are well anew, and where it stands in the line for that. Pure.

Whatever the wish: another package version or other overrides, an emulation that ends, another topology, a rotation of
keys, another level of the audit log, a renewal of what masters read only once. Each leaves a cluster with a master less
for a while, so all of them share the places of the cell. Who has one says so itself (`status.rollingSince`); healing is
in no line, it has a budget of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from msgspec import Struct

from homeostat.api.cluster.v1alpha1 import Cluster
from homeostat.operators.cluster import words
from homeostat.operators.cluster.ending import is_ending
from homeostat.operators.cluster.pki import states
from homeostat.operators.cluster.rollout.emulation import held, is_due
from homeostat.operators.cluster.rollout.standing import complete, wished
from homeostat.operators.cluster.topology import is_changing, topology_status
from homeostat.operators.cluster.turns.released import is_left_to_people
from homeostat.runtime.conditions import find_condition, is_true

_WELL = (words.ETCD_READY, words.API_SERVER_READY, words.CONTROLLERS_READY, words.AVAILABLE)
_IDLE = (words.AS_DECLARED, words.QUEUED, words.PAUSED, words.AWAITING_HEALTH)


class Waiting(Struct, frozen=True):
    """Wants to begin."""

    since: datetime


class UnderWay(Struct, frozen=True):
    """Has begun."""

    until: datetime  # it counts


Standing = Waiting | UnderWay | None


class Wish(Struct, frozen=True):
    """A kind of change, and what its condition says while it may begin: what is refused would hold up all behind it."""

    differs: Callable[[Cluster, datetime], bool]
    told_in: str
    may_begin: tuple[str, ...]

    def since(self, cluster: Cluster, now: datetime) -> datetime | None:
        """Since when it waits; None: it does not. What is told by no condition waits from when it is first seen."""
        told = find_condition(cluster.status.conditions, self.told_in)
        if not self.differs(cluster, now) or (told is not None and told.reason not in self.may_begin):
            return None
        since = told.last_transition_time if told is not None and told.status == "False" else None
        return since or now


def rolling(cluster: Cluster, now: datetime) -> Standing:
    """Whether a Cluster waits for its masters to be made anew, or is at it, or neither."""
    status = cluster.status
    if status.ready_at is None or is_ending(cluster):
        return None
    if status.rolling_since is not None:
        step = timedelta(seconds=cluster.spec.upgrade_policy.step_timeout_seconds)
        return UnderWay(status.rolling_since + step)
    if cluster.spec.paused or not _is_well(cluster):
        return None
    waits = [since for wish in _WISHES if (since := wish.since(cluster, now)) is not None]
    return Waiting(min(waits)) if waits else None


def is_free(cluster: Cluster, now: datetime) -> bool:
    """Whether it needs no place: it has one, or wants nothing, or is not well, so that what it does may mend it."""
    if cluster.status.rolling_since is not None or not _is_well(cluster):
        return True
    return not any(wish.differs(cluster, now) for wish in _WISHES)


def is_begun(cluster: Cluster) -> bool:
    """Whether a change has begun that goes on without people."""
    status = cluster.status
    is_moving = status.upgrade is not None and status.upgrade.component != ""
    rotates = status.rotation is not None and not is_left_to_people(cluster, status.rotation)
    return is_moving or is_changing(cluster) or rotates


def _moves(cluster: Cluster, now: datetime) -> bool:
    """A move that goes back to what was complete is in no line: it was counted when it began, and may mend."""
    if wished(cluster) != complete(cluster):
        return True
    known = held(cluster.status)
    return known is not None and is_due(cluster, known, now)


def _scales(cluster: Cluster, now: datetime) -> bool:  # noqa: ARG001
    return is_changing(cluster) or topology_status(cluster).complete != cluster.spec.topology


def _rotates(cluster: Cluster, now: datetime) -> bool:  # noqa: ARG001
    going, asked, done = cluster.status.rotation, cluster.spec.keys.rotations, cluster.status.rotations
    if going is not None:
        return not is_left_to_people(cluster, going)
    return any(asked.of(kind) > done.of(kind) for kind in states.KINDS)


def _audits(cluster: Cluster, now: datetime) -> bool:  # noqa: ARG001
    return cluster.status.audit_level != cluster.spec.audit.level


def _renews(cluster: Cluster, now: datetime) -> bool:
    """Perhaps only what masters take up as they run; then it is done at once, and waits for nothing any more."""
    return any(each.renews_at is not None and each.renews_at <= now for each in cluster.status.certificates)


def _is_well(cluster: Cluster) -> bool:
    return all(is_true(cluster.status.conditions, type_) for type_ in _WELL)


_OF_KEYS = (words.AS_DECLARED, words.ROTATING, words.ROTATION_HELD, words.ROTATION_STUCK, words.EXPIRING)
_WISHES = (
    Wish(_moves, words.UP_TO_DATE, (*_IDLE, words.AWAITING_SNAPSHOT, words.UPGRADING, words.ENDING_EMULATION)),
    Wish(_scales, words.SCALED, (*_IDLE, words.SCALING)),
    Wish(_rotates, words.PKI_READY, _OF_KEYS),
    Wish(_audits, words.PKI_READY, _OF_KEYS),
    Wish(_renews, words.PKI_READY, _OF_KEYS),
)
