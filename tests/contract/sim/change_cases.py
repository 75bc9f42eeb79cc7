"""Changes of objects of built-in kinds that nobody may make."""

from __future__ import annotations

from tests.contract.sim import driver_cases, job_cases
from tests.contract.sim.kind_cases import (
    ONCE,
    RBAC,
    Body,
    attachment,
    capacity,
    container,
    event,
    ingress_class,
    of,
    pod,
    service,
    volume,
    workload,
)
from tests.contract.sim.route_cases import address, cidrs, routed, way

CHANGES: dict[str, tuple[Body, Body]] = {
    **job_cases.CHANGES,
    "data of a revision": (
        of("ControllerRevision", "apps/v1", revision=1, data={"a": "b"}),
        of("ControllerRevision", "apps/v1", revision=2, data={"a": "c"}),
    ),
    "selector of a Deployment": (
        workload("Deployment"),
        {
            "spec": {
                "selector": {"matchLabels": {"a": None, "x": "y"}},
                "template": {"metadata": {"labels": {"x": "y"}}},
            }
        },
    ),
    "controller of an IngressClass": (ingress_class(), {"spec": {"controller": "example.com/other"}}),
    "range of a ServiceCIDR": (cidrs("192.168.0.0/24"), {"spec": {"cidrs": ["192.168.0.0/25"]}}),
    "ranges of a ServiceCIDR that become fewer": (
        cidrs("192.168.0.0/24", "2001:db8::/64"),
        {"spec": {"cidrs": ["192.168.0.0/24"]}},
    ),
    "wrong second range of a ServiceCIDR": (
        cidrs("192.168.0.0/24"),
        {"spec": {"cidrs": ["192.168.0.0/24", "192.168.1.0/24"]}},
    ),
    "owner of an IPAddress": (address(), {"spec": {"parentRef": {"name": "c"}}}),
    "rules of an Ingress": (routed(way()), {"spec": {"rules": None}}),
    "handler of a RuntimeClass": (of("RuntimeClass", "node.k8s.io/v1", handler="one"), {"handler": "other"}),
    "hosts of a CSIStorageCapacity": (capacity(), {"nodeTopology": {"matchLabels": {"a": "b"}}}),
    "class of a CSIStorageCapacity": (capacity(), {"storageClassName": "other"}),
    "host of a VolumeAttachment": (attachment(), {"spec": {"nodeName": "n2"}}),
    **driver_cases.CHANGES,
    "selector of a ReplicaSet": (
        workload("ReplicaSet"),
        {
            "spec": {
                "selector": {"matchLabels": {"a": None, "x": "y"}},
                "template": {"metadata": {"labels": {"x": "y"}}},
            }
        },
    ),
    "claims of a StatefulSet": (workload("StatefulSet"), {"spec": {"serviceName": "another"}}),
    "address of a Service": (
        service(clusterIP="10.0.0.77"),
        {"spec": {"clusterIP": "10.0.0.78", "clusterIPs": ["10.0.0.78"]}},
    ),
    "priority of a Pod": (pod(), {"spec": {"priority": 5}}),
    "node of a Pod": (pod(), {"spec": {"nodeName": "n"}}),
    "tolerations of a Pod": (pod(tolerations=[{"key": "x", "operator": "Exists"}]), {"spec": {"tolerations": []}}),
    "containers of a Pod": (pod(), {"spec": {"containers": [container(), container(name="d")]}}),
    "completions of a Job": (of("Job", "batch/v1", spec={"template": ONCE}), {"spec": {"completions": 3}}),
    "mode of a Job": (of("Job", "batch/v1", spec={"template": ONCE}), {"spec": {"completionMode": "Indexed"}}),
    "range of a Node": (
        of("Node", spec={"podCIDR": "10.1.0.0/24"}),
        {"spec": {"podCIDR": "10.2.0.0/24", "podCIDRs": ["10.2.0.0/24"]}},
    ),
    "provider of a Node": (of("Node", spec={"providerID": "a"}), {"spec": {"providerID": "b"}}),
    "source of a volume": (volume(hostPath={"path": "/x"}), {"spec": {"hostPath": {"path": "/y"}}}),
    "mode of a volume": (volume(hostPath={"path": "/x"}), {"spec": {"volumeMode": "Block"}}),
    "class of volumes": (
        of("StorageClass", "storage.k8s.io/v1", provisioner="x.y/z", parameters={"a": "b"}),
        {
            "provisioner": "q",
            "parameters": {"c": "d"},
            "reclaimPolicy": "Retain",
            "volumeBindingMode": "WaitForFirstConsumer",
        },
    ),
    "note of an Event": (event(), {"note": "n"}),
    "role of a binding": (
        of("RoleBinding", RBAC, roleRef={"kind": "Role", "name": "x"}),
        {"roleRef": {"name": "y"}},
    ),
    "kind of addresses": (of("EndpointSlice", "discovery.k8s.io/v1", addressType="IPv4"), {"addressType": "IPv6"}),
    "selector of a Job": (of("Job", "batch/v1", spec={"template": ONCE}), {"spec": {"selector": None}}),
    "value of a class": (of("PriorityClass", "scheduling.k8s.io/v1", value=5), {"value": 6}),
}
