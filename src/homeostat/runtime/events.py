"""Events: the story that `kubectl describe` tells.

They are written as events.k8s.io/v1, whose series `describe` and `get events` show as "(x12 over 5m)". The same note
about the same object within a few minutes becomes one Event with a count. Recording never waits and never fails: a
bounded queue and a budget per object (event_budget.py) drop what is too much, and what is dropped is counted.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict, deque
from datetime import datetime
from itertools import count
from typing import Any, Literal

from msgspec import Struct

from homeostat.api.events import EVENT, ObjectReference
from homeostat.api.kind import Kind
from homeostat.api.meta import Object
from homeostat.kit.clock import Clock
from homeostat.kit.random import Random
from homeostat.kube.client import Client
from homeostat.kube.errors import AlreadyExists, ApiError, KubeError, NotFound
from homeostat.runtime.event_budget import REMEMBERED, EventBudget
from homeostat.runtime.microtime import micro_time
from homeostat.telemetry.logs import logger
from homeostat.telemetry.metrics import Metrics, declare

EventType = Literal["Normal", "Warning"]
RECORDED = declare("homeostat_events", "counter", "events", "Events recorded, by what became of them", labels=("fate",))
LONGEST_NOTE = 1024
SAME_STORY_S = 360.0  # how long the same note continues a series, as in client-go
WAITING = 1000


class Note(Struct, frozen=True):
    """Something worth telling about one object."""

    reason: str
    note: str
    type: EventType = "Normal"
    action: str = "Reconcile"


class _Told(Struct):
    name: str
    namespace: str
    count: int
    last: float


class _Job(Struct, frozen=True):
    regarding: ObjectReference
    note: Note
    at: datetime


def reference(kind: Kind[Any], obj: Object) -> ObjectReference:
    """What an Event says it is about."""
    meta, resource = obj.metadata, kind.resource
    return ObjectReference(resource.api_version, resource.kind, meta.namespace, meta.name, meta.uid)


class Recorder:
    """Tells notes to one API server. `run` it in a task group; recording works before that too."""

    def __init__(
        self,
        client: Client,
        component: str,
        *,
        clock: Clock,
        random: Random,
        instance: str = "",
        metrics: Metrics | None = None,
    ) -> None:
        self._client = client
        self._component = component
        self._instance = instance or component
        self._clock = clock
        # Names must not repeat after a restart, when the old Events are still there.
        self._prefix = f"{random.randrange(0, 2**48):012x}"
        self._numbers = count()
        self._jobs: deque[_Job] = deque()
        self._ready = asyncio.Event()
        self._told: OrderedDict[tuple[str, ...], _Told] = OrderedDict()
        self._budget = EventBudget()
        self._log = logger(component=component)
        fates = (metrics or Metrics()).counter(RECORDED)
        self._sent, self._dropped, self._failed = (fates.labels(fate).inc for fate in ("sent", "dropped", "failed"))

    def normal(self, regarding: ObjectReference, reason: str, note: str, action: str = "Reconcile") -> None:
        """Tell of something that went as it should."""
        self.tell(regarding, Note(reason, note, "Normal", action))

    def warning(self, regarding: ObjectReference, reason: str, note: str, action: str = "Reconcile") -> None:
        """Tell of something that a person may have to look at."""
        self.tell(regarding, Note(reason, note, "Warning", action))

    def tell(self, regarding: ObjectReference, note: Note) -> None:
        """Never waits; drops what is too much."""
        if len(self._jobs) >= WAITING or not self._may_tell(regarding, note.reason):
            self._dropped()
            return
        self._jobs.append(_Job(regarding, note, self._clock.now()))
        self._ready.set()

    def _may_tell(self, regarding: ObjectReference, reason: str) -> bool:
        who = f"{regarding.kind}/{regarding.namespace}/{regarding.name}/{regarding.uid}"
        return self._budget.spend(who, reason, self._clock.monotonic())

    async def run(self) -> None:
        """Write what was told, in order, until cancelled."""
        while True:
            await self._ready.wait()
            self._ready.clear()
            while self._jobs:
                await self._write(self._jobs.popleft())

    async def flush(self) -> None:
        """Write what is still waiting; for the end of a process, after `run` was cancelled."""
        while self._jobs:
            await self._write(self._jobs.popleft())

    async def _write(self, job: _Job) -> None:
        try:
            await self._write_or_raise(job)
            self._sent()
        except KubeError as error:
            self._failed()
            self._log.warning("dropping an event that could not be written", reason=job.note.reason, error=str(error))

    async def _write_or_raise(self, job: _Job) -> None:
        regarding, note = job.regarding, job.note
        story = (regarding.kind, regarding.namespace, regarding.name, regarding.uid, note.type, note.reason, note.note)
        now = self._clock.monotonic()
        told = self._told.get(story)
        if told is not None and now - told.last <= SAME_STORY_S:
            told.count += 1
            told.last = now
            self._told.move_to_end(story)
            series = {"series": {"count": told.count, "lastObservedTime": micro_time(job.at)}}
            with contextlib.suppress(NotFound):  # it expired on the server: a new one begins below
                await self._client.merge_patch(EVENT, told.name, series, told.namespace)
                return
        await self._create(job, story, now)

    async def _create(self, job: _Job, story: tuple[str, ...], now: float) -> None:
        regarding = job.regarding
        namespace = regarding.namespace or "default"  # where Events about cluster-scoped objects live
        name = f"{regarding.name[:200]}.{self._prefix}{next(self._numbers):x}"
        try:
            await self._client.create(EVENT, self._body(job, name, namespace))
        except AlreadyExists:
            self._log.debug("the event had arrived before its answer was lost", name=name)
        except ApiError as error:
            if error.reason == "Forbidden" and "being terminated" in error.message:
                return  # the namespace goes away, and with it whoever would read this
            raise
        self._told[story] = _Told(name, namespace, 1, now)
        if len(self._told) > REMEMBERED:
            self._told.popitem(last=False)

    def _body(self, job: _Job, name: str, namespace: str) -> dict[str, Any]:
        note = job.note
        text = _shortened(note.note)
        return {
            "metadata": {"name": name, "namespace": namespace},
            "regarding": job.regarding,
            "type": note.type,
            "reason": note.reason,
            "note": text,
            "action": note.action,
            "eventTime": micro_time(job.at),
            "reportingController": self._component,
            "reportingInstance": self._instance[:128],
        }


def _shortened(text: str) -> str:
    """A note that the API takes: by bytes, because the API counts bytes."""
    whole = text.encode()
    return text if len(whole) <= LONGEST_NOTE else whole[: LONGEST_NOTE - 4].decode(errors="ignore") + "..."
