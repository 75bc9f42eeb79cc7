"""What to do about the topology now: nothing, let a member of etcd join or leave, have more or fewer of the rest. Pure.

Up: members of etcd join first, one at a time, each as a learner that gets its vote when it has caught up; the first one
is not restarted before there is a quorum without it. Then come the other masters. Down, the other way round: one of
each of the others first, which from then on uses the first member of etcd alone, so that nobody hangs on a member that
leaves; then the last member leaves: the first one leads, the others forget it, its Pod goes, its volume goes.

Every step is written into the status before it is made, and what is next is read off from what there is. So an operator
that dies goes on where it was, and a wish that changes in the middle is followed from there: a member that joins leaves
again, one that was about to leave stays.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from msgspec.structs import replace

from homeostat.api.cluster.masters import ETCD
from homeostat.api.cluster.scaling import ClusterTopologyStatus, MemberChangeStatus
from homeostat.api.core import PERSISTENT_VOLUME_CLAIM, PersistentVolumeClaim
from homeostat.api.pods import POD, Pod
from homeostat.operators.cluster import words
from homeostat.operators.cluster.actions import (
    Action,
    AddMember,
    AskEtcd,
    Discard,
    MoveLeader,
    PromoteMember,
    RetireMember,
    Scale,
    Verdict,
    Wait,
)
from homeostat.operators.cluster.components import can_serve, is_ready
from homeostat.operators.cluster.healing.members import FRESH
from homeostat.operators.cluster.healing.seen import EtcdSeen
from homeostat.operators.cluster.observe import Observed
from homeostat.operators.cluster.ports import MemberSeen
from homeostat.operators.cluster.rollout.members import behind
from homeostat.operators.cluster.scaling.safety import unsafe_to_retire
from homeostat.operators.cluster.topology import HA, JOIN, LEAVE, number_of, topology_of, topology_status
from homeostat.operators.cluster.troubles import awaited, trouble
from homeostat.operators.cluster.volumes import taken

_ANSWERED = timedelta(seconds=0.5)  # until an answer of etcd's is looked at
_AGAIN = timedelta(seconds=2)  # while a member comes or goes
_HELD = timedelta(seconds=30)  # while nothing may be done
_STUCK = timedelta(minutes=30)  # a member that has not joined by then leaves, and joins anew


def scale(seen: Observed, now: datetime, first: Verdict | None) -> Scale:
    """The next step of one cluster; `first` is what must be over before a change of the topology begins or goes on."""
    at, to = topology_status(seen.cluster), topology_of(seen.cluster.spec.topology)
    is_there = at.change is None and (at.members, at.replicas) == (to.members, to.others)
    if is_there and at.started_at is None:
        return Scale()
    if seen.cluster.status.ready_at is None:
        return _held(now, words.AWAITING_HEALTH, "the topology changes when the cluster was Ready for the first time")
    if first is not None:
        return Scale(first, wait=Wait(now + _AGAIN, first.message))
    if at.change is not None:
        change = at.change
        judge = _join if change.action == JOIN else _leave
        return _by_fresh_answer(seen, now, f"{change.member} {_verb(change)}", lambda told: judge(seen, told, now))
    if is_there:
        done = replace(at, complete=seen.cluster.spec.topology, started_at=None)
        return _awaited(seen, now) or _become(now, "all masters are there", done)
    return _up(seen, at, now) if (at.members, at.replicas) < (to.members, to.others) else _down(seen, at, now)


def _up(seen: Observed, at: ClusterTopologyStatus, now: datetime) -> Scale:
    if at.members == HA.members:
        grown = replace(at, replicas=HA.others, started_at=at.started_at or _second(now))
        return _awaited(seen, now, only=ETCD) or _become(now, "the other masters get a second replica", grown)
    if len(seen.zones) < HA.zones:
        found = ", ".join(sorted(seen.zones)) or "none"
        message = (
            f"spec.topology: ha needs hosts that take Pods in {HA.zones} zones of the cell, found {len(seen.zones)}"
            f" ({found}); add hosts, or set the topology back"
        )
        return _held(now, words.TOO_FEW_ZONES, message)
    if at.started_at is None and (unready := awaited(seen)):
        message = f"before the topology changes: {unready}: {trouble(seen, unready).message}"
        return _held(now, words.AWAITING_HEALTH, message)
    away = [name for name in seen.names.etcd_members(at.members) if not _is_ready(seen, name)]
    if away:
        return _doing(now, f"{', '.join(away)} is awaited")
    member = seen.names.etcd_members(at.members + 1)[-1]
    foreign = taken(seen, (member,))
    if foreign is not None:
        return _held(now, foreign.reason, foreign.message)
    change = MemberChangeStatus(
        member=member, action=JOIN, started_at=_second(now), claim_uid=_uid_of(_claim(seen, member))
    )
    begun = replace(at, zoned=True, change=change, started_at=at.started_at or _second(now))
    return _become(now, f"{member} joins", begun)


def _down(seen: Observed, at: ClusterTopologyStatus, now: datetime) -> Scale:
    if not can_serve(seen):
        return _held(now, words.AWAITING_HEALTH, "before the topology changes: the cluster does not serve its clients")
    if at.replicas > 1:
        fewer = replace(at, replicas=1, started_at=at.started_at or _second(now))
        return _become(now, "one of each of the other masters is enough", fewer)
    held = _awaited(seen, now, besides=ETCD)
    if held is not None:
        return held
    member = seen.names.etcd_members(at.members)[-1]
    return _by_fresh_answer(seen, now, f"{member} leaves", lambda told: _begin_to_leave(seen, told, member, now))


def _begin_to_leave(seen: Observed, answer: EtcdSeen, member: str, now: datetime) -> Scale:
    """Whoever is going to leave is written down with its number and its volume."""
    at = topology_status(seen.cluster)
    one = _at_host(seen, answer, member)
    change = MemberChangeStatus(
        member=member,
        action=LEAVE,
        started_at=_second(now),
        member_id=f"{one.id:x}" if one is not None else "",
        claim_uid=_uid_of(_claim(seen, member)),
    )
    return _become(now, f"{member} leaves", replace(at, change=change, started_at=at.started_at or _second(now)))


def _join(seen: Observed, answer: EtcdSeen, now: datetime) -> Scale:
    """The next step of a member that joins, from what there is."""
    at = topology_status(seen.cluster)
    change = at.change
    assert change is not None  # noqa: S101  (the caller looked)
    name, number = change.member, number_of(change.member)
    one = _at_host(seen, answer, name)
    is_lost = one is None and at.members > number
    is_stuck = now > change.started_at + _STUCK and (one is None or one.is_learner)
    if topology_of(seen.cluster.spec.topology).members <= number or is_lost or is_stuck:
        return _begin_to_leave(seen, answer, name, now)
    if one is None:
        old = _claim(seen, name)
        if old is not None and old.metadata.uid == change.claim_uid:
            return _doing(now, f"an old volume of {name} goes", *_discarded(old))
        return _doing(now, f"etcd is told of {name}", AddMember(name))
    if at.members <= number:
        return _become(now, f"{name} starts", replace(at, members=number + 1))
    if not one.name:
        return _doing(now, f"{name} is awaited")
    if one.is_learner and one.is_level:
        return _doing(now, f"{name} gets its vote", PromoteMember(name, one.id))
    if one.is_learner or not _is_ready(seen, name):
        return _doing(now, f"{name} catches up")
    return _become(now, f"{name} has joined", replace(at, change=None))


def _leave(seen: Observed, answer: EtcdSeen, now: datetime) -> Scale:
    """The next step of a member that leaves, from what there is."""
    at = topology_status(seen.cluster)
    change = at.change
    assert change is not None  # noqa: S101  (the caller looked)
    name, number = change.member, number_of(change.member)
    old = _at_host(seen, answer, name)
    if old is not None and f"{old.id:x}" != change.member_id:  # it was added after the change was told
        return _begin_to_leave(seen, answer, name, now)
    is_wanted = topology_of(seen.cluster.spec.topology).members > number
    if old is not None and is_wanted and not old.is_learner:
        return _become(now, f"{name} stays", replace(at, change=None))
    if old is not None:
        return _retire(seen, answer, old, now)
    if at.members > number:
        return _become(now, f"the Pod of {name} goes", replace(at, members=number))
    return _cleared(seen, name, now) or _left(seen, at, name, now)


def _retire(seen: Observed, answer: EtcdSeen, old: MemberSeen, now: datetime) -> Scale:
    name = old.name or old.host.partition(".")[0]
    unsafe = unsafe_to_retire(answer.members, old.id)
    if unsafe:
        return _held(now, words.QUORUM_AT_RISK, f"{name} cannot leave: {unsafe}")
    first = _at_host(seen, answer, seen.names.etcd_members(1)[0])
    if first is not None and not first.is_leader and any(each.is_leader for each in answer.members):
        return _doing(now, f"{first.name} leads", MoveLeader(first.name, first.id))
    return _doing(now, f"{name} is being removed from the members of etcd", RetireMember(name, old.id))


def _cleared(seen: Observed, name: str, now: datetime) -> Scale | None:
    """What a member that left leaves behind: its Pod, then its volume; None when nothing is left."""
    at, pod, claim = topology_status(seen.cluster), _pod(seen, name), _claim(seen, name)
    assert at.change is not None  # noqa: S101  (the caller looked)
    if pod is not None:
        host = seen.hosts.get(pod.spec.node_name)
        is_stuck = host is not None and not host.is_ready
        actions = (Discard(POD, name, pod.metadata.uid, force=True),) if is_stuck else ()
        return _doing(now, f"the Pod of {name} goes", *actions)
    if claim is None:
        return None
    if claim.metadata.uid != at.change.claim_uid:  # it came after the change was told
        told = replace(at.change, claim_uid=claim.metadata.uid)
        return _become(now, f"the volume of {name} goes", replace(at, change=told))
    return _doing(now, f"the volume of {name} goes", *_discarded(claim))


def _left(seen: Observed, at: ClusterTopologyStatus, name: str, now: datetime) -> Scale:
    """Nothing is left of it. Of the only member, the rules stay those that its Pod has, or it would be restarted."""
    after = replace(at, change=None)
    if at.members > 1:
        return _become(now, f"{name} has left", after)
    outdated = behind(seen)
    if outdated is None:
        return _doing(now, "the StatefulSet of etcd is awaited")
    return _become(now, f"{name} has left", replace(after, zoned=at.zoned and not outdated))


def uses_first_alone(seen: Observed) -> bool:
    """Whether API servers shall find no member of etcd but the first, because the others are going to leave."""
    at, to = topology_status(seen.cluster), topology_of(seen.cluster.spec.topology)
    if at.started_at is None or at.replicas > 1 or at.members <= to.members:
        return False
    return _is_ready(seen, seen.names.etcd_members(1)[0])


def _by_fresh_answer(seen: Observed, now: datetime, what: str, judge: Callable[[EtcdSeen], Scale]) -> Scale:
    """What is judged by etcd's answer; nothing is done by an old one, but it is told until there is another."""
    answer = seen.members
    judged = _doing(now, what) if answer is None else _unreached(answer, what, now) or judge(answer)
    if answer is not None and now < answer.at + FRESH:
        return judged
    told = judged.verdict if judged.becomes is None else Verdict(words.SCALING, what)
    return Scale(told, actions=(AskEtcd(),), wait=Wait(now + _ANSWERED, "etcd's answer"))


