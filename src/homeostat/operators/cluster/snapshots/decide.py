"""Whether a snapshot of a cluster is taken now, and what for. Pure.

One that is to be taken is written into the status first (`status.backup.taking`) and taken at the next look by the very
process that wrote it. A process that finds it there and did not begin it knows that another one ended meanwhile, and
counts a failed attempt: a snapshot that ends operators is not tried without a pause.

While a restore is under way there is none: what is there is about to be exchanged. BackedUp says so.

A request comes first, then what an upgrade waits for, then the clock. After a failure nothing is tried before
`retryAt`, but for a new request, for whoever asks again has mended something, and once for an upgrade that was declared
since: it shall not wait for what failed before anybody wished it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct

from homeostat.api.cluster.backup import ClusterBackupStatus, SnapshotUnderWayStatus
from homeostat.api.cluster.v1alpha1 import Cluster
from homeostat.kit.backoff import doubled
from homeostat.operators.cluster import words as cluster_words
from homeostat.operators.cluster.actions import Verdict, Wait
from homeostat.operators.cluster.backup.schedule import Due, due
from homeostat.operators.cluster.ending import is_ending
from homeostat.operators.cluster.restore.beginning import is_under_way
from homeostat.operators.cluster.rollout.securing import awaits_snapshot
from homeostat.operators.cluster.snapshots import words
from homeostat.operators.cluster.snapshots.pinning import Wished, pinned

SCHEDULE, REQUEST, UPGRADE = "Schedule", "Request", "Upgrade"
_FIRST_BACK_OFF, _LONGEST_BACK_OFF = timedelta(minutes=1), timedelta(minutes=30)
# When an operator ends, neither etcd nor the store is ill, and an upgrade may wait; one that dies of it is slowed too.
_FIRST_AFTER_OUR_END = timedelta(seconds=5)
_OVERDUE = 2  # periods


class Seen(Struct, frozen=True):
    """One cluster, as the decision looks at it."""

    cluster: Cluster
    store: str  # where snapshots are kept, for people; empty: nowhere
    is_ours: bool = False  # the snapshot under way was begun by this process
    wished: tuple[Wished, ...] = ()  # snapshots of this cluster that new ones are to begin with

    @property
    def status(self) -> ClusterBackupStatus:
        """What is known of its backups."""
        return self.cluster.status.backup or ClusterBackupStatus()


class TakeSnapshot(Struct, frozen=True, tag=True):
    """Draw a snapshot, store it, and delete those that are not kept any longer. Changes nothing of the cluster."""

    because: str
    pinned: frozenset[str]  # ids of snapshots that must stay


class Plan(Struct, frozen=True):
    """What will be done now."""

    actions: tuple[TakeSnapshot, ...] = ()
    wait: Wait | None = None
    stop: str | None = None
    begins: SnapshotUnderWayStatus | None = None  # told first, taken at the next look
    failed: Verdict | None = None  # the one under way came to nothing
    drops: bool = False  # the one under way is not wanted any more
    next_at: datetime | None = None
    applies: bool = True  # False: the cluster has nothing to save


def decide(seen: Seen, now: datetime) -> Plan:
    """What to do now."""
    taking = seen.status.taking
    if not _has_data(seen.cluster):
        return Plan(applies=False, drops=taking is not None)
    if not seen.store or is_under_way(seen.cluster):
        return Plan(drops=taking is not None)
    if taking is not None:
        if seen.is_ours:
            return Plan((TakeSnapshot(taking.because, pinned(seen.cluster, seen.wished)),))
        interrupted = "the operator ended while it took a snapshot; it is tried again"
        return Plan(failed=Verdict(words.INTERRUPTED, interrupted), wait=Wait(now, "what was told is done next"))
    return _begin(seen, now)


def back_off(attempts: int, reason: str) -> timedelta:
    """How long after the so-many-th failure in a row, the last one for this reason, the next attempt comes."""
    first = _FIRST_AFTER_OUR_END if reason == words.INTERRUPTED else _FIRST_BACK_OFF
    return doubled(first, attempts, _LONGEST_BACK_OFF)


def judged(seen: Seen, status: ClusterBackupStatus, now: datetime) -> tuple[bool, Verdict]:
    """What the condition BackedUp says when this is the status."""
    last, failure = status.last, status.failure
    kept = f"; the last snapshot is {last.id}" if last is not None else "; there is no snapshot"
    if not seen.store:
        return False, Verdict(words.NO_STORE, "this cell has no store of snapshots (homeostat run cell)" + kept)
    if is_under_way(seen.cluster):
        return False, Verdict(cluster_words.RESTORING, "none is taken until the restore has ended" + kept)
    if failure is not None:
        return False, Verdict(failure.reason, f"{failure.message}{kept}")
    if seen.cluster.spec.backup.paused:
        return False, Verdict(words.BACKUPS_PAUSED, "spec.backup.paused is true" + kept)
    if last is None:
        return False, Verdict(words.AWAITING_FIRST, "the first snapshot comes within the hour")
    if now - last.taken_at > _OVERDUE * _period(seen):
        return False, Verdict(words.OVERDUE, f"two periods passed without a snapshot{kept}")
    trouble = f"; {status.retention_failure}" if status.retention_failure else ""
    return True, Verdict(cluster_words.AS_DECLARED, f"{last.id}, {last.bytes} bytes{trouble}")


def _has_data(cluster: Cluster) -> bool:
    """Of a Cluster that goes nothing is saved, nor of one that was not made yet."""
    return cluster.status.ready_at is not None and not is_ending(cluster)


def _begin(seen: Seen, now: datetime) -> Plan:
    timing = due(_last_at(seen), _period(seen), seen.cluster.metadata.uid, now)
    next_at = _next_at(seen, timing, now)
    because = _wanted(seen, timing, now)
    if not because:
        wait = Wait(next_at, "the next snapshot") if next_at is not None else None
        return Plan(next_at=next_at, wait=wait)
    begins = SnapshotUnderWayStatus(
        because=because,
        started_at=now.replace(microsecond=0),
        generation=seen.cluster.metadata.generation,
        request=seen.cluster.spec.backup.request if because == REQUEST else "",
    )
    return Plan(begins=begins, next_at=next_at, wait=Wait(now, "what was told is done at the next look"))


def _wanted(seen: Seen, timing: Due, now: datetime) -> str:
    """What a snapshot is wanted for now; empty: it is not."""
    spec, failure = seen.cluster.spec.backup, seen.status.failure
    is_asked = spec.request not in ("", seen.status.answered)
    is_new = failure is None or failure.request != spec.request
    if is_asked and is_new:
        return REQUEST
    awaits = awaits_snapshot(seen.cluster, now)
    if awaits and (failure is None or failure.generation < seen.cluster.metadata.generation):
        return UPGRADE
    if failure is not None and now < failure.retry_at:
        return ""
    if is_asked:
        return REQUEST
    if awaits:
        return UPGRADE
    if spec.paused:
        return ""
    is_again = failure is not None and failure.because == SCHEDULE
    return SCHEDULE if timing.is_due or is_again else ""


def _next_at(seen: Seen, timing: Due, now: datetime) -> datetime | None:
    """When to look again, also while backups are paused: what is asked for is tried again all the same."""
    failure = seen.status.failure
    if failure is not None and now < failure.retry_at:
        return failure.retry_at
    if seen.cluster.spec.backup.paused:
        return None
    return timing.next_at.replace(microsecond=0) + timedelta(seconds=1)  # the API keeps whole seconds


def _last_at(seen: Seen) -> datetime | None:
    return seen.status.last.taken_at if seen.status.last is not None else None


def _period(seen: Seen) -> timedelta:
    return timedelta(seconds=seen.cluster.spec.backup.every_seconds)
