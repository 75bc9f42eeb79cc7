"""What to do about a member of etcd that is dead: nothing, wait, or replace it by one with an empty volume. Pure.

Two signals must agree, for long: its Pod is not ready, and etcd itself cannot reach it. Then the member is forgotten by
the others first, so that it can never come back and disagree; its volume and its Pod go; a learner takes its place, and
only then: a Pod of the dead that starts once more on a volume that lost everything would take that place for its own,
and what the others have sent it would go with it. The new Pod fills an empty volume from the others, and gets its vote
when it has caught up. The other two keep the quorum all the while, and unless both are well nothing begins.

What is going to be replaced is written into the status first. Every step is then read off from what there is, so an
operator that dies between any two of them goes on where it was. That holds also where the status was lost: a member
that the others forgot already, or a learner that nobody promotes, is replaced from the step on that it has come to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from homeostat.api.cluster.healing import ClusterHealingStatus, MemberReplacementStatus
from homeostat.api.core import PERSISTENT_VOLUME_CLAIM, PersistentVolumeClaim
from homeostat.api.pods import POD, Pod
from homeostat.kit.backoff import doubled
from homeostat.operators.cluster import words
from homeostat.operators.cluster.actions import (
    Action,
    AddMember,
    AskEtcd,
    Discard,
    Heal,
    PromoteMember,
    RemoveMember,
    Verdict,
    Wait,
)
from homeostat.operators.cluster.components import topology
from homeostat.operators.cluster.healing.allowing import heard_at, held
from homeostat.operators.cluster.healing.moving import is_for_the_move
from homeostat.operators.cluster.healing.policy import Policy
from homeostat.operators.cluster.healing.remembered import remembered
from homeostat.operators.cluster.healing.seen import EtcdSeen
from homeostat.operators.cluster.observe import Observed
from homeostat.operators.cluster.ports import MemberSeen

FRESH = timedelta(seconds=5)  # how long an answer of etcd's is acted on
_ANSWERED = timedelta(seconds=0.5)  # until an answer of etcd's is looked at
_AGAIN = timedelta(seconds=2)  # while a replacement is under way
_STUCK = timedelta(minutes=30)  # a new member that has not started by then is replaced itself
_HELD = timedelta(seconds=30)  # while one is wanted and may not begin
_FIRST_BACK_OFF, _LONGEST_BACK_OFF = timedelta(minutes=5), timedelta(hours=6)


def heal(seen: Observed, now: datetime, policy: Policy) -> Heal:
    """The next step for the members of one cluster that was Ready once."""
    if topology(seen).members < 3 or seen.cluster.status.ready_at is None:
        return Heal()
    healing = remembered(seen.cluster.status.healing, now)
    if healing is not None and healing.replacement is not None:
        replacement = healing.replacement
        unknown = Verdict(words.REPLACING_MEMBER, f"{replacement.member} is being replaced")
        return _by_fresh_answer(seen, now, unknown, lambda answer: _go_on(seen, answer, replacement, now, policy))
    corrupt = _corrupt(seen)
    if corrupt:
        unknown = Verdict(words.ETCD_CORRUPT, f"{corrupt} {_fault(seen, corrupt)}, and etcd is being asked about it")
        return _by_fresh_answer(seen, now, unknown, lambda answer: _judge_corrupt(seen, answer, corrupt, now, policy))
    coming_or_going = topology(seen).change
    kept = [name for name in _names(seen) if coming_or_going is None or name != coming_or_going.member]
    dead = [member for member in kept if not is_ready(seen, member)]
    if not dead:
        return Heal()
    patience = timedelta(seconds=seen.cluster.spec.healing.replace_member_after_seconds)
    oldest = min(dead, key=lambda member: unready_since(seen, member, now))
    due = unready_since(seen, oldest, now) + patience
    if now < due:
        return Heal(wait=Wait(due, f"{oldest} may come back"))
    if is_for_the_move(seen, oldest):
        return _hold(now, words.MEMBER_UNREADY, f"{oldest} did not come up where it moved: it is left to UpToDate")
    if len(dead) > 1:
        return _hold(
            now,
            words.QUORUM_AT_RISK,
            f"{_listed(dead)} are not ready, and a member is replaced only while the others are well",
        )
    unknown = Verdict(words.MEMBER_UNREADY, f"{oldest} is not ready for long, and etcd is being asked about it")
    return _by_fresh_answer(seen, now, unknown, lambda answer: _judge(seen, answer, oldest, now, policy))


def back_off(attempts: int) -> timedelta:
    """How long after the last beginning the next one waits: a cluster that breaks again and again waits longer."""
    return doubled(_FIRST_BACK_OFF, attempts, _LONGEST_BACK_OFF)


def begun(before: ClusterHealingStatus | None, replacement: MemberReplacementStatus) -> ClusterHealingStatus:
    """The status with a replacement that begins; what was calm for long counts as the first."""
    known = before or ClusterHealingStatus()
    now, last = replacement.started_at, known.last_started_at
    is_again = last is not None and now < last + 2 * _LONGEST_BACK_OFF
    return ClusterHealingStatus(
        replacement=replacement, last_started_at=now, attempts=known.attempts + 1 if is_again else 1
    )


def _by_fresh_answer(seen: Observed, now: datetime, unknown: Verdict, judge: Callable[[EtcdSeen], Heal]) -> Heal:
    """What is judged by etcd's answer; nothing is done by an old one, but it is told until there is another."""
    answer = seen.members
    judged = Heal() if answer is None else judge(answer)
    if answer is not None and now < answer.at + FRESH:
        return judged
    told = unknown if judged.begins or judged.verdict is None else judged.verdict
    return Heal(told, actions=(AskEtcd(),), wait=Wait(now + _ANSWERED, "etcd's answer"))


