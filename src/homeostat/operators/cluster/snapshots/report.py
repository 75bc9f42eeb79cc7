"""From what was planned and done to `status.backup`, the condition BackedUp, and the notes for events. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from msgspec.structs import replace

from homeostat.api.cluster.backup import (
    ClusterBackupStatus,
    LastSnapshotStatus,
    SnapshotFailureStatus,
    SnapshotStatus,
    SnapshotUnderWayStatus,
)
from homeostat.api.cluster.v1alpha1 import ClusterStatus
from homeostat.operators.cluster.actions import Verdict
from homeostat.operators.cluster.backup.listing import Entry
from homeostat.operators.cluster.snapshots import words
from homeostat.operators.cluster.snapshots.decide import Plan, Seen, TakeSnapshot, back_off, judged
from homeostat.operators.cluster.snapshots.outcomes import NotTaken, Took
from homeostat.operators.cluster.words import RESTORING
from homeostat.runtime.conditions import find_condition, remove_condition, set_condition
from homeostat.runtime.events import Note
from homeostat.runtime.loop import Report, Result
from homeostat.runtime.outcome import Retry

_SHOWN = 1000
_MOST = 64  # snapshots in the status
_LONG = timedelta(days=1)  # for a Cluster to begin with a snapshot
_CALM = (words.NO_STORE, words.AWAITING_FIRST, words.BACKUPS_PAUSED, RESTORING)  # a restore has events of its own


def report(seen: Seen, plan: Plan, results: tuple[Result[TakeSnapshot], ...], now: datetime) -> Report[ClusterStatus]:
    """What to tell."""
    own = backup_part(seen.cluster.status)
    if not plan.applies:
        return Report(replace(own, backup=replace(seen.status, taking=None)) if plan.drops else own)
    status = _status(seen, plan, results, now)
    is_so, why = judged(seen, status, now)
    conditions = set_condition(
        own.conditions,
        words.BACKED_UP,
        is_so,
        why.reason,
        why.message[:_SHOWN],
        generation=seen.cluster.metadata.generation,
        now=now,
    )
    told = ClusterStatus(backup=status, conditions=conditions)
    return Report(told, _notes(seen, told, results, now))


def backup_part(status: ClusterStatus) -> ClusterStatus:
    """What of a status is the backup loop's."""
    own = find_condition(status.conditions, words.BACKED_UP)
    return ClusterStatus(backup=status.backup, conditions=(own,) if own is not None else ())


def other_part(status: ClusterStatus) -> ClusterStatus:
    """What of a status is not the backup loop's."""
    return replace(status, backup=None, conditions=remove_condition(status.conditions, words.BACKED_UP))


def _status(seen: Seen, plan: Plan, results: tuple[Result[TakeSnapshot], ...], now: datetime) -> ClusterBackupStatus:
    before = replace(seen.status, store=seen.store)
    taking = before.taking
    if plan.drops:
        before = replace(before, taking=None)
    if plan.failed is not None and taking is not None:
        return _failed(before, taking, plan.failed, now)
    for result in results:
        assert taking is not None  # noqa: S101  (nothing is taken that was not told before)
        match result.outcome:
            case Took() as took:
                return _taken(before, taking, took)
            case NotTaken(reason=reason, why=message):
                return _failed(before, taking, Verdict(reason, message), now)
            case Retry(error=error):
                return _failed(before, taking, Verdict(words.SNAPSHOT_FAILED, str(error)), now)
            case _:
                continue
    if plan.begins is not None:
        return replace(before, taking=plan.begins, next_at=plan.next_at)
    return replace(before, next_at=plan.next_at)


def _failed(
    before: ClusterBackupStatus, taking: SnapshotUnderWayStatus, why: Verdict, now: datetime
) -> ClusterBackupStatus:
    now = now.replace(microsecond=0)
    attempts = before.failure.attempts + 1 if before.failure is not None else 1
    unanswered = before.failure.request if before.failure is not None else ""  # else it would look like a new one
    failure = SnapshotFailureStatus(
        because=taking.because,
        reason=why.reason,
        message=why.message[:_SHOWN],
        at=now,
        attempts=attempts,
        retry_at=now + back_off(attempts, why.reason),
        generation=taking.generation,
        request=taking.request or unanswered,
    )
    return replace(before, taking=None, failure=failure)


def _taken(before: ClusterBackupStatus, taking: SnapshotUnderWayStatus, took: Took) -> ClusterBackupStatus:
    manifest = took.manifest
    last = LastSnapshotStatus(
        id=manifest.id,
        taken_at=manifest.taken_at,
        revision=manifest.revision,
        bytes=manifest.plain_bytes,
        kubernetes_version=manifest.kubernetes_version,
        package_version=manifest.package_version,
        because=taking.because,
        generation=taking.generation,
    )
    known = before.snapshots if took.listed is None else tuple(_listed(entry) for entry in took.listed[:_MOST])
    return replace(
        before,
        last=last,
        taking=None,
        failure=None,
        answered=taking.request or before.answered,
        snapshots=known,
        retention_failure=took.retention_failure[:500],
    )


def _listed(entry: Entry) -> SnapshotStatus:
    return SnapshotStatus(
        id=entry.id[:63],
        taken_at=entry.taken_at,
        revision=entry.revision,
        stored_bytes=entry.stored_bytes,
        damaged=entry.damaged[:250],
    )


def _notes(
    seen: Seen, told: ClusterStatus, results: tuple[Result[TakeSnapshot], ...], now: datetime
) -> tuple[Note, ...]:
    notes = [
        Note(words.SNAPSHOT_TAKEN, f"{result.outcome.manifest.id}, {result.outcome.manifest.plain_bytes} bytes")
        for result in results
        if isinstance(result.outcome, Took)
    ]
    notes += _held(seen, now) if notes else ()
    condition = find_condition(told.conditions, words.BACKED_UP)
    before = find_condition(seen.cluster.status.conditions, words.BACKED_UP)
    assert condition is not None  # noqa: S101  (it was set just now)
    is_told = before is not None and (before.status, before.reason) == (condition.status, condition.reason)
    if condition.status == "False" and not is_told and condition.reason not in _CALM:
        notes.append(Note(condition.reason, f"{words.BACKED_UP}: {condition.message}", type="Warning"))
    return tuple(notes)


def _held(seen: Seen, now: datetime) -> Iterator[Note]:
    """Nobody else would tell why old snapshots stay: the Cluster that holds them says only that it waits."""
    for each in seen.wished:
        if each.since is not None and now >= each.since + _LONG:
            waits = f"Cluster {each.by} is to begin with it, and was not Ready since {each.since:%F}"
            yield Note(words.SNAPSHOT_HELD, f"{each.snapshot} stays: {waits}; mend or delete that one", type="Warning")
