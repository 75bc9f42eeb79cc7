"""Which stateless masters are ill: two signals that do not depend on each other must agree, for long enough. Pure.

| master | its kubelet says | asked as a client does | ill after |
|---|---|---|---|
| API server | not ready | it does not answer, twice | `unready_for` |
| API server | ready | it does not answer, while another one does | `hung_for` |
| API server, the only one | ready | neither it nor the endpoint answers, and etcd is well | `lone_for` |
| controller | not ready | it does not renew the leader's Lease | `unready_for` |
| controller | ready | it holds that Lease and does not renew it | `stale_for` |

Nobody is ill who is starting, who is being deleted, or whose container its kubelet is about to start again; nor API
servers while etcd has no quorum: they cannot do better.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from homeostat.api.cluster.masters import API_SERVER, ETCD, STATELESS
from homeostat.api.pods import Pod
from homeostat.operators.cluster import words
from homeostat.operators.cluster.components import topology
from homeostat.operators.cluster.healing.policy import Policy
from homeostat.operators.cluster.names import COMPONENT_LABEL, ENDPOINT_LABEL, OUT_OF_ENDPOINT
from homeostat.operators.cluster.observe import Observed

_PATIENT_RESTARTS = 3  # a kubelet that starts a container again may cure it
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class Ill(Struct, frozen=True):
    """A master that is ill, and by which signals."""

    component: str
    pod: Pod
    reason: str  # of words.py
    message: str


def masters(seen: Observed, component: str) -> tuple[Pod, ...]:
    """The Pods of a component that have a host, and that nobody is deleting."""
    return tuple(
        pod
        for pod in seen.pods
        if pod.metadata.labels.get(COMPONENT_LABEL) == component
        and pod.metadata.deletion_timestamp is None
        and pod.spec.node_name
    )


def is_isolated(pod: Pod) -> bool:
    """Whether clients are kept away from it."""
    return pod.metadata.labels.get(ENDPOINT_LABEL) == OUT_OF_ENDPOINT


def is_silent(seen: Observed, pod: Pod) -> bool:
    """Whether an API server was asked past the endpoint, and does not answer."""
    told = seen.servers.get(pod.metadata.uid)
    return told is not None and told.is_silent


def is_failing(seen: Observed, pod: Pod) -> bool:
    """Whether it failed its last check, be it by chance."""
    told = seen.servers.get(pod.metadata.uid)
    return told is not None and told.failure != ""


def is_sound(seen: Observed, pod: Pod) -> bool:
    """Whether its kubelet finds an API server ready, and it answered when it was last asked."""
    return pod.is_ready and pod.metadata.uid in seen.servers and not is_failing(seen, pod)


def is_settling(seen: Observed, pod: Pod, now: datetime, policy: Policy) -> bool:
    """Whether its container is starting, or will be started again by its kubelet."""
    if pod.is_ready:
        return False
    for container in pod.status.container_statuses:
        running, waiting = container.state.running, container.state.waiting
        if running is not None and running.started_at is not None:
            # Since it started, it was ready once if it became unready later.
            started = seen.since(pod, running.started_at)
            return changed_at(seen, pod) <= started and now < started + policy.settling
        if waiting is not None and waiting.reason == "CrashLoopBackOff":
            return container.restart_count < _PATIENT_RESTARTS
    began = seen.since(pod, pod.status.start_time) if pod.status.start_time else pod.metadata.creation_timestamp
    return now < (began or _BEGINNING) + policy.settling


def changed_at(seen: Observed, pod: Pod) -> datetime:
    """Since when its kubelet finds it ready, or not."""
    ready = pod.status.condition("Ready")
    told = ready.last_transition_time if ready is not None else None
    return seen.since(pod, told) if told is not None else pod.metadata.creation_timestamp or _BEGINNING


def has_quorum(seen: Observed, now: datetime, policy: Policy) -> bool:
    """Whether etcd can serve API servers, and could for long enough that they would be well if they were able to."""
    ready = [pod for pod in masters(seen, ETCD) if pod.is_ready and now >= changed_at(seen, pod) + policy.unready_for]
    return len(ready) >= topology(seen).quorum


def ill_masters(seen: Observed, now: datetime, policy: Policy) -> Iterator[Ill]:
    """All that are ill, API servers first."""
    for component in STATELESS:
        for pod in masters(seen, component):
            judge = _server if component == API_SERVER else _controller
            found = judge(seen, pod, now, policy)
            if found is not None:
                yield found


def _server(seen: Observed, pod: Pod, now: datetime, policy: Policy) -> Ill | None:
    has_address = pod.status.pod_ip != ""
    if (has_address and not is_silent(seen, pod)) or not has_quorum(seen, now, policy):
        return None
    told = seen.servers.get(pod.metadata.uid)
    failure = told.failure if told is not None else "it has no address"
    if not pod.is_ready:
        if is_settling(seen, pod, now, policy) or now < changed_at(seen, pod) + policy.unready_for:
            return None
        since = f"{pod.metadata.name} is not ready since {changed_at(seen, pod):%FT%TZ}, and does not answer"
        return Ill(API_SERVER, pod, words.UNREADY, f"{since}: {failure}")
    patience = _patience(seen, pod, policy)
    if told is None or patience is None or now < (told.since or told.at) + patience:
        return None
    return Ill(API_SERVER, pod, words.UNRESPONSIVE, f"{pod.metadata.name} is ready, but does not answer: {failure}")


def _patience(seen: Observed, pod: Pod, policy: Policy) -> timedelta | None:
    """How long one that is ready may fail; None: what all have in common is hardly the fault of one."""
    others = [each for each in masters(seen, API_SERVER) if each != pod]
    if others:
        return policy.hung_for if any(is_sound(seen, each) for each in others) else None
    is_confirmed = seen.probed is not None and not seen.probed.version
    return policy.lone_for if is_confirmed else None


def _controller(seen: Observed, pod: Pod, now: datetime, policy: Policy) -> Ill | None:
    leader = seen.leaders.get(pod.metadata.labels.get(COMPONENT_LABEL, ""))
    if leader is None or now > leader.at + policy.stale_for:
        return None
    component, name = pod.metadata.labels[COMPONENT_LABEL], pod.metadata.name
    is_stale = leader.stale_for >= policy.stale_for
    if not pod.is_ready:
        is_early = is_settling(seen, pod, now, policy) or now < changed_at(seen, pod) + policy.unready_for
        if is_early or (leader.leads(name) and not is_stale):
            return None
        since = f"{name} is not ready since {changed_at(seen, pod):%FT%TZ}, and does not lead"
        return Ill(component, pod, words.UNREADY, since)
    if not leader.leads(name) or not is_stale:
        return None
    stale = f"{name} is ready, but has not renewed the leader's Lease for {leader.stale_for.total_seconds():.0f} s"
    return Ill(component, pod, words.NOT_LEADING, stale)
