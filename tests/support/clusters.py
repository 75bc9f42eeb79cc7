"""Clusters as the operator sees them, built in memory: a new one, one that runs, and anything between."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import yaml
from msgspec.structs import replace

from homeostat.api.cluster.masters import COMPONENTS, ETCD
from homeostat.api.cluster.network import ClusterEndpointStatus
from homeostat.api.cluster.v1alpha1 import Cluster, ClusterPackageVersion, ClusterStatus
from homeostat.api.core import Deployment, PersistentVolumeClaim, Pod, StatefulSet
from homeostat.api.meta import Condition
from homeostat.operators.cluster import words
from homeostat.operators.cluster.actions import Apply, Plan
from homeostat.operators.cluster.decide import Policy, decide
from homeostat.operators.cluster.names import COMPONENT_LABEL, FINALIZER, TRIAL, names_of
from homeostat.operators.cluster.observe import Live, Observed, ProbeSeen, Workload
from homeostat.operators.cluster.pki.judging import AuthoritySeen, LeafSeen
from homeostat.operators.cluster.pki.leaves import leaves
from homeostat.operators.cluster.topology import topology_of

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ADDRESS = "10.100.1.1"
ENCRYPTED_WITH = "key-1"
EXAMPLES = Path(__file__).parent.parent.parent / "examples"


@cache
def package(name: str = "v1.35.4") -> ClusterPackageVersion:
    """A package version of the catalogue."""
    content = yaml.safe_load((EXAMPLES / "packageversions" / f"{name}.yaml").read_text())
    return msgspec.convert(content, ClusterPackageVersion, strict=False)


def cluster(name: str = "demo", *, deleted: bool = False, begun: bool = True, **spec: Any) -> Cluster:
    """A Cluster as the API server keeps it; spec in the API's own words."""
    metadata: dict[str, Any] = {"name": name, "namespace": "default", "uid": f"uid-{name}", "generation": 1}
    metadata["finalizers"] = [FINALIZER] if begun else []
    if deleted:
        metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    network = {"podCIDR": "10.200.0.0/16", "serviceCIDR": "10.201.0.0/20"}
    body = {"metadata": metadata, "spec": {"packageVersion": "v1.35.4", "network": network, **spec}}
    return msgspec.convert(body, Cluster)


def pod(component: str, name: str = "", **status: Any) -> Pod:
    """A Pod of a component on host h1, running unless told otherwise; status in the API's own words."""
    metadata = {"name": name or f"demo-{component}-0", "namespace": "default", "labels": {COMPONENT_LABEL: component}}
    body = {"metadata": metadata, "spec": {"nodeName": "h1"}, "status": {"phase": "Running", **status}}
    return msgspec.convert(body, Pod)


def waiting(reason: str, message: str = "", *, restarts: int = 0, last: dict[str, Any] | None = None) -> dict[str, Any]:
    """Container statuses of a Pod whose only container waits."""
    container: dict[str, Any] = {"name": "c", "image": "", "restartCount": restarts}
    container["state"] = {"waiting": {"reason": reason, "message": message}}
    if last is not None:
        container["lastState"] = {"terminated": last}
    return {"containerStatuses": [container]}


def workload(component: str, name: str, *, ready: int | None = None, replicas: int = 1) -> Workload:
    """The StatefulSet or Deployment of a component, rolled out unless fewer are ready."""
    ready = replicas if ready is None else ready
    kind: type[Workload] = StatefulSet if component == ETCD else Deployment
    metadata = {"name": name, "namespace": "default", "uid": f"uid-{name}", "generation": 1}
    status = {"observedGeneration": 1, "replicas": replicas, "readyReplicas": ready, "updatedReplicas": replicas}
    return msgspec.convert({"metadata": metadata, "spec": {"replicas": replicas}, "status": status}, kind)


def claim(name: str = "data-demo-etcd-0") -> PersistentVolumeClaim:
    """A volume of etcd."""
    metadata = {"name": name, "namespace": "default", "uid": f"uid-{name}"}
    return msgspec.convert({"metadata": metadata}, PersistentVolumeClaim)


