"""What a Cluster does whose turn has not come: nothing, and it says so. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from homeostat.operators.cluster import words
from homeostat.operators.cluster.actions import Plan, Step, Verdict, Wait
from homeostat.operators.cluster.observe import Observed

_AGAIN = timedelta(seconds=30)  # a place may become free without an event: by what is stuck for too long
_BEGINNINGS = (words.UPGRADING, words.ROLLING_BACK, words.AWAITING_HEALTH, words.AWAITING_SNAPSHOT)


def wait_to_be_made(seen: Observed, now: datetime) -> Plan | None:
    """Nothing is made for a new Cluster before its turn."""
    place = seen.place
    if place.may_begin or seen.is_begun or seen.cluster.status.started_at is not None:
        return None
    message = f"as many clusters are being created in the cell as may be at once ({place.at_once}); it is {place.among}"
    return Plan(wait=Wait(now + _AGAIN, message), verdict=Verdict(words.QUEUED, message))


def hold_to_its_turn(seen: Observed, going: Step) -> Step:
    """The step of a Cluster whose masters may not begin to move yet."""
    place, upgrade = seen.place, seen.cluster.status.upgrade
    is_under_way = upgrade is not None and upgrade.component != ""
    if place.may_begin or is_under_way or going.verdict is None or going.verdict.reason not in _BEGINNINGS:
        return going
    message = f"as many clusters of the cell move at once as may ({place.at_once}); it is {place.among}"
    return Step(going.to, Verdict(words.QUEUED, message))
