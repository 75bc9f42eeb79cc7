"""EndpointSlices: the addresses behind a Service."""

from __future__ import annotations

from msgspec import Struct, field

from homeostat.api.kind import Kind, Resource
from homeostat.api.meta import ObjectMeta


class EndpointConditions(Struct, frozen=True, gc=False):
    """Whether an endpoint takes traffic; not known (None) counts as ready, says the API."""

    ready: bool | None = None
    serving: bool | None = None
    terminating: bool | None = None


class TargetReference(Struct, frozen=True, gc=False):
    """What stands behind an endpoint, usually a Pod."""

    kind: str = ""
    name: str = ""
    namespace: str = ""
    uid: str = ""


class Endpoint(Struct, frozen=True, gc=False, rename="camel"):
    """One endpoint; consumers use its first address."""

    addresses: tuple[str, ...] = ()
    conditions: EndpointConditions = EndpointConditions()
    node_name: str | None = None
    zone: str | None = None
    target_ref: TargetReference | None = None


class EndpointPort(Struct, frozen=True, gc=False):
    """A port that all endpoints of a slice serve."""

    port: int | None = None
    name: str | None = None
    protocol: str | None = None


class EndpointSlice(Struct, frozen=True, gc=False):
    """An EndpointSlice; the label kubernetes.io/service-name names its Service. Empty lists come as null."""

    metadata: ObjectMeta
    address_type: str = field(default="IPv4", name="addressType")
    endpoints: tuple[Endpoint, ...] | None = None
    ports: tuple[EndpointPort, ...] | None = None


ENDPOINT_SLICE = Kind(Resource("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices"), EndpointSlice)
