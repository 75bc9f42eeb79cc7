"""Pods, as the scheduler and the controllers of a cluster read them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import Struct, field

from homeostat.api.kind import Kind, Resource
from homeostat.api.meta import ObjectMeta
from homeostat.api.sharing import share

Selector = dict[str, Any]
"""A label selector as objects have it."""
OVER = ("Succeeded", "Failed")


class Resources(Struct, frozen=True, gc=False):
    """What a container asks for."""

    requests: dict[str, str] = {}
    limits: dict[str, str] = {}


class ContainerPort(Struct, frozen=True, gc=False, rename="camel"):
    """A port of a container; those of hosts are taken once."""

    container_port: int = 0
    name: str = ""
    host_port: int = 0
    host_ip: str = field(default="", name="hostIP")
    protocol: str = "TCP"


class Container(Struct, frozen=True, gc=False, rename="camel"):
    """A container, as far as a place for it is looked for."""

    name: str
    resources: Resources = Resources()
    ports: tuple[ContainerPort, ...] = ()
    restart_policy: str = ""  # of an init container that stays: Always

    def __post_init__(self) -> None:
        share(self, "name")


class Toleration(Struct, frozen=True, gc=False, rename="camel"):
    """A taint that a Pod bears, for ever or for a while."""

    key: str = ""
    operator: str = "Equal"
    value: str = ""
    effect: str = ""
    toleration_seconds: int | None = None


class NodeSelectorTerm(Struct, frozen=True, gc=False, rename="camel"):
    """Claims about a Node that must all hold."""

    match_expressions: tuple[Selector, ...] = ()
    match_fields: tuple[Selector, ...] = ()


class NodeSelector(Struct, frozen=True, gc=False, rename="camel"):
    """Terms of which one must hold."""

    node_selector_terms: tuple[NodeSelectorTerm, ...] = ()


class PreferredTerm(Struct, frozen=True, gc=False):
    """A term that is worth something."""

    weight: int
    preference: NodeSelectorTerm


class NodeAffinity(Struct, frozen=True, gc=False):
    """Where a Pod must, and where it would rather, stand."""

    required: NodeSelector | None = field(default=None, name="requiredDuringSchedulingIgnoredDuringExecution")
    preferred: tuple[PreferredTerm, ...] = field(default=(), name="preferredDuringSchedulingIgnoredDuringExecution")


class PodAffinityTerm(Struct, frozen=True, gc=False, rename="camel"):
    """Other Pods, and how near is near."""

    topology_key: str
    label_selector: Selector | None = None
    namespaces: tuple[str, ...] | None = None
    namespace_selector: Selector | None = None


class WeightedTerm(Struct, frozen=True, gc=False, rename="camel"):
    """A term that is worth something."""

    weight: int
    pod_affinity_term: PodAffinityTerm


class PodAffinity(Struct, frozen=True, gc=False):
    """Near to whom, or away from whom, a Pod must, and would rather, stand."""

    required: tuple[PodAffinityTerm, ...] = field(default=(), name="requiredDuringSchedulingIgnoredDuringExecution")
    preferred: tuple[WeightedTerm, ...] = field(default=(), name="preferredDuringSchedulingIgnoredDuringExecution")


class Affinity(Struct, frozen=True, gc=False, rename="camel"):
    """Where a Pod is drawn to."""

    node_affinity: NodeAffinity = NodeAffinity()
    pod_affinity: PodAffinity = PodAffinity()
    pod_anti_affinity: PodAffinity = PodAffinity()


class SpreadConstraint(Struct, frozen=True, gc=False, rename="camel"):
    """How even Pods must stand over domains."""

    max_skew: int
    topology_key: str
    when_unsatisfiable: str
    label_selector: Selector | None = None
    min_domains: int | None = None
    node_affinity_policy: str = "Honor"
    node_taints_policy: str = "Ignore"
    match_label_keys: tuple[str, ...] | None = None


class ClaimSource(Struct, frozen=True, gc=False, rename="camel"):
    """A volume that is a claim's."""

    claim_name: str


class Volume(Struct, frozen=True, gc=False, rename="camel"):
    """A volume of a Pod; only those that somebody must provide matter for its place."""

    name: str
    persistent_volume_claim: ClaimSource | None = None
    ephemeral: dict[str, Any] | None = None


class Gate(Struct, frozen=True, gc=False):
    """Something that a Pod must wait for before it is given a place."""

    name: str


class PodSpec(Struct, frozen=True, gc=False, rename="camel"):
    """What a Pod asks for."""

    node_name: str = ""
    scheduler_name: str = ""
    containers: tuple[Container, ...] = ()
    init_containers: tuple[Container, ...] = ()
    overhead: dict[str, str] = {}
    node_selector: dict[str, str] = {}
    affinity: Affinity | None = None
    tolerations: tuple[Toleration, ...] = ()
    topology_spread_constraints: tuple[SpreadConstraint, ...] = ()
    priority: int = 0
    preemption_policy: str = "PreemptLowerPriority"
    scheduling_gates: tuple[Gate, ...] = ()
    volumes: tuple[Volume, ...] = ()
    host_network: bool = False
    hostname: str = ""
    subdomain: str = ""

    def __post_init__(self) -> None:
        share(self, "node_name", "scheduler_name")


class PodCondition(Struct, frozen=True, gc=False, rename="camel"):
    """One aspect of a Pod's state."""

    type: str
    status: str
    reason: str = ""
    message: str = ""
    last_transition_time: datetime | None = None

    def __post_init__(self) -> None:
        share(self, "type", "status", "reason")


class PodAddress(Struct, frozen=True, gc=False):
    """One address of a Pod."""

    ip: str = ""


class PodStatus(Struct, frozen=True, gc=False, rename="camel"):
    """How a Pod fares."""

    phase: str = ""
    reason: str = ""
    pod_ip: str = field(default="", name="podIP")
    pod_ips: tuple[PodAddress, ...] = field(default=(), name="podIPs")
    nominated_node_name: str = ""
    start_time: datetime | None = None
    conditions: tuple[PodCondition, ...] = ()

    def __post_init__(self) -> None:
        share(self, "phase")

    def condition(self, type_: str) -> PodCondition | None:
        """The condition of a type, if the Pod has it."""
        return next((condition for condition in self.conditions if condition.type == type_), None)


class Pod(Struct, frozen=True, gc=False):
    """A Pod."""

    metadata: ObjectMeta
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()

    @property
    def is_over(self) -> bool:
        """Whether it will never run again."""
        return self.status.phase in OVER

    @property
    def is_ending(self) -> bool:
        """Whether its end was asked for."""
        return self.metadata.deletion_timestamp is not None

    @property
    def is_ready(self) -> bool:
        """Whether its kubelet says that it takes traffic."""
        return any(each.type == "Ready" and each.status == "True" for each in self.status.conditions)

    def claims(self) -> tuple[str, ...]:
        """The names of the claims whose volumes it needs; those of ephemeral volumes are named after it."""
        found = []
        for volume in self.spec.volumes:
            if volume.persistent_volume_claim is not None:
                found.append(volume.persistent_volume_claim.claim_name)
            elif volume.ephemeral is not None:
                found.append(f"{self.metadata.name}-{volume.name}")
        return tuple(found)


POD = Kind(Resource("", "v1", "Pod", "pods"), Pod)
