"""Which API servers are asked past the endpoint, and which of them clients are kept away from. Pure.

Asking costs a connection and a write, so while nothing looks odd one of a cluster is asked a minute, in turn, however
many there are: one that hangs is found within as many minutes. It is asked when the endpoint is, so that a cluster at
rest is woken for once a minute. The only one of a cluster is what the endpoint's probe reaches, and is not asked beside
that. While something looks odd, all are asked every few seconds.

Isolating is cheap, quick and can be undone, so it comes before anything else, but never leaves the endpoint without a
server that is known to be well. Undoing it waits for nothing but the server.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from homeostat.api.cluster.masters import API_SERVER, STATELESS
from homeostat.api.pods import Pod
from homeostat.kit.spreading import turn_after
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

_SPREAD = timedelta(seconds=30)  # between two of one cluster that were never asked, while nothing looks odd
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
    if looks_odd(seen, now, policy):
        due = sorted((pod for pod in servers if _is_due(seen, pod, now, policy)), key=lambda pod: _last(seen, pod))
        return CheckServers(tuple(map(server_of, due))) if due else None, now + policy.again
    if len(masters(seen, API_SERVER)) == 1:
        return None, None
    return _in_turn(seen, servers, now, policy)


def _in_turn(seen: Observed, servers: list[Pod], now: datetime, policy: Policy) -> tuple[CheckServers | None, datetime]:
    """The one that was asked longest ago, if it is time, and when it will be time again."""
    told = [seen.servers[pod.metadata.uid].at for pod in servers if pod.metadata.uid in seen.servers]
    unknown = len(servers) - len(told)
    if told and now < (due := _next_turn(seen, max(told), policy, is_hurried=unknown > 0)):
        return None, due
    one = min(servers, key=lambda pod: _last(seen, pod))
    return CheckServers((server_of(one),)), _next_turn(seen, now, policy, is_hurried=unknown > 1)


def _next_turn(seen: Observed, last: datetime, policy: Policy, *, is_hurried: bool) -> datetime:
    turn = turn_after(last, policy.turn, seen.cluster.metadata.uid)
    return min(turn, last + _SPREAD) if is_hurried else turn


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


def _is_due(seen: Observed, pod: Pod, now: datetime, policy: Policy) -> bool:
    """Whether one is to be asked while something looks odd."""
    told = seen.servers.get(pod.metadata.uid)
    if told is None:
        return True
    is_slow = told.times >= _SETTLED or seen.cell.why_frozen(policy.cell) != ""
    return now >= told.at + (policy.slowly if is_slow else policy.again)


def _last(seen: Observed, pod: Pod) -> tuple[bool, str, str]:
    told = seen.servers.get(pod.metadata.uid)
    return (told is not None, told.at.isoformat() if told else "", pod.metadata.name)