def _judge(seen: Observed, answer: EtcdSeen, member: str, now: datetime, policy: Policy) -> Heal:
    """Whether a member whose Pod is not ready for long is to be replaced now."""
    if answer.failure:
        return _hold(now, words.ETCD_UNREACHABLE, f"{member} is not ready, and etcd cannot be asked about it")
    one = next((each for each in answer.members if each.host == seen.names.etcd_host(member)), None)
    if one is not None and one.is_well and not one.is_learner:
        return _hold(now, words.MEMBER_UNREADY, f"{member} answers, but its Pod is not ready: it is left as it is")
    for rule in (_others, _permission, _patience, _room):
        why = rule(seen, member, now, policy)
        if why is not None:
            return why
    silent = f"its Pod is not ready since {unready_since(seen, member, now):%FT%TZ}, and etcd"
    if one is None or one.is_learner:  # a replacement that was forgotten had come so far
        has_started = one is not None and one.name != ""
        return _begin(seen, member, None, f"{silent} knows none there with a vote", now, keeps_volume=has_started)
    return _begin(seen, member, one, f"{silent} cannot reach it", now)


def _judge_corrupt(seen: Observed, answer: EtcdSeen, member: str, now: datetime, policy: Policy) -> Heal:
    """Whether a member with other data than the two others agree on is to be replaced now."""
    one = next((each for each in answer.members if each.name == member), None)
    if answer.failure or one is None:
        return _hold(now, words.ETCD_CORRUPT, f"{member} {_fault(seen, member)}, and etcd cannot be asked about it")
    for rule in (_others, _permission, _patience):
        why = rule(seen, member, now, policy)
        if why is not None:
            return why
    return _begin(seen, member, one, "its data is not what the other members agree on", now)


def _corrupt(seen: Observed) -> str:
    """The one member of three that the two others agree against; empty when there is none."""
    deviating = seen.upkeep.deviating
    is_changing = topology(seen).change is not None
    if is_changing or len(seen.upkeep.hashes) < topology(seen).members or len(deviating) != 1:
        return ""
    return next((member for member in _names(seen) if seen.names.etcd_host(member) == deviating[0]), "")


def _fault(seen: Observed, member: str) -> str:
    """What is wrong with a member."""
    return "has other data than the others agree on" if _corrupt(seen) == member else "is dead"


def _begin(
    seen: Observed, member: str, one: MemberSeen | None, why: str, now: datetime, *, keeps_volume: bool = False
) -> Heal:
    """`one` is who is to be removed, None: nobody is any more; what keeps its volume is a learner that has started."""
    claim = next((each for each in seen.claims if each.metadata.name == f"data-{member}"), None)
    pod = _pod(seen, member)
    replacement = MemberReplacementStatus(
        member=member,
        member_id=f"{one.id:x}" if one is not None else "",
        claim_uid=claim.metadata.uid if claim and not keeps_volume else "",
        pod_uid=pod.metadata.uid if pod and not keeps_volume else "",
        started_at=now.replace(microsecond=0),
        reason=why,
        corrupt=_corrupt(seen) == member,
    )
    return Heal(
        Verdict(words.REPLACING_MEMBER, f"{member} {_fault(seen, member)} and is being replaced"),
        begins=replacement,
        wait=Wait(now, "what was told is done at the next look"),
    )


