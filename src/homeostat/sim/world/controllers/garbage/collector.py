"""The loop of the garbage collector, with a watch on every kind that the server lets anybody delete."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Any

from homeostat.api.events import ObjectReference
from homeostat.api.kind import Kind, Resource
from homeostat.api.meta import OwnerReference
from homeostat.kube.client import Client
from homeostat.kube.discovery import Discovery
from homeostat.kube.errors import ApiError, KubeError, NotFound
from homeostat.runtime.informer import Informer
from homeostat.runtime.manager import Manager
from homeostat.runtime.outcome import DONE, Outcome
from homeostat.runtime.queue import Priority
from homeostat.sim.world.controllers.garbage.graph import (
    Delete,
    Disown,
    Graph,
    Held,
    LetGo,
    Step,
    Thing,
    Unblock,
    references,
)
from homeostat.sim.world.controllers.watching import NOT_IMPLEMENTED, WatchingController
from homeostat.telemetry.logs import logger

NAME = "garbage-collector-controller"
_IGNORED = ("events",)
_NEEDED = {"list", "watch", "delete"}
_REMEMBERED = 500  # owners that are gone for good: a uid never comes again
_AGAIN_S = 5.0


def add_garbage_collector(manager: Manager, client: Client) -> None:
    """Delete what nobody owns any more."""
    manager.add(GarbageCollector(manager, client))


class GarbageCollector(WatchingController):
    """Looks at an object at a time."""

    def __init__(self, manager: Manager, client: Client) -> None:
        super().__init__(NAME, manager, client, self._reconcile, workers=2)
        self._recorder = manager.recorder(client, NAME)
        self._graph = Graph()
        self._kinds: dict[tuple[str, str], Resource] = {}
        self._absent: OrderedDict[tuple[str, OwnerReference], None] = OrderedDict()
        self._puzzling: dict[str, None] = {}  # owned by kinds that nobody serves, for now
        self._changed = asyncio.Event()
        self._log = logger(controller=NAME)

    def _begin(self, tasks: asyncio.TaskGroup) -> tuple[asyncio.Task[None], ...]:
        return (tasks.create_task(self._follow(tasks), name=f"{NAME} kinds"),)

    def _served_otherwise(self) -> None:
        self._changed.set()

    async def _follow(self, tasks: asyncio.TaskGroup) -> None:
        """Watch what is served, and look again when definitions come or go."""
        while True:
            self._changed.clear()
            try:
                served = await Discovery(self._client).resources(fresh=True)
            except KubeError as error:
                self._log.warning("asking again what is served", after_s=_AGAIN_S, error=str(error))
                await self._clock.sleep(_AGAIN_S)
                continue
            self._kinds = {(each.resource.api_version, each.resource.kind): each.resource for each in served}
            wanted = {
                each.resource: None
                for each in served
                if each.preferred and set(each.verbs) >= _NEEDED and each.resource.plural not in _IGNORED
            }
            for resource in [each for each in self._watched if each not in wanted]:
                self._forget(resource)
            for resource in wanted:
                if resource not in self._watched and await self._is_imitated(resource):
                    task = tasks.create_task(self._watch(resource), name=f"{NAME} {resource.qualified}")
                    self._watched[resource] = task
            puzzling, self._puzzling = self._puzzling, {}
            for uid in puzzling:
                self._loop.queue.add(uid)
            await self._changed.wait()

    async def _is_imitated(self, resource: Resource) -> bool:
        """A simulated server refuses what it does not imitate; there is nothing of it to watch."""
        try:
            await self._client.page(Kind(resource, Held), page_size=1)
        except ApiError as error:
            return error.status != NOT_IMPLEMENTED
        except KubeError:
            return True
        return True

    async def _watch(self, resource: Resource) -> None:
        manager = self._manager
        kind = Kind(resource, Held)
        informer = Informer(self._client, kind, clock=manager.clock, random=manager.random, metrics=manager.metrics)

        def changed(old: Held | None, new: Held | None, priority: Priority) -> None:  # noqa: ARG001
            if old is not None and (new is None or new.metadata.uid != old.metadata.uid):
                self._wake(self._graph.drop(old.metadata.uid))
            if new is not None:
                self._wake(self._graph.put(Thing(resource, new.metadata)))

        informer.add_handler(changed)
        await informer.run()

    def _forget(self, resource: Resource) -> None:
        self._watched.pop(resource).cancel()
        for uid in [uid for uid, thing in self._graph.things.items() if thing.resource == resource]:
            self._wake(self._graph.drop(uid))

    def _wake(self, uids: list[str]) -> None:
        for uid in uids:
            self._loop.queue.add(uid)

    async def _reconcile(self, uid: str) -> Outcome:
        thing = self._graph.things.get(uid)
        if thing is None:
            return DONE
        absent = frozenset([each.uid for each in self._graph.unknown_owners(thing) if await self._is_gone(thing, each)])
        for step in self._graph.decide(self._graph.things.get(uid, thing), absent):
            try:
                await self._do(step)
            except NotFound:
                continue  # as wanted
        return DONE

    async def _is_gone(self, thing: Thing, owner: OwnerReference) -> bool:
        """Ask the server for an owner: caches of different kinds are of different moments. Raises KubeError."""
        which = (thing.meta.namespace, owner)
        if which in self._absent:
            return True
        resource = self._kinds.get((owner.api_version, owner.kind))
        if resource is None:
            self._puzzling[thing.meta.uid] = None
            return False
        if resource.namespaced and not thing.meta.namespace:
            why = f"ownerRef [{owner.api_version}/{owner.kind}, name: {owner.name}, uid: {owner.uid}] does not exist"
            self._tell(thing, f"{why} in namespace {thing.meta.namespace!r}")
            return False
        try:
            namespace = thing.meta.namespace if resource.namespaced else ""
            found = await self._client.get(Kind(resource, Held), owner.name, namespace)
        except NotFound:
            return self._note_absent(which)
        return self._note_absent(which) if found.metadata.uid != owner.uid else False

    def _note_absent(self, which: tuple[str, OwnerReference]) -> bool:
        self._absent[which] = None
        if len(self._absent) > _REMEMBERED:
            self._absent.popitem(last=False)
        return True

    def _tell(self, thing: Thing, why: str) -> None:
        resource, meta = thing.resource, thing.meta
        about = ObjectReference(resource.api_version, resource.kind, meta.namespace, meta.name, meta.uid)
        self._recorder.warning(about, "OwnerRefInvalidNamespace", why)

    async def _do(self, step: Step) -> None:
        thing = step.thing
        kind, meta = Kind(thing.resource, Held), thing.meta
        known = {"uid": meta.uid, "resourceVersion": meta.resource_version}
        match step:
            case Delete(policy=policy):
                await self._client.delete(
                    kind,
                    meta.name,
                    meta.namespace,
                    uid=meta.uid,
                    resource_version=meta.resource_version,
                    propagation=policy,
                )
                return
            case LetGo(finalizer=finalizer):
                left = [each for each in meta.finalizers if each != finalizer]
                change: dict[str, Any] = {"finalizers": left}
            case Disown(owners=owners):
                change = {"ownerReferences": references(each for each in thing.owners if each.uid not in owners)}
            case Unblock():
                freed = references(thing.owners)
                change = {"ownerReferences": [{**each, "blockOwnerDeletion": False} for each in freed]}
        patch = {"metadata": {**known, **change}}
        await self._client.merge_patch(kind, meta.name, patch, meta.namespace)
