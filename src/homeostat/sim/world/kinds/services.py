"""Services and EndpointSlices, as the controllers of a cluster read them."""

from __future__ import annotations

from msgspec import Struct, field

from homeostat.api.kind import Kind, Resource
from homeostat.api.meta import ObjectMeta


class ServicePort(Struct, frozen=True, gc=False, rename="camel"):
    """One port of a Service."""

    port: int
    name: str = ""
    protocol: str = "TCP"
    target_port: int | str = 0
    app_protocol: str | None = None


class ServiceSpec(Struct, frozen=True, gc=False, rename="camel"):
    """Whom a Service selects, and how they are reached."""

    type: str = "ClusterIP"
    cluster_ip: str = field(default="", name="clusterIP")
    selector: dict[str, str] | None = None
    ports: tuple[ServicePort, ...] = ()
    publish_not_ready_addresses: bool = False

    @property
    def is_headless(self) -> bool:
        """Whether it has no address of its own."""
        return self.cluster_ip == "None"


class Service(Struct, frozen=True, gc=False):
    """A Service."""

    metadata: ObjectMeta
    spec: ServiceSpec = ServiceSpec()


class Conditions(Struct, frozen=True, gc=False):
    """Whether an endpoint takes traffic."""

    ready: bool | None = None
    serving: bool | None = None
    terminating: bool | None = None


class Target(Struct, frozen=True, gc=False, order=True):
    """The Pod behind an endpoint."""

    kind: str = ""
    namespace: str = ""
    name: str = ""
    uid: str = ""


class Endpoint(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True):
    """One Pod of a Service."""

    addresses: tuple[str, ...]
    conditions: Conditions = Conditions()
    hostname: str | None = None
    node_name: str | None = None
    zone: str | None = None
    target_ref: Target | None = None


class Port(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True):
    """A port of all endpoints of a slice."""

    name: str | None = None
    protocol: str | None = None
    port: int | None = None
    app_protocol: str | None = None


class EndpointSlice(Struct, frozen=True, gc=False, rename="camel"):
    """An EndpointSlice; empty lists come as null."""

    metadata: ObjectMeta
    address_type: str = "IPv4"
    endpoints: tuple[Endpoint, ...] | None = None
    ports: tuple[Port, ...] | None = None


class EndpointAddress(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True):
    """One Pod of a Service, or another address, in the older form."""

    ip: str
    hostname: str = ""
    node_name: str | None = None
    target_ref: Target | None = None


class EndpointPort(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True):
    """A port of all addresses of a subset."""

    port: int
    name: str = ""
    protocol: str = ""
    app_protocol: str | None = None


class Subset(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True):
    """Addresses that share their ports; empty lists come as null."""

    addresses: tuple[EndpointAddress, ...] | None = None
    not_ready_addresses: tuple[EndpointAddress, ...] | None = None
    ports: tuple[EndpointPort, ...] | None = None


class Endpoints(Struct, frozen=True, gc=False, rename="camel"):
    """The older form of EndpointSlices, one object for each Service."""

    metadata: ObjectMeta
    subsets: tuple[Subset, ...] | None = None


ENDPOINTS = Kind(Resource("", "v1", "Endpoints", "endpoints"), Endpoints)
SERVICE = Kind(Resource("", "v1", "Service", "services"), Service)
SLICE = Kind(Resource("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices"), EndpointSlice)
