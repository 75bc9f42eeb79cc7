"""Which API servers are asked past the endpoint, and which of them clients are kept away from. Pure.

Asking costs a connection and a write, so while nothing looks odd one of a cluster is asked a minute, in turn, however
many there are: one that hangs is found within as many minutes. The only one of a cluster is what the endpoint's probe
reaches, and is not asked beside that. While something looks odd, all are asked every few seconds.

Isolating is cheap, quick and can be undone, so it comes before anything else, but never leaves the endpoint without a
server that is known to be well. Undoing it waits for nothing but the server.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from homeostat.api.cluster.masters import API_SERVER, STATELESS
from homeostat.api.pods import Pod
from homeostat.operators.cluster.actions import CheckServers, Isolate, Server
from homeostat.operators.cluster.healing.illness import (
    is_failing,
    is_isolated,
    is_settling,
    is_silent,
    is_sound,
    masters,
)
from homeostat.operators.cluster.healing.policy import Policy
from homeostat.operators.cluster.names import API_PORT
from homeostat.operators.cluster.observe import Observed

_SPREAD = timedelta(seconds=30)  # between two of one cluster, while nothing looks odd
_SETTLED = 5  # answers of one kind in a row; more of them say nothing new


def server_of(pod: Pod) -> Server:
    """Where an API server is reached."""
    address = pod.status.pod_ip
    host = f"[{address}]" if ":" in address else address
    return Server(pod.metadata.name, pod.metadata.uid, f"https://{host}:{API_PORT}")


def checks(seen: Observed, now: datetime, policy: Policy) -> tuple[CheckServers | None, datetime | None]:
    """Whom to ask now, and when to look again."""
    servers = [pod for pod in masters(seen, API_SERVER) if _can_be_asked(seen, pod, now, policy)]
    if not servers:
        return None, None
    odd = looks_odd(seen, now, policy)
    number = len(masters(seen, API_SERVER))
    if number == 1 and not odd:
        return None, None
    due_at = {pod.metadata.uid: _due(seen, pod, policy, number if not odd else 0) for pod in servers}
    due = sorted((pod for pod in servers if _is_due(due_at, pod, now)), key=lambda pod: _last(seen, pod))
    asked = due if odd else due[:1]
    action = CheckServers(tuple(server_of(pod) for pod in asked)) if asked else None
    if odd:
        return action, now + policy.again
    later = [at for pod in servers if pod not in asked and (at := due_at[pod.metadata.uid]) is not None]
    return action, max(now + _SPREAD, min(later, default=now + policy.turn * number))


def isolations(seen: Observed, *, may_isolate: bool) -> tuple[Isolate, ...]:
    """Whom to take out of the endpoint, and whom to put back."""
    servers = masters(seen, API_SERVER)
    inside = [pod for pod in servers if not is_isolated(pod)]
    is_empty = not any(pod.is_ready for pod in inside)
    back = [pod for pod in servers if is_isolated(pod) and pod.is_ready and (is_empty or _has_recovered(seen, pod))]
    out = [
        pod
        for pod in inside
        if may_isolate and is_silent(seen, pod) and any(is_sound(seen, other) for other in inside if other != pod)
    ]
    ordered = [(pod, False) for pod in back] + [(pod, True) for pod in out]
    return tuple(Isolate(pod.metadata.name, pod.metadata.uid, out=is_out) for pod, is_out in ordered)


def _can_be_asked(seen: Observed, pod: Pod, now: datetime, policy: Policy) -> bool:
    """One that starts cannot answer yet; one that was asked before is asked on, to know when it answers again."""
    is_known = pod.metadata.uid in seen.servers
    return pod.status.pod_ip != "" and (is_known or not is_settling(seen, pod, now, policy))


def _has_recovered(seen: Observed, pod: Pod) -> bool:
    told = seen.servers.get(pod.metadata.uid)
    return told is not None and told.is_sound


def looks_odd(seen: Observed, now: datetime, policy: Policy) -> bool:
    """Whether anything says that not all is well; what is starting is not odd."""
    if seen.probed is not None and not seen.probed.version:
        return True
    if any(is_failing(seen, pod) or is_isolated(pod) for pod in masters(seen, API_SERVER)):
        return True
    if any(leader.is_stale for leader in seen.leaders.values()):
        return True
    return any(
        not pod.is_ready and not is_settling(seen, pod, now, policy)
        for component in STATELESS
        for pod in masters(seen, component)
    )


def _due(seen: Observed, pod: Pod, policy: Policy, turns: int) -> datetime | None:
    """When a server is to be asked again: after so many turns, or soon if there are none; None: at once."""
    told = seen.servers.get(pod.metadata.uid)
    if told is None:
        return None
    if turns:
        return told.at + policy.turn * turns
    is_slow = told.times >= _SETTLED or seen.cell.why_frozen(policy.cell) != ""
    return told.at + (policy.slowly if is_slow else policy.again)


def _is_due(due_at: dict[str, datetime | None], pod: Pod, now: datetime) -> bool:
    at = due_at[pod.metadata.uid]
    return at is None or now >= at


def _last(seen: Observed, pod: Pod) -> tuple[bool, str, str]:
    told = seen.servers.get(pod.metadata.uid)
    return (told is not None, told.at.isoformat() if told else "", pod.metadata.name)
