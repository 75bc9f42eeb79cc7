"""What follows a plan: kubelets and the endpoint are asked, and the cluster is looked at again in time. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec.structs import replace

from homeostat.kit.spreading import turn_after
from homeostat.operators.cluster import words
from homeostat.operators.cluster.actions import AskKubelets, Plan, ProbeEndpoint, Step, Wait
from homeostat.operators.cluster.components import can_serve, everything, is_answered, is_ready, is_unheard
from homeostat.operators.cluster.observe import Observed
from homeostat.operators.cluster.rollout.working import is_at_work
from homeostat.runtime.conditions import is_true

_SOON = timedelta(seconds=0.5)  # after a probe that a move waits for
_LATER = timedelta(seconds=5)  # while Pods are waited for, which wake us anyway


def follow(seen: Observed, plan: Plan, now: datetime, probe_every: timedelta) -> Plan:
    """The same plan with what is asked beside it, and when to look again. Its step must be told in it."""
    going, actions = plan.step, plan.actions
    assert going is not None  # noqa: S101  (the caller put it there)
    if going.moves or going.failed is not None or going.goes_on:
        return replace(plan, wait=Wait(now, "what was told is done at the next look"))
    if going.asks_kubelets:
        plan = replace(plan, actions=(*actions, AskKubelets()), wait=Wait(now + _SOON, "the kubelets' versions"))
        return _probe(seen, plan, going, now, probe_every) if can_serve(seen) else plan
    if going.needs:
        return replace(plan, wait=Wait(now + _SOON, "the answer to a question"))
    has_served = seen.cluster.status.ready_at is not None
    if can_serve(seen) or (has_served and not going.verdict and is_unheard(seen)):
        return _probe(seen, plan, going, now, probe_every)
    return replace(plan, wait=Wait(now + _LATER, "the master that moves") if going.verdict else None)


def _probe(seen: Observed, plan: Plan, going: Step, now: datetime, probe_every: timedelta) -> Plan:
    """Ask the endpoint in one plan with the actions: those that change nothing wake nobody to probe later."""
    uid = seen.cluster.metadata.uid
    is_due = seen.probed is None or not _is_proven(seen) or now >= turn_after(seen.probed.at, probe_every, uid)
    is_new = seen.cluster.status.ready_at is None
    # What follows from being Ready for the first time is done at once. Before, masters that get ready wake us.
    is_made = is_new and all(is_ready(seen, each) for each in everything(seen))
    asks = going.probes or plan.turn.probes
    is_busy = is_new or is_at_work(going)
    pause = _SOON if asks or is_made or going.asks_kubelets else _LATER if is_busy else probe_every
    wait = Wait(min(turn_after(now, probe_every, uid), now + pause), "the next probe")
    if is_due or asks:
        asked = (ProbeEndpoint(), AskKubelets()) if _asks_kubelets(seen, going) else (ProbeEndpoint(),)
        return replace(plan, actions=(*plan.actions, *asked), wait=wait)
    return replace(plan, wait=wait)


def _asks_kubelets(seen: Observed, going: Step) -> bool:
    """Their versions are told now and then, for a way back while no API server can be asked."""
    is_asked = seen.kubelets_due and not is_at_work(going)
    return is_asked and _is_proven(seen) and seen.cluster.status.ready_at is not None


def _is_proven(seen: Observed) -> bool:
    """Whether the last probe succeeded, and clients could be served ever since: what was told of it says so."""
    was_available = is_true(seen.cluster.status.conditions, words.AVAILABLE)
    return seen.probed is not None and seen.probed.serves and was_available and (can_serve(seen) or is_answered(seen))
