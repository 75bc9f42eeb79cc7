"""The built-in kinds that homeostat reads, as slim as their readers allow.

Only fields that something reads are declared, because what is declared is decoded and kept in caches a hundred thousand
times. So an object read here is never written back. Fields that Go may write as null are optional. `gc=False` keeps
these values, which cannot form cycles, out of the garbage collector's sight. Kinds of other API groups are defined in
their own modules and offered here too, so that readers import one module.
"""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct, field

from homeostat.api.apiextensions import CUSTOM_RESOURCE_DEFINITION, CustomResourceDefinition
from homeostat.api.apps import DEPLOYMENT, STATEFUL_SET, Deployment, StatefulSet
from homeostat.api.coordination import LEASE, Lease
from homeostat.api.discovery import ENDPOINT_SLICE, EndpointSlice
from homeostat.api.events import EVENT, Event
from homeostat.api.kind import Kind, Resource
from homeostat.api.meta import ObjectMeta
from homeostat.api.pods import POD, Pod
from homeostat.api.policy import POD_DISRUPTION_BUDGET, PodDisruptionBudget
from homeostat.api.sharing import share_values

__all__ = [
    "CONFIG_MAP",
    "CUSTOM_RESOURCE_DEFINITION",
    "DEPLOYMENT",
    "ENDPOINT_SLICE",
    "EVENT",
    "LEASE",
    "NAMESPACE",
    "NODE",
    "PERSISTENT_VOLUME",
    "PERSISTENT_VOLUME_CLAIM",
    "POD",
    "POD_DISRUPTION_BUDGET",
    "SECRET",
    "SERVICE",
    "SERVICE_ACCOUNT",
    "STATEFUL_SET",
    "ConfigMap",
    "CustomResourceDefinition",
    "Deployment",
    "EndpointSlice",
    "Event",
    "Lease",
    "Namespace",
    "Node",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Pod",
    "PodDisruptionBudget",
    "Secret",
    "Service",
    "ServiceAccount",
    "StatefulSet",
]


class Secret(Struct, frozen=True, gc=False):
    """A Secret; values are base64, as the API serves them."""

    metadata: ObjectMeta
    data: dict[str, str] = {}
    type: str = ""


class ConfigMap(Struct, frozen=True, gc=False, rename="camel"):
    """A ConfigMap."""

    metadata: ObjectMeta
    data: dict[str, str] = {}
    binary_data: dict[str, str] = {}

    def __post_init__(self) -> None:
        share_values(self.data)


class NamespaceStatus(Struct, frozen=True, gc=False):
    """Active or Terminating."""

    phase: str = ""


class Namespace(Struct, frozen=True, gc=False):
    """A Namespace."""

    metadata: ObjectMeta
    status: NamespaceStatus = NamespaceStatus()


class ServiceAccount(Struct, frozen=True, gc=False):
    """A ServiceAccount."""

    metadata: ObjectMeta


class ServicePort(Struct, frozen=True, gc=False, rename="camel"):
    """One port of a Service."""

    port: int
    name: str = ""
    protocol: str = "TCP"
    target_port: int | str = 0
    node_port: int = 0


class ServiceSpec(Struct, frozen=True, gc=False, rename="camel"):
    """Where a Service listens and whom it selects."""

    type: str = "ClusterIP"
    cluster_ip: str = field(default="", name="clusterIP")
    selector: dict[str, str] = {}
    ports: tuple[ServicePort, ...] = ()
    load_balancer_ip: str = field(default="", name="loadBalancerIP")
    load_balancer_class: str = ""
    traffic_distribution: str = ""
    publish_not_ready_addresses: bool = False


class LoadBalancerIngress(Struct, frozen=True, gc=False):
    """One address that a load balancer gave."""

    ip: str = ""
    hostname: str = ""


class LoadBalancerStatus(Struct, frozen=True, gc=False):
    """The addresses that a load balancer gave."""

    ingress: tuple[LoadBalancerIngress, ...] = ()


class ServiceStatus(Struct, frozen=True, gc=False, rename="camel"):
    """What was given to a Service."""

    load_balancer: LoadBalancerStatus = LoadBalancerStatus()


