"""Watches of a simulated server: what they see, in which order, and when they say how far they are."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.support.clock import ManualClock, settle
from tests.support.simulated import CONFIG_MAPS, client_of, config_map, simulated_server

from homeostat.api.kind import Resource, unstructured
from homeostat.kube.client import Client
from homeostat.kube.errors import ApiError, Gone
from homeostat.kube.watching import WatchEvent
from homeostat.sim.apiserver.server import ApiServer
from homeostat.sim.apiserver.store.record import record

NAMESPACES = unstructured(Resource("", "v1", "Namespace", "namespaces", namespaced=False))
Seen = list[tuple[str, str]]


class Watched:
    """A server on a clock that stands still, and what one watch of it has seen."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.server: ApiServer = simulated_server(self.clock)
        self.seen: Seen = []

    @asynccontextmanager
    async def watching(self, **options: Any) -> AsyncIterator[Client]:
        """A client, beside whom a watch runs."""
        async with client_of(self.server, self.clock) as client:
            task = asyncio.ensure_future(self._watch(client, **options))
            await settle()
            try:
                yield client
                await settle()
            finally:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    async def _watch(self, client: Client, **options: Any) -> None:
        async for event in client.watch(CONFIG_MAPS, "default", **options):
            self.seen.append((event.type, _told(event)))


def _told(event: WatchEvent[dict[str, Any]]) -> str:
    return event.resource_version if event.object is None else str(event.object["metadata"]["name"])


