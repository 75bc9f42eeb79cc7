"""The shape that all masters share: labels, owner, Pod template, probes, volumes of Secrets."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from homeostat.api.cluster.components import PackageComponent
from homeostat.api.cluster.network import ClusterEndpointStatus
from homeostat.api.cluster.parameters import ComponentProbes, ProbeThresholds
from homeostat.api.cluster.v1alpha1 import Cluster
from homeostat.api.kind import Kind
from homeostat.api.policy import POD_DISRUPTION_BUDGET
from homeostat.operators.cluster.manifests.owned import owned, owned_flag
from homeostat.operators.cluster.names import (
    CAUSE_ANNOTATION,
    COMPONENT_LABEL,
    DIGEST_ANNOTATION,
    UID_LABEL,
    Names,
    labels,
    owner,
)
from homeostat.operators.cluster.rollout.emulation import flags as emulation_flags
from homeostat.operators.cluster.rollout.versions import version_of
from homeostat.operators.cluster.topology import HOST_LABEL, ZONE_LABEL, Topology, standing

NOBODY = 65532
# Of every Pod and container that is made: more than the strictest of Kubernetes' Pod security standards asks for.
AS_NOBODY: Mapping[str, Any] = {
    "runAsNonRoot": True,
    "runAsUser": NOBODY,
    "runAsGroup": NOBODY,
    "fsGroup": NOBODY,
    "seccompProfile": {"type": "RuntimeDefault"},
}
CONFINED: Mapping[str, Any] = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
SECRETS = "/etc/homeostat/pki"
PRIORITY_CLASS = "homeostat-masters"  # deploy/operator/priority.yaml
_AWAY_S = 10  # a stateless master moves this long after its host died; the default is five minutes


class Desired(Struct, frozen=True):
    """One derived object as it should be."""

    kind: Kind[Any]
    component: str
    body: dict[str, Any]

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.body["metadata"]["name"])

    @property
    def object(self) -> tuple[str, str]:
        """Kind and name: which object of its Cluster it is."""
        return self.kind.resource.kind, self.name

    @property
    def digest(self) -> str:
        """The identity of this declaration: of all of it, which its mark and its cause tell where it bears them."""
        return f"{self.mark} {self.cause}" if self.mark else digest_of(self.body)

    @property
    def mark(self) -> str:
        """What its digest annotation says."""
        return str(self.body["metadata"].get("annotations", {}).get(DIGEST_ANNOTATION, ""))

    @property
    def cause(self) -> str:
        """What it is made for; empty where that does not matter, because nothing restarts when it changes."""
        return str(self.body["metadata"].get("annotations", {}).get(CAUSE_ANNOTATION, ""))

    def __repr__(self) -> str:
        """Which object; bodies of Secrets must not be shown, and others are long."""
        return f"Desired({self.kind.resource.kind} {self.name})"


class Inputs(Struct, frozen=True):
    """All that manifests are made of."""

    cluster: Cluster
    components: Mapping[str, PackageComponent]  # what each is made of; in the middle of a move, of two packages
    names: Names
    endpoint: ClusterEndpointStatus | None
    secrets: Mapping[str, str]  # leaf Secret name to digest of its content: a new content replaces the Pods
    is_formed: bool = False  # whether etcd had all its members once
    partition: int = 0  # members of etcd from this number on may be replaced
    avoided: Mapping[str, tuple[str, ...]] = {}  # hosts that made a component ill, by component
    emulates: Mapping[str, str] = {}  # component to the older minor version that it behaves as; empty: its own
    first_alone: bool = False  # whether API servers shall use the first member of etcd only
    node_ports: bool = True  # whether the endpoint's Service has any
    idle: frozenset[str] = frozenset()  # components that move while nothing of them works: all Pods may go at once

    @property
    def topology(self) -> Topology:
        """How many of everything there are to be now."""
        return standing(self.cluster)

    def component(self, name: str) -> PackageComponent:
        """What a component is made of; the CRD guarantees that every package has it."""
        if name not in self.components:
            raise LookupError(f"the package version has no component {name}")
        return self.components[name]


def digest_of(value: object) -> str:
    """A short digest of plain data, independent of the order of keys."""
    return hashlib.sha256(msgspec.json.encode(value, order="deterministic")).hexdigest()[:16]


def derived(
    kind: Kind[Any], inputs: Inputs, name: str, component: str, content: Mapping[str, Any], cause: str = ""
) -> Desired:
    """An object with our marks; its digest stands in an annotation, for people and for other tools."""
    cluster = inputs.cluster
    metadata: dict[str, Any] = {
        "name": name,
        "namespace": cluster.metadata.namespace,
        "labels": labels(cluster, component),
        "ownerReferences": [owner(cluster)],
    }
    extra = dict(content)
    annotations = dict(extra.pop("annotations", {}))
    annotations[DIGEST_ANNOTATION] = digest_of([metadata, content])
    if cause:
        annotations[CAUSE_ANNOTATION] = cause
    body = {
        "apiVersion": kind.resource.api_version,
        "kind": kind.resource.kind,
        "metadata": {**metadata, "annotations": annotations},
        **extra,
    }
    return Desired(kind, component, body)


def selector(inputs: Inputs, component: str) -> dict[str, str]:
    """What selects the Pods of one component of one Cluster, and of no other Cluster of the same name."""
    return {UID_LABEL: inputs.cluster.metadata.uid, COMPONENT_LABEL: component}


def arguments(component: PackageComponent, ours: Mapping[str, str]) -> list[str]:
    """Command line flags: what was declared, but for what is owned, and ours."""
    declared = {name: value for name, value in component.args.items() if not owned_flag(component.name, name)}
    return [f"--{name}={value}" for name, value in sorted({**declared, **ours}.items())]


def emulation(inputs: Inputs, component: PackageComponent) -> dict[str, str]:
    """What makes a Kubernetes master behave as an older minor version, where it shall."""
    return emulation_flags(inputs.emulates.get(component.name, ""), version_of(component.version))


def variables(component: PackageComponent) -> list[dict[str, Any]]:
    """Environment variables that were declared, but for what is owned."""
    own = owned(component.name)
    return [{"name": name, "value": value} for name, value in sorted(component.env.items()) if not own.variable(name)]


def pod_template(
    inputs: Inputs, component: PackageComponent, secret: str, container: Mapping[str, Any], pod: Mapping[str, Any]
) -> dict[str, Any]:
    """A Pod of one container that reads one Secret, runs as nobody, and may not talk to the cell's API."""
    return {
        "metadata": {
            "labels": labels(inputs.cluster, component.name),
            "annotations": {"cluster.homeostat.dev/secret-digest": inputs.secrets[secret]},
        },
        "spec": {
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "priorityClassName": PRIORITY_CLASS,
            "securityContext": AS_NOBODY,
            "volumes": [{"name": "pki", "secret": {"secretName": secret, "defaultMode": 0o440}}],
            "containers": [
                {
                    "name": component.name,
                    "image": component.image,
                    "imagePullPolicy": "IfNotPresent",
                    "env": variables(component),
                    "resources": _resources(component),
                    "securityContext": CONFINED,
                    **patient(component.probes, container),
                    "volumeMounts": [
                        {"name": "pki", "mountPath": SECRETS, "readOnly": True},
                        *container.get("volumeMounts", ()),
                    ],
                }
            ],
            **pod,
        },
    }


