"""What the status, the conditions and the events say about the stores of etcd. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from msgspec.structs import replace

from homeostat.api.cluster.etcd import ClusterEtcdStatus
from homeostat.operators.cluster import metrics, words
from homeostat.operators.cluster.actions import Action, Care, Verdict
from homeostat.operators.cluster.observe import Observed
from homeostat.operators.cluster.upkeep.actions import (
    AllowDowngrade,
    Compact,
    Defragment,
    Disarm,
    ForbidDowngrade,
)
from homeostat.operators.cluster.upkeep.sizes import largest, quota, shown
from homeostat.operators.cluster.upkeep.stores import NO_SPACE
from homeostat.operators.cluster.upkeep.verdict import member_of
from homeostat.runtime.events import Note
from homeostat.runtime.loop import Result
from homeostat.runtime.outcome import Done
from homeostat.telemetry.metrics import Measure

_REPAIRS: Mapping[type, str] = {Compact: "compact", Defragment: "defragment", Disarm: "disarm"}
_TELLING = 20  # parts of the quota: a change by one of them is told


def kept(seen: Observed, results: tuple[Result[Action], ...], now: datetime) -> ClusterEtcdStatus | None:
    """The status of the stores after this look; what hardly changed is not told again."""
    before, store, answer = seen.cluster.status.etcd, largest(seen), seen.upkeep.answer
    if store is None or answer is None:
        return before
    known = before or ClusterEtcdStatus()
    alarms = tuple(sorted({alarm.kind for alarm in answer.alarms}))
    limit = quota(seen, store)
    is_full_now = NO_SPACE in alarms and NO_SPACE not in known.alarms
    is_done = any(isinstance(each.action, Defragment) and isinstance(each.outcome, Done) for each in results)
    found = replace(
        known,
        size_bytes=store.size,
        in_use_bytes=store.in_use,
        quota_bytes=limit,
        used_percent=store.size * 100 // limit,
        alarms=alarms,
        full_size_bytes=store.size if is_full_now else known.full_size_bytes,
        last_defragmented_at=now.replace(microsecond=0) if is_done else known.last_defragmented_at,
        deviating=tuple(member_of(seen, host) for host in seen.upkeep.deviating),
        agreed_at=_latest(_agreed_at(seen), known.agreed_at, now),
    )
    return found if before is None or _is_news(before, found) else before


def _agreed_at(seen: Observed) -> datetime | None:
    known = seen.upkeep
    return known.compared_at.replace(microsecond=0) if known.compared_at is not None and known.is_agreed else None


def _latest(found: datetime | None, told: datetime | None, now: datetime) -> datetime | None:
    """The last time that anybody knows of: of two that lead, neither takes back what the other has found since.

    What was told by a clock that is ahead gives way.
    """
    return max(found, told) if found is not None and told is not None and told <= now else found or told


def _is_news(before: ClusterEtcdStatus, found: ClusterEtcdStatus) -> bool:
    step = max(found.quota_bytes // _TELLING, 1)
    pairs = ((before.size_bytes, found.size_bytes), (before.in_use_bytes, found.in_use_bytes))
    calm = replace(
        found, size_bytes=before.size_bytes, in_use_bytes=before.in_use_bytes, used_percent=before.used_percent
    )
    return calm != before or any(abs(one - other) >= step for one, other in pairs)


def etcd_cared(is_so: bool, why: Verdict, care: Care) -> tuple[bool, Verdict]:
    """What the condition EtcdReady says of members that are ready, and of those that are not."""
    if care.verdict is None:
        return is_so, why
    if not is_so:
        return False, Verdict(care.verdict.reason, f"{care.verdict.message}; {why.message}") if care.is_broken else why
    return not care.is_broken, care.verdict


def care_notes(seen: Observed, care: Care, results: tuple[Result[Action], ...]) -> list[Note]:
    """What was done to the stores, and that one is nearly full."""
    done = [each.action for each in results if isinstance(each.outcome, Done)]
    notes = [note for action in done if (note := _done(seen, action)) is not None]
    told = {condition.reason for condition in seen.cluster.status.conditions}
    if care.verdict is not None and not care.is_broken and care.verdict.reason not in told:
        notes.append(Note(care.verdict.reason, care.verdict.message, type="Warning"))
    return notes


def care_measures(results: tuple[Result[Action], ...]) -> Iterator[Measure]:
    """What was done, to be counted."""
    for result in results:
        repair = _REPAIRS.get(type(result.action)) if isinstance(result.outcome, Done) else None
        if repair is not None:
            yield Measure(metrics.ETCD_REPAIRS, (repair,))


def _done(seen: Observed, action: Action) -> Note | None:
    match action:
        case Compact():
            return Note(words.ETCD_COMPACTED, "etcd forgot its old revisions, because it was full", type="Warning")
        case Defragment(member=name, host=host):
            before = next((store for store in seen.upkeep.stores if store.host == host), None)
            size = f" of {shown(before.size)}, {shown(before.in_use)} of it in use" if before is not None else ""
            return Note(words.ETCD_DEFRAGMENTED, f"the store{size} of {name} was defragmented")
        case Disarm(alarm=alarm):
            return Note(words.ETCD_CLEARED, f"the alarm {alarm.kind} was taken back{_sizes(seen)}")
        case AllowDowngrade(line=line):
            return Note(words.ETCD_GOES_BACK, f"etcd was told that its members go back to {line}")
        case ForbidDowngrade():
            return Note(words.ETCD_GOES_BACK, "etcd was told that its members stay what they are")
        case _:
            return None


def _sizes(seen: Observed) -> str:
    """Size against quota, before and after."""
    store, told = largest(seen), seen.cluster.status.etcd
    if store is None or told is None or not told.full_size_bytes:
        return ""
    now = f"{shown(store.size)} of {shown(quota(seen, store))}"
    return f": the largest store had {shown(told.full_size_bytes)}, and has {now}"
