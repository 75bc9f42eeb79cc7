"""Clusters with three members of etcd of which some are dead, as the operator sees them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from msgspec import convert
from msgspec.structs import replace
from tests.support.clusters import NOW, cluster, running

from homeostat.api.cluster.healing import ClusterHealingStatus, MemberReplacementStatus
from homeostat.api.cluster.masters import ETCD
from homeostat.api.pods import Pod
from homeostat.operators.cluster.healing.seen import EtcdSeen, HostSeen
from homeostat.operators.cluster.names import COMPONENT_LABEL
from homeostat.operators.cluster.observe import Observed
from homeostat.operators.cluster.ports import MemberSeen

NAMES = ("demo-etcd-0", "demo-etcd-1", "demo-etcd-2")
DEAD = "demo-etcd-1"
LONG_AGO = NOW - timedelta(hours=1)
HOSTS = {f"h{number}": HostSeen(f"z{number % 3}", True, True) for number in range(6)}


def host_of(name: str) -> str:
    """Where a member is found."""
    return f"{name}.demo-etcd.default.svc"


def member(number: int, **changes: Any) -> MemberSeen:
    """A member that is well."""
    name = NAMES[number]
    return replace(MemberSeen(number + 10, name, host_of(name), is_well=True, is_level=True), **changes)


def members(*dead: str) -> tuple[MemberSeen, ...]:
    """All three, some of them dead."""
    return tuple(member(number, is_well=name not in dead) for number, name in enumerate(NAMES))


def member_pod(name: str, *, ready: bool = True, since: datetime = LONG_AGO, host: str = "") -> Pod:
    """A member's Pod, on the host of its number."""
    condition = {"type": "Ready", "status": "True" if ready else "False", "lastTransitionTime": since.isoformat()}
    metadata = {"name": name, "namespace": "default", "uid": f"uid-{name}", "labels": {COMPONENT_LABEL: ETCD}}
    spec = {"nodeName": host or f"h{name[-1]}"}
    return convert({"metadata": metadata, "spec": spec, "status": {"conditions": [condition]}}, Pod, strict=False)


def ailing(*dead: str, known: Iterable[MemberSeen] | None = (), since: datetime = LONG_AGO, **spec: Any) -> Observed:
    """A cluster whose dead members have been so for an hour; `known` is what etcd said just now, None: not asked."""
    seen = running(cluster(topology="ha", **spec))
    others = tuple(pod for pod in seen.pods if pod.metadata.labels.get(COMPONENT_LABEL) != ETCD)
    pods = tuple(member_pod(name, ready=name not in dead, since=since) for name in NAMES)
    told = None if known is None else EtcdSeen(NOW, tuple(known) or members(*dead))
    return replace(seen, pods=(*others, *pods), hosts=HOSTS, unready=dict.fromkeys(dead, since), members=told)


def healing(seen: Observed, status: ClusterHealingStatus) -> Observed:
    """The same, with what was told of healing."""
    return replace(seen, cluster=replace(seen.cluster, status=replace(seen.cluster.status, healing=status)))


def replacing(seen: Observed, name: str = DEAD, *, ago: timedelta = timedelta(minutes=1)) -> Observed:
    """The same, in the middle of a replacement that began a while ago."""
    began = NOW - ago
    number = NAMES.index(name) + 10
    told = MemberReplacementStatus(
        member=name,
        member_id=f"{number:x}",
        claim_uid=f"uid-data-{name}",
        pod_uid=f"uid-{name}",
        started_at=began,
        reason="dead",
    )
    return healing(seen, ClusterHealingStatus(replacement=told, last_started_at=began, attempts=1))
