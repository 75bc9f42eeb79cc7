"""What to do about the stores of etcd now: nothing, look, give room back, clear an alarm. Pure.

Looks are far apart, and spread over the clusters of a cell, so that idle clusters cost next to nothing; they come close
where a store is near its quota. Everything is done to one member at a time, the leader last and only after it gave its
office away, by an answer of etcd's that is seconds old, and not while a member is away, moved or replaced.

A store that is full takes no more writes, not even those by which API servers make etcd forget old revisions. So that
is done for them: compact, defragment every member, and only when each has room again take the alarm back.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct

from homeostat.api.cluster.masters import ETCD
from homeostat.operators.cluster.actions import Action, Care, MoveLeader, Step, Wait
from homeostat.operators.cluster.components import is_ready, topology
from homeostat.operators.cluster.observe import Observed
from homeostat.operators.cluster.rollout.securing import is_at_rest
from homeostat.operators.cluster.rollout.working import is_at_work
from homeostat.operators.cluster.upkeep.actions import (
    AskStores,
    Compact,
    CompareStores,
    Defragment,
    Disarm,
    ForbidDowngrade,
)
from homeostat.operators.cluster.upkeep.sizes import largest, quota, used
from homeostat.operators.cluster.upkeep.stores import CORRUPT, NO_SPACE, Alarm, StoreSeen
from homeostat.operators.cluster.upkeep.verdict import judge

_ANSWERED = timedelta(seconds=0.5)  # until an answer of etcd's is looked at


class Policy(Struct, frozen=True):
    """How often etcd's stores are looked at, and when something is done about them."""

    every: timedelta = timedelta(minutes=5)
    near_every: timedelta = timedelta(minutes=1)  # where a store is near its quota, or etcd could not be asked
    again: timedelta = timedelta(seconds=15)  # while clients fail, an alarm stands, or a permission is left over
    near: float = 0.8  # of the quota
    room: float = 0.9  # of the quota: an alarm is taken back when all stores are below
    free: float = 0.5  # of a file that is free inside: then it is defragmented
    free_at_least: int = 64 << 20  # bytes; less is not worth that a member serves nobody for a moment
    apart: timedelta = timedelta(hours=1)  # between two defragmentations of one member that has room
    compare_every: timedelta = timedelta(hours=6)
    compare_again: timedelta = timedelta(minutes=1)  # while members disagree


def care(seen: Observed, going: Step, now: datetime, policy: Policy) -> Care:
    """The next step for the stores of one cluster that was Ready once."""
    known = seen.upkeep
    if seen.cluster.status.ready_at is None or known.first is None:
        return Care()
    verdict, is_broken = judge(seen, policy.near)
    if known.is_fresh(now) and not known.failure:
        actions = _next(seen, going, now, policy)
        if actions:
            return Care(verdict, is_broken, (*actions, AskStores()), Wait(now + _ANSWERED, "etcd's answer"))
    due = _due(seen, now, policy)
    if now >= due:
        return Care(verdict, is_broken, (AskStores(),), Wait(now + _ANSWERED, "etcd's answer"))
    return Care(verdict, is_broken, (), Wait(due, "the next look at the stores of etcd"))


def _due(seen: Observed, now: datetime, policy: Policy) -> datetime:
    """When the next look is due."""
    known = seen.upkeep
    is_served = seen.probed is None or seen.probed.version != ""
    if known.at is None:
        assert known.first is not None  # noqa: S101  (care() looked)
        # Those that are well are spread over the round.
        return known.first if is_served and is_ready(seen, ETCD) else now
    if known.is_stale:
        return known.at
    if known.failure:
        return known.at + policy.near_every
    if seen.probed is not None and not is_served and seen.probed.at > known.at:
        return known.at + policy.again  # a client's write failed: etcd may be full
    if not is_ready(seen, ETCD):
        return known.at + policy.near_every  # members say so too of data that etcd found corrupt, and of a full store
    answer, store = known.answer, largest(seen)
    if answer is not None and (answer.alarms or any(one.going_back_to for one in answer.stores)):
        return known.at + policy.again
    if known.deviating or (store is not None and used(seen, store) >= policy.near):
        return known.at + policy.near_every
    return known.at + policy.every


def _next(seen: Observed, going: Step, now: datetime, policy: Policy) -> tuple[Action, ...]:
    """What is done now, by an answer that is fresh."""
    cleared = _clear_corrupt(seen)
    if cleared or _is_held(seen):
        return cleared
    for rule in (_compare, _make_room, _forget_a_way_back, _defragment):
        actions = rule(seen, going, now, policy)
        if actions:
            return actions
    return ()


def _is_held(seen: Observed) -> bool:
    """Whether stores are left alone, because members are fewer than they should be or change, or a person said so."""
    answer, healing = seen.upkeep.answer, seen.cluster.status.healing
    assert answer is not None  # noqa: S101  (it is fresh)
    is_whole = not answer.silent and len(answer.stores) == topology(seen).members and is_ready(seen, ETCD)
    is_replacing = healing is not None and healing.replacement is not None
    is_changing = topology(seen).change is not None
    # A member that is alone among corrupt ones is not ready, and is compared all the same: comparing changes nothing.
    is_left = seen.cluster.spec.healing.paused or is_replacing or is_changing
    return is_left or not (is_whole or answer.has(CORRUPT))


