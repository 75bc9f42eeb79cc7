"""The audit policies of API servers: a ConfigMap that holds one for each level; a flag chooses.

All levels are always there, so a change of the level changes the Deployment alone: no API server can start with the
flag of one level and the policy of another. The log goes to the standard output, where whatever ships container logs
finds it, and kubelets bound it; klog writes to the standard error, so the two can be told apart. Batches keep a slow
disk of the host from holding up requests: under such a load the log loses events, which the API server counts
(`apiserver_audit_error_total`).
"""

from __future__ import annotations

from functools import cache
from typing import Any

import yaml

from homeostat.api.cluster.audit import METADATA, REQUEST
from homeostat.api.cluster.masters import API_SERVER
from homeostat.api.cluster.v1alpha1 import Cluster
from homeostat.api.core import CONFIG_MAP
from homeostat.operators.cluster.manifests.shape import Desired, Inputs, derived

PLACE = "/etc/homeostat/audit"
_FILES = {METADATA: "metadata.yaml", REQUEST: "request.yaml"}
_READS, _WRITES = ["get", "list", "watch"], ["create", "update", "patch", "delete", "deletecollection"]
# What holds secrets, or what people take for a place to keep them.
_SECRETIVE = [
    {"group": "", "resources": ["secrets", "configmaps", "serviceaccounts/token"]},
    {"group": "authentication.k8s.io", "resources": ["tokenreviews", "tokenrequests"]},
    {"group": "certificates.k8s.io", "resources": ["certificatesigningrequests"]},
]
_NOISE: tuple[dict[str, Any], ...] = (
    {"nonResourceURLs": ["/healthz*", "/livez*", "/readyz*", "/version", "/openapi/*", "/api*", "/metrics"]},
    {
        "resources": [
            {"group": "coordination.k8s.io", "resources": ["leases"]},
            {"group": "", "resources": ["events"]},
            {"group": "events.k8s.io", "resources": ["events"]},
        ]
    },
    {
        "users": ["system:apiserver", "system:kube-controller-manager", "system:kube-scheduler", "system:kube-proxy"],
        "verbs": _READS,
    },
    {"userGroups": ["system:nodes", "system:serviceaccounts:kube-system"], "verbs": _READS},
    {
        "userGroups": ["system:nodes"],
        "verbs": ["update", "patch"],
        "resources": [{"group": "", "resources": ["nodes/status", "pods/status"]}],
    },
)


def policies(inputs: Inputs) -> Desired:
    """The ConfigMap, named as the API server is."""
    data = {file: policy(level) for level, file in _FILES.items()}
    return derived(CONFIG_MAP, inputs, inputs.names.apiserver, API_SERVER, {"data": data})


@cache
def policy(level: str) -> str:
    """The policy of one level; written once, for every look at a cluster asks for it and writing YAML is slow."""
    told: list[dict[str, Any]] = [{"level": METADATA, "resources": _SECRETIVE}]
    if level == REQUEST:
        told.append({"level": REQUEST, "verbs": _WRITES})
    told.append({"level": METADATA})
    document = {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived"],  # what became of a request is told with it
        "omitManagedFields": True,
        "rules": [*({"level": "None", **each} for each in _NOISE), *told],
    }
    return yaml.safe_dump(document, sort_keys=False)


def in_force(cluster: Cluster) -> str:
    """The level that API servers are made with: what is declared at first, and later what the status says.

    Another one is taken up at rest (turns/auditing.py).
    """
    return cluster.spec.audit.level if cluster.status.ready_at is None else cluster.status.audit_level


def flags(cluster: Cluster) -> dict[str, str]:
    """What API servers are started with."""
    file = _FILES.get(in_force(cluster))
    if file is None:
        return {}
    return {"audit-policy-file": f"{PLACE}/{file}", "audit-log-path": "-", "audit-log-mode": "batch"}


def volumes(inputs: Inputs) -> list[dict[str, Any]]:
    """The volumes that policies are mounted from."""
    is_on = in_force(inputs.cluster) in _FILES
    return [{"name": "audit", "configMap": {"name": inputs.names.apiserver}}] if is_on else []


def mounts(inputs: Inputs) -> list[dict[str, Any]]:
    """And where to."""
    return [{"name": each["name"], "mountPath": PLACE, "readOnly": True} for each in volumes(inputs)]