def _others(seen: Observed, member: str, now: datetime, policy: Policy) -> Heal | None:  # noqa: ARG001
    assert seen.members is not None  # noqa: S101  (it was asked for)
    host, is_corrupt = seen.names.etcd_host(member), _corrupt(seen) == member
    unwell = unsafe_without(seen.members.members, host, is_corrupt=is_corrupt)
    return (
        _hold(now, words.QUORUM_AT_RISK, f"{member} {_fault(seen, member)}, and is not replaced: {unwell}")
        if unwell
        else None
    )


def unsafe_without(members: Iterable[MemberSeen], host: str, *, is_corrupt: bool = False) -> str:
    """Why the member at a host cannot be removed now; empty: the others are enough, all well, with a vote, started.

    One that all others agree against may have made etcd accuse one of them: a leader compares the others with itself.
    """
    others = [each for each in members if each.host != host]
    well = [each for each in others if each.is_well or (is_corrupt and each.is_accused)]
    sound = [each for each in well if not each.is_learner]
    if len(sound) < len(others) or len(sound) < 2:
        poor = _listed([each.name or each.host for each in others if each not in sound])
        return f"the others are not all well ({poor})" if poor else "there are too few others"
    return ""


def _permission(seen: Observed, member: str, now: datetime, policy: Policy) -> Heal | None:
    why = held(seen, now, policy.cell)
    return (
        _hold(now, why.reason, f"{member} {_fault(seen, member)}, and is not replaced: {why.message}")
        if why is not None
        else None
    )


def _patience(seen: Observed, member: str, now: datetime, policy: Policy | None = None) -> Heal | None:  # noqa: ARG001
    healing = remembered(seen.cluster.status.healing, now)
    if healing is None or healing.last_started_at is None:
        return None
    until = healing.last_started_at + back_off(healing.attempts)
    if now >= until:
        return None
    message = f"attempt {healing.attempts + 1} begins after {until:%FT%TZ}"
    return Heal(
        Verdict(words.HEALING_BACKED_OFF, f"{member} {_fault(seen, member)} again: {message}"),
        wait=Wait(until, message),
    )


def _room(seen: Observed, member: str, now: datetime, policy: Policy) -> Heal | None:  # noqa: ARG001
    """A host in a zone where no other member stands, or its own if that is well: elsewhere the new Pod may not go."""
    taken = {seen.hosts[host].zone for host in _other_hosts(seen, member) if host in seen.hosts}
    if any(host.takes_pods and host.zone and host.zone not in taken for host in seen.hosts.values()):
        return None
    return _hold(
        now, words.NO_ROOM, f"{member} is dead, and no host that takes Pods is in a zone without another member"
    )


def _go_on(
    seen: Observed, answer: EtcdSeen, replacement: MemberReplacementStatus, now: datetime, policy: Policy
) -> Heal:
    """The next step of a replacement, from what there is."""
    name, members = replacement.member, answer.members
    host = seen.names.etcd_host(name)
    others = {each.host for each in members if each.host != host}
    if answer.failure or len(others) < topology(seen).members - 1:
        found = "cannot be asked" if answer.failure else f"knows of {len(others)} others only"
        return _hold(now, words.ETCD_UNREACHABLE, f"{name} is being replaced, and etcd {found}")
    old = next((each for each in members if f"{each.id:x}" == replacement.member_id), None)
    if old is not None:
        return _remove(seen, answer, replacement, old, now, policy)
    new = next((each for each in members if each.host == host), None)
    rest = _leftovers(seen, replacement)
    if rest and new is not None and not new.is_learner:
        by_others = f"{name} has a vote by other hands, so its volume is no leftover, and it is replaced no more"
        return Heal(Verdict(words.REPLACING_MEMBER, by_others), ends=True)
    if rest or ((new is None or new.is_learner) and _is_there(seen, replacement)):
        return _doing(now, f"the volume of the dead {name} goes", *rest)
    if new is None:
        return _doing(now, f"a learner takes the place of {name}", AddMember(name))
    if (not new.name or not new.is_well) and now > replacement.started_at + _STUCK:
        return _patience(seen, name, now) or _begin(seen, name, new, "the one that took its place did not start", now)
    if not new.name:
        return _doing(now, f"the new {name} is awaited")
    if new.is_learner and new.is_level:
        return _doing(now, f"{name} gets its vote", PromoteMember(name, new.id))
    if new.is_learner or not is_ready(seen, name):
        return _doing(now, f"the new {name} catches up")
    return Heal(ends=True)


