"""What Endpoints are to hold, and what slices mirror of those that somebody wrote. Pure.

Addresses that serve the same ports share a subset. kube-controller-manager puts subsets and ports in the order of
hashes; here they are in that of their ports.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping

from homeostat.sim.world.controllers.endpoints.slicing import (
    HEADLESS,
    MANAGED_BY,
    SERVICE_NAME,
    Ports,
    has_endpoints,
    ports_of,
)
from homeostat.sim.world.kinds.pods import Pod
from homeostat.sim.world.kinds.services import (
    Conditions,
    Endpoint,
    EndpointAddress,
    EndpointPort,
    Endpoints,
    Port,
    Service,
    Subset,
    Target,
)

MOST = 1000  # addresses in one object, and in a slice that mirrors a subset
OVER, TRUNCATED = "endpoints.kubernetes.io/over-capacity", "truncated"
OLDER_MANAGED_BY, OLDER_MANAGER = "endpoints.kubernetes.io/managed-by", "endpoint-controller"
MIRROR = "endpointslicemirroring-controller.k8s.io"
_NOT_MIRRORED = "endpointslice.kubernetes.io/skip-mirror"
_OF_LEADERS = "control-plane.alpha.kubernetes.io/leader"
_OWN = ("endpoints.kubernetes.io/last-change-trigger-time", "kubectl.kubernetes.io/last-applied-configuration")
Packed = dict[EndpointPort | None, dict[EndpointAddress, bool]]
Slices = dict[tuple[str, Ports], list[Endpoint]]
"""By the kind of addresses and their ports."""


def labels_of(service: Service) -> dict[str, str]:
    """The labels of a Service's Endpoints."""
    own = {key: value for key, value in service.metadata.labels.items() if key != HEADLESS}
    return {**own, **({HEADLESS: ""} if service.spec.is_headless else {}), OLDER_MANAGED_BY: OLDER_MANAGER}


def subsets_of(service: Service, pods: Iterable[Pod]) -> tuple[Subset, ...]:
    """What the Endpoints of a Service hold."""
    found: Packed = {}
    publishes = service.spec.publish_not_ready_addresses
    for pod in pods:
        if not has_endpoints(pod) or (pod.is_ending and not publishes):
            continue
        ports: list[EndpointPort | None] = [
            EndpointPort(each.port or 0, each.name or "", each.protocol or "", each.app_protocol)
            for each in ports_of(service, pod)
        ]
        if not service.spec.ports and service.spec.is_headless:
            ports = [None]
        for port in ports:
            found.setdefault(port, {})[_address(pod, service)] = publishes or pod.is_ready
    return _packed(found)


def repacked(subsets: Iterable[Subset]) -> tuple[Subset, ...]:
    """The same with all that share their ports in one place; an address is not ready where one of two says so."""
    found: Packed = {}
    for subset in subsets:
        for port in subset.ports or (None,):
            held = found.setdefault(port, {})
            for each in subset.addresses or ():
                held.setdefault(each, True)
            held.update(dict.fromkeys(subset.not_ready_addresses or (), False))
    return _packed(found)


def truncated(subsets: tuple[Subset, ...]) -> tuple[Subset, ...]:
    """As many as one object may hold: those that are ready first."""
    if _count(subsets) <= MOST:
        return subsets
    left, kept = MOST, list[Subset]()
    for subset in subsets:
        ready = (subset.addresses or ())[:left]
        left -= len(ready)
        kept.append(Subset(ready or None, None, subset.ports))
    for at, subset in enumerate(subsets):
        others = (subset.not_ready_addresses or ())[:left]
        left -= len(others)
        kept[at] = Subset(kept[at].addresses, others or None, subset.ports)
    return tuple(each for each in kept if each.addresses or each.not_ready_addresses)


def is_over_full(subsets: tuple[Subset, ...]) -> bool:
    """Whether not all of them are told of."""
    return _count(subsets) > MOST


def is_mirrored(endpoints: Endpoints) -> bool:
    """Whether slices are made of Endpoints, as far as these say; their Service must select nobody."""
    meta = endpoints.metadata
    return meta.labels.get(_NOT_MIRRORED) != "true" and _OF_LEADERS not in meta.annotations


def mirrored(endpoints: Endpoints) -> Slices:
    """What the slices that mirror Endpoints hold."""
    found: Slices = {}
    for subset in repacked(endpoints.subsets or ()):
        ports = tuple(Port(each.name, each.protocol, each.port, each.app_protocol) for each in subset.ports or ())
        all_ = [(each, True) for each in subset.addresses or ()]
        all_ += [(each, False) for each in subset.not_ready_addresses or ()]
        for address, is_ready in all_[:MOST]:
            parsed = ipaddress.ip_address(address.ip)
            made = Endpoint(
                (str(parsed),),
                Conditions(ready=is_ready),
                address.hostname or None,
                address.node_name,
                None,
                address.target_ref,
            )
            found.setdefault((f"IPv{parsed.version}", ports), []).append(made)
    return found


def labels_of_mirror(endpoints: Endpoints) -> dict[str, str]:
    """The labels of slices that mirror Endpoints."""
    meta = endpoints.metadata
    return {**meta.labels, SERVICE_NAME: meta.name, MANAGED_BY: MIRROR}


def annotations_of_mirror(annotations: Mapping[str, str]) -> dict[str, str]:
    """Their annotations: those of the Endpoints, but for what is about these alone."""
    return {key: value for key, value in annotations.items() if key not in _OWN}


def _address(pod: Pod, service: Service) -> EndpointAddress:
    named = pod.spec.hostname and pod.spec.subdomain == service.metadata.name
    meta = pod.metadata
    target = Target("Pod", meta.namespace, meta.name, meta.uid)
    return EndpointAddress(pod.status.pod_ip, pod.spec.hostname if named else "", pod.spec.node_name, target)


def _packed(found: Packed) -> tuple[Subset, ...]:
    together: dict[tuple[tuple[EndpointAddress, bool], ...], list[EndpointPort]] = {}
    for port, addresses in found.items():
        key = tuple(sorted(addresses.items(), key=lambda each: _order(each[0])))
        together.setdefault(key, []).extend([port] if port is not None else [])
    made = [
        Subset(
            tuple(address for address, is_ready in addresses if is_ready) or None,
            tuple(address for address, is_ready in addresses if not is_ready) or None,
            tuple(sorted(ports, key=lambda each: (each.name, each.port, each.protocol))) or None,
        )
        for addresses, ports in together.items()
    ]
    return tuple(sorted(made, key=lambda subset: [(each.name, each.port) for each in subset.ports or ()]))


def _order(address: EndpointAddress) -> tuple[str, str]:
    return address.ip, address.target_ref.uid if address.target_ref is not None else ""


def _count(subsets: Iterable[Subset]) -> int:
    return sum(len(each.addresses or ()) + len(each.not_ready_addresses or ()) for each in subsets)
