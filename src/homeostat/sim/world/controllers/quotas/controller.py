"""The loop over quotas, with a watch on every type that one of them counts."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from homeostat.api.kind import Resource, unstructured
from homeostat.kube.client import Client
from homeostat.kube.discovery import Discovery
from homeostat.kube.errors import ApiError, NotFound
from homeostat.runtime.informer import Informer
from homeostat.runtime.manager import Manager
from homeostat.runtime.outcome import DONE, Outcome, Progress
from homeostat.runtime.queue import Priority
from homeostat.sim.world.controllers.quotas.counting import change, counted_types, counts, is_same, used
from homeostat.sim.world.controllers.watching import NOT_IMPLEMENTED, WatchingController
from homeostat.sim.world.kinds.quotas import QUOTA, Counted, Quota, counted

NAME = "resourcequota-controller"
RECOUNT_S = 300.0  # --resource-quota-sync-period
PACE_S = 0.1  # a count looks at all objects of a namespace: not anew for each of many that go one after the other
_NAMESPACE = "namespace"
Object = dict[str, Any]


def add_quotas(manager: Manager, client: Client) -> None:
    """Keep what quotas say of their use."""
    manager.add(QuotaController(manager, client))


class QuotaController(WatchingController):
    """Counts a quota at a time."""

    def __init__(self, manager: Manager, client: Client) -> None:
        super().__init__(NAME, manager, client, self._reconcile, workers=1)
        self._discovery = Discovery(client)
        self._quotas = manager.informer(client, QUOTA, indexes={_NAMESPACE: lambda quota: (quota.metadata.namespace,)})
        self._counted: dict[str, tuple[Resource, ...]] = {}  # by quota
        self._counted_at: dict[str, float] = {}
        self._tasks: asyncio.TaskGroup | None = None
        self._loop.watch(self._quotas, when=_is_asked_otherwise)
        self.informers.append(self._quotas)

    def _begin(self, tasks: asyncio.TaskGroup) -> tuple[asyncio.Task[None], ...]:
        self._tasks = tasks
        return ()

    async def _reconcile(self, key: str) -> Outcome:
        quota = self._quotas.store.get(key)
        if quota is None:
            self._follow(key, ())
            self._counted_at.pop(key, None)
            return DONE
        now_s = self._clock.monotonic()
        wait_s = self._counted_at.get(key, now_s - PACE_S) + PACE_S - now_s
        if wait_s > 0:
            return Progress(wait_s, "counted a moment ago")
        self._counted_at[key] = now_s
        types = counted_types(quota, await self._discovery.resources())
        self._follow(key, types)
        objects = {each: values for each in types if (values := await self._all(each, quota)) is not None}
        found = used(quota, objects, self._clock.now())
        is_news = not is_same(quota.status.hard, quota.spec.hard)
        if is_news or not is_same(quota.status.used, found):
            name, namespace = quota.metadata.name, quota.metadata.namespace
            try:
                made = await self._client.merge_patch(
                    QUOTA, name, change(quota, found), namespace, subresource="status"
                )
            except NotFound:
                return DONE
            self._loop.writes.note(key, self._quotas.store, made.metadata.resource_version)
        # What was made before admission knew of the limits was charged to nobody.
        return Progress(PACE_S if is_news else RECOUNT_S, "counting again")

    async def _all(self, resource: Resource, quota: Quota) -> list[Object] | None:
        """The objects of a type that may count; None where nobody knows them."""
        try:
            return (await self._client.list(unstructured(resource), quota.metadata.namespace)).items
        except NotFound:
            return None
        except ApiError as error:
            if error.status != NOT_IMPLEMENTED:
                raise
            return None

    def _follow(self, key: str, types: Iterable[Resource]) -> None:
        """Watch what this quota counts, and no longer what no quota counts any more."""
        wanted, before = tuple(types), self._counted.pop(key, ())
        if wanted:
            self._counted[key] = wanted
        for each in wanted:
            if each not in self._watched and self._tasks is not None:
                self._watched[each] = self._tasks.create_task(self._watch(each), name=f"{NAME} {each.qualified}")
        for each in before:
            if not any(each in others for others in self._counted.values()):
                self._watched.pop(each).cancel()

    async def _watch(self, resource: Resource) -> None:
        manager, kind = self._manager, counted(resource)
        informer = Informer(self._client, kind, clock=manager.clock, random=manager.random, metrics=manager.metrics)

        def changed(old: Counted | None, new: Counted | None, priority: Priority) -> None:  # noqa: ARG001
            if old is not None and old.makes_room(new):
                self._wake(resource, self._quotas.store.by_index(_NAMESPACE, old.metadata.namespace))

        informer.add_handler(changed)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(informer.run(), name=f"{NAME} {resource.qualified} watch")
            await informer.synced.wait()
            # What went before that was not seen to go.
            self._wake(resource, self._quotas.store.values())

    def _wake(self, resource: Resource, quotas: Iterable[Quota]) -> None:
        for quota in quotas:
            if counts(quota, resource):
                self._loop.queue.add(quota.metadata.key)

    def _served_otherwise(self) -> None:
        self._discovery.invalidate()
        for quota in self._quotas.store.values():
            if any(name.startswith("count/") for name in quota.spec.hard):
                self._loop.queue.add(quota.metadata.key)


def _is_asked_otherwise(old: Quota | None, new: Quota | None) -> bool:
    return old is None or new is None or old.spec != new.spec