def _unreached(answer: EtcdSeen, what: str, now: datetime) -> Scale | None:
    if not answer.failure:
        return None
    told = Verdict(words.ETCD_UNREACHABLE, f"{what}, and etcd cannot be asked")
    return Scale(told, wait=Wait(now + FRESH, "etcd's answer"))


def _awaited(seen: Observed, now: datetime, *, only: str = "", besides: str = "") -> Scale | None:
    """The first component that is not ready; None when all are."""
    unready = awaited(seen, besides) if not only else "" if is_ready(seen, only) else only
    return _doing(now, f"{unready}: {trouble(seen, unready).message}") if unready else None


def _become(now: datetime, what: str, status: ClusterTopologyStatus) -> Scale:
    """Told first, made at the next look."""
    return Scale(Verdict(words.SCALING, what), becomes=status, wait=Wait(now, "what was told is done at the next look"))


def _doing(now: datetime, what: str, *actions: Action) -> Scale:
    return Scale(Verdict(words.SCALING, what), actions=actions, wait=Wait(now + _AGAIN, what))


def _held(now: datetime, reason: str, message: str) -> Scale:
    return Scale(Verdict(reason, message), wait=Wait(now + _HELD, message))


def _second(now: datetime) -> datetime:
    """As the API server keeps times."""
    return now.replace(microsecond=0)


def _verb(change: MemberChangeStatus) -> str:
    return "joins" if change.action == JOIN else "leaves"


def _discarded(claim: PersistentVolumeClaim) -> tuple[Action, ...]:
    if claim.metadata.deletion_timestamp is not None:
        return ()
    return (Discard(PERSISTENT_VOLUME_CLAIM, claim.metadata.name, claim.metadata.uid),)


def _at_host(seen: Observed, answer: EtcdSeen, member: str) -> MemberSeen | None:
    host = seen.names.etcd_host(member)
    return next((each for each in answer.members if each.host == host), None)


def _claim(seen: Observed, member: str) -> PersistentVolumeClaim | None:
    return next((each for each in seen.claims if each.metadata.name == f"data-{member}"), None)


def _uid_of(claim: PersistentVolumeClaim | None) -> str:
    return claim.metadata.uid if claim is not None else ""


def _pod(seen: Observed, name: str) -> Pod | None:
    return next((pod for pod in seen.pods if pod.metadata.name == name), None)


def _is_ready(seen: Observed, name: str) -> bool:
    pod = _pod(seen, name)
    return pod is not None and pod.is_ready