def _clear_corrupt(seen: Observed) -> tuple[Action, ...]:
    """Alarms that keep all writers out for nothing: members agree, and it names none of them, or was unjust."""
    known, answer = seen.upkeep, seen.upkeep.answer
    assert answer is not None  # noqa: S101  (it is fresh)
    compared = [store for store in answer.stores if store.host in known.hashes]
    is_agreed = len(compared) >= topology(seen).quorum and len({known.hashes[store.host] for store in compared}) == 1
    void = (alarm for alarm in answer.alarms if alarm.kind == CORRUPT and _is_void(seen, alarm))
    return tuple(Disarm(alarm) for alarm in void if is_agreed)[:1]


def _is_void(seen: Observed, alarm: Alarm) -> bool:
    """Whether an alarm says nothing where members agree. A leader that is wrong accuses one that is right.

    It was unjust when all had been compared while it stood, but for one whose place is being taken.
    """
    known, answer, healing = seen.upkeep, seen.upkeep.answer, seen.cluster.status.healing
    assert answer is not None  # noqa: S101  (it is fresh)
    accused = next((store for store in answer.stores if store.id == alarm.member_id), None)
    if accused is None:
        return True
    new = healing.replacement if healing is not None else None
    excused = seen.names.etcd_host(new.member) if new is not None and new.corrupt else ""
    unknown = {store.host for store in answer.stores} - set(known.hashes) - {excused}
    return alarm in known.compared_under and accused.host in known.hashes and not unknown


def _compare(seen: Observed, going: Step, now: datetime, policy: Policy) -> tuple[Action, ...]:
    """Members of different versions are not compared: they may hash differently."""
    known, answer = seen.upkeep, seen.upkeep.answer
    assert answer is not None  # noqa: S101  (it is fresh)
    if len(answer.stores) < 2 or len({store.version for store in answer.stores}) > 1 or is_at_work(going):
        return ()
    if known.compared_at is not None and now < known.compared_at + _until_compared_again(seen, policy):
        return ()
    return (CompareStores(),)


def _until_compared_again(seen: Observed, policy: Policy) -> timedelta:
    """An alarm keeps all writers out until it is known who is wrong, so what was compared before it says nothing."""
    known, answer = seen.upkeep, seen.upkeep.answer
    assert answer is not None  # noqa: S101  (it is fresh)
    if not answer.has(CORRUPT):
        return policy.compare_again if known.deviating else policy.compare_every
    if any(alarm.kind == CORRUPT and alarm not in known.compared_under for alarm in answer.alarms):
        return timedelta(0)
    return policy.compare_again if known.hashes else policy.again


def _make_room(seen: Observed, going: Step, now: datetime, policy: Policy) -> tuple[Action, ...]:  # noqa: ARG001
    """What clears a full store, one step at a time."""
    known, answer = seen.upkeep, seen.upkeep.answer
    assert answer is not None  # noqa: S101  (it is fresh)
    if not answer.has(NO_SPACE):
        return ()
    full = [store for store in answer.stores if used(seen, store) >= policy.room]
    if not full:
        return tuple(Disarm(alarm) for alarm in answer.alarms if alarm.kind == NO_SPACE)[:1]
    is_due = known.compacted_at is None or now >= known.compacted_at + policy.near_every
    if is_due and max(store.revision for store in answer.stores) > known.compacted:
        return (Compact(),)
    return _one(seen, [store for store in full if _can_shrink(seen, store, policy)])


def _can_shrink(seen: Observed, store: StoreSeen, policy: Policy) -> bool:
    """A file may shrink once after each compaction; after that `in_use` tells whether it is worth another time."""
    known = seen.upkeep
    last = known.defragmented.get(store.host)
    is_first = last is None or (known.compacted_at is not None and last < known.compacted_at)
    return is_first or store.in_use < policy.room * quota(seen, store)


def _forget_a_way_back(seen: Observed, going: Step, now: datetime, policy: Policy) -> tuple[Action, ...]:  # noqa: ARG001
    """A permission to go back that nobody wishes any more keeps the data in its old form."""
    is_left = any(store.going_back_to for store in seen.upkeep.stores)
    is_wished = is_at_work(going) or not is_at_rest(seen.cluster.status.upgrade)
    return (ForbidDowngrade(),) if is_left and not is_wished else ()


def _defragment(seen: Observed, going: Step, now: datetime, policy: Policy) -> tuple[Action, ...]:
    """Members with much free room inside, when nothing else is under way."""
    if is_at_work(going):
        return ()
    last = seen.upkeep.defragmented
    due = [store for store in seen.upkeep.stores if now >= last.get(store.host, now - policy.apart) + policy.apart]
    return _one(seen, [store for store in due if _is_worth_it(seen, store, policy)])


def _is_worth_it(seen: Observed, store: StoreSeen, policy: Policy) -> bool:
    """A member that is alone is only touched when it would be full soon: its clients would wait for it."""
    free = store.size - store.in_use
    if used(seen, store) >= policy.near:
        return free >= (1 - policy.room) * quota(seen, store)
    return topology(seen).members > 1 and free >= max(policy.free * store.size, policy.free_at_least)


def _one(seen: Observed, stores: list[StoreSeen]) -> tuple[Action, ...]:
    """Defragment one of them, a follower first; a leader gives its office away before."""
    if not stores:
        return ()
    store = min(stores, key=lambda one: (one.is_leader, one.host))
    members = {seen.names.etcd_host(name): name for name in seen.names.etcd_members(topology(seen).members)}
    heir = next((one for one in seen.upkeep.stores if one.host != store.host and one.host in members), None)
    if store.is_leader and heir is not None:
        return (MoveLeader(members[heir.host], heir.id),)
    return (Defragment(members.get(store.host, store.host), store.host),)
