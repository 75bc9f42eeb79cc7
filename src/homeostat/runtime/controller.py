"""A queue, its workers, and what wakes them.

A controller turns changes of objects into keys and keys into calls of `reconcile`, whose outcome alone decides about
requeueing. Sources may be of any kind and of any cluster: `watch(informer)` wakes the key of the object itself,
`to_keys=owner_keys(...)` its owner, any other function whatever it maps to.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterable
from typing import Any, Generic, TypeVar, cast

from homeostat.api.kind import Kind
from homeostat.api.meta import Object
from homeostat.kit.backoff import Backoff
from homeostat.kit.clock import Clock
from homeostat.kit.random import Random
from homeostat.kube.errors import ApiError, KubeError
from homeostat.runtime.informer import Informer
from homeostat.runtime.outcome import Done, Outcome, Progress, Retry, Stop
from homeostat.runtime.queue import Priority, Queue
from homeostat.runtime.queue_metrics import QueueMetrics
from homeostat.runtime.seen import Writes
from homeostat.runtime.store import key_function
from homeostat.telemetry.logs import logger
from homeostat.telemetry.metrics import Metrics, declare

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")
Reconcile = Callable[[K], Awaitable[Outcome]]

RECONCILES = declare(
    "homeostat_reconciles", "counter", "reconciles", "Reconciles by outcome", labels=("controller", "outcome")
)
# A reconcile that never suspends must not keep watches and probes from running.
TAKES_PER_TURN = 16


def always() -> bool:
    """Permission for controllers that need no leadership."""
    return True


class NotAllowed(Exception):
    """A worker may not act any more: leadership is lost or in doubt."""


class Controller(Generic[K]):
    """Calls `reconcile` for every key that may have changed. `run` it in a task group; `drain` ends it gently."""

    def __init__(
        self,
        name: str,
        reconcile: Reconcile[K],
        *,
        clock: Clock,
        random: Random,
        workers: int = 4,
        backoff: Backoff = Backoff(base_s=0.05, factor=2.0, cap_s=300.0, jitter=0.1),  # noqa: B008  (frozen)
        wedged_after_s: float = 900.0,
        metrics: Metrics | None = None,
        rank: Callable[[K, Priority], Priority] | None = None,
    ) -> None:
        self.name = name
        self.workers = workers
        self.permission: Callable[[], bool] = always
        self.informers: list[Informer[Any]] = []
        metrics = metrics or Metrics()
        observer = QueueMetrics(metrics, name)
        self.queue: Queue[K] = Queue(clock=clock, random=random, backoff=backoff, observer=observer, rank=rank)
        observer.show(self.queue.__len__, self.queue.longest_running_s, self.queue.unfinished_s)
        self.writes: Writes[K] = Writes(self.queue.add)
        self._reconcile = reconcile
        self._clock = clock
        self._wedged_after_s = wedged_after_s
        self._log = logger(controller=name)
        outcomes = metrics.counter(RECONCILES)
        self._count = {word: outcomes.labels(name, word).inc for word in ("done", "progress", "retry", "stop")}

    def watch(
        self,
        informer: Informer[T],
        to_keys: Callable[[T], Iterable[K]] | None = None,
        when: Callable[[T | None, T | None], bool] | None = None,
    ) -> None:
        """Wake the keys of an object when it changes; `when(old, new)` may say that a change does not matter.

        A change wakes the keys of the old and of the new state, so that a former owner hears of its loss.
        """
        self.informers.append(informer)
        map_keys = to_keys or self._own_key(informer)
        add = self.queue.add

        def changed(old: T | None, new: T | None, priority: Priority) -> None:
            try:
                if when is not None and priority is not Priority.RESYNC and not when(old, new):
                    return
                # A dict keeps their order; that of a set of names differs from process to process.
                keys = dict.fromkeys(() if new is None else map_keys(new))
                if old is not None and old is not new:
                    keys.update(dict.fromkeys(map_keys(old)))
            except Exception:
                # One odd object must not stop the watch of all others.
                self._log.exception("skipping an object that could not be mapped to keys", kind=informer.name)
                return
            for key in keys:
                add(key, priority)

        informer.add_handler(changed)

    def _own_key(self, informer: Informer[T]) -> Callable[[T], Iterable[K]]:
        key_of = key_function(informer.kind.type)
        return lambda obj: (cast(K, key_of(obj)),)

    def trouble(self) -> str:
        """Why this controller counts as wedged; empty when it does not."""
        seconds = self.queue.longest_running_s()
        if seconds <= self._wedged_after_s:
            return ""
        return f"controller {self.name}: a key has been in work for {seconds:.0f} s"

    def drain(self) -> None:
        """Take no more keys; `run` returns when those in work are done."""
        self.queue.close()

    async def run(self) -> None:
        """Work until drained or cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.queue.run(), name=f"{self.name} queue")
            for number in range(self.workers):
                tasks.create_task(self._work(), name=f"{self.name} worker {number}")

    async def _work(self) -> None:
        queue, taken = self.queue, 0
        while (key := await queue.get()) is not None:
            if not self.permission():
                raise NotAllowed(f"controller {self.name}: leadership is lost or in doubt, so no key may be worked on")
            try:
                if not self.writes.park(key):
                    self._settle(key, await self._outcome(key))
            finally:
                queue.done(key)
            taken += 1
            if taken % TAKES_PER_TURN == 0:
                await self._clock.sleep(0)

    async def _outcome(self, key: K) -> Outcome:
        try:
            return await self._reconcile(key)
        except Exception as error:  # whatever it is, this key comes again and the others go on
            return failed(error)

    def _settle(self, key: K, outcome: Outcome) -> None:
        # Operators refine outcomes by subclasses of their own.
        match outcome:
            case Done():
                self._count["done"]()
                self.queue.forget(key)
            case Progress(after_s=after_s):
                self._count["progress"]()
                self.queue.forget(key)
                self.queue.add_after(key, after_s)
            case Stop(why=why):
                self._count["stop"]()
                self.queue.forget(key)
                self._log.warning("waiting for a person", key=str(key), why=why)
            case Retry(error=error, after_s=after_s):
                self._count["retry"]()
                delay_s = self.queue.add_failed(key, after_s)
                expected = isinstance(error, KubeError)
                self._log.warning(
                    "trying again",
                    key=str(key),
                    after_s=round(delay_s, 3),
                    failures=self.queue.failures(key),
                    error=f"{type(error).__name__}: {error}",
                    exc_info=None if expected else error,
                )


def failed(error: Exception) -> Retry:
    """An error as an outcome; a Retry-After is kept."""
    return Retry(error, (error.retry_after_s or 0.0) if isinstance(error, ApiError) else 0.0)


def owner_keys(kind: Kind[Any]) -> Callable[[Object], list[str]]:
    """Maps an object to the key of its controlling owner of this kind, for owned-object watches."""
    group, name, namespaced = kind.resource.group, kind.resource.kind, kind.resource.namespaced

    def keys(obj: Object) -> list[str]:
        meta = obj.metadata
        for owner in meta.owner_references:
            if owner.controller and owner.kind == name and owner.api_version.rpartition("/")[0] == group:
                return [f"{meta.namespace}/{owner.name}" if namespaced else owner.name]
        return []

    return keys
