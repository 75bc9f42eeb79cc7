"""When a cluster is at rest, and what is done for it then: it is asked as ever, and not looked at otherwise. Pure.

Clusters are idle nearly always. A whole look (what is declared, made anew and compared; every judgement; the status)
costs more than a probe, and of a cluster of which nothing has changed it says the same again. So a look that finds all
well and nothing to do leaves a `Rest`. Until the first of the times that it waits for, or `AT_MOST`, probes, checks of
API servers and looks at the stores of etcd go on at their own pace, by the same rules, and any of these ends the rest
with a whole look at once:

- an object of the cluster, its declaration, or a package version is another one than was seen;
- a probe or a check fails, or its write is refused; another version answers; a leader does not renew its Lease;
- etcd or one of its members does not answer, or by their answer there is anything to do or to tell;
- the time has come for anything else, or the clock was set back.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from homeostat.api.cluster.v1alpha1 import ClusterStatus
from homeostat.kit.spreading import turn_after
from homeostat.operators.cluster import words
from homeostat.operators.cluster.actions import Action, CheckServers, Plan, Probed, ProbeEndpoint, Step, Wait, soonest
from homeostat.operators.cluster.decide import Policy
from homeostat.operators.cluster.following import follow
from homeostat.operators.cluster.healing.ladder import is_under_way
from homeostat.operators.cluster.healing.servers import checks, looks_odd
from homeostat.operators.cluster.observe import Observed
from homeostat.operators.cluster.orchestrations import running
from homeostat.operators.cluster.upkeep.actions import AskStores
from homeostat.operators.cluster.upkeep.care import care
from homeostat.operators.cluster.upkeep.told import kept
from homeostat.runtime.conditions import is_true
from homeostat.runtime.loop import Result
from homeostat.runtime.outcome import DONE, Outcome

AT_MOST = timedelta(minutes=15)  # what depends on the time and on nothing else is judged as often


class Rest(Struct, frozen=True):
    """A cluster as it was last looked at, of which nothing is due but to ask API servers and etcd."""

    seen: Observed
    step: Step
    version: str  # that answers
    until: datetime  # when it is asked next after that, all of it is looked at
    due: Wait | None = None  # what is to be done then; None: nothing has a time


def rest_after(
    seen: Observed, plan: Plan, results: tuple[Result[Action], ...], status: ClusterStatus, now: datetime
) -> Rest | None:
    """The rest that a whole look leaves; None: something is to be done, or not well."""
    going = plan.step
    is_well = status.phase == "Ready" and is_true(status.conditions, words.ACCEPTED)
    last = seen.probed
    is_proven = last is not None and last.version == status.kubernetes_version and last.refused is None
    if going is None or not is_well or not is_proven or _is_busy(seen, plan, status):
        return None
    if going != Step(going.to, overrides=going.overrides) or not all(map(_is_watch, results)):
        return None
    # What is compared and written in whole looks only is not kept twice.
    lean = replace(seen, live={}, applied={}, leaves=())
    until = turn_after(now, AT_MOST, seen.cluster.metadata.uid)
    return Rest(lean, going, status.kubernetes_version, until, plan.due)


def keep_watch(rest: Rest, now: datetime, policy: Policy) -> Plan | None:
    """Whom to ask, and when to come back; None: the rest is over."""
    if now >= rest.until or (rest.due is not None and now >= rest.due.until):
        return None
    caring = care(rest.seen, rest.step, now, policy.upkeep)
    asks = caring.actions == (AskStores(),)
    if looks_odd(rest.seen, now, policy.healing) or (caring.actions and not asks):
        return None
    check, look_again = checks(rest.seen, now, policy.healing)
    actions = (*((check,) if check is not None else ()), *caring.actions)
    plan = follow(rest.seen, Plan(actions, step=rest.step), now, policy.probe_every)
    again = Wait(look_again, "the next check of API servers") if look_again is not None else None
    # The answer is looked at in the same glance, and nobody has to come back for it.
    return replace(plan, wait=soonest((plan.wait, again, rest.due, caring.wait if not asks else None)))


def is_as_ever(rest: Rest, outcomes: Iterable[Outcome], now: datetime, policy: Policy) -> bool:
    """Whether what was answered just now is what was answered before, and nothing was refused."""
    are_same = all(each in (DONE, Probed(version=rest.version)) for each in outcomes)
    return are_same and not looks_odd(rest.seen, now, policy.healing) and _says_nothing_new(rest, now, policy)


def _says_nothing_new(rest: Rest, now: datetime, policy: Policy) -> bool:
    """Whether by the last answer of etcd's there is nothing to do, and to tell only what the status tells."""
    seen, answer = rest.seen, rest.seen.upkeep.answer
    if answer is None:
        return True
    caring = care(seen, rest.step, now, policy.upkeep)
    return not (answer.silent or caring.actions or caring.verdict) and kept(seen, (), now) == seen.cluster.status.etcd


def _is_busy(seen: Observed, plan: Plan, status: ClusterStatus) -> bool:
    """Whether anything is under way, or wanted with the next probe."""
    restarts = status.healing.restarts if status.healing is not None else ()
    is_rolling = status.rolling_since is not None or plan.turn.queued
    is_moving = is_rolling or status.rotation is not None or bool(running(replace(seen.cluster, status=status)))
    is_healing = plan.heal.verdict is not None or bool(plan.mend.verdicts) or any(map(is_under_way, restarts))
    return is_moving or is_healing or plan.turn.probes or seen.kubelets_due


def _is_watch(result: Result[Action]) -> bool:
    is_answered = result.outcome == DONE or (isinstance(result.outcome, Probed) and result.outcome.refused is None)
    return is_answered and isinstance(result.action, ProbeEndpoint | CheckServers)
