"""The informer's way through errors, on a scripted server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import msgspec
from tests.support.clock import ManualClock, settle
from tests.support.scripted import SILENCE, Answer, Scripted, ScriptedTransport, Step, status
from tests.support.widgets import WIDGET, Widget, widget

from homeostat.api.meta import ObjectMeta
from homeostat.kube.client import Client
from homeostat.runtime.informer import Informer
from homeostat.runtime.queue import Priority
from homeostat.telemetry.metrics import Metrics


def listing(version: str, *items: dict[str, Any]) -> Answer:
    return Answer(body={"metadata": {"resourceVersion": version}, "items": list(items)})


def watching(*events: tuple[str, dict[str, Any]], end: bool = False) -> Answer:
    lines = [msgspec.json.encode({"type": type_, "object": obj}) + b"\n" for type_, obj in events]
    return Answer(chunks=[b"".join(lines), *([] if end else [SILENCE])])


class Scene:
    def __init__(self, *steps: Step, **options: Any) -> None:
        self.script = Scripted(*steps)
        self.clock = ManualClock()
        self.heard: list[tuple[str, str, Priority]] = []
        self.informer: Informer[Widget] = Informer(
            self.script.client, WIDGET, clock=self.clock, random=Random(1), **options
        )
        self.informer.add_handler(self._hear)

    def _hear(self, old: Widget | None, new: Widget | None, priority: Priority) -> None:
        verb = "gone" if new is None else "new" if old is None else "changed"
        self.heard.append((verb, (new or old).metadata.name, priority))  # type: ignore[union-attr]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.ensure_future(self.informer.run())
        await settle(60)
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def test_the_first_list_is_initial_and_what_follows_are_changes() -> None:
    scene = Scene(listing("5", widget("a")), watching(("ADDED", widget("b", version="6")), ("DELETED", widget("a"))))
    async with scene.running():
        assert scene.heard == [
            ("new", "a", Priority.INITIAL),
            ("new", "b", Priority.CHANGE),
            ("gone", "a", Priority.CHANGE),
        ]
        assert scene.script.transport.query()["resourceVersion"] == "5"


async def test_a_forgotten_version_leads_to_a_new_list_that_tells_missed_deletions_only() -> None:
    scene = Scene(
        listing("5", widget("a"), widget("b")),
        Answer(410, status(410, "Expired")),
        listing("9", widget("b")),
        watching(),
    )
    async with scene.running():
        await scene.clock.advance(2)
        assert scene.heard[2:] == [("gone", "a", Priority.CHANGE)]
        assert scene.informer.store.version == "9"


async def test_any_other_error_is_retried_from_the_last_version_without_a_list() -> None:
    scene = Scene(listing("5"), Answer(500, status(500, "InternalError")), watching())
    async with scene.running():
        await scene.clock.advance(2)
        assert [dict(request.query).get("watch") for request in scene.script.transport.requests] == [
            None,
            "true",
            "true",
        ]


async def test_a_server_that_ends_watches_at_once_is_not_asked_in_a_hot_loop() -> None:
    scene = Scene(listing("5"), *[Answer(body=b"") for _ in range(50)])
    async with scene.running():
        await scene.clock.advance(10)
        assert len(scene.script.transport.requests) < 10


async def test_silence_makes_the_cache_unhealthy_and_says_since_when() -> None:
    scene = Scene(listing("5"), watching(), stale_after_s=180)
    async with scene.running():
        scene.script.clock.advance(0)
        assert scene.informer.healthy(scene.clock.monotonic())
        scene.clock.step(181)
        assert not scene.informer.healthy(scene.clock.monotonic())
        assert "no sign of life for 181 s" in scene.informer.trouble(scene.clock.monotonic())


async def test_an_unfilled_cache_says_why() -> None:
    scene = Scene(Answer(403, status(403, "Forbidden", "no rights")))
    async with scene.running():
        assert "not filled yet" in scene.informer.trouble(0.0)
        assert "no rights" in scene.informer.trouble(0.0)


async def test_a_resync_tells_every_object_once_per_period_as_a_trickle() -> None:
    scene = Scene(listing("5", *[widget(f"w-{n}") for n in range(120)]), watching(), resync_s=60)
    async with scene.running():
        await scene.clock.advance(30)
        half = len([item for item in scene.heard if item[2] is Priority.RESYNC])
        assert 50 <= half <= 70
        await scene.clock.advance(36)
        told = {name for _, name, priority in scene.heard if priority is Priority.RESYNC}
        assert len(told) == 120


def test_caches_of_several_clusters_are_counted_apart() -> None:
    metrics, sizes = Metrics(), {"cell": 1, "demo": 2}
    for cluster, size in sizes.items():
        clock = ManualClock()
        client = Client(ScriptedTransport(), clock=clock, random=Random(1), cluster=cluster)
        informer = Informer(client, WIDGET, clock=clock, random=Random(1), metrics=metrics)
        for index in range(size):
            informer.store.put(f"x/w{index}", Widget(ObjectMeta(name=f"w{index}")))
    for cluster, size in sizes.items():
        labels = {"cluster": cluster, "kind": WIDGET.resource.qualified, "selection": ""}
        assert metrics.registry.get_sample_value("homeostat_informer_objects", labels) == size
