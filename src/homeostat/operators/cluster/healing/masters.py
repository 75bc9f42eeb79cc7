"""What to do about API servers and controllers that are ill: keep clients away, then restart them one at a time. Pure.

What will be done is written into the status first, and done at the next look, when it still is ill; so an operator that
dies in between goes on where it was. One component of a cluster is treated at a time, and the next try waits longer
each time (ladder.py). What waits for its next try, for a person, or for a successor that does not come up holds no
other component. One that is being moved to another version is the rollout's business, not healing's.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec.structs import replace

from homeostat.api.cluster.healing import MasterRestartStatus
from homeostat.api.cluster.masters import API_SERVER, ETCD, STATELESS
from homeostat.operators.cluster import words
from homeostat.operators.cluster.actions import Action, LetGo, Mend, RestartMaster, Verdict, Wait, soonest
from homeostat.operators.cluster.components import everything, is_ready, operators
from homeostat.operators.cluster.ending import is_ending
from homeostat.operators.cluster.healing.allowing import heard_at, held, may_isolate, stopped
from homeostat.operators.cluster.healing.illness import Ill, ill_masters, is_isolated, is_silent, masters
from homeostat.operators.cluster.healing.ladder import (
    HAND_OVER,
    RECREATE,
    attempts_so_far,
    back_off,
    is_handed_over,
    is_starting,
    is_under_way,
    is_void,
    next_attempt,
)
from homeostat.operators.cluster.healing.policy import Policy
from homeostat.operators.cluster.healing.remembered import remembered
from homeostat.operators.cluster.healing.servers import checks, isolations, server_of
from homeostat.operators.cluster.names import COMPONENT_LABEL
from homeostat.operators.cluster.observe import Observed

_AGAIN = timedelta(seconds=2)
_HELD = timedelta(seconds=30)
_RESTAMP = timedelta(minutes=1)
Restarts = dict[str, MasterRestartStatus]


def mend(seen: Observed, now: datetime, policy: Policy) -> Mend:
    """The next step for the stateless masters of one cluster that was Ready once."""
    if seen.cluster.status.ready_at is None:
        return Mend()
    check, look_again = checks(seen, now, policy)
    treated = _treat(seen, now, policy)
    isolating = isolations(seen, may_isolate=may_isolate(seen))
    actions: list[Action] = [*isolating, *treated.actions, *_let_go(seen, now, policy)]
    if check is not None and treated.restarts is None:  # what was decided is told before anybody's answer is awaited
        actions.append(check)
    wait = soonest((treated.wait, _next_check(look_again), _patience(seen, now)))
    verdicts = {**_silent(seen), **treated.verdicts}
    return replace(treated, verdicts=verdicts, actions=tuple(actions), wait=wait)


def put_back(seen: Observed, now: datetime, policy: Policy) -> Mend:
    """What undoes an isolation, and the questions that it waits for: done also while all else is held."""
    if is_ending(seen.cluster) or not any(map(is_isolated, masters(seen, API_SERVER))):
        return Mend()
    check, look_again = checks(seen, now, policy)
    actions: tuple[Action, ...] = isolations(seen, may_isolate=False)
    return Mend(_silent(seen), (*actions, *((check,) if check is not None else ())), wait=_next_check(look_again))


def _next_check(at: datetime | None) -> Wait | None:
    return Wait(at, "the next check of API servers") if at is not None else None


def _patience(seen: Observed, now: datetime) -> Wait | None:
    """Nobody wakes us when the time is over that a master is given to start, or to go."""
    stateless = [pod for pod in seen.pods if pod.metadata.labels.get(COMPONENT_LABEL) in STATELESS]
    waiting = next((pod.metadata.name for pod in stateless if not pod.is_ready), "")
    return Wait(now + _HELD, f"{waiting} is not ready") if waiting else None


def _treat(seen: Observed, now: datetime, policy: Policy) -> Mend:
    """Restarts: what is under way comes first, then who is ill and neither backs off nor was handed over."""
    before = seen.cluster.status.healing.restarts if seen.cluster.status.healing is not None else ()
    healing = remembered(seen.cluster.status.healing, now)
    told = healing.restarts if healing is not None else ()
    ill = [each for each in ill_masters(seen, now, policy) if not _is_moving(seen, each.component)]
    known: Restarts = {each.component: _ended(seen, each, ill, now) for each in told if not is_void(each, now)}
    awaited, resting = _await(known, now), _resting(known, ill, now)
    others = [each for each in ill if each.component not in resting.verdicts]
    found = _carry_on(seen, known, ill, now, policy) or _begin(seen, known, others, now, policy) or Mend()
    restarts = found.restarts if found.restarts is not None else _listed(known)
    return replace(
        found,
        verdicts={**awaited.verdicts, **resting.verdicts, **found.verdicts},
        restarts=None if restarts == before else restarts,
        wait=soonest((found.wait, resting.wait, awaited.wait)),
    )


def _ended(seen: Observed, entry: MasterRestartStatus, ill: list[Ill], now: datetime) -> MasterRestartStatus:
    """The same, over when all of the component is well; one that hangs is ready, and ill all the same."""
    is_ill = any(each.component == entry.component for each in ill)
    if entry.ended_at is not None or is_ill or not _is_well(seen, entry):
        return entry
    return replace(entry, ended_at=now.replace(microsecond=0))


def _is_well(seen: Observed, entry: MasterRestartStatus) -> bool:
    pods = masters(seen, entry.component)
    is_there = any(pod.metadata.uid == entry.pod_uid for pod in pods) and entry.step != HAND_OVER
    is_whole = is_ready(seen, entry.component) and not any(is_isolated(pod) for pod in pods)
    unheard = entry.component == API_SERVER and any(is_silent(seen, pod) for pod in pods)
    return is_whole and not unheard and not (is_there and entry.step != RECREATE)


def _carry_on(seen: Observed, known: Restarts, ill: list[Ill], now: datetime, policy: Policy) -> Mend | None:
    """Delete the Pod that the status says is to go, if it still is ill and it is this cluster's turn."""
    for entry in known.values():
        one = next((each for each in ill if each.pod.metadata.uid == entry.pod_uid), None)
        if one is None or entry.ended_at is not None or entry.step != RECREATE:
            continue
        told = Verdict(words.RESTARTING_MASTER, f"{entry.pod} is being replaced: {entry.reason}")
        heard = heard_at(seen, entry.started_at, policy.cell)
        if now < heard:
            return Mend({one.component: told}, wait=Wait(heard, "what was decided for others at this moment"))
        why = held(seen, now, policy.cell, is_begun=True)
        if why is not None:
            turn = seen.cell.paced_until(now, policy.cell, is_begun=True)
            return _hold(one, why, turn or now + _HELD, _listed(known | {entry.component: _restamped(entry, now)}))
        server = server_of(one.pod) if one.component == API_SERVER and one.pod.status.pod_ip else None
        act = RestartMaster(
            one.component, entry.pod, entry.pod_uid, one.reason, server=server, is_hung=one.pod.is_ready
        )
        return Mend({one.component: told}, (act,), wait=Wait(now + _AGAIN, told.message))
    return None