def apart(inputs: Inputs, component: str, *, zoned: bool, by_revision: bool) -> dict[str, Any]:
    """Replicas of one component stand in different zones, and on different hosts in any case.

    Where old and new Pods run side by side, only those of one revision are kept apart: else a new one finds no place.
    Zones count only where there must be several: hosts of a small cell may have none.
    """
    keys = (ZONE_LABEL, HOST_LABEL) if zoned else (HOST_LABEL,)
    revisions = {"matchLabelKeys": ["pod-template-hash"]} if by_revision else {}
    rule = {
        "maxSkew": 1,
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": selector(inputs, component)},
        **revisions,
    }
    return {"topologySpreadConstraints": [{**rule, "topologyKey": key} for key in keys]}


def disruption_budget(inputs: Inputs, name: str, component: str) -> Desired:
    """A drain of the cell's hosts takes one replica at a time, and waits until it is back."""
    spec = {"maxUnavailable": 1, "selector": {"matchLabels": selector(inputs, component)}}
    return derived(POD_DISRUPTION_BUDGET, inputs, name, component, {"spec": spec})


def replicas_of(component: PackageComponent, topology: Topology) -> int:
    """How many of a component there are to be."""
    is_single = component.hosted is not None and component.hosted.single
    return 1 if is_single else topology.replicas(component.name)


