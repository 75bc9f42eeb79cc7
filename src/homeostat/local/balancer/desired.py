"""From what is observed (Services, EndpointSlices) to what should be (addresses, frontends): pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from homeostat.api.core import EndpointSlice, Service
from homeostat.local.balancer.addresses import BEGINNING, CLASS, Wish
from homeostat.local.balancer.haproxy import Backend, Frontend

HEALTH_PATH = "balancer.homeostat.dev/health-path"
SERVICE_NAME = "kubernetes.io/service-name"


def is_ours(service: Service) -> bool:
    """Whether this Service asks for a load balancer, and for none of another make."""
    return service.spec.type == "LoadBalancer" and service.spec.load_balancer_class in ("", CLASS)


def held(service: Service) -> str:
    """The address that its status shows."""
    ingress = service.status.load_balancer.ingress
    return ingress[0].ip if ingress else ""


def wishes(services: Iterable[Service]) -> list[Wish]:
    """The allocation's view of the Services that are ours and are not being deleted."""
    return [
        Wish(
            created=service.metadata.creation_timestamp or BEGINNING,
            key=service.metadata.key,
            held=held(service),
            asked=service.spec.load_balancer_ip,
        )
        for service in services
        if is_ours(service) and service.metadata.deletion_timestamp is None
    ]


def frontends(
    services: Iterable[Service], slices: Iterable[EndpointSlice], addresses: dict[str, str]
) -> tuple[Frontend, ...]:
    """One frontend for each TCP port of each Service that has an address."""
    by_service: dict[str, list[EndpointSlice]] = {}
    for one in slices:
        name = one.metadata.labels.get(SERVICE_NAME, "")
        by_service.setdefault(f"{one.metadata.namespace}/{name}", []).append(one)
    return tuple(
        Frontend(
            service=service.metadata.key,
            port_name=port.name,
            address=addresses[service.metadata.key],
            port=port.port,
            backends=backends(by_service.get(service.metadata.key, ()), port.name),
            health_path=service.metadata.annotations.get(HEALTH_PATH, ""),
        )
        for service in services
        if service.metadata.key in addresses
        for port in service.spec.ports
        if port.protocol == "TCP"
    )


def backends(slices: Sequence[EndpointSlice], port_name: str) -> tuple[Backend, ...]:
    """The endpoints that serve a port. Those that are not ready stay out unless they still serve while terminating."""
    found = {
        Backend(endpoint.addresses[0], port.port, endpoint.target_ref.name if endpoint.target_ref else "")
        for one in slices
        if one.address_type == "IPv4"
        for port in one.ports or ()
        if (port.name or "") == port_name and port.port
        for endpoint in one.endpoints or ()
        if endpoint.addresses and endpoint.conditions.ready is not False
    }
    return tuple(sorted(found))
