"""Cluster DNS: CoreDNS as two Pods spread over zones, with reverse zones for Pods and Services.

etcd's peer certificates name members by DNS, and etcd checks a peer's address by reverse look-up, so PTR records are
not a luxury. Nothing is forwarded: names outside of the cell do not exist on a machine without internet, and an answer
at once is better than a timeout.
"""

from __future__ import annotations

from typing import Any

NAMESPACE = "kube-system"
NAME = "coredns"
_LABELS = {"k8s-app": "kube-dns"}
_PORT = 53


def corefile(domain: str) -> str:
    """One server block; `health { lameduck 5s }` must not stand on one line."""
    return f""".:{_PORT} {{
    errors
    health {{
        lameduck 2s
    }}
    ready
    kubernetes {domain} in-addr.arpa ip6.arpa {{
        pods insecure
        endpoint_pod_names
        ttl 5
    }}
    cache 5
    reload
    loadbalance
}}
"""


def manifests(*, address: str, image: str, domain: str = "cluster.local") -> tuple[dict[str, Any], ...]:
    """All objects of cluster DNS; `address` is the one that kubelets give to Pods."""
    return (
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": _meta()},
        _role(),
        _binding(),
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": _meta(), "data": {"Corefile": corefile(domain)}},
        _deployment(image),
        _service(address),
    )


def _meta(name: str = NAME, **more: Any) -> dict[str, Any]:
    return {"name": name, "namespace": NAMESPACE, "labels": _LABELS, **more}


def _role() -> dict[str, Any]:
    verbs = ["list", "watch"]
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "homeostat:coredns"},
        "rules": [
            {"apiGroups": [""], "resources": ["endpoints", "services", "pods", "namespaces"], "verbs": verbs},
            {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": verbs},
        ],
    }


def _binding() -> dict[str, Any]:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "homeostat:coredns"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "homeostat:coredns"},
        "subjects": [{"kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE}],
    }


def _deployment(image: str) -> dict[str, Any]:
    spread = {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": _LABELS},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _meta(),
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": _LABELS},
            "template": {
                "metadata": {"labels": _LABELS},
                "spec": {
                    "serviceAccountName": NAME,
                    "priorityClassName": "system-cluster-critical",
                    "dnsPolicy": "Default",
                    "topologySpreadConstraints": [spread],
                    "containers": [_container(image)],
                    "volumes": [{"name": "config", "configMap": {"name": NAME}}],
                },
            },
        },
    }


def _container(image: str) -> dict[str, Any]:
    return {
        "name": NAME,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "args": ["-conf", "/etc/coredns/Corefile"],
        "ports": [
            {"name": "dns", "containerPort": _PORT, "protocol": "UDP"},
            {"name": "dns-tcp", "containerPort": _PORT, "protocol": "TCP"},
        ],
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}},
        "volumeMounts": [{"name": "config", "mountPath": "/etc/coredns", "readOnly": True}],
        "readinessProbe": {"httpGet": {"path": "/ready", "port": 8181}, "periodSeconds": 2},
        "livenessProbe": {"httpGet": {"path": "/health", "port": 8080}, "periodSeconds": 10, "failureThreshold": 6},
    }


def _service(address: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _meta("kube-dns"),
        "spec": {
            "clusterIP": address,
            "selector": _LABELS,
            "ports": [
                {"name": "dns", "port": _PORT, "protocol": "UDP", "targetPort": _PORT},
                {"name": "dns-tcp", "port": _PORT, "protocol": "TCP", "targetPort": _PORT},
            ],
        },
    }
