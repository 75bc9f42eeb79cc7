"""How Pods fare, as far as those count that made them. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from homeostat.sim.world.kinds.pods import Pod


def is_active(pod: Pod) -> bool:
    """Whether it runs, or is on the way there."""
    return not pod.is_over and not pod.is_ending


def is_available(pod: Pod, min_ready_s: int, now: datetime) -> bool:
    """Whether it has been ready for as long as asked."""
    since = ready_since(pod)
    return pod.is_ready and (min_ready_s == 0 or (since is not None and since + timedelta(seconds=min_ready_s) <= now))


def ready_since(pod: Pod) -> datetime | None:
    """When its readiness changed last."""
    ready = pod.status.condition("Ready")
    return ready.last_transition_time if ready is not None else None


def soonest_s(pods: Iterable[Pod], min_ready_s: int, now: datetime) -> float | None:
    """In how many seconds the next one of the ready Pods will have been ready for as long as asked."""
    if not min_ready_s:
        return None
    at = [since + timedelta(seconds=min_ready_s) for pod in pods if pod.is_ready and (since := ready_since(pod))]
    waits = [(each - now).total_seconds() for each in at if each > now]
    return min(waits) if waits else None