def new(declared: Cluster | None = None, **changes: Any) -> Observed:
    """A Cluster of which nothing was made yet but its finalizer."""
    declared = declared or cluster()
    names = names_of(declared)
    seen = Observed(
        cluster=declared,
        names=names,
        packages={name: package(name) for name in ("v1.34.4", "v1.35.4")},
        endpoint=None,
        authority=AuthoritySeen(exists=False),
        leaves=tuple(LeafSeen(leaf, False, "", "") for leaf in leaves(declared, names, None)),
        live={},
        applied={},
        workloads={},
    )
    return replace(seen, **changes)


# What conditions say that are true.
_WELL = {
    **dict.fromkeys((words.ETCD_READY, words.API_SERVER_READY, words.CONTROLLERS_READY), words.COMPONENTS_READY),
    words.ENDPOINT_ASSIGNED: words.ASSIGNED,
    words.AVAILABLE: words.SERVING,
}


def running(declared: Cluster | None = None, **changes: Any) -> Observed:
    """A Cluster with all masters ready, probed a moment ago, in which nothing is to be done."""
    declared = declared or cluster()
    names = names_of(declared)
    endpoint = ClusterEndpointStatus(host=ADDRESS, port=6443)
    wanted = topology_of(declared.spec.topology)
    made = dict(
        zip(COMPONENTS, (names.etcd, names.apiserver, names.controllers, names.scheduler), strict=True),
    )
    status = replace(
        declared.status if isinstance(declared.status, ClusterStatus) else ClusterStatus(),
        package_version=declared.status.package_version or declared.spec.package_version,
        endpoint=endpoint,
        conditions=tuple(
            Condition(type=type_, status="True", reason=_WELL.get(type_, words.AS_DECLARED), last_transition_time=NOW)
            for type_ in words.CONDITIONS
            if type_ != words.READY
        ),
        started_at=NOW,
        ready_at=NOW,
        encryption_key=ENCRYPTED_WITH,
        audit_level=declared.spec.audit.level,
    )
    seen = new(
        replace(declared, status=status),
        endpoint=endpoint,
        authority=AuthoritySeen(exists=True, encryption_key=ENCRYPTED_WITH),
        leaves=tuple(LeafSeen(leaf, True, "", f"digest-{leaf.name}") for leaf in leaves(declared, names, endpoint)),
        workloads={
            name: workload(component, name, replicas=wanted.replicas(component)) for component, name in made.items()
        },
        pods=tuple(
            pod(component, f"demo-{component}-{number}", conditions=[{"type": "Ready", "status": "True"}])
            for component in COMPONENTS
            for number in range(wanted.replicas(component))
        ),
        claims=tuple(claim(f"data-{member}") for member in names.etcd_members(wanted.members)),
        probed=ProbeSeen(NOW, "v1.35.4"),
    )
    return replace(settled(seen), **changes)


def settled(seen: Observed) -> Observed:
    """The same, after all that is planned was applied, but for an API server that would be tried (`tried`)."""
    live, applied = dict(seen.live), dict(seen.applied)
    for leaf in seen.leaves:
        live["Secret", leaf.leaf.name] = Live(f"uid-{leaf.leaf.name}", "as-left", False)
    live["Secret", seen.names.authority] = Live("uid-pki", "as-left", False)
    free = replace(
        seen.cluster,
        metadata=replace(seen.cluster.metadata, deletion_timestamp=None, finalizers=(FINALIZER,)),
        spec=replace(seen.cluster.spec, paused=False),
    )
    for desired in planned(decide(replace(seen, cluster=free, live=live, applied={}), NOW, Policy())):
        if desired.component == TRIAL:
            continue
        mark = (desired.kind.resource.kind, desired.name)
        live[mark] = Live(f"uid-{desired.name}", "as-left", False, desired.mark, desired.cause)
        applied[mark] = (desired.digest, "as-left")
    return replace(seen, live=live, applied=applied)


def planned(plan: Plan) -> list[Any]:
    """Every object that a plan applies."""
    return [desired for action in plan.actions if isinstance(action, Apply) for desired in action.objects]
