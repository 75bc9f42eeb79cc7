"""What a kubelet tells of its host: the Node, its conditions and its Lease. Pure.

Labels, conditions and their words are as `kubectl get node -o yaml` shows them on the real data centre. A Node is ready
when it is registered; real ones are a few seconds later.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from homeostat.runtime.microtime import micro_time
from homeostat.sim.world.hosts.ailing import Ail
from homeostat.sim.world.hosts.host import Host

LEASES = "kube-node-lease"
LEASE_S = 40
FOR_EVER = datetime(9999, 12, 31, tzinfo=UTC)  # until when a host that is well promises to beat (decision 0032)
REPORTED = ("rack", "switch", "model")  # labels below `sim.homeostat.dev/`
_HOST = "kubernetes.io/hostname"
_PRESSURES = {
    "MemoryPressure": (
        Ail.MEMORY_SHORT,
        (
            ("KubeletHasInsufficientMemory", "kubelet has insufficient memory available"),
            ("KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
        ),
    ),
    "DiskPressure": (
        Ail.DISK_FULL,
        (
            ("KubeletHasDiskPressure", "kubelet has disk pressure"),
            ("KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
        ),
    ),
    "PIDPressure": (
        Ail.NO_PIDS,
        (
            ("KubeletHasInsufficientPID", "kubelet has insufficient PID available"),
            ("KubeletHasSufficientPID", "kubelet has sufficient PID available"),
        ),
    ),
}


def labels(host: Host) -> dict[str, str]:
    """By which Pods find their places, and people what hosts have in common."""
    plan = host.plan
    own = {f"sim.homeostat.dev/{name}": getattr(plan, name) for name in REPORTED}
    return {
        "beta.kubernetes.io/arch": plan.architecture,
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": plan.architecture,
        _HOST: plan.name,
        "kubernetes.io/os": "linux",
        "node.kubernetes.io/instance-type": plan.model,
        "topology.kubernetes.io/region": plan.region,
        "topology.kubernetes.io/zone": plan.zone,
        **own,
        **plan.labels,
    }


def node(host: Host, now: datetime) -> dict[str, Any]:
    """A new Node."""
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": host.name,
            "labels": labels(host),
            "annotations": {"volumes.kubernetes.io/controller-managed-attach-detach": "true"},
        },
        "spec": {"podCIDR": host.plan.pod_range, "podCIDRs": [host.plan.pod_range]},
        "status": status(host, now, {}),
    }


def status(host: Host, now: datetime, before: dict[str, Any]) -> dict[str, Any]:
    """All that a kubelet says of its host; conditions that are as before keep their time."""
    plan = host.plan
    return {
        "addresses": [
            {"type": "InternalIP", "address": plan.address},
            {"type": "Hostname", "address": plan.name},
        ],
        "capacity": host.capacity,
        "allocatable": host.allocatable,
        "conditions": _conditions(host, now, before.get("conditions", ())),
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
        "nodeInfo": {
            "machineID": _identity(host, "machine").replace("-", ""),
            "systemUUID": _identity(host, "system"),
            "bootID": _identity(host, f"boot-{host.boots}"),
            "kernelVersion": plan.kernel,
            "osImage": plan.os_image,
            "containerRuntimeVersion": "containerd://2.1.4",
            "kubeletVersion": plan.kubelet,
            "kubeProxyVersion": "",
            "operatingSystem": "linux",
            "architecture": plan.architecture,
        },
    }


def lease(host: Host, uid: str, renewed: datetime) -> dict[str, Any]:
    """A Lease that was renewed at some time."""
    owner = {"apiVersion": "v1", "kind": "Node", "name": host.name, "uid": uid}
    return {
        "metadata": {"name": host.name, "namespace": LEASES, "ownerReferences": [owner]},
        "spec": {"holderIdentity": host.name, "leaseDurationSeconds": LEASE_S, "renewTime": micro_time(renewed)},
    }


def _conditions(host: Host, now: datetime, before: Any) -> list[dict[str, Any]]:
    claims = {type_: _pressure(host, ail, words) for type_, (ail, words) in _PRESSURES.items()}
    trouble = _trouble(host)
    claims["Ready"] = (
        ("False", "KubeletNotReady", trouble)
        if trouble
        else ("True", "KubeletReady", "kubelet is posting ready status")
    )
    known = {each["type"]: each for each in before}
    stamp = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    made = []
    for type_, (is_true, reason, message) in claims.items():
        old = known.get(type_, {})
        since = old["lastTransitionTime"] if old.get("status") == is_true else stamp
        said = {"type": type_, "status": is_true, "reason": reason, "message": message}
        made.append({**said, "lastHeartbeatTime": stamp, "lastTransitionTime": since})
    return made


def _pressure(host: Host, ail: Ail, words: tuple[tuple[str, str], tuple[str, str]]) -> tuple[str, str, str]:
    there, absent = words
    return ("True", *there) if host.ailments.has(ail) else ("False", *absent)


def _trouble(host: Host) -> str:
    if host.ailments.has(Ail.RUNTIME):
        return "container runtime is down"
    if host.ailments.has(Ail.POD_NETWORK):
        return (
            "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady"
            " message:Network plugin returns error: cni plugin not initialized"
        )
    return ""


def _identity(host: Host, what: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{what}.{host.name}"))
