"""The loop that keeps the EndpointSlices of Services."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec import to_builtins

from homeostat.kube.client import Client
from homeostat.kube.errors import ApiError, NotFound
from homeostat.runtime.manager import Manager
from homeostat.runtime.outcome import DONE, Outcome
from homeostat.runtime.queue import Priority
from homeostat.sim.world.controllers.endpoints.choosing import Choosing, chosen_by
from homeostat.sim.world.controllers.endpoints.slicing import (
    SERVICE_NAME,
    Create,
    Delete,
    Step,
    Update,
    has_endpoints,
    labels_of,
    steps,
    wanted,
)
from homeostat.sim.world.controllers.loops import loop
from homeostat.sim.world.controllers.nodes.lifecycle import ON_NODE, node_of
from homeostat.sim.world.controllers.terminating import is_of_ending_namespace
from homeostat.sim.world.kinds.nodes import NODE, Node
from homeostat.sim.world.kinds.pods import POD, Pod
from homeostat.sim.world.kinds.selecting import LABELS, labelled, selected
from homeostat.sim.world.kinds.services import SERVICE, SLICE, EndpointSlice, Service

NAME = "endpointslice-controller"
_OF_SERVICE = "service"
_ZONE = "topology.kubernetes.io/zone"


def service_of(slice_: EndpointSlice) -> Iterable[str]:
    """An index: the Service of a slice."""
    meta = slice_.metadata
    return (f"{meta.namespace}/{meta.labels[SERVICE_NAME]}",) if SERVICE_NAME in meta.labels else ()


def add_endpoint_slices(manager: Manager, client: Client) -> None:
    """Say which Pods stand behind each Service."""
    _Slices(manager, client)


class _Slices:
    def __init__(self, manager: Manager, client: Client) -> None:
        self._client = client
        self._services = manager.informer(client, SERVICE)
        self._slices = manager.informer(client, SLICE, indexes={_OF_SERVICE: service_of})
        self._pods = manager.informer(client, POD, indexes={LABELS: labelled, ON_NODE: node_of})
        self._nodes = manager.informer(client, NODE)
        self._choosing = Choosing(self._services)
        self._nodes.add_handler(self._node_changed)
        self._loop = loop(manager, NAME, self._reconcile)
        self._loop.informers.append(self._nodes)
        self._loop.watch(self._services)
        self._loop.watch(self._slices, service_of)
        self._loop.watch(self._pods, self._choosing.services_of, when=matters)

    def _node_changed(self, old: Node | None, new: Node | None, priority: Priority) -> None:
        """Pods may be bound before it is known where their Node stands."""
        if new is None or (old is not None and old.metadata.labels.get(_ZONE) == new.metadata.labels.get(_ZONE)):
            return
        for pod in self._pods.store.by_index(ON_NODE, new.metadata.name):
            for key in self._choosing.services_of(pod):
                self._loop.queue.add(key, priority)

    async def _reconcile(self, key: str) -> Outcome:
        service = self._services.store.get(key)
        chosen = chosen_by(service) if service is not None else None
        if service is None or chosen is None or service.metadata.deletion_timestamp is not None:
            return DONE
        pods = selected(self._pods.store, service.metadata.namespace, chosen)
        zones = {name: zone for name in {pod.spec.node_name: None for pod in pods} if (zone := self._zone(name))}
        slices = [
            each
            for each in self._slices.store.by_index(_OF_SERVICE, key)
            if each.metadata.deletion_timestamp is None and _is_ours(each, service)
        ]
        endpoints = wanted(service, sorted(pods, key=lambda pod: pod.metadata.name), zones)
        for step in steps(endpoints, slices):
            await self._do(key, service, step)
        await self._label(key, service, slices)
        return DONE

    def _zone(self, node: str) -> str:
        found = self._nodes.store.get(node)
        return found.metadata.labels.get(_ZONE, "") if found is not None else ""

    async def _do(self, key: str, service: Service, step: Step) -> None:
        try:
            made = await self._write(service, step)
        except NotFound:
            return
        except ApiError as error:
            if is_of_ending_namespace(error):
                return  # its namespace goes, and so does it
            raise
        if made is not None:
            self._loop.writes.note(key, self._slices.store, made.metadata.resource_version)

    async def _write(self, service: Service, step: Step) -> EndpointSlice | None:
        match step:
            case Create():
                return await self._client.create(SLICE, _body(service, step))
            case Update(slice=old):
                meta = old.metadata
                patch = {
                    "metadata": {"resourceVersion": meta.resource_version},
                    "endpoints": to_builtins(step.endpoints),
                }
                return await self._client.merge_patch(SLICE, meta.name, patch, meta.namespace)
            case Delete(slice=old):
                meta = old.metadata
                await self._client.delete(SLICE, meta.name, meta.namespace, uid=meta.uid)
        return None

    async def _label(self, key: str, service: Service, slices: list[EndpointSlice]) -> None:
        """The Service's labels are those of its slices."""
        labels = labels_of(service)
        for each in slices:
            meta = each.metadata
            if meta.labels == labels:
                continue
            gone = dict.fromkeys(name for name in meta.labels if name not in labels)
            try:
                patch = {"metadata": {"labels": {**gone, **labels}}}
                made = await self._client.merge_patch(SLICE, meta.name, patch, meta.namespace)
            except NotFound:
                continue
            self._loop.writes.note(key, self._slices.store, made.metadata.resource_version)


def _body(service: Service, step: Create) -> dict[str, Any]:
    meta = service.metadata
    owner = {
        "apiVersion": "v1",
        "kind": "Service",
        "name": meta.name,
        "uid": meta.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "generateName": f"{meta.name}-",
            "namespace": meta.namespace,
            "labels": labels_of(service),
            "ownerReferences": [owner],
        },
        "addressType": "IPv4",
        "endpoints": to_builtins(step.endpoints),
        "ports": to_builtins(step.ports),
    }


def _is_ours(slice_: EndpointSlice, service: Service) -> bool:
    return any(each.uid == service.metadata.uid for each in slice_.metadata.owner_references)


def matters(old: Pod | None, new: Pod | None) -> bool:
    """Whether a Pod became another endpoint."""
    if old is None or new is None:
        known = new if new is not None else old
        return known is not None and has_endpoints(known)
    return _seen(old) != _seen(new)


def _seen(pod: Pod) -> tuple[Any, ...]:
    return has_endpoints(pod), pod.status.pod_ip, pod.is_ready, pod.is_ending, pod.metadata.labels, pod.spec.node_name
