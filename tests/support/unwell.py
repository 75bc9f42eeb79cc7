"""Clusters with two of every stateless master, some of which are ill, as the operator sees them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from msgspec import convert
from msgspec.structs import replace
from tests.support.clusters import NOW, cluster, running, workload

from homeostat.api.cluster.healing import ClusterHealingStatus, MasterRestartStatus
from homeostat.api.cluster.masters import API_SERVER, CONTROLLER_MANAGER, SCHEDULER
from homeostat.api.pods import Pod
from homeostat.operators.cluster.healing.seen import HostSeen, LeaderHeld, ServerSeen
from homeostat.operators.cluster.names import COMPONENT_LABEL, ENDPOINT_LABEL
from homeostat.operators.cluster.observe import Observed

SERVER, MANAGER, SCHEDULER = API_SERVER, CONTROLLER_MANAGER, SCHEDULER
LONG_AGO, LATELY = NOW - timedelta(hours=1), NOW - timedelta(minutes=1)
HOSTS = {f"h{number}": HostSeen(f"z{number}", True, True) for number in range(3)}
WORKLOADS = {SERVER: "demo-apiserver", MANAGER: "demo-controller-manager", SCHEDULER: "demo-scheduler"}


def name_of(component: str, number: int) -> str:
    return f"{component}-{number}"


def uid_of(component: str, number: int) -> str:
    return f"uid-{component}-{number}"


def master(component: str, number: int, *, ready: bool = True, since: datetime = LATELY, **changes: Any) -> Pod:
    """A Pod that started an hour ago; `container`, `deleted`, `host`, `label` and `address` may differ."""
    labels = {COMPONENT_LABEL: component, ENDPOINT_LABEL: changes.get("label", "in")}
    metadata: dict[str, Any] = {
        "name": name_of(component, number),
        "namespace": "default",
        "uid": uid_of(component, number),
    }
    metadata = {**metadata, "labels": labels, **changes.get("metadata", {})}
    condition = {"type": "Ready", "status": "True" if ready else "False", "lastTransitionTime": since.isoformat()}
    container = changes.get("container", {"state": {"running": {"startedAt": LONG_AGO.isoformat()}}})
    status = {
        "phase": "Running",
        "podIP": changes.get("address", f"10.0.0.{number}"),
        "startTime": LONG_AGO.isoformat(),
        "conditions": [condition],
        "containerStatuses": [{"name": "c", **container}],
    }
    body = {"metadata": metadata, "spec": {"nodeName": changes.get("host", f"h{number}")}, "status": status}
    return convert(body, Pod, strict=False)


def silent(since: datetime = LATELY) -> ServerSeen:
    """What is known of an API server that failed several times in a row."""
    return ServerSeen(NOW, "no answer within 3 s", times=4, since=since)


def sound() -> ServerSeen:
    """What is known of one that answers."""
    return ServerSeen(NOW, times=4, since=LONG_AGO)


def leading(component: str, number: int, since: datetime = NOW) -> LeaderHeld:
    """The Lease of a component, held by one of its Pods, and as it is since a moment."""
    return LeaderHeld(NOW, f"{name_of(component, number)}_x", since, since)


def unwell(*pods: Pod, servers: dict[int, ServerSeen] | None = None, **spec: Any) -> Observed:
    """A cluster of which these Pods are as given, all others well; API servers by their number."""
    declared = cluster(topology="ha", **spec)
    seen = running(declared)
    given = {pod.metadata.uid: pod for pod in pods}
    stateless = [
        given.get(uid_of(component, number), master(component, number))
        for component in WORKLOADS
        for number in range(2)
    ]
    others = tuple(
        replace(pod, status=replace(pod.status, conditions=master("etcd", 0).status.conditions))
        for pod in seen.pods
        if pod.metadata.labels[COMPONENT_LABEL] not in WORKLOADS
    )
    ready = {
        component: sum(pod.is_ready and pod.metadata.labels[COMPONENT_LABEL] == component for pod in stateless)
        for component in WORKLOADS
    }
    workloads = {
        **seen.workloads,
        **{name: workload(each, name, ready=ready[each], replicas=2) for each, name in WORKLOADS.items()},
    }
    known = {uid_of(SERVER, number): told for number, told in (servers or {0: sound(), 1: sound()}).items()}
    leaders = {component: leading(component, 0) for component in (MANAGER, SCHEDULER)}
    return replace(seen, pods=(*others, *stateless), workloads=workloads, servers=known, leaders=leaders, hosts=HOSTS)


def restart(component: str = SERVER, number: int = 0, **changes: Any) -> MasterRestartStatus:
    """A restart that was decided a moment ago."""
    made = MasterRestartStatus(
        component=component,
        step="Recreate",
        pod=name_of(component, number),
        pod_uid=uid_of(component, number),
        host=f"h{number}",
        attempts=1,
        started_at=NOW,
        reason="ill",
    )
    return replace(made, **changes)


def told(seen: Observed, *restarts: MasterRestartStatus) -> Observed:
    """The same, with restarts in its status."""
    status = replace(seen.cluster.status, healing=ClusterHealingStatus(restarts=restarts))
    return replace(seen, cluster=replace(seen.cluster, status=status))
