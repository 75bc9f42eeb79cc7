"""The loop that makes EndpointSlices of Endpoints that people write for Services that select nobody.

One slice mirrors the addresses of one kind that share their ports.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from msgspec import Struct, to_builtins

from homeostat.kube.client import Client
from homeostat.kube.errors import ApiError, NotFound
from homeostat.runtime.manager import Manager
from homeostat.runtime.outcome import DONE, Outcome
from homeostat.sim.world.controllers.endpoints.packing import (
    MIRROR,
    Slices,
    annotations_of_mirror,
    is_mirrored,
    labels_of_mirror,
    mirrored,
)
from homeostat.sim.world.controllers.endpoints.slicing import MANAGED_BY, SERVICE_NAME, Ports
from homeostat.sim.world.controllers.loops import loop
from homeostat.sim.world.controllers.terminating import is_of_ending_namespace
from homeostat.sim.world.kinds.services import ENDPOINTS, SERVICE, SLICE, Endpoint, Endpoints, EndpointSlice

NAME = "endpointslice-mirroring-controller"
_MIRRORS = "mirrors"


class Keep(Struct, frozen=True):
    """One slice: a new one, or what one that is there is to hold."""

    family: str
    ports: Ports
    endpoints: tuple[Endpoint, ...]
    slice: EndpointSlice | None = None


def mirrors_of(slice_: EndpointSlice) -> Iterable[str]:
    """An index: the Endpoints that a slice mirrors."""
    labels = slice_.metadata.labels
    is_mirror = labels.get(MANAGED_BY) == MIRROR
    return (f"{slice_.metadata.namespace}/{labels.get(SERVICE_NAME, '')}",) if is_mirror else ()


def plan(wanted: Slices, slices: Iterable[EndpointSlice]) -> tuple[list[Keep], list[EndpointSlice]]:
    """What is kept or made, and what goes."""
    left = list(slices)
    kept = []
    for (family, ports), endpoints in wanted.items():
        same = next((each for each in left if (each.address_type, each.ports or ()) == (family, ports)), None)
        if same is not None:
            left.remove(same)
        kept.append(Keep(family, ports, tuple(endpoints), same))
    return kept, left


def add_mirrors(manager: Manager, client: Client) -> None:
    """Mirror Endpoints that people write."""
    _Mirrors(manager, client)


class _Mirrors:
    def __init__(self, manager: Manager, client: Client) -> None:
        self._client = client
        services = manager.informer(client, SERVICE)
        endpoints = manager.informer(client, ENDPOINTS)
        slices = manager.informer(client, SLICE, indexes={_MIRRORS: mirrors_of})
        self._services, self._endpoints, self._slices = services.store, endpoints.store, slices.store
        self._loop = loop(manager, NAME, self._reconcile)
        self._loop.watch(services)
        self._loop.watch(endpoints)
        self._loop.watch(slices, mirrors_of)

    async def _reconcile(self, key: str) -> Outcome:
        endpoints, service = self._endpoints.get(key), self._services.get(key)
        mirrors = endpoints is not None and is_mirrored(endpoints) and endpoints.metadata.deletion_timestamp is None
        slices = [each for each in self._slices.by_index(_MIRRORS, key) if each.metadata.deletion_timestamp is None]
        wanted: Slices = {}
        if mirrors and service is not None and not service.spec.selector:
            assert endpoints is not None  # noqa: S101  (it is one that is mirrored)
            wanted = mirrored(endpoints)
        kept, gone = plan(wanted, sorted(slices, key=lambda each: each.metadata.name))
        try:
            for keep in kept:
                assert endpoints is not None  # noqa: S101  (something is wanted of it)
                await self._keep(key, endpoints, keep)
        except ApiError as error:
            if not is_of_ending_namespace(error):
                raise
        for each in gone:
            with suppress(NotFound):
                await self._client.delete(SLICE, each.metadata.name, each.metadata.namespace, uid=each.metadata.uid)
        return DONE

    async def _keep(self, key: str, endpoints: Endpoints, keep: Keep) -> None:
        body, old = _body(endpoints, keep), keep.slice
        if old is None:
            made = await self._client.create(SLICE, body)
        else:
            if not (changes := dict(_changes(endpoints, keep, old, body))):
                return
            meta = old.metadata
            changes.setdefault("metadata", {})["resourceVersion"] = meta.resource_version
            try:
                made = await self._client.merge_patch(SLICE, meta.name, changes, meta.namespace)
            except NotFound:
                return
        self._loop.writes.note(key, self._slices, made.metadata.resource_version)


def _changes(endpoints: Endpoints, keep: Keep, old: EndpointSlice, body: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    if tuple(keep.endpoints) != (old.endpoints or ()):
        yield "endpoints", body["endpoints"]
    changed = {}
    for name, now, then in (
        ("labels", labels_of_mirror(endpoints), old.metadata.labels),
        ("annotations", annotations_of_mirror(endpoints.metadata.annotations), old.metadata.annotations),
    ):
        if now != then:
            changed[name] = {**dict.fromkeys(each for each in then if each not in now), **now}
    if [each.uid for each in old.metadata.owner_references] != [endpoints.metadata.uid]:
        changed["ownerReferences"] = body["metadata"]["ownerReferences"]
    if changed:
        yield "metadata", changed


def _body(endpoints: Endpoints, keep: Keep) -> dict[str, Any]:
    meta = endpoints.metadata
    owner = {"apiVersion": "v1", "kind": "Endpoints", "name": meta.name, "uid": meta.uid}
    return {
        "metadata": {
            "generateName": f"{meta.name}-",
            "namespace": meta.namespace,
            "labels": labels_of_mirror(endpoints),
            "annotations": annotations_of_mirror(meta.annotations),
            "ownerReferences": [{**owner, "controller": True, "blockOwnerDeletion": True}],
        },
        "addressType": keep.family,
        "endpoints": to_builtins(keep.endpoints),
        "ports": to_builtins(keep.ports),
    }
