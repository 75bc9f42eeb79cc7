"""What a Cluster does whose turn has not come: nothing, and it says so; and since when it has a place. Pure."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from homeostat.api.cluster.v1alpha1 import ClusterStatus
from homeostat.operators.cluster import words
from homeostat.operators.cluster.actions import Plan, Scale, Step, Verdict, Wait
from homeostat.operators.cluster.ending import is_ending
from homeostat.operators.cluster.observe import Observed
from homeostat.operators.cluster.pacing.rolling import is_begun
from homeostat.operators.cluster.troubles import awaited

_BEGINNINGS = (words.UPGRADING, words.ROLLING_BACK, words.AWAITING_HEALTH, words.AWAITING_SNAPSHOT)


def wait_to_be_made(seen: Observed, now: datetime) -> Plan | None:
    """Nothing is made for a new Cluster before its turn."""
    place = seen.place
    if place.may_begin or seen.is_begun or seen.cluster.status.started_at is not None:
        return None
    message = f"as many clusters are being created in the cell as may be at once ({place.at_once}); it is {place.among}"
    return Plan(wait=Wait(now + place.again, message), verdict=Verdict(words.QUEUED, message))


def queued(seen: Observed) -> str:
    """Why masters that are well may not be made anew yet, whatever for; empty: they may."""
    place = seen.place
    if place.may_begin or seen.cluster.status.ready_at is None:
        return ""
    return (
        f"masters of as many clusters of the cell are made anew at once as may ({place.at_once}); it is {place.among}"
    )


def hold_to_its_turn(seen: Observed, going: Step) -> Step:
    """The step of a Cluster whose masters may not begin to move yet, or not go on to after a pause.

    What failed goes its way: it is not well.
    """
    why = queued(seen)
    if not why or going.verdict is None or going.verdict.reason not in _BEGINNINGS or going.failed is not None:
        return going
    return Step(going.to, Verdict(words.QUEUED, why))


def hold_the_change(seen: Observed, wanted: Scale, now: datetime) -> Scale:
    """What changes the topology, where it may not begin yet, or not go on after a pause. What is awaited is told."""
    why = queued(seen)
    if not why or (wanted.becomes is None and not wanted.actions):
        return wanted
    return Scale(Verdict(words.QUEUED, why), wait=Wait(now + seen.place.again, why))


def rolling_since(seen: Observed, plan: Plan, status: ClusterStatus, now: datetime) -> datetime | None:
    """Since when it has its place, or since its last step; None: it has none.

    It is told in the status in which a change begins, and given back when all masters are at rest. A pause gives it
    back when those that were being made anew are there: nothing is then half done, and a cluster that is paused for
    weeks holds up nobody. So whoever goes on after a pause waits for a place again, in the middle of its change.
    """
    before = seen.cluster.status
    known = before.rolling_since
    if before.ready_at is None or is_ending(seen.cluster):
        return None
    if seen.cluster.spec.paused:
        return known if awaited(seen) else None
    begins = seen.place.may_begin and (
        is_begun(replace(seen.cluster, status=status)) or bool(plan.turn.audits) or plan.turn.rolls
    )
    if not begins and (known is None or plan.turn.rests):
        return None
    is_step = _steps(before) != _steps(status) or bool(plan.turn.actions)
    return now.replace(microsecond=0) if known is None or is_step else known


def _steps(status: ClusterStatus) -> tuple[object, ...]:
    """What is written before each step of a change."""
    upgrade = status.upgrade
    moved = (upgrade.component, upgrade.component_started_at) if upgrade is not None else None
    return (moved, status.topology, status.rotation, status.audit_level)