def _remove(
    seen: Observed,
    answer: EtcdSeen,
    replacement: MemberReplacementStatus,
    old: MemberSeen,
    now: datetime,
    policy: Policy,
) -> Heal:
    """The step that cannot be taken back: it waits for its turn in the cell, though it was told already."""
    name, is_corrupt = replacement.member, replacement.corrupt
    is_sound = len(seen.upkeep.hashes) == topology(seen).members and _corrupt(seen) != name
    if is_sound if is_corrupt else old.is_well and is_ready(seen, name):
        return Heal(ends=True)  # it came back before anything was done, or agrees with the others after all
    fault = "is corrupt" if is_corrupt else "is dead"
    if now < heard_at(seen, replacement.started_at, policy.cell):
        return _doing(now, f"{name} will be removed, unless it is the turn of others for which the same was decided")
    why = held(seen, now, policy.cell, is_begun=True)
    if why is not None:
        return _hold(now, why.reason, f"{name} {fault}, and is not replaced: {why.message}")
    unwell = unsafe_without(answer.members, seen.names.etcd_host(name), is_corrupt=is_corrupt)
    if unwell:
        return _hold(now, words.QUORUM_AT_RISK, f"{name} {fault}, and is not removed: {unwell}")
    return _doing(now, f"{name} is being removed", RemoveMember(name, old.id, is_corrupt))


def _leftovers(seen: Observed, replacement: MemberReplacementStatus) -> tuple[Action, ...]:
    """The volume of the removed member, and its Pod; a Pod on a host that is gone cannot be let go in peace."""
    claims = _old_claims(seen, replacement)
    actions: list[Action] = [
        Discard(PERSISTENT_VOLUME_CLAIM, each.metadata.name, replacement.claim_uid)
        for each in claims
        if each.metadata.deletion_timestamp is None
    ]
    pod = _pod(seen, replacement.member)
    is_old = pod is not None and (pod.metadata.uid == replacement.pod_uid or bool(claims))
    if pod is not None and is_old and not _is_on_its_way(seen, pod):
        is_stuck = pod.spec.node_name in seen.hosts and not seen.hosts[pod.spec.node_name].is_ready
        actions.append(Discard(POD, pod.metadata.name, pod.metadata.uid, force=is_stuck))
    return tuple(actions)


def _is_there(seen: Observed, replacement: MemberReplacementStatus) -> bool:
    """Whether something of the removed member is seen still, though it may be on its way."""
    pod = _pod(seen, replacement.member)
    is_old = pod is not None and replacement.pod_uid != "" and pod.metadata.uid == replacement.pod_uid
    return is_old or bool(_old_claims(seen, replacement))


def _old_claims(seen: Observed, replacement: MemberReplacementStatus) -> list[PersistentVolumeClaim]:
    return [each for each in seen.claims if each.metadata.uid == replacement.claim_uid]


def _is_on_its_way(seen: Observed, pod: Pod) -> bool:
    """Whether a Pod is being deleted, by a kubelet that can."""
    host = seen.hosts.get(pod.spec.node_name)
    return pod.metadata.deletion_timestamp is not None and (host is None or host.is_ready)


def _doing(now: datetime, what: str, *actions: Action) -> Heal:
    return Heal(Verdict(words.REPLACING_MEMBER, what), actions=actions, wait=Wait(now + _AGAIN, what))


def _hold(now: datetime, reason: str, message: str) -> Heal:
    return Heal(Verdict(reason, message), wait=Wait(now + _HELD, message))


def _names(seen: Observed) -> tuple[str, ...]:
    return seen.names.etcd_members(topology(seen).members)


def _pod(seen: Observed, name: str) -> Pod | None:
    return next((pod for pod in seen.pods if pod.metadata.name == name), None)


def is_ready(seen: Observed, member: str) -> bool:
    """Whether its Pod is."""
    pod = _pod(seen, member)
    return pod is not None and pod.is_ready


def unready_since(seen: Observed, member: str, now: datetime) -> datetime:
    """By its kubelet where this process has not looked before, else since it has seen it so."""
    pod = _pod(seen, member)
    condition = pod.status.condition("Ready") if pod else None
    first = seen.unready.get(member, now)
    if pod is None or condition is None or condition.status == "True" or condition.last_transition_time is None:
        return first
    return min(seen.since(pod, condition.last_transition_time), first)


def _other_hosts(seen: Observed, member: str) -> list[str]:
    others = [name for name in _names(seen) if name != member]
    return [pod.spec.node_name for pod in seen.pods if pod.metadata.name in others]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
