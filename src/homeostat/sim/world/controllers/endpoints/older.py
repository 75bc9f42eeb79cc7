"""The loop that keeps Endpoints, the older form of EndpointSlices, of Services that select Pods."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from msgspec import to_builtins

from homeostat.kube.client import Client
from homeostat.kube.errors import AlreadyExists, ApiError, NotFound
from homeostat.runtime.manager import Manager
from homeostat.runtime.outcome import DONE, Outcome
from homeostat.sim.world.controllers.endpoints.choosing import Choosing, chosen_by
from homeostat.sim.world.controllers.endpoints.controller import matters
from homeostat.sim.world.controllers.endpoints.packing import (
    OVER,
    TRUNCATED,
    is_over_full,
    labels_of,
    subsets_of,
    truncated,
)
from homeostat.sim.world.controllers.loops import loop
from homeostat.sim.world.controllers.terminating import is_of_ending_namespace
from homeostat.sim.world.kinds.pods import POD, Pod
from homeostat.sim.world.kinds.selecting import LABELS, labelled, selected
from homeostat.sim.world.kinds.services import ENDPOINTS, SERVICE, Endpoints, Service

NAME = "endpoints-controller"


def add_endpoints(manager: Manager, client: Client) -> None:
    """Say which Pods stand behind each Service, in the older form too."""
    _Older(manager, client)


class _Older:
    def __init__(self, manager: Manager, client: Client) -> None:
        self._client = client
        services = manager.informer(client, SERVICE)
        endpoints = manager.informer(client, ENDPOINTS)
        pods = manager.informer(client, POD, indexes={LABELS: labelled})
        self._services, self._endpoints, self._pods = services.store, endpoints.store, pods.store
        choosing = Choosing(services)
        self._loop = loop(manager, NAME, self._reconcile)
        self._loop.watch(services)
        # What others write into them stays until their Service changes; who deletes them sees them made anew.
        self._loop.watch(endpoints, when=lambda _, new: new is None)
        self._loop.watch(pods, choosing.services_of, when=matters)

    async def _reconcile(self, key: str) -> Outcome:
        service = self._services.get(key)
        if service is None:
            namespace, _, name = key.partition("/")
            with suppress(NotFound):  # whoever wrote them: they go with their Service
                await self._client.delete(ENDPOINTS, name, namespace)
            return DONE
        chosen = chosen_by(service)
        if chosen is None:
            return DONE
        pods = selected(self._pods, service.metadata.namespace, chosen)
        try:
            written = await self._write(service, self._endpoints.get(key), list(pods))
        except (NotFound, AlreadyExists):
            return DONE  # somebody was there before, and the change wakes the key
        except ApiError as error:
            if is_of_ending_namespace(error):
                return DONE
            raise
        if written is not None:
            self._loop.writes.note(key, self._endpoints, written.metadata.resource_version)
        return DONE

    async def _write(self, service: Service, old: Endpoints | None, pods: list[Pod]) -> Endpoints | None:
        meta, all_ = service.metadata, subsets_of(service, pods)
        subsets, labels = truncated(all_), labels_of(service)
        marks = {OVER: TRUNCATED} if is_over_full(all_) else {}
        if old is None:
            about = {"name": meta.name, "namespace": meta.namespace, "labels": labels, "annotations": marks}
            return await self._client.create(ENDPOINTS, {"metadata": about, "subsets": to_builtins(subsets)})
        had = {OVER: TRUNCATED} if OVER in old.metadata.annotations else {}
        if ((old.subsets or ()), old.metadata.labels, had) == (subsets, labels, marks):
            return None
        gone = dict.fromkeys(each for each in old.metadata.labels if each not in labels)
        patch: dict[str, Any] = {
            "metadata": {
                "resourceVersion": old.metadata.resource_version,
                "labels": {**gone, **labels},
                "annotations": marks or {OVER: None},
            },
            "subsets": to_builtins(subsets) or None,
        }
        return await self._client.merge_patch(ENDPOINTS, meta.name, patch, meta.namespace)