async def test_changes_come_in_their_order_and_only_of_the_namespace() -> None:
    watched = Watched()
    async with watched.watching() as client:
        await client.create(CONFIG_MAPS, config_map("a"), "default")
        await client.create(CONFIG_MAPS, config_map("elsewhere"), "kube-system")
        await client.merge_patch(CONFIG_MAPS, "a", {"data": {"k": "1"}}, "default")
        await client.delete(CONFIG_MAPS, "a", "default")
    assert watched.seen == [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a")]


async def test_an_object_that_comes_into_sight_is_added_and_one_that_leaves_it_is_deleted() -> None:
    watched = Watched()
    async with watched.watching(labels="colour=red") as client:
        await client.create(CONFIG_MAPS, config_map("a", labels={"colour": "blue"}), "default")
        for colour in ("red", "blue", "red"):
            await client.merge_patch(CONFIG_MAPS, "a", {"metadata": {"labels": {"colour": colour}}}, "default")
        await client.delete(CONFIG_MAPS, "a", "default")
    assert watched.seen == [("ADDED", "a"), ("DELETED", "a"), ("ADDED", "a"), ("DELETED", "a")]


async def test_an_object_that_leaves_the_sight_is_told_of_as_it_was_in_it_with_the_version_of_its_leaving() -> None:
    watched = Watched()
    async with client_of(watched.server, watched.clock) as client:
        made = await client.create(CONFIG_MAPS, config_map("a", labels={"colour": "red"}, k="old"), "default")
        start = made["metadata"]["resourceVersion"]
        patch = {"metadata": {"labels": None}, "data": {"k": "new"}}
        left = await client.merge_patch(CONFIG_MAPS, "a", patch, "default")
        watch = client.watch(CONFIG_MAPS, "default", resource_version=start, labels="colour=red")
        async with contextlib.aclosing(watch) as events:
            event = await anext(events)
    assert (event.type, event.resource_version) == ("DELETED", left["metadata"]["resourceVersion"])
    assert event.object is not None
    assert event.object["data"] == {"k": "old"}


async def test_a_bookmark_a_minute_says_how_far_a_quiet_watch_is_when_others_have_changed() -> None:
    watched = Watched()
    async with watched.watching(resource_version="0", timeout_s=300, idle_timeout_s=None) as client:
        await watched.clock.advance(61)
        assert watched.seen == []
        await client.create(CONFIG_MAPS, config_map("a"), "kube-system")
        await watched.clock.advance(61)
        assert watched.seen == [("BOOKMARK", str(watched.server.store.revision))]
        await watched.clock.advance(61)
    assert len(watched.seen) == 1


async def test_a_watch_ends_when_its_time_is_over() -> None:
    watched = Watched()
    async with client_of(watched.server, watched.clock) as client:
        events = client.watch(CONFIG_MAPS, "default", timeout_s=5, idle_timeout_s=None)
        waiting = asyncio.ensure_future(anext(events, None))
        await settle()
        await watched.clock.advance(5)
        assert await waiting is None


async def test_a_watch_from_a_forgotten_version_is_told_so_in_its_stream() -> None:
    watched = Watched()
    async with client_of(watched.server, watched.clock) as client:
        await client.create(CONFIG_MAPS, config_map("a"), "default")
        watched.server.store.forget(watched.server.store.revision)
        with pytest.raises(Gone, match="too old resource version"):
            await anext(client.watch(CONFIG_MAPS, "default", resource_version="2"))


async def test_one_that_is_too_slow_finds_out_when_it_reads_on() -> None:
    watched = Watched()
    async with client_of(watched.server, watched.clock) as client:
        made = await client.create(CONFIG_MAPS, config_map("a"), "default")
        start = made["metadata"]["resourceVersion"]
        events = client.watch(CONFIG_MAPS, "default", resource_version=start)
        await client.create(CONFIG_MAPS, config_map("b"), "default")
        assert (await anext(events)).type == "ADDED"
        await client.create(CONFIG_MAPS, config_map("c"), "default")
        await client.create(CONFIG_MAPS, config_map("d"), "default")
        watched.server.store.forget(watched.server.store.revision)
        with pytest.raises(Gone):
            await anext(events)


async def test_one_that_has_seen_all_goes_on_however_much_was_forgotten_while_nothing_happened_there() -> None:
    watched = Watched()
    async with watched.watching() as client:
        await client.create(CONFIG_MAPS, config_map("elsewhere"), "kube-system")
        await settle()
        await client.create(CONFIG_MAPS, config_map("elsewhere-too"), "kube-system")
        await client.create(NAMESPACES, {"metadata": {"name": "more"}})
        await settle()
        watched.server.store.forget(watched.server.store.revision)
        await client.create(CONFIG_MAPS, config_map("a"), "default")
    assert watched.seen == [("ADDED", "a")]


async def test_a_state_and_its_end_come_first_where_they_are_asked_for() -> None:
    watched = Watched()
    async with client_of(watched.server, watched.clock) as client:
        await client.create(CONFIG_MAPS, config_map("a"), "default")
        async with contextlib.aclosing(client.watch(CONFIG_MAPS, send_initial_events=True)) as events:
            first, second = await anext(events), await anext(events)
        assert (first.type, second.type, second.initial_end) == ("ADDED", "BOOKMARK", True)
        with pytest.raises(ApiError, match="Too large resource version"):
            await anext(client.watch(CONFIG_MAPS, send_initial_events=True, resource_version="999"))


async def test_a_large_state_comes_in_pieces_and_is_that_of_one_moment() -> None:
    watched = Watched()
    async with client_of(watched.server, watched.clock) as client:
        for number in range(1001):
            watched.server.store.put(("", "configmaps"), record(config_map(f"a-{number:04}"), 0))
        async with contextlib.aclosing(client.watch_batches(CONFIG_MAPS, send_initial_events=True)) as batches:
            sizes = [len(await anext(batches))]
            watched.server.store.drop(("", "configmaps"), "/a-1000")
            sizes += [len(await anext(batches)), len(last := await anext(batches))]
            assert sizes == [500, 500, 2]
            assert last[-1].initial_end
            assert [event.type for event in await anext(batches)] == ["DELETED"]


async def test_initial_events_without_what_they_need_are_refused() -> None:
    watched = Watched()
    async with client_of(watched.server, watched.clock) as client:
        query = [("watch", "true"), ("sendInitialEvents", "true")]
        for more in ((), (("resourceVersionMatch", "NotOlderThan"),)):
            with pytest.raises(ApiError, match="Forbidden: sendInitialEvents requires setting"):
                await client.request("GET", "/api/v1/configmaps", query=[*query, *more])
