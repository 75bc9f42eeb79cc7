"""Keeps a store equal to what an API server holds: one list, then watches for ever.

The list comes in pages, or streamed over the watch where the server does that. A watch is resumed from the last
version after any break; only when the server has forgotten that version (410) is everything listed again, and then
what was deleted meanwhile is noticed. Errors are retried with jittered back-off and never end the task: an informer
that cannot reach its server is unhealthy, which readiness tells, and the cache stays as it was.

Handlers are called with (old, new, priority) inside the event's batch: they must be quick and must not change what
they are given. `old` is None for what is new, `new` is None for what is gone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import aclosing
from typing import Generic, Literal, TypeVar

from homeostat.api.kind import Kind
from homeostat.kit.backoff import Backoff
from homeostat.kit.clock import Clock
from homeostat.kit.random import Random
from homeostat.kube.client import Client, WatchEvent
from homeostat.kube.errors import BadRequest, Gone, Invalid, KubeError, MalformedAnswer
from homeostat.kube.watching import resource_version_of
from homeostat.runtime.queue import Priority
from homeostat.runtime.store import IndexFunction, Store, key_function
from homeostat.telemetry.logs import logger
from homeostat.telemetry.metrics import Metrics, declare

T = TypeVar("T")
Handler = Callable[[T | None, T | None, Priority], None]

_OF = ("cluster", "kind", "selection")
EVENTS = declare("homeostat_watch_events", "counter", "events", "Watch events received", labels=_OF)
LISTS = declare("homeostat_informer_lists", "counter", "lists", "Full lists that an informer made", labels=_OF)
BREAKS = declare("homeostat_watch_breaks", "counter", "errors", "Lists and watches that ended in an error", labels=_OF)
OBJECTS = declare("homeostat_informer_objects", "gauge", "objects", "Objects in the cache", labels=_OF)
RESYNC_SLICES = 60
# A watch that the server ends sooner and without any event is an error in disguise: it must not become a hot loop.
SHORTEST_WATCH_S = 1.0


class Informer(Generic[T]):
    """A cache of one kind, of one server, of one selection. `run` it in a task group; it never returns."""

    def __init__(
        self,
        client: Client,
        kind: Kind[T],
        *,
        clock: Clock,
        random: Random,
        namespace: str = "",
        labels: str = "",
        fields: str = "",
        indexes: Mapping[str, IndexFunction[T]] | None = None,
        resync_s: float = 0.0,
        initial: Literal["pages", "stream"] = "pages",
        page_size: int = 500,
        stale_after_s: float = 180.0,
        backoff: Backoff = Backoff(base_s=0.5, factor=2.0, cap_s=30.0, jitter=1.0),  # noqa: B008  (frozen)
        metrics: Metrics | None = None,
    ) -> None:
        self.client = client
        self.kind = kind
        self.name = kind.resource.qualified
        self.store: Store[T] = Store(indexes)
        self.synced = asyncio.Event()
        self._clock = clock
        self._random = random
        self._selection = (namespace, labels, fields)
        self._resync_s = resync_s
        self._stream = initial == "stream"
        self._page_size = page_size
        self._stale_after_s = stale_after_s
        self._backoff = backoff
        self._handlers: list[Handler[T]] = []
        self._key_of = key_function(kind.type)
        self._version_of = resource_version_of(kind.type)
        self._contact = clock.monotonic()
        self._failures = 0
        self._trouble = ""
        self._relist = True
        self._log = logger(informer=self.name, **({"cluster": client.cluster} if client.cluster else {}))
        metrics = metrics or Metrics()
        # Selections are written in the code, so they are few.
        mine = (client.cluster, self.name, " ".join(part for part in (namespace, labels, fields) if part))
        self._count_events = metrics.counter(EVENTS).labels(*mine).inc
        self._count_list = metrics.counter(LISTS).labels(*mine).inc
        self._count_break = metrics.counter(BREAKS).labels(*mine).inc
        metrics.gauge(OBJECTS).labels(*mine).set_function(lambda: float(len(self.store)))

    def add_handler(self, handler: Handler[T]) -> None:
        """Hear of every change; what is already there is told at once, as initial."""
        self._handlers.append(handler)
        for obj in self.store.values():
            handler(None, obj, Priority.INITIAL)

    def healthy(self, now: float) -> bool:
        """Whether the cache is complete and the watch has shown life lately; `now` is monotonic."""
        return self.synced.is_set() and now - self._contact <= self._stale_after_s

    def trouble(self, now: float) -> str:
        """Why it is not healthy, for people; empty when it is."""
        if self.healthy(now):
            return ""
        cause = f": {self._trouble}" if self._trouble else ""
        if not self.synced.is_set():
            return f"cache of {self.name} is not filled yet{cause}"
        return f"watch of {self.name} is stale: no sign of life for {now - self._contact:.0f} s{cause}"

    async def run(self) -> None:
        """List and watch until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow(), name=f"informer {self.name}")
            if self._resync_s:
                tasks.create_task(self._resync(), name=f"resync {self.name}")

    async def _follow(self) -> None:
        while True:
            began, contact = self._clock.monotonic(), self._contact
            try:
                if self._relist:
                    await (self._list_by_stream() if self._stream else self._list_by_pages())
                    continue
                await self._watch()
            except Gone as error:
                self._relist = True
                await self._back_off(error)
            except (Invalid, BadRequest) as error:
                if self._relist and self._stream:
                    # Servers before 1.34 do not stream lists; pages are served everywhere.
                    self._stream = False
                else:
                    await self._back_off(error)
            except KubeError as error:
                # Events behind one that we could not read are lost to the watch, but not to a list.
                self._relist = self._relist or isinstance(error, MalformedAnswer)
                await self._back_off(error)
            else:
                now = self._clock.monotonic()
                if contact == self._contact and now - began < SHORTEST_WATCH_S:
                    await self._back_off(None)
                else:
                    self._contact = now

    async def _back_off(self, error: KubeError | None) -> None:
        self._trouble = str(error or "the server ends the watch at once")
        self._count_break()
        delay_s = self._backoff.delay_s(self._failures, self._random)
        self._failures += 1
        self._log.warning("watching again", after_s=round(delay_s, 2), failures=self._failures, error=self._trouble)
        await self._clock.sleep(delay_s)

    def _alive(self) -> None:
        self._contact = self._clock.monotonic()
        if self._failures:
            self._failures = 0
            self._trouble = ""

    async def _list_by_pages(self) -> None:
        namespace, labels, fields = self._selection
        mark, seen, version = self.store.mark(), set[str](), ""
        page_size = self._page_size
        pages = self.client.pages(self.kind, namespace, labels=labels, fields=fields, page_size=page_size)
        try:
            async with aclosing(pages):
                async for page in pages:
                    self._alive()
                    for obj in page.items:
                        self._listed(obj, seen)
                    version = page.resource_version
        except Gone:
            # The continue token expired between two pages: too slow for pages, so all at once the next time.
            self._page_size = 0
            raise
        self._settle(seen, version, mark)

    async def _list_by_stream(self) -> None:
        namespace, labels, fields = self._selection
        mark, seen = self.store.mark(), set[str]()
        batches = self.client.watch_batches(
            self.kind, namespace, labels=labels, fields=fields, send_initial_events=True
        )
        async with aclosing(batches):
            async for batch in batches:
                self._alive()
                if not self._relist:
                    self._apply(batch)
                    continue
                for at, event in enumerate(batch):
                    if event.type == "BOOKMARK" and event.initial_end:
                        self._settle(seen, event.resource_version, mark)
                        if batch[at + 1 :]:
                            self._apply(batch[at + 1 :])
                        break
                    self._initial(event, seen)

    def _initial(self, event: WatchEvent[T], seen: set[str]) -> None:
        if event.object is None:
            return
        if event.type == "DELETED":
            seen.discard(self._key_of(event.object))
        else:
            self._listed(event.object, seen)

    def _listed(self, obj: T, seen: set[str]) -> None:
        key = self._key_of(obj)
        seen.add(key)
        old = self.store.get(key)
        if old is not None and self._version_of(old) == self._version_of(obj):
            return  # unchanged since before the re-list: keep the object that readers may hold
        self.store.put(key, obj)
        priority = Priority.CHANGE if self.synced.is_set() else Priority.INITIAL
        for handler in self._handlers:
            handler(old, obj, priority)

    def _settle(self, seen: set[str], version: str, mark: int) -> None:
        """The list is complete: what it did not hold is gone, whether we heard of it or not."""
        if len(seen) != len(self.store):
            for key in list(self.store.keys()):
                if key not in seen:
                    old = self.store.remove(key)
                    for handler in self._handlers:
                        handler(old, None, Priority.CHANGE)
        self.store.advance(version, mark)
        self._relist = False
        self._count_list()
        self._log.info("listed", objects=len(seen), version=version)
        self.synced.set()

    async def _watch(self) -> None:
        namespace, labels, fields = self._selection
        batches = self.client.watch_batches(
            self.kind, namespace, labels=labels, fields=fields, resource_version=self.store.version
        )
        async with aclosing(batches):
            async for batch in batches:
                self._alive()
                self._apply(batch)

    def _apply(self, batch: list[WatchEvent[T]]) -> None:
        """The hot path: one call per wake-up, no await, no log."""
        store, handlers, key_of = self.store, self._handlers, self._key_of
        change = Priority.CHANGE
        for event in batch:
            obj = event.object
            if obj is None:
                continue
            if event.type == "DELETED":
                old = store.remove(key_of(obj))
                for handler in handlers:
                    handler(old if old is not None else obj, None, change)
            else:
                old = store.put(key_of(obj), obj)
                for handler in handlers:
                    handler(old, obj, change)
        store.advance(batch[-1].resource_version)
        self._count_events(len(batch))

    async def _resync(self) -> None:
        """Tell of every object again, a slice at a time, so that a resync is a trickle and not a wave."""
        await self.synced.wait()
        while True:
            keys = list(self.store.keys())
            size = -(-len(keys) // RESYNC_SLICES) or 1
            for at in range(RESYNC_SLICES):
                await self._clock.sleep(self._resync_s / RESYNC_SLICES * self._random.uniform(0.9, 1.1))
                for key in keys[at * size : (at + 1) * size]:
                    obj = self.store.get(key)
                    if obj is None:
                        continue
                    for handler in self._handlers:
                        handler(obj, obj, Priority.RESYNC)
