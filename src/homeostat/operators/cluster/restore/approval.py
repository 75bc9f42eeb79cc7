"""What a loss of data would cost to mend, and what an approval of that leads to. Pure.

What was lost, `lost` and `corrupt` find out. Here the status is made to say since when, which snapshot is the newest
that can be trusted, and how much would be lost by restoring it. Only an approval that is given after that, and names a
snapshot, begins a restore; what stood there before is remembered as spent.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from homeostat.api.cluster.restoring import QuorumLossStatus
from homeostat.operators.cluster import words
from homeostat.operators.cluster.actions import Action, Heal, Verdict, Wait
from homeostat.operators.cluster.backup.listing import Entry
from homeostat.operators.cluster.observe import Observed
from homeostat.operators.cluster.restore.actions import AskSnapshots, Restoring
from homeostat.operators.cluster.restore.beginning import ASKED_AGAIN, STARTING, judge, lost_seconds, own

ANSWERED = timedelta(seconds=0.5)  # until an answer is looked at
_LOOKED = timedelta(seconds=30)  # until what was lost is looked at again


class Loss(Struct, frozen=True):
    """What was lost, in words."""

    reason: str
    story: str  # what was found
    since: datetime
    beside: str = ""  # what a person may do beside a restore
    corrupt: bool = False  # data, and not the quorum


class Lost(Struct, frozen=True):
    """What is told and done about a loss."""

    heal: Heal
    restore: Restoring
    is_corrupt: bool = False  # data, and not the quorum: members may be ready all the same


def told_of(seen: Observed, *, corrupt: bool) -> QuorumLossStatus | None:
    """What the status tells of a loss of this kind already."""
    told = seen.cluster.status.quorum_loss
    return told if told is not None and told.corrupt == corrupt else None


def follow(seen: Observed, loss: Loss, now: datetime) -> Lost:
    """Tell it; what is told already is awaited an approval of, or one is followed."""
    status = _status(seen, loss)
    if told_of(seen, corrupt=loss.corrupt) is None:
        return _lost(loss, _heal(seen, loss, status, Wait(now, "the snapshots")), status)
    return _approved(seen, loss, status, now) or _wait(seen, loss, status, now)


def message(seen: Observed, loss: Loss, status: QuorumLossStatus) -> str:
    """What was lost, and what may be done."""
    parts = [loss.story]
    if status.newest_snapshot:
        either = f"{loss.beside}, or " if loss.beside else ""
        cost = f"{_approval(seen, status)}, {_trust(seen, status)}: {price(status, status.lost_seconds)}"
        return "; ".join((*parts, f"{_under_way(seen)}{either}{cost}"))
    failure = seen.snapshots.failure if seen.snapshots is not None else ""
    none = "no snapshot is known" + (f": {failure}" if failure else "")
    return "; ".join(part for part in (*parts, loss.beside, none) if part)


def price(status: QuorumLossStatus, seconds: int) -> str:
    """What is given up by restoring a snapshot from so long before the loss."""
    moment = "that was found, and since," if status.corrupt else "the loss"
    return f"what was written in the {timedelta(seconds=seconds)} before {moment} is then gone for good"


def _under_way(seen: Observed) -> str:
    """What is awaited before anybody gives up more: members that start on what was restored are not ready at once."""
    restore = seen.cluster.status.restore
    if restore is None or restore.stage != STARTING:
        return ""
    return f"its members start on snapshot {restore.snapshot}, as was approved; only if they do not come, "


def _approval(seen: Observed, status: QuorumLossStatus) -> str:
    """How it is approved so that it counts."""
    snapshot, field = status.newest_snapshot, "spec.healing.approveRestore"
    if seen.cluster.spec.healing.approve_restore == status.spent_approval == snapshot:
        return f"clear {field}, as what stood there before does not count, and set it to {snapshot} again"
    return f"set {field} to {snapshot}"


def _trust(seen: Observed, status: QuorumLossStatus) -> str:
    """Which snapshot it is."""
    if not status.corrupt:
        return "the newest snapshot"
    agreed_at = _agreed_at(seen)
    if agreed_at is None:
        return "the newest snapshot, which may be corrupt as well: members never agreed at a comparison before"
    agreed = f"before {agreed_at:%FT%TZ}, when all members agreed"
    if status.since - timedelta(seconds=status.lost_seconds) <= agreed_at:
        return f"the newest snapshot from {agreed}"
    return f"the newest snapshot, which may be corrupt as well: there is none from {agreed}"


def _status(seen: Observed, loss: Loss) -> QuorumLossStatus:
    """What is known of it now."""
    approved = seen.cluster.spec.healing.approve_restore
    first = QuorumLossStatus(since=loss.since.replace(microsecond=0), spent_approval=approved, corrupt=loss.corrupt)
    status = told_of(seen, corrupt=loss.corrupt) or first
    if not approved:
        status = replace(status, spent_approval="")  # the next one counts, whatever it names
    newest = _newest(seen, status)
    if newest is None:
        return status
    lost = lost_seconds(newest.taken_at, status.since)
    return replace(status, newest_snapshot=newest.id, lost_seconds=lost)


def _newest(seen: Observed, status: QuorumLossStatus) -> Entry | None:
    """Of corrupt data the newest one from when members agreed last, if there is any: a later one may be corrupt."""
    answer = seen.snapshots
    if answer is None or answer.owner != own(seen.cluster):
        return None
    agreed_at = _agreed_at(seen) if status.corrupt else None
    trusted = (each for each in answer.sound if agreed_at is not None and _taken_by(each, agreed_at))
    return next(trusted, answer.newest)


def _taken_by(entry: Entry, moment: datetime) -> bool:
    return entry.taken_at is not None and entry.taken_at <= moment


def _agreed_at(seen: Observed) -> datetime | None:
    etcd = seen.cluster.status.etcd
    return etcd.agreed_at if etcd is not None else None


def _approved(seen: Observed, loss: Loss, status: QuorumLossStatus, now: datetime) -> Lost | None:
    """What an approval leads to; None without one that counts."""
    snapshot = seen.cluster.spec.healing.approve_restore
    if not snapshot or snapshot == status.spent_approval:
        return None
    message = f"restoring from snapshot {snapshot} was approved"
    if seen.cluster.spec.healing.paused:
        held = Verdict(words.HEALING_PAUSED, f"{message}, and is not begun: spec.healing.paused is true")
        return _lost(loss, Heal(held, wait=Wait(now + ASKED_AGAIN, message)), status)
    # Masters run on with corrupt data, so what they write until they are stopped is lost as well.
    judged = judge(seen, own(seen.cluster), snapshot, now if loss.corrupt else status.since, now)
    if judged.ask is not None:
        asking = Heal(Verdict(loss.reason, message), (judged.ask,), wait=Wait(now + ANSWERED, message))
        return _lost(loss, asking, status)
    if judged.begins is not None:
        # It counts once: members that start on the restored data are not ready for a while either.
        begins = replace(judged.begins, corrupt=loss.corrupt)
        told = Restoring(becomes=begins, has_looked=True, loss=replace(status, spent_approval=snapshot))
        return Lost(Heal(Verdict(words.RESTORING, message), wait=Wait(now, message)), told, loss.corrupt)
    refused = f"{message}, and refused: {judged.refused}"
    heal = Heal(Verdict(words.RESTORE_REFUSED, refused), wait=Wait(now + ASKED_AGAIN, refused))
    return _lost(loss, heal, status)


def _wait(seen: Observed, loss: Loss, status: QuorumLossStatus, now: datetime) -> Lost:
    """Look for the newest snapshot now and then, and for what was lost to come back."""
    answer = seen.snapshots
    is_old = answer is None or answer.owner != own(seen.cluster) or now >= answer.at + ASKED_AGAIN
    actions: tuple[Action, ...] = (AskSnapshots(own(seen.cluster), ""),) if is_old else ()
    until = now + (ANSWERED if is_old else _LOOKED)
    return _lost(loss, _heal(seen, loss, status, Wait(until, "an approval"), *actions), status)


def _heal(seen: Observed, loss: Loss, status: QuorumLossStatus, wait: Wait, *actions: Action) -> Heal:
    return Heal(Verdict(loss.reason, message(seen, loss, status)), actions, wait=wait)


def _lost(loss: Loss, heal: Heal, status: QuorumLossStatus) -> Lost:
    return Lost(heal, Restoring(has_looked=True, loss=status), loss.corrupt)
