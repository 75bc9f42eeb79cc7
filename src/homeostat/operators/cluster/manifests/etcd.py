"""etcd: a StatefulSet with TLS between all parties, and what members and API servers find each other by.

Who belongs to the members stands in a ConfigMap that a member reads when it starts, not in the Pod template: members
come and go without the others being restarted.

Once the cluster was Ready, no member may begin empty where there was data: it would vote as if it had never seen what
it promised to keep, and two such members would elect each other against the one that remembers. `existing` alone does
not prevent that, because etcd takes in whoever bears the name of a member. But a member without data compares the list
that it was given with the one that the others keep, and ends itself when they differ. So the ConfigMap names one member
too many at all times but when a member is being taken in; those that have data do not look at it.
"""

from __future__ import annotations

from typing import Any

from homeostat.api.cluster.masters import ETCD
from homeostat.api.core import CONFIG_MAP, SERVICE, STATEFUL_SET
from homeostat.operators.cluster.manifests.causes import cause
from homeostat.operators.cluster.manifests.shape import (
    SECRETS,
    Desired,
    Inputs,
    apart,
    arguments,
    derived,
    disruption_budget,
    pod_template,
    selector,
    variables,
)
from homeostat.operators.cluster.names import (
    ETCD_CLIENT_PORT,
    ETCD_METRICS_PORT,
    ETCD_PEER_PORT,
    NAME_LABEL,
    UID_LABEL,
    labels,
)
from homeostat.operators.cluster.topology import JOIN

DATA = "/var/lib/etcd"
POD_NAME_LABEL = "statefulset.kubernetes.io/pod-name"  # given by the cell's StatefulSet controller
NOBODY = "nobody"  # the member too many
_MEMBERS, _STATE = "initial-cluster", "initial-cluster-state"  # entries of the ConfigMap
_FROM_MEMBERSHIP = {"ETCD_INITIAL_CLUSTER": _MEMBERS, "ETCD_INITIAL_CLUSTER_STATE": _STATE}


def service(inputs: Inputs) -> Desired:
    """Names every member, also before it is ready: members find each other by these names."""
    ports = [
        {"name": "client", "port": ETCD_CLIENT_PORT, "targetPort": ETCD_CLIENT_PORT, "protocol": "TCP"},
        {"name": "peer", "port": ETCD_PEER_PORT, "targetPort": ETCD_PEER_PORT, "protocol": "TCP"},
    ]
    spec = {
        "clusterIP": "None",
        "publishNotReadyAddresses": True,
        "selector": selector(inputs, ETCD),
        "ports": ports,
    }
    return derived(SERVICE, inputs, inputs.names.etcd, ETCD, {"spec": spec})


def client_service(inputs: Inputs) -> Desired:
    """Where API servers find etcd: ready members, those in their own zone first."""
    first = {POD_NAME_LABEL: inputs.names.etcd_members(1)[0]} if inputs.first_alone else {}
    spec = {
        "type": "ClusterIP",
        "trafficDistribution": "PreferClose",
        "selector": {**selector(inputs, ETCD), **first},
        "ports": [{"name": "client", "port": ETCD_CLIENT_PORT, "targetPort": ETCD_CLIENT_PORT, "protocol": "TCP"}],
    }
    return derived(SERVICE, inputs, inputs.names.etcd_client, ETCD, {"spec": spec})


def membership(inputs: Inputs) -> Desired:
    """Which members there are, for one that starts without data, as long as one may."""
    listed = initial_cluster(inputs, inputs.topology.listed)
    data = {
        _MEMBERS: listed if takes_in(inputs) else f"{listed},{NOBODY}={peer_url(inputs, NOBODY)}",
        _STATE: "existing" if inputs.is_formed else "new",
    }
    return derived(CONFIG_MAP, inputs, inputs.names.etcd, ETCD, {"data": data})


def takes_in(inputs: Inputs) -> bool:
    """Whether a member may begin empty now: the first ones, one that replaces another, one that joins."""
    status, change = inputs.cluster.status, inputs.topology.change
    is_replacing = status.healing is not None and status.healing.replacement is not None
    return not inputs.is_formed or is_replacing or (change is not None and change.action == JOIN)


def initial_cluster(inputs: Inputs, count: int) -> str:
    """The first members with the addresses at which their peers find them, as etcd takes it."""
    names = inputs.names
    members = names.etcd_members(count)
    return ",".join(f"{member}={peer_url(inputs, member)}" for member in members)


def peer_url(inputs: Inputs, member: str) -> str:
    """Where its peers find a member."""
    return f"https://{inputs.names.etcd_host(member)}:{ETCD_PEER_PORT}"


def budget(inputs: Inputs) -> Desired:
    """One member may be away at a time."""
    return disruption_budget(inputs, inputs.names.etcd, ETCD)


def stateful_set(inputs: Inputs) -> Desired:
    """The members; their volumes outlive the StatefulSet, so that one deleted by hand comes back with its data."""
    component = inputs.component(ETCD)
    names = inputs.names
    container = {
        "command": ["etcd", *arguments(component, _flags(inputs))],
        "env": [
            *variables(component),
            {"name": "MEMBER", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
            *(
                {"name": name, "valueFrom": {"configMapKeyRef": {"name": names.etcd, "key": entry}}}
                for name, entry in _FROM_MEMBERSHIP.items()
            ),
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
    pod = {"terminationGracePeriodSeconds": 30, **apart(inputs, ETCD, zoned=inputs.topology.zoned, by_revision=False)}
    template = pod_template(inputs, component, names.etcd, container, pod)
    spec = {
        "replicas": inputs.topology.members,
        "serviceName": names.etcd,
        "podManagementPolicy": "Parallel",
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": inputs.partition}},
        "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
        "selector": {"matchLabels": selector(inputs, ETCD)},
        "template": template,
        "volumeClaimTemplates": [claim_template(inputs)],
    }
    return derived(STATEFUL_SET, inputs, names.etcd, ETCD, {"spec": spec}, cause(inputs, component, names.etcd))


def _flags(inputs: Inputs) -> dict[str, str]:
    names = inputs.names
    own = f"https://$(MEMBER).{names.etcd}.{names.namespace}.svc"
    return {
        "name": "$(MEMBER)",
        "data-dir": f"{DATA}/data",
        "listen-client-urls": f"https://0.0.0.0:{ETCD_CLIENT_PORT}",
        "listen-peer-urls": f"https://0.0.0.0:{ETCD_PEER_PORT}",
        "listen-metrics-urls": f"http://0.0.0.0:{ETCD_METRICS_PORT}",
        "advertise-client-urls": f"{own}:{ETCD_CLIENT_PORT}",
        "initial-advertise-peer-urls": f"{own}:{ETCD_PEER_PORT}",
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


def claim_template(inputs: Inputs) -> dict[str, Any]:
    """The volume of a member."""
    storage = inputs.cluster.spec.storage
    spec: dict[str, Any] = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": storage.size}},
    }
    if storage.class_name:
        spec["storageClassName"] = storage.class_name
    marks = labels(inputs.cluster, ETCD)
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
