"""What the EndpointSlices of a Service are to hold. Pure.

An endpoint stays in the slice where it is; a new one goes where there is room. So a change of one Pod is a write of one
slice, of which there is another for each hundred Pods, and for Pods that serve a named port by another number.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from homeostat.sim.world.kinds.pods import Pod
from homeostat.sim.world.kinds.services import Conditions, Endpoint, EndpointSlice, Port, Service, ServicePort, Target

FULL = 100
SERVICE_NAME = "kubernetes.io/service-name"
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
MANAGER = "endpointslice-controller.k8s.io"
HEADLESS = "service.kubernetes.io/headless"
Ports = tuple[Port, ...]


class Create(Struct, frozen=True):
    """One more slice."""

    ports: Ports
    endpoints: tuple[Endpoint, ...]


class Update(Struct, frozen=True):
    """A slice that holds something else."""

    slice: EndpointSlice
    endpoints: tuple[Endpoint, ...]


class Delete(Struct, frozen=True):
    """A slice that holds nothing."""

    slice: EndpointSlice


Step = Create | Update | Delete


def labels_of(service: Service) -> dict[str, str]:
    """The labels of a Service's slices."""
    own = {key: value for key, value in service.metadata.labels.items() if key not in (SERVICE_NAME, MANAGED_BY)}
    headless = {HEADLESS: ""} if service.spec.is_headless else {}
    return {**own, **headless, SERVICE_NAME: service.metadata.name, MANAGED_BY: MANAGER}


def has_endpoints(pod: Pod) -> bool:
    """Whether a Pod is behind its Services at all."""
    return bool(pod.status.pod_ip) and not pod.is_over


def endpoint(pod: Pod, service: Service, zone: str | None) -> Endpoint:
    """A Pod as an endpoint."""
    serves, ends = pod.is_ready, pod.is_ending
    ready = service.spec.publish_not_ready_addresses or (serves and not ends)
    named = pod.spec.hostname and pod.spec.subdomain == service.metadata.name
    meta = pod.metadata
    return Endpoint(
        (pod.status.pod_ip,),
        Conditions(ready, serves, ends),
        pod.spec.hostname if named else None,
        pod.spec.node_name or None,
        zone,
        Target("Pod", meta.namespace, meta.name, meta.uid),
    )


def ports_of(service: Service, pod: Pod) -> Ports:
    """At which numbers a Pod serves the ports of a Service; one that it does not name is left out."""
    found = []
    for each in service.spec.ports:
        number = _number(each, pod)
        if number:
            found.append(Port(each.name, each.protocol, number, each.app_protocol))
    return tuple(found)


def _number(port: ServicePort, pod: Pod) -> int:
    wanted = port.target_port or port.port
    if isinstance(wanted, int):
        return wanted
    named = (
        each.container_port
        for container in (*pod.spec.containers, *pod.spec.init_containers)
        for each in container.ports
        if each.name == wanted and each.protocol == port.protocol
    )
    return next(named, 0)


def wanted(service: Service, pods: Iterable[Pod], zones: Mapping[str, str]) -> dict[Ports, list[Endpoint]]:
    """All endpoints of a Service, by their ports."""
    found: dict[Ports, list[Endpoint]] = {}
    for pod in pods:
        if has_endpoints(pod):
            made = endpoint(pod, service, zones.get(pod.spec.node_name))
            found.setdefault(ports_of(service, pod), []).append(made)
    return found


def steps(endpoints: Mapping[Ports, Sequence[Endpoint]], slices: Sequence[EndpointSlice]) -> list[Step]:
    """From the slices that there are to those that there are to be; a Service without Pods has one that is empty."""
    made: list[Step] = []
    left = list(slices)
    for ports, of_ports in endpoints.items() or [((), ())]:
        mine = [each for each in left if (each.ports or ()) == ports]
        left = [each for each in left if (each.ports or ()) != ports]
        made += _fill(ports, of_ports, mine, keeps_one=not endpoints)
    return [*made, *(Delete(each) for each in left)]


def _fill(
    ports: Ports, endpoints: Sequence[Endpoint], slices: Sequence[EndpointSlice], *, keeps_one: bool
) -> list[Step]:
    new = {each.target_ref: each for each in endpoints}
    held: list[list[Endpoint]] = []
    for each in slices:
        known = (new.pop(old.target_ref, None) for old in each.endpoints or ())
        held.append([found for found in known if found is not None])
    waiting = list(new.values())
    for endpoints_of_slice in held:
        while waiting and len(endpoints_of_slice) < FULL:
            endpoints_of_slice.append(waiting.pop(0))
    made: list[Step] = []
    for at, (each, now) in enumerate(zip(slices, held, strict=True)):
        if not now and not (keeps_one and at == 0):
            made.append(Delete(each))
        elif tuple(now) != (each.endpoints or ()):
            made.append(Update(each, tuple(now)))
    made += [Create(ports, tuple(waiting[at : at + FULL])) for at in range(0, len(waiting), FULL)]
    return made if slices or waiting or not keeps_one else [Create(ports, ())]
