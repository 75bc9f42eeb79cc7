"""Whether etcd has lost its quorum for long. Pure.

Three signals must agree: too few members are ready by their kubelets, for as long as a dead member is given; no member
that the operator reaches knows a leader; and still none does when it is asked again. Even then nothing is touched: the
hosts may come back with all data. What that costs, and whether a person has approved a restore, `approval` says.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from homeostat.operators.cluster import words
from homeostat.operators.cluster.actions import AskEtcd, Heal, Verdict, Wait
from homeostat.operators.cluster.components import topology
from homeostat.operators.cluster.healing.members import is_ready, unready_since
from homeostat.operators.cluster.healing.seen import EtcdSeen
from homeostat.operators.cluster.observe import Observed
from homeostat.operators.cluster.restore.actions import Restoring
from homeostat.operators.cluster.restore.approval import ANSWERED, Loss, Lost, follow, message, told_of

_FRESH = timedelta(seconds=30)  # how long etcd's silence is believed


def quorum_lost(seen: Observed, now: datetime) -> Lost | None:
    """None: there is a quorum, or there may be one soon."""
    since = _since(seen, now)
    if since is None:
        return None
    loss, answer, told = _loss(seen, since), seen.members, told_of(seen, corrupt=False)
    if answer is None or now >= answer.at + _FRESH:
        doubt = message(seen, loss, told) if told else "too few members are ready for long, and etcd is being asked"
        ask = Heal(Verdict(loss.reason, doubt), (AskEtcd(),), wait=Wait(now + ANSWERED, "etcd's answer"))
        return Lost(ask, Restoring(has_looked=True, loss=told))
    if has_quorum(seen, answer):
        return None  # kubelets are silent, but etcd agrees with itself
    return follow(seen, loss, now)


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
    told = told_of(seen, corrupt=False)
    if told is not None:
        return told.since  # a new process has seen nothing for long
    patience = timedelta(seconds=seen.cluster.spec.healing.replace_member_after_seconds)
    return unready[spared] if now >= unready[spared] + patience else None


def _loss(seen: Observed, since: datetime) -> Loss:
    members = seen.names.etcd_members(topology(seen).members)
    away = [member for member in members if not is_ready(seen, member)]
    are = "is" if len(away) == 1 else "are"
    told = f"the quorum is lost since {since.replace(microsecond=0):%FT%TZ}: {', '.join(away)} {are} not ready"
    return Loss(words.QUORUM_LOST, told, since, beside="mend their hosts")