def stateless(inputs: Inputs, component: PackageComponent, template: Mapping[str, Any]) -> dict[str, Any]:
    """A Deployment's content, without a moment of fewer replicas than declared, unless they do nothing anyway."""
    spare: int | str = "100%" if component.name in inputs.idle else 0
    placed = apart(inputs, component.name, zoned=inputs.topology.others > 1, by_revision=True)
    spec = {
        **template["spec"],
        "tolerations": moving(),
        **placed,
        **away_from(inputs, component.name),
    }
    return {
        "spec": {
            "replicas": replicas_of(component, inputs.topology),
            "revisionHistoryLimit": 2,
            "selector": {"matchLabels": selector(inputs, component.name)},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": spare, "maxSurge": 1}},
            "template": {**template, "spec": spec},
        }
    }


def moving() -> list[dict[str, Any]]:
    """The tolerations of a Pod that stands elsewhere soon after its host died."""
    return [
        {"key": f"node.kubernetes.io/{key}", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": _AWAY_S}
        for key in ("not-ready", "unreachable")
    ]


def away_from(inputs: Inputs, component: str) -> dict[str, Any]:
    """Hosts that did not make it ill are preferred, but a bad one is better than none."""
    hosts = inputs.avoided.get(component, ())
    if not hosts:
        return {}
    elsewhere = {"matchExpressions": [{"key": HOST_LABEL, "operator": "NotIn", "values": list(hosts)}]}
    preferred = [{"weight": 100, "preference": elsewhere}]
    return {"affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": preferred}}}


def at_rest(desired: Desired) -> Desired:
    """The same workload without replicas, which is another thing to be made for."""
    spec = {**desired.body["spec"], "replicas": 0}
    metadata = desired.body["metadata"]
    annotations = {**metadata["annotations"], CAUSE_ANNOTATION: digest_of(["at rest", desired.cause])}
    body = {**desired.body, "metadata": {**metadata, "annotations": annotations}, "spec": spec}
    return Desired(desired.kind, desired.component, body)


def patient(probes: ComponentProbes, container: Mapping[str, Any]) -> dict[str, Any]:
    """A container whose probes have the thresholds that the package version declares."""
    changed = dict(container)
    for name in ("startup", "readiness", "liveness"):
        thresholds: ProbeThresholds | None = getattr(probes, name)
        if thresholds is not None:
            changed[f"{name}Probe"] = {**container[f"{name}Probe"], **msgspec.to_builtins(thresholds)}
    return changed


def http_probe(path: str, port: int, *, period_s: int, failures: int, scheme: str = "HTTPS") -> dict[str, Any]:
    """A kubelet's probe; kubelets do not verify certificates."""
    get = {"path": path, "port": port, "scheme": scheme}
    return {"httpGet": get, "periodSeconds": period_s, "timeoutSeconds": 5, "failureThreshold": failures}


def _resources(component: PackageComponent) -> dict[str, Any]:
    resources: Sequence[tuple[str, Mapping[str, str | int]]] = (
        ("requests", component.resources.requests),
        ("limits", component.resources.limits),
    )
    return {name: {key: str(value) for key, value in values.items()} for name, values in resources if values}