class Service(Struct, frozen=True, gc=False):
    """A Service."""

    metadata: ObjectMeta
    spec: ServiceSpec = ServiceSpec()
    status: ServiceStatus = ServiceStatus()


class Taint(Struct, frozen=True, gc=False):
    """Keeps Pods off a Node."""

    key: str
    effect: str
    value: str = ""


class NodeSpec(Struct, frozen=True, gc=False, rename="camel"):
    """A Node's part in the network and in scheduling."""

    pod_cidr: str = field(default="", name="podCIDR")
    unschedulable: bool = False
    taints: tuple[Taint, ...] = ()


class NodeCondition(Struct, frozen=True, gc=False, rename="camel"):
    """One aspect of a Node's state, with the kubelet's heartbeat."""

    type: str
    status: str
    reason: str = ""
    message: str = ""
    last_heartbeat_time: datetime | None = None
    last_transition_time: datetime | None = None


class NodeAddress(Struct, frozen=True, gc=False):
    """One address or name of a Node."""

    type: str
    address: str


class NodeSystemInfo(Struct, frozen=True, gc=False, rename="camel"):
    """What a kubelet tells about its machine."""

    kubelet_version: str = ""
    boot_id: str = field(default="", name="bootID")


class NodeStatus(Struct, frozen=True, gc=False, rename="camel"):
    """A Node's state as its kubelet reports it."""

    addresses: tuple[NodeAddress, ...] = ()
    conditions: tuple[NodeCondition, ...] = ()
    node_info: NodeSystemInfo = NodeSystemInfo()
    allocatable: dict[str, str] = {}


class Node(Struct, frozen=True, gc=False):
    """A Node: a kubelet's registration."""

    metadata: ObjectMeta
    spec: NodeSpec = NodeSpec()
    status: NodeStatus = NodeStatus()


class PersistentVolumeClaimSpec(Struct, frozen=True, gc=False, rename="camel"):
    """What volume is asked for."""

    storage_class_name: str = ""
    volume_name: str = ""


class PersistentVolumeClaimStatus(Struct, frozen=True, gc=False, rename="camel"):
    """Pending, Bound or Lost, and the size that was given."""

    phase: str = ""
    capacity: dict[str, str] = {}


class PersistentVolumeClaim(Struct, frozen=True, gc=False):
    """A PersistentVolumeClaim."""

    metadata: ObjectMeta
    spec: PersistentVolumeClaimSpec = PersistentVolumeClaimSpec()
    status: PersistentVolumeClaimStatus = PersistentVolumeClaimStatus()


class ClaimReference(Struct, frozen=True, gc=False):
    """The claim that a volume is bound to."""

    name: str = ""
    namespace: str = ""
    uid: str = ""


class PersistentVolumeSpec(Struct, frozen=True, gc=False, rename="camel"):
    """What a volume is bound to and what becomes of it."""

    claim_ref: ClaimReference | None = None
    persistent_volume_reclaim_policy: str = ""
    storage_class_name: str = ""


class PersistentVolumeStatus(Struct, frozen=True, gc=False):
    """Available, Bound, Released or Failed."""

    phase: str = ""


class PersistentVolume(Struct, frozen=True, gc=False):
    """A PersistentVolume."""

    metadata: ObjectMeta
    spec: PersistentVolumeSpec = PersistentVolumeSpec()
    status: PersistentVolumeStatus = PersistentVolumeStatus()


SERVICE = Kind(Resource("", "v1", "Service", "services"), Service)
SECRET = Kind(Resource("", "v1", "Secret", "secrets"), Secret)
CONFIG_MAP = Kind(Resource("", "v1", "ConfigMap", "configmaps"), ConfigMap)
NODE = Kind(Resource("", "v1", "Node", "nodes", namespaced=False), Node)
NAMESPACE = Kind(Resource("", "v1", "Namespace", "namespaces", namespaced=False), Namespace)
SERVICE_ACCOUNT = Kind(Resource("", "v1", "ServiceAccount", "serviceaccounts"), ServiceAccount)
PERSISTENT_VOLUME_CLAIM = Kind(
    Resource("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims"), PersistentVolumeClaim
)
PERSISTENT_VOLUME = Kind(
    Resource("", "v1", "PersistentVolume", "persistentvolumes", namespaced=False), PersistentVolume
)
