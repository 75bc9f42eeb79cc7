"""Whether etcd has lost its quorum for long, what a restore would cost, and whether a person has approved one. Pure.

Three signals must agree: too few members are ready by their kubelets, for as long as a dead member is given; no member
that the operator reaches knows a leader; and still none does when it is asked again. Even then nothing is touched: the
hosts may come back with all data. The status says which snapshot is the newest and how much would be lost, and only
an approval that is given after that, and names a snapshot, begins a restore.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from homeostat.api.cluster.restoring import QuorumLossStatus
from homeostat.operators.cluster import words
from homeostat.operators.cluster.actions import Action, AskEtcd, Heal, Verdict, Wait
from homeostat.operators.cluster.components import topology
from homeostat.operators.cluster.healing.members import is_ready, unready_since
from homeostat.operators.cluster.healing.seen import EtcdSeen
from homeostat.operators.cluster.observe import Observed
from homeostat.operators.cluster.restore.actions import AskSnapshots, Restoring
from homeostat.operators.cluster.restore.beginning import ASKED_AGAIN, judge, lost_seconds, own

_FRESH = timedelta(seconds=30)  # how long etcd's silence is believed
_ANSWERED = timedelta(seconds=0.5)  # until an answer is looked at


class Lost(Struct, frozen=True):
    """What is told and done about a lost quorum."""

    heal: Heal
    restore: Restoring


def quorum_lost(seen: Observed, now: datetime) -> Lost | None:
    """None: there is a quorum, or there may be one soon."""
    since = _since(seen, now)
    if since is None:
        return None
    answer, told = seen.members, seen.cluster.status.quorum_loss
    if answer is None or now >= answer.at + _FRESH:
        doubt = _message(seen, told) if told else "too few members are ready for long, and etcd is being asked"
        ask = Heal(_verdict(doubt), (AskEtcd(),), wait=Wait(now + _ANSWERED, "etcd's answer"))
        return Lost(ask, Restoring(has_looked=True, loss=told))
    if has_quorum(seen, answer):
        return None  # kubelets are silent, but etcd agrees with itself
    loss = _loss(seen, since)
    if told is None:
        return Lost(Heal(_verdict(_message(seen, loss)), wait=Wait(now, "the snapshots")), _tell(loss))
    return _approved(seen, loss, now) or _wait(seen, loss, now)


def has_quorum(seen: Observed, answer: EtcdSeen) -> bool:
    """By etcd's own word. One member that knows a leader is not enough: empty ones elect it, and end at once."""
    return sum(member.is_well and not member.is_learner for member in answer.members) >= topology(seen).quorum


def _since(seen: Observed, now: datetime) -> datetime | None:
    """When too few members were left, if that is long enough ago to be told."""
    if seen.cluster.status.ready_at is None:
        return None
    members, quorum = seen.names.etcd_members(topology(seen).members), topology(seen).quorum
    unready = sorted(unready_since(seen, member, now) for member in members if not is_ready(seen, member))
    spared = len(members) - quorum  # so many may be away
    if len(unready) <= spared:
        return None
    if seen.cluster.status.quorum_loss is not None:
        return seen.cluster.status.quorum_loss.since  # a new process has seen nothing for long
    patience = timedelta(seconds=seen.cluster.spec.healing.replace_member_after_seconds)
    return unready[spared] if now >= unready[spared] + patience else None


def _loss(seen: Observed, since: datetime) -> QuorumLossStatus:
    """What is known of it now."""
    told, answer, approved = seen.cluster.status.quorum_loss, seen.snapshots, seen.cluster.spec.healing.approve_restore
    loss = told or QuorumLossStatus(since=since.replace(microsecond=0), spent_approval=approved)
    if not approved:
        loss = replace(loss, spent_approval="")  # the next one counts, whatever it names
    if answer is None or answer.owner != own(seen.cluster) or answer.newest is None:
        return loss
    lost = lost_seconds(answer.newest.taken_at, loss.since)
    return replace(loss, newest_snapshot=answer.newest.id, lost_seconds=lost)


def _approved(seen: Observed, loss: QuorumLossStatus, now: datetime) -> Lost | None:
    """What an approval leads to; None without one that counts."""
    snapshot = seen.cluster.spec.healing.approve_restore
    if not snapshot or snapshot == loss.spent_approval:
        return None
    message = f"restoring from snapshot {snapshot} was approved"
    if seen.cluster.spec.healing.paused:
        held = Verdict(words.HEALING_PAUSED, f"{message}, and is not begun: spec.healing.paused is true")
        return Lost(Heal(held, wait=Wait(now + ASKED_AGAIN, message)), _tell(loss))
    judged = judge(seen, own(seen.cluster), snapshot, loss.since, now)
    if judged.ask is not None:
        return Lost(Heal(_verdict(message), (judged.ask,), wait=Wait(now + _ANSWERED, message)), _tell(loss))
    if judged.begins is not None:
        # It counts once: members that start on the restored data are not ready for a while either.
        begins = Restoring(becomes=judged.begins, has_looked=True, loss=replace(loss, spent_approval=snapshot))
        return Lost(Heal(Verdict(words.RESTORING, message), wait=Wait(now, message)), begins)
    refused = f"{message}, and refused: {judged.refused}"
    return Lost(Heal(Verdict(words.RESTORE_REFUSED, refused), wait=Wait(now + ASKED_AGAIN, refused)), _tell(loss))


def _wait(seen: Observed, loss: QuorumLossStatus, now: datetime) -> Lost:
    """Look for the newest snapshot now and then, and for a quorum that came back."""
    answer = seen.snapshots
    is_old = answer is None or answer.owner != own(seen.cluster) or now >= answer.at + ASKED_AGAIN
    actions: tuple[Action, ...] = (AskSnapshots(own(seen.cluster), ""),) if is_old else ()
    until = now + (_ANSWERED if is_old else _FRESH)
    return Lost(Heal(_verdict(_message(seen, loss)), actions, wait=Wait(until, "an approval")), _tell(loss))


def _message(seen: Observed, loss: QuorumLossStatus) -> str:
    members = seen.names.etcd_members(topology(seen).members)
    away = ", ".join(member for member in members if not is_ready(seen, member))
    story = f"the quorum is lost since {loss.since:%FT%TZ}: {away} are not ready; mend their hosts"
    if loss.newest_snapshot:
        cost = f"what was written in the {timedelta(seconds=loss.lost_seconds)} before the loss is then gone for good"
        return f"{story}, or set spec.healing.approveRestore to {loss.newest_snapshot}, the newest snapshot: {cost}"
    failure = seen.snapshots.failure if seen.snapshots is not None else ""
    return f"{story}; no snapshot is known" + (f": {failure}" if failure else "")


def _verdict(message: str) -> Verdict:
    return Verdict(words.QUORUM_LOST, message)


def _tell(loss: QuorumLossStatus) -> Restoring:
    return Restoring(has_looked=True, loss=loss)
