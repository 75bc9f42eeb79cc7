"""Watch streams: lines from chunks, events from lines, and the ways a stream ends."""

from __future__ import annotations

import itertools
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.scripted import SILENCE, Answer, Scripted, status
from tests.support.widgets import WHOLE_WIDGET, WIDGET, widget

from homeostat.kube.errors import ConnectionFailed, Gone, InternalError, MalformedAnswer, TimedOut
from homeostat.kube.watching import INITIAL_EVENTS_END, Lines, WatchEvent


def line(kind: str, content: dict[str, Any]) -> bytes:
    return msgspec.json.encode({"type": kind, "object": content}) + b"\n"


def bookmark(version: str, **annotations: str) -> bytes:
    notes = {key.replace("_", "-"): value for key, value in annotations.items()}
    return line("BOOKMARK", {"kind": "Widget", "metadata": {"resourceVersion": version, "annotations": notes}})


async def collect(scripted: Scripted, into: list[WatchEvent[Any]], kind: Any = WIDGET) -> None:
    async for event in scripted.client.watch(kind, resource_version="5"):
        into.append(event)  # noqa: PERF401  (what came before an error stays)


@given(st.lists(st.binary(max_size=8).filter(lambda part: b"\n" not in part)), st.lists(st.integers(0, 200)))
def test_lines_are_the_same_however_the_stream_is_cut(parts: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(part + b"\n" for part in parts)
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    lines = Lines()
    runs = [lines.feed(stream[a:b]) for a, b in itertools.pairwise(edges)]
    assert b"".join(runs) == stream
    assert all(run == b"" or run.endswith(b"\n") for run in runs)
    assert lines.rest == b""


@given(st.integers(1, 40), st.text(min_size=1, max_size=6))
async def test_events_survive_chunks_of_any_size_even_inside_characters(size: int, name: str) -> None:
    stream = b"".join(line("MODIFIED", widget(name=name, version=str(n))) for n in range(3))
    chunks = [stream[start : start + size] for start in range(0, len(stream), size)]
    events: list[WatchEvent[Any]] = []
    await collect(Scripted(Answer(chunks=chunks)), events)
    assert [(event.resource_version, event.object and event.object.metadata.name) for event in events] == [
        ("0", name),
        ("1", name),
        ("2", name),
    ]


async def test_all_events_that_arrive_together_are_one_batch() -> None:
    first = line("ADDED", widget("a", version="1")) + line("DELETED", widget("b", version="2")) + bookmark("3")
    scripted = Scripted(Answer(chunks=[first, line("MODIFIED", widget("a", version="4"))]))
    batches = [batch async for batch in scripted.client.watch_batches(WIDGET, "shop", resource_version="0")]
    assert [[(event.type, event.resource_version) for event in batch] for batch in batches] == [
        [("ADDED", "1"), ("DELETED", "2"), ("BOOKMARK", "3")],
        [("MODIFIED", "4")],
    ]


async def test_a_watch_asks_for_bookmarks_and_for_an_end_before_silence_counts_as_death() -> None:
    scripted = Scripted(Answer(chunks=[]))
    async for _ in scripted.client.watch(WIDGET, "shop", resource_version="5", labels="a=b", fields="metadata.name=x"):
        raise AssertionError("there are no events")
    assert scripted.transport.last.path == "/apis/test.homeostat.dev/v1/namespaces/shop/widgets"
    assert scripted.transport.query() == {
        "watch": "true",
        "allowWatchBookmarks": "true",
        "timeoutSeconds": "75",
        "resourceVersion": "5",
        "labelSelector": "a=b",
        "fieldSelector": "metadata.name=x",
    }


async def test_a_streaming_list_ends_with_a_marked_bookmark() -> None:
    marked = line(
        "BOOKMARK", {"metadata": {"resourceVersion": "9", "annotations": {INITIAL_EVENTS_END: "true"}}, "spec": None}
    )
    scripted = Scripted(Answer(chunks=[line("ADDED", widget("a")), marked]))
    events = [event async for event in scripted.client.watch(WIDGET, send_initial_events=True)]
    assert [(event.type, event.initial_end) for event in events] == [("ADDED", False), ("BOOKMARK", True)]
    assert scripted.transport.query()["sendInitialEvents"] == "true"
    assert scripted.transport.query()["resourceVersionMatch"] == "NotOlderThan"


async def test_plain_dicts_are_watched_too() -> None:
    events: list[WatchEvent[Any]] = []
    await collect(Scripted(Answer(chunks=[line("ADDED", widget("a", version="3"))])), events, WHOLE_WIDGET)
    assert events[0].resource_version == "3"
    assert events[0].object
    assert events[0].object["spec"] == {"size": 1}


async def test_410_inside_the_stream_is_raised_after_the_events_before_it() -> None:
    gone = line("ERROR", status(410, "Expired", "too old resource version: 1 (9)"))
    events: list[WatchEvent[Any]] = []
    scripted = Scripted(Answer(chunks=[line("ADDED", widget("a")) + gone]))
    with pytest.raises(Gone, match="too old"):
        await collect(scripted, events)
    assert len(events) == 1


async def test_410_in_place_of_the_stream_is_raised() -> None:
    with pytest.raises(Gone):
        await collect(Scripted(Answer(410, status(410, "Expired", "too old"))), [])


async def test_another_error_inside_the_stream_keeps_its_type() -> None:
    with pytest.raises(InternalError, match="etcd went away"):
        await collect(Scripted(Answer(chunks=[line("ERROR", status(500, "InternalError", "etcd went away"))])), [])


async def test_a_stream_cut_in_the_middle_of_an_event_is_a_failed_connection() -> None:
    events: list[WatchEvent[Any]] = []
    whole = line("ADDED", widget("a"))
    with pytest.raises(ConnectionFailed, match="middle of an event"):
        await collect(Scripted(Answer(chunks=[whole, whole[:20]])), events)
    assert len(events) == 1


async def test_silence_longer_than_the_idle_timeout_is_a_dead_connection() -> None:
    answer = Answer(chunks=[line("ADDED", widget("a")), SILENCE])
    events: list[WatchEvent[Any]] = []
    with pytest.raises(TimedOut, match="heard nothing for 90 s"):
        await collect(Scripted(answer), events)
    assert len(events) == 1
    assert answer.closed


async def test_garbage_is_told_apart_and_what_came_before_it_is_delivered() -> None:
    events: list[WatchEvent[Any]] = []
    with pytest.raises(MalformedAnswer, match=r"watch widgets\.test\.homeostat\.dev"):
        await collect(Scripted(Answer(chunks=[line("ADDED", widget("a")) + b"<html>\n"])), events)
    assert [event.type for event in events] == ["ADDED"]


async def test_an_object_that_does_not_fit_its_type_names_the_field() -> None:
    with pytest.raises(MalformedAnswer, match=r"\$\.object\.spec\.size"):
        await collect(Scripted(Answer(chunks=[line("ADDED", widget("a") | {"spec": {"size": "big"}})])), [])


async def test_leaving_a_watch_closes_its_connection() -> None:
    answer = Answer(chunks=[line("ADDED", widget("a")), SILENCE])
    events = Scripted(answer).client.watch(WIDGET)
    assert (await anext(events)).type == "ADDED"
    await events.aclose()
    assert answer.closed


async def test_without_an_idle_timeout_the_watch_lasts_as_long_as_asked() -> None:
    scripted = Scripted(Answer(chunks=[]))
    assert [batch async for batch in scripted.client.watch_batches(WIDGET, idle_timeout_s=None)] == []
    assert scripted.transport.query()["timeoutSeconds"] == "300"