def _restamped(entry: MasterRestartStatus, now: datetime) -> MasterRestartStatus:
    """What is done later counts in the budget then, not when it was decided."""
    return replace(entry, started_at=now.replace(microsecond=0)) if now > entry.started_at + _RESTAMP else entry


def _begin(seen: Observed, known: Restarts, ill: list[Ill], now: datetime, policy: Policy) -> Mend | None:
    """Tell what is going to be done about the first that may be treated: one whose successor starts has its time."""
    starting = {each.component for each in known.values() if is_starting(each, now, policy.settling)}
    for one in ill:
        entry = known.get(one.component)
        if starting - {one.component}:
            continue
        why = held(seen, now, policy.cell)
        if why is not None:
            return _hold(one, why, now + _HELD, None)
        begun = next_attempt(entry, _as_status(one, now), now, has_room=_has_room(seen, entry, one))
        if begun.step == HAND_OVER:
            return Mend({one.component: _tired(one, begun)}, restarts=_listed(known | {one.component: begun}))
        told = Verdict(words.RESTARTING_MASTER, f"{one.message}; it gives way to another ({begun.step})")
        next_look = Wait(now, "what was told is done at the next look")
        return Mend({one.component: told}, restarts=_listed(known | {one.component: begun}), wait=next_look)
    return None


