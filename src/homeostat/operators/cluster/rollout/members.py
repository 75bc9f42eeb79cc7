"""Which member of etcd gets a new template next: from the last to the first, and never the one that leads. Pure.

A StatefulSet replaces Pods from the highest number down to its partition, without asking who leads or whether a member
elsewhere is away. So where there are three members the partition is homeostat's: it rests above all of them and goes
down by one when the others are ready and the next one does not lead. A leader gives its office away first, at best to a
member that was replaced already: an election costs clients a second, a hand-over nothing.

How far the StatefulSet may go is read off from itself, so an operator that dies in between goes on where it was. The
hand-over is a courtesy: where etcd cannot be asked, members are replaced without it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct

from homeostat.api.apps import StatefulSet
from homeostat.api.pods import Pod
from homeostat.operators.cluster.actions import Action, AskEtcd, MoveLeader, Wait
from homeostat.operators.cluster.components import topology
from homeostat.operators.cluster.healing.members import FRESH
from homeostat.operators.cluster.names import REVISION_LABEL
from homeostat.operators.cluster.observe import Observed
from homeostat.operators.cluster.ports import MemberSeen
from homeostat.operators.cluster.topology import HA

_ANSWERED = timedelta(seconds=0.5)  # until an answer of etcd's is looked at
_HELD = timedelta(seconds=5)  # while a member is not ready, whose Pod wakes us anyway


class Roll(Struct, frozen=True):
    """How far the StatefulSet of etcd may replace Pods, and what is done before it may go on."""

    partition: int
    actions: tuple[Action, ...] = ()
    wait: Wait | None = None


class Next(Struct, frozen=True):
    """The member that is replaced next."""

    number: int
    left: frozenset[int]  # all that are not replaced yet
    partition: int  # where the StatefulSet stops now, above it


def roll(seen: Observed, now: datetime) -> Roll:
    """The next step for one cluster's etcd."""
    at = topology(seen)
    members = at.members
    workload = seen.workloads.get(seen.names.etcd)
    if at.change is not None or 1 < members < HA.members:
        return Roll(1)  # who joins is of the newest template; the first one waits until there is a quorum without it
    if members == 1:
        return Roll(0)
    if not isinstance(workload, StatefulSet):
        return Roll(members)
    partition = workload.spec.update_strategy.rolling_update.partition
    left = behind(seen)
    if left is None:
        return Roll(partition)
    if not left:
        return Roll(members)
    if seen.cluster.status.ready_at is None:
        return Roll(0)  # there is nobody to be careful for yet, and members may need each other to become ready
    number = max(left)
    return Roll(number) if partition <= number else _before(seen, Next(number, left, partition), now)


def behind(seen: Observed) -> frozenset[int] | None:
    """The numbers of the members that are of an older revision than is declared; None while that is not known.

    A Pod that was let go is awaited: were the partition raised before it is back, it would be of the old revision.
    """
    workload = seen.workloads.get(seen.names.etcd)
    if not isinstance(workload, StatefulSet):
        return None
    wanted, status = workload.status.update_revision, workload.status
    if not wanted or status.observed_generation < workload.metadata.generation:
        return None
    pods = _pods(seen)
    missing = set(range(topology(seen).members)) - set(pods)
    if any(number >= workload.spec.update_strategy.rolling_update.partition for number in missing):
        return None
    old = {number for number, pod in pods.items() if pod.metadata.labels.get(REVISION_LABEL) != wanted}
    return frozenset(old | missing if status.current_revision != wanted else old)


def _before(seen: Observed, next_: Next, now: datetime) -> Roll:
    """What is done before a member may be replaced; one that is not ready has nothing to lose."""
    members, pods, number = topology(seen).members, _pods(seen), next_.number
    if number not in pods or not pods[number].is_ready:
        return Roll(number)
    others = [each for each in range(members) if each != number]
    away = [each for each in others if each not in pods or not pods[each].is_ready]
    if away:
        names = seen.names.etcd_members(members)
        why = f"{names[number]} is not replaced while {names[away[0]]} is away"
        return Roll(next_.partition, wait=Wait(now + _HELD, why))
    answer = seen.members
    if answer is None or now >= answer.at + FRESH:
        return Roll(next_.partition, (AskEtcd(),), Wait(now + _ANSWERED, "etcd's answer"))
    heir = _heir(seen, answer.members, number, next_.left)
    if heir is None:
        return Roll(number)
    moves = MoveLeader(heir.name, heir.id)
    return Roll(next_.partition, (moves,), Wait(now + _ANSWERED, f"{heir.name} leads"))


def _heir(seen: Observed, members: tuple[MemberSeen, ...], number: int, left: frozenset[int]) -> MemberSeen | None:
    """Who shall lead in place of a member that leads; None when it does not, or nobody else can."""
    names = seen.names.etcd_members(topology(seen).members)
    known = {each.name: each for each in members if each.is_well and not each.is_learner}
    if names[number] not in known or not known[names[number]].is_leader:
        return None
    # Best who was replaced already, the longest ago; else who will be replaced last.
    replaced = sorted((each for each in range(len(names)) if each not in left), reverse=True)
    order = (*replaced, *sorted(left - {number}))
    return next((known[names[each]] for each in order if names[each] in known), None)


def _pods(seen: Observed) -> dict[int, Pod]:
    found = {pod.metadata.name: pod for pod in seen.pods}
    names = seen.names.etcd_members(topology(seen).members)
    return {number: found[name] for number, name in enumerate(names) if name in found}
