"""The balancer's Deployment: on the control host, in its network, with HAProxy's directory."""

from __future__ import annotations

from typing import Any

NAMESPACE = "homeostat-system"
NAME = "homeostat-balancer"
_LABELS = {"app.kubernetes.io/name": NAME}
_ROLE = "homeostat:balancer"


def manifests(*, image: str, pool: str, api_address: str) -> tuple[dict[str, Any], ...]:
    """Namespace, rights and Deployment. It talks to the API directly, not through a Service that it might serve."""
    return (
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": NAME, "namespace": NAMESPACE}},
        _role(),
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": _ROLE},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": _ROLE},
            "subjects": [{"kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE}],
        },
        _deployment(image, pool, api_address),
    )


def _role() -> dict[str, Any]:
    read = ["get", "list", "watch"]
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": _ROLE},
        "rules": [
            {"apiGroups": [""], "resources": ["services"], "verbs": read},
            {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": read},
            {"apiGroups": [""], "resources": ["services/status"], "verbs": ["patch"]},
            {"apiGroups": ["", "events.k8s.io"], "resources": ["events"], "verbs": ["create", "patch"]},
        ],
    }


def _deployment(image: str, pool: str, api_address: str) -> dict[str, Any]:
    container = {
        "name": "balancer",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python3", "-m", "homeostat.local.balancer"],
        "env": [
            {"name": "KUBERNETES_SERVICE_HOST", "value": api_address},
            {"name": "KUBERNETES_SERVICE_PORT", "value": "6443"},
            {"name": "HOMEOSTAT_BALANCER_POOL", "value": pool},
            {"name": "HOMEOSTAT_BALANCER_FILE", "value": "/etc/haproxy/haproxy.cfg"},
        ],
        "resources": {"requests": {"cpu": "10m", "memory": "48Mi"}},
        "volumeMounts": [{"name": "haproxy", "mountPath": "/etc/haproxy"}],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": NAME, "namespace": NAMESPACE, "labels": _LABELS},
        "spec": {
            "replicas": 1,
            "strategy": {"type": "Recreate"},  # one writer of one file
            "selector": {"matchLabels": _LABELS},
            "template": {
                "metadata": {"labels": _LABELS},
                "spec": {
                    "serviceAccountName": NAME,
                    "hostNetwork": True,
                    "priorityClassName": "system-node-critical",
                    "nodeSelector": {"node-role.kubernetes.io/control-plane": ""},
                    "tolerations": [{"operator": "Exists"}],
                    "terminationGracePeriodSeconds": 5,
                    "containers": [container],
                    "volumes": [{"name": "haproxy", "hostPath": {"path": "/etc/haproxy", "type": "Directory"}}],
                },
            },
        },
    }
