"""Which Nodes a DaemonSet's Pods belong on, and what a Pod for one of them is made of. Pure."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import Struct

from homeostat.sim.world.controllers.workloads.templates import Template, pod_of, read
from homeostat.sim.world.kinds.nodes import Node
from homeostat.sim.world.kinds.pods import Pod, PodSpec
from homeostat.sim.world.kinds.workloads import DAEMON_SET, DaemonSet
from homeostat.sim.world.scheduler.terms import NAME_FIELD, place, unborne

Suits = Literal["yes", "stays", "no"]
"""Whether a Node gets a Pod; `stays`: it gets none, and one that is there may stay."""
HASH, GENERATION = "controller-revision-hash", "pod-template-generation"
_COUNTED = "deprecated.daemonset.template.generation"
_BORNE = (
    ("not-ready", "NoExecute"),
    ("unreachable", "NoExecute"),
    ("disk-pressure", "NoSchedule"),
    ("memory-pressure", "NoSchedule"),
    ("pid-pressure", "NoSchedule"),
    ("unschedulable", "NoSchedule"),
)
_OF_HOSTS = ("network-unavailable", "NoSchedule")


class Purpose(Struct, frozen=True):
    """What a DaemonSet asks of Nodes, read once for all of them."""

    pod: Pod

    def suits(self, node: Node) -> Suits:
        """Whether a Node gets a Pod."""
        spec = self.pod.spec
        if spec.node_name and spec.node_name != node.metadata.name:
            return "no"
        if not place(self.pod).has(node.metadata.name, node.metadata.labels):
            return "no"
        if unborne(node, spec.tolerations, ("NoExecute",)) is not None:
            return "no"
        return "yes" if unborne(node, spec.tolerations, ("NoSchedule",)) is None else "stays"


class _PodTemplate(Struct, frozen=True):
    spec: PodSpec = PodSpec()


def purpose_of(owner: DaemonSet) -> Purpose:
    """What the template asks for, with what every such Pod bears."""
    template = read(owner.spec.template)
    _bear(template)
    return Purpose(Pod(owner.metadata, msgspec.convert(template, _PodTemplate).spec))


def pod_for(owner: DaemonSet, digest: str, node: str) -> Template:
    """A Pod for a Node."""
    template = read(owner.spec.template)
    _bear(template)
    marks = {HASH: digest, GENERATION: owner.metadata.annotations.get(_COUNTED, "1")}
    pod = pod_of(template, DAEMON_SET, owner, marks)
    term = {"matchFields": [{"key": NAME_FIELD, "operator": "In", "values": [node]}]}
    affinity = pod["spec"].setdefault("affinity", {})
    near = affinity.setdefault("nodeAffinity", {})
    near["requiredDuringSchedulingIgnoredDuringExecution"] = {"nodeSelectorTerms": [term]}
    return pod


def node_of(pod: Pod) -> str:
    """The Node that a Pod stands on, or was made for."""
    if pod.spec.node_name or pod.spec.affinity is None:
        return pod.spec.node_name
    required = pod.spec.affinity.node_affinity.required
    for term in required.node_selector_terms if required is not None else ():
        for claim in term.match_fields:
            if claim.get("key") == NAME_FIELD and len(claim.get("values") or ()) == 1:
                return str(claim["values"][0])
    return ""


def _bear(template: dict[str, Any]) -> None:
    spec = template.setdefault("spec", {})
    borne = (*_BORNE, _OF_HOSTS) if spec.get("hostNetwork") else _BORNE
    there = spec.setdefault("tolerations", [])
    for name, effect in borne:
        toleration = {"key": f"node.kubernetes.io/{name}", "operator": "Exists", "effect": effect}
        if toleration not in there:
            there.append(toleration)