def _resting(known: Restarts, ill: list[Ill], now: datetime) -> Mend:
    """Components of which some are ill and none is treated now: a person must look, or the next try waits."""
    verdicts: dict[str, Verdict] = {}
    waits: list[Wait] = []
    for one in ill:
        entry = known.get(one.component)
        if entry is None or one.component in verdicts:
            continue
        if is_handed_over(entry):
            verdicts[one.component] = _tired(one, entry)
        elif now < (until := entry.started_at + back_off(attempts_so_far(entry, now))):
            why = f"attempt {attempts_so_far(entry, now) + 1} begins after {until:%FT%TZ}"
            verdicts[one.component] = Verdict(words.HEALING_BACKED_OFF, f"{one.message}; {why}")
            waits.append(Wait(until, why))
    return Mend(verdicts, wait=soonest(waits))


def _await(known: Restarts, now: datetime) -> Mend:
    """Successors that are not ready yet."""
    told = {
        each.component: Verdict(words.RESTARTING_MASTER, f"the successor of {each.pod} is awaited")
        for each in known.values()
        if is_under_way(each)
    }
    return Mend(told, wait=Wait(now + _HELD, "successors") if told else None)


def _hold(one: Ill, why: Verdict, until: datetime, restarts: tuple[MasterRestartStatus, ...] | None) -> Mend:
    told = Verdict(why.reason, f"{one.message}; it is not restarted: {why.message}")
    return Mend({one.component: told}, restarts=restarts, wait=Wait(until, why.message))


def _tired(one: Ill, entry: MasterRestartStatus) -> Verdict:
    message = f"{one.message}; {entry.attempts} restarts did not help, so nothing is tried any more: look at it"
    return Verdict(words.HANDED_OVER, message)


def _as_status(one: Ill, now: datetime) -> MasterRestartStatus:
    meta, host = one.pod.metadata, one.pod.spec.node_name
    return MasterRestartStatus(
        component=one.component,
        step=RECREATE,
        pod=meta.name,
        pod_uid=meta.uid,
        host=host,
        attempts=1,
        started_at=now.replace(microsecond=0),
        reason=one.message[:512],
    )


def _has_room(seen: Observed, entry: MasterRestartStatus | None, one: Ill) -> bool:
    avoided = {one.pod.spec.node_name, *(entry.avoided_hosts if entry is not None else ())}
    return any(host.takes_pods for name, host in seen.hosts.items() if name not in avoided)


def _is_moving(seen: Observed, component: str) -> bool:
    upgrade = seen.cluster.status.upgrade
    return upgrade is not None and upgrade.component == component


def _silent(seen: Observed) -> dict[str, Verdict]:
    """API servers that do not answer past the endpoint are told, also when nothing is done about them yet."""
    silent = [pod for pod in masters(seen, API_SERVER) if pod.status.pod_ip and is_silent(seen, pod)]
    if not silent:
        return {}
    each = "; ".join(
        f"{pod.metadata.name} does not answer{' and is out of the endpoint' if is_isolated(pod) else ''}:"
        f" {seen.servers[pod.metadata.uid].failure}"
        for pod in silent
    )
    return {API_SERVER: Verdict(words.UNRESPONSIVE, each)}


def _let_go(seen: Observed, now: datetime, policy: Policy) -> Iterable[LetGo]:
    """What is forgotten by force because the cell says that its host is away: not while its word counts for little."""
    if stopped(seen, policy.cell) is not None:
        return
    there = operators(seen)
    single = {name for name, part in there.items() if part.hosted is not None and part.hosted.single}
    may_go = {*everything(seen)} - {ETCD} - single  # of one that elects no leader, no second one may work
    for pod in seen.pods:
        deleted, host = pod.metadata.deletion_timestamp, seen.hosts.get(pod.spec.node_name)
        is_stateless = pod.metadata.labels.get(COMPONENT_LABEL) in may_go
        is_lost = deleted is not None and now >= deleted + policy.lost_for
        if is_stateless and is_lost and host is not None and not host.is_ready:
            yield LetGo(pod.metadata.name, pod.metadata.uid, pod.spec.node_name)


def _listed(known: Restarts) -> tuple[MasterRestartStatus, ...]:
    return tuple(known[component] for component in sorted(known))
