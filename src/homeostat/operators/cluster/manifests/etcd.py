"""etcd: a StatefulSet of one member with TLS between all parties, and the headless Service that names it."""

from __future__ import annotations

from typing import Any

from homeostat.api.core import SERVICE, STATEFUL_SET
from homeostat.operators.cluster.manifests.shape import (
    SECRETS,
    Desired,
    Inputs,
    arguments,
    derived,
    pod_template,
    selector,
)
from homeostat.operators.cluster.names import (
    ETCD_CLIENT_PORT,
    ETCD_METRICS_PORT,
    ETCD_PEER_PORT,
    NAME_LABEL,
    UID_LABEL,
    labels,
)

NAME = "etcd"
DATA = "/var/lib/etcd"


def service(inputs: Inputs) -> Desired:
    """Names every member, also before it is ready: members find each other by these names."""
    ports = [
        {"name": "client", "port": ETCD_CLIENT_PORT, "targetPort": ETCD_CLIENT_PORT, "protocol": "TCP"},
        {"name": "peer", "port": ETCD_PEER_PORT, "targetPort": ETCD_PEER_PORT, "protocol": "TCP"},
    ]
    spec = {
        "clusterIP": "None",
        "publishNotReadyAddresses": True,
        "selector": selector(inputs, NAME),
        "ports": ports,
    }
    return derived(SERVICE, inputs, inputs.names.etcd, NAME, {"spec": spec})


def stateful_set(inputs: Inputs) -> Desired:
    """One member; its volume outlives the StatefulSet, so that one deleted by hand comes back with its data."""
    component = inputs.component(NAME)
    names = inputs.names
    container = {
        "command": ["etcd", *arguments(component, _flags(inputs))],
        "env": [
            *({"name": name, "value": value} for name, value in sorted(component.env.items()) if name != "MEMBER"),
            {"name": "MEMBER", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        ],
        "ports": [
            {"name": "client", "containerPort": ETCD_CLIENT_PORT, "protocol": "TCP"},
            {"name": "peer", "containerPort": ETCD_PEER_PORT, "protocol": "TCP"},
        ],
        "volumeMounts": [{"name": "data", "mountPath": DATA}],
        "startupProbe": _probe("/readyz", period_s=1, failures=120),
        "readinessProbe": _probe("/readyz", period_s=2, failures=3),
        "livenessProbe": _probe("/livez", period_s=10, failures=6),
    }
    template = pod_template(inputs, component, names.etcd, container, {"terminationGracePeriodSeconds": 30})
    spec = {
        "replicas": 1,
        "serviceName": names.etcd,
        "podManagementPolicy": "Parallel",
        "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
        "selector": {"matchLabels": selector(inputs, NAME)},
        "template": template,
        "volumeClaimTemplates": [_claim(inputs)],
    }
    return derived(STATEFUL_SET, inputs, names.etcd, NAME, {"spec": spec})


def _flags(inputs: Inputs) -> dict[str, str]:
    names = inputs.names
    own = f"https://$(MEMBER).{names.etcd}.{names.namespace}.svc"
    member = f"{names.etcd}-0"
    return {
        "name": "$(MEMBER)",
        "data-dir": f"{DATA}/data",
        "listen-client-urls": f"https://0.0.0.0:{ETCD_CLIENT_PORT}",
        "listen-peer-urls": f"https://0.0.0.0:{ETCD_PEER_PORT}",
        "listen-metrics-urls": f"http://0.0.0.0:{ETCD_METRICS_PORT}",
        "advertise-client-urls": f"{own}:{ETCD_CLIENT_PORT}",
        "initial-advertise-peer-urls": f"{own}:{ETCD_PEER_PORT}",
        "initial-cluster": f"{member}=https://{names.etcd_member}:{ETCD_PEER_PORT}",
        "initial-cluster-state": "new",
        "initial-cluster-token": inputs.cluster.metadata.uid,
        "client-cert-auth": "true",
        "trusted-ca-file": f"{SECRETS}/etcd-ca.crt",
        "cert-file": f"{SECRETS}/server.crt",
        "key-file": f"{SECRETS}/server.key",
        "peer-client-cert-auth": "true",
        "peer-trusted-ca-file": f"{SECRETS}/etcd-ca.crt",
        "peer-cert-file": f"{SECRETS}/peer.crt",
        "peer-key-file": f"{SECRETS}/peer.key",
    }


def _claim(inputs: Inputs) -> dict[str, Any]:
    storage = inputs.cluster.spec.storage
    spec: dict[str, Any] = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": storage.size}},
    }
    if storage.class_name:
        spec["storageClassName"] = storage.class_name
    marks = labels(inputs.cluster, NAME)
    kept = {name: marks[name] for name in (NAME_LABEL, UID_LABEL)}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data", "labels": kept},
        "spec": spec,
    }


def _probe(path: str, *, period_s: int, failures: int) -> dict[str, Any]:
    """Over the metrics port, which asks for no certificate and tells nothing but health and metrics."""
    return {
        "httpGet": {"path": path, "port": ETCD_METRICS_PORT, "scheme": "HTTP"},
        "periodSeconds": period_s,
        "timeoutSeconds": 5,
        "failureThreshold": failures,
    }
