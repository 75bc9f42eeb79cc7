"""Which function makes the cells of which built-in type; the others show their name and when they were made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from homeostat.sim.apiserver.printing.cells import cluster, networks, pods, volumes, workloads
from homeostat.sim.apiserver.printing.cells.parts import Cells, name_of
from homeostat.sim.apiserver.store.store import Collection
from homeostat.sim.apiserver.types.type import Value

Printed = Callable[[Value, datetime], Cells]
_ADMISSION, _RIGHTS, _STORAGE = "admissionregistration.k8s.io", "rbac.authorization.k8s.io", "storage.k8s.io"
_FLOWS, _NETWORKING = "flowcontrol.apiserver.k8s.io", "networking.k8s.io"

CELLS: Mapping[Collection, Printed] = {
    ("", "configmaps"): cluster.config_map,
    ("", "endpoints"): networks.endpoints,
    ("", "events"): cluster.event,
    ("events.k8s.io", "events"): cluster.new_event,
    ("", "namespaces"): cluster.namespace,
    ("", "nodes"): cluster.node,
    ("", "persistentvolumeclaims"): volumes.claim,
    ("", "persistentvolumes"): volumes.volume,
    ("", "pods"): pods.pod,
    ("", "podtemplates"): workloads.pod_template,
    ("", "replicationcontrollers"): workloads.replication_controller,
    ("", "resourcequotas"): cluster.quota,
    ("", "secrets"): cluster.secret,
    ("", "serviceaccounts"): cluster.named,
    ("", "services"): networks.service,
    ("apps", "controllerrevisions"): workloads.controller_revision,
    ("apps", "daemonsets"): workloads.daemon_set,
    ("apps", "deployments"): workloads.deployment,
    ("apps", "replicasets"): workloads.replica_set,
    ("apps", "statefulsets"): workloads.stateful_set,
    ("batch", "cronjobs"): workloads.cron_job,
    ("batch", "jobs"): workloads.job,
    ("certificates.k8s.io", "certificatesigningrequests"): cluster.certificate_request,
    ("coordination.k8s.io", "leases"): cluster.lease,
    ("discovery.k8s.io", "endpointslices"): networks.endpoint_slice,
    ("node.k8s.io", "runtimeclasses"): cluster.runtime_class,
    ("policy", "poddisruptionbudgets"): workloads.disruption_budget,
    ("scheduling.k8s.io", "priorityclasses"): cluster.priority_class,
    (_ADMISSION, "mutatingwebhookconfigurations"): cluster.webhooks,
    (_ADMISSION, "validatingadmissionpolicies"): cluster.policy,
    (_ADMISSION, "validatingadmissionpolicybindings"): cluster.policy_binding,
    (_ADMISSION, "validatingwebhookconfigurations"): cluster.webhooks,
    (_FLOWS, "flowschemas"): cluster.flow_schema,
    (_FLOWS, "prioritylevelconfigurations"): cluster.priority_level,
    (_NETWORKING, "ingressclasses"): networks.ingress_class,
    (_NETWORKING, "ingresses"): networks.ingress,
    (_NETWORKING, "ipaddresses"): networks.address,
    (_NETWORKING, "networkpolicies"): networks.network_policy,
    (_NETWORKING, "servicecidrs"): networks.address_range,
    (_RIGHTS, "clusterrolebindings"): cluster.binding,
    (_RIGHTS, "rolebindings"): cluster.binding,
    (_STORAGE, "csidrivers"): volumes.csi_driver,
    (_STORAGE, "csinodes"): volumes.csi_node,
    (_STORAGE, "storageclasses"): volumes.storage_class,
    (_STORAGE, "volumeattachments"): volumes.attachment,
    (_STORAGE, "volumeattributesclasses"): volumes.attributes_class,
}


def dated(value: Value, now: datetime) -> Cells:  # noqa: ARG001
    """A name, and when it was made."""
    return [name_of(value), value["metadata"].get("creationTimestamp")]
