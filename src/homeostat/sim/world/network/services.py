"""Services as the network knows them: by ClusterIP, by the address of a load balancer, and by name.

Names are those that CoreDNS serves (`service.namespace.svc`, of a headless Service also `pod.service.namespace.svc`,
with or without a domain behind). What stands behind a Service is what its EndpointSlices say, so that somebody who is
dead is still tried until they say that he is gone.
"""

from __future__ import annotations

from collections.abc import Iterable

from homeostat.api.core import SERVICE, Service
from homeostat.api.discovery import ENDPOINT_SLICE, Endpoint, EndpointSlice
from homeostat.kube.client import Client
from homeostat.runtime.manager import Manager
from homeostat.sim.world.network.network import Found, Target, UnknownName

HEALTH_PATH = "balancer.homeostat.dev/health-path"
SERVICE_NAME = "kubernetes.io/service-name"
_ADDRESS, _OWNER = "sim-address", "sim-service"


class Services:
    """Reads the caches of a manager, and nothing else."""

    def __init__(self, manager: Manager, client: Client) -> None:
        self._services = manager.informer(client, SERVICE, indexes={_ADDRESS: addresses}).store
        self._slices = manager.informer(client, ENDPOINT_SLICE, indexes={_OWNER: _service_of}).store

    def find(self, host: str, port: int) -> Found | None:
        """Who stands behind an address or a name; None for an address that no Service has. Raises UnknownName."""
        if host.replace(".", "").isdigit():
            known = self._services.by_index(_ADDRESS, host)
            return self._behind(known[0], port, "", by_balancer=known[0].spec.cluster_ip != host) if known else None
        pod, service = self._named(host)
        return self._behind(service, port, pod, by_balancer=False)

    def _named(self, host: str) -> tuple[str, Service]:
        """The Service of a name, and the Pod where the name is of one."""
        labels = host.split(".")
        at = labels.index("svc") if "svc" in labels else len(labels)
        parts = labels[:at]
        if len(parts) in (2, 3):
            service = self._services.get(parts[-2], parts[-1])
            if service is not None and (len(parts) == 2 or service.spec.cluster_ip == "None"):
                return (parts[0] if len(parts) == 3 else ""), service
        raise UnknownName(f"lookup {host}: no such host")

    def _behind(self, service: Service, port: int, pod: str, *, by_balancer: bool) -> Found:
        named = next((each for each in service.spec.ports if each.port == port), None)
        is_headless = service.spec.cluster_ip == "None"
        targets: list[Target] = []
        for one in self._slices.by_index(_OWNER, service.metadata.key):
            ports = [each.port for each in one.ports or () if named and (each.name or "") == named.name and each.port]
            at = port if is_headless else next(iter(ports), 0)
            for each in one.endpoints or ():
                is_used = _is_ready(each) or service.spec.publish_not_ready_addresses
                if at and is_used and (not pod or _pod(each) == pod):
                    targets += [Target(address, at) for address in each.addresses[:1]]
        if pod and not targets:
            raise UnknownName(f"lookup {pod}.{service.metadata.name}: no such host")
        path = service.metadata.annotations.get(HEALTH_PATH, "") if by_balancer else ""
        return Found(tuple(sorted(targets, key=lambda each: each.address)), path)


def addresses(service: Service) -> Iterable[str]:
    """All addresses that a Service is reached at."""
    if service.spec.cluster_ip not in ("", "None"):
        yield service.spec.cluster_ip
    for each in service.status.load_balancer.ingress:
        if each.ip:
            yield each.ip


def _service_of(one: EndpointSlice) -> Iterable[str]:
    name = one.metadata.labels.get(SERVICE_NAME, "")
    if name and one.address_type == "IPv4":
        yield f"{one.metadata.namespace}/{name}"


def _is_ready(endpoint: Endpoint) -> bool:
    return endpoint.conditions.ready is not False


def _pod(endpoint: Endpoint) -> str:
    return endpoint.target_ref.name if endpoint.target_ref is not None else ""
