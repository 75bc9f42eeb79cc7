"""Built-in kinds as API servers really write them."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from homeostat.api import core


def test_a_pod_is_ready_by_its_condition_and_not_while_it_is_deleted() -> None:
    text = b'{"metadata":{"name":"a"},"status":{"conditions":[{"type":"Ready","status":"True"}]}}'
    pod = msgspec.json.decode(text, type=core.Pod)
    deleted = msgspec.structs.replace(
        pod, metadata=msgspec.structs.replace(pod.metadata, deletion_timestamp=datetime(2026, 1, 1, tzinfo=UTC))
    )
    assert (pod.is_ready, deleted.is_ready) == (True, False)


def test_an_endpoint_slice_without_endpoints_has_nulls() -> None:
    text = b'{"metadata":{"name":"a"},"addressType":"IPv4","endpoints":null,"ports":null}'
    assert msgspec.json.decode(text, type=core.EndpointSlice).endpoints is None


def test_a_new_definition_has_no_conditions_yet() -> None:
    text = b'{"metadata":{"name":"a"},"status":{"conditions":null}}'
    assert not msgspec.json.decode(text, type=core.CustomResourceDefinition).is_established


def test_an_event_tells_when_and_how_often_whichever_api_made_it() -> None:
    new = b'{"metadata":{"name":"a"},"eventTime":"2026-01-01T00:00:00.000000Z","series":{"count":3,"lastObservedTime":"2026-01-02T00:00:00.000000Z"},"deprecatedFirstTimestamp":null}'  # noqa: E501  (as it comes)
    old = b'{"metadata":{"name":"b"},"eventTime":null,"deprecatedCount":2,"deprecatedFirstTimestamp":"2026-01-01T00:00:00Z","deprecatedLastTimestamp":"2026-01-02T00:00:00Z"}'  # noqa: E501  (as it comes)
    events = [msgspec.json.decode(text, type=core.Event) for text in (new, old)]
    first, last = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
    assert [(e.first_seen, e.last_seen, e.count) for e in events] == [(first, last, 3), (first, last, 2)]
