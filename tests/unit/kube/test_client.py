"""Verbs: what they send, what they give back, and what they refuse to send."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.support.scripted import Answer, Scripted, status
from tests.support.widgets import RESOURCE, WHOLE_WIDGET, WIDGET, widget

from homeostat.kube.errors import Gone, Invalid, MalformedAnswer, TooManyRequests

PATH = "/apis/test.homeostat.dev/v1/namespaces/shop/widgets"


def page(*items: dict[str, Any], version: str = "10", token: str = "") -> Answer:
    return Answer(
        body={"kind": "WidgetList", "metadata": {"resourceVersion": version, "continue": token}, "items": items}
    )


async def test_get_gives_a_typed_object() -> None:
    scripted = Scripted(Answer(body=widget("a", size=3)))
    found = await scripted.client.get(WIDGET, "a", "shop")
    assert (found.metadata.name, found.spec.size) == ("a", 3)
    assert (scripted.transport.last.method, scripted.transport.last.path) == ("GET", f"{PATH}/a")


@pytest.mark.parametrize("name", ["", "..", "a/b", "a%2f"])
async def test_a_name_that_would_address_something_else_is_never_sent(name: str) -> None:
    scripted = Scripted()
    with pytest.raises(ValueError, match=r"widgets\.test\.homeostat\.dev: expected"):
        await scripted.client.delete(WIDGET, name, "shop")
    assert scripted.transport.requests == []


async def test_a_missing_namespace_is_never_sent() -> None:
    scripted = Scripted()
    with pytest.raises(ValueError, match="expected a namespace"):
        await scripted.client.get(WIDGET, "a")
    with pytest.raises(ValueError, match="expected a namespace"):
        await scripted.client.delete_collection(WIDGET)
    with pytest.raises(ValueError, match="expected a namespace"):
        await scripted.client.create(WIDGET, {"metadata": {"name": "a"}})
    assert scripted.transport.requests == []


async def test_list_reads_all_pages_and_asks_for_a_version_only_once() -> None:
    scripted = Scripted(page(widget("a"), version="10", token="next"), page(widget("b"), version="10"))
    found = await scripted.client.list(WIDGET, "shop", resource_version="3", labels="x=y")
    assert [one.metadata.name for one in found.items] == ["a", "b"]
    assert found.resource_version == "10"
    first, second = (dict(request.query) for request in scripted.transport.requests)
    assert first == {
        "labelSelector": "x=y",
        "limit": "500",
        "resourceVersion": "3",
        "resourceVersionMatch": "NotOlderThan",
    }
    assert second == {"labelSelector": "x=y", "limit": "500", "continue": "next"}


async def test_a_continue_token_that_expires_between_pages_makes_list_start_over_without_pages() -> None:
    expired = Answer(410, status(410, "Expired", "the continue token is too old"))
    scripted = Scripted(page(widget("a"), token="next"), expired, page(widget("b"), version="20"))
    found = await scripted.client.list(WIDGET, "shop")
    assert [one.metadata.name for one in found.items] == ["b"]
    assert "limit" not in scripted.transport.query()


async def test_pages_tell_that_the_continue_token_expired() -> None:
    scripted = Scripted(page(widget("a"), token="next"), Answer(410, status(410, "Expired", "too old")))
    with pytest.raises(Gone):
        [one async for one in scripted.client.pages(WIDGET, "shop")]


def too_old(token: str = "") -> Answer:
    return Answer(410, {**status(410, "Expired", "too old"), "metadata": {"continue": token}})


async def test_a_single_page_goes_on_from_the_same_place_by_the_token_that_comes_with_the_refusal() -> None:
    scripted = Scripted(too_old("instead"), page(widget("b"), token="more"))
    found = await scripted.client.page(WIDGET, after="expired", page_size=50)
    assert ([one.metadata.name for one in found.items], found.continue_token) == (["b"], "more")
    assert scripted.transport.query() == {"limit": "50", "continue": "instead"}


async def test_a_single_page_whose_place_is_lost_is_refused() -> None:
    with pytest.raises(Gone):
        await Scripted(too_old()).client.page(WIDGET, after="expired")
    with pytest.raises(Gone):
        await Scripted(too_old("instead"), too_old("again")).client.page(WIDGET, after="expired")


async def test_null_items_are_an_empty_list() -> None:
    found = await Scripted(Answer(body={"metadata": {}, "items": None})).client.list(WIDGET)
    assert found.items == []


async def test_whole_objects_in_lists_get_their_kind() -> None:
    bare = {"metadata": {"name": "a"}}
    found = await Scripted(Answer(body={"metadata": {}, "items": [bare]})).client.list(WHOLE_WIDGET)
    assert (found.items[0]["apiVersion"], found.items[0]["kind"]) == ("test.homeostat.dev/v1", "Widget")


async def test_create_fills_in_the_kind_and_names_the_manager() -> None:
    scripted = Scripted(Answer(201, widget("a")))
    await scripted.client.create(WIDGET, {"metadata": {"name": "a"}}, "shop", dry_run=True)
    assert scripted.transport.query() == {"fieldManager": "homeostat", "dryRun": "All"}
    assert scripted.transport.body()["apiVersion"] == "test.homeostat.dev/v1"
    assert scripted.transport.last.path == PATH


async def test_a_struct_may_be_a_body() -> None:
    scripted = Scripted(Answer(201, widget("a")))
    await scripted.client.create(WIDGET, msgspec.convert(widget("a", size=4), WIDGET.type))
    assert scripted.transport.body()["spec"] == {"size": 4}
    assert scripted.transport.body()["kind"] == "Widget"


async def test_two_namespaces_for_one_object_are_refused() -> None:
    with pytest.raises(ValueError, match=r"metadata\.namespace: expected 'shop'"):
        await Scripted().client.create(WIDGET, widget(namespace="other"), "shop")


@pytest.mark.parametrize("force", [False, True])
async def test_apply_forces_only_where_asked(force: bool) -> None:
    scripted = Scripted(Answer(body=widget("a")))
    await scripted.client.apply(WIDGET, widget("a"), force=force, subresource="status", field_manager="me")
    expected = {"fieldManager": "me"} | ({"force": "true"} if force else {})
    assert scripted.transport.query() == expected
    assert scripted.transport.last.headers["Content-Type"] == "application/apply-patch+yaml"
    assert scripted.transport.last.path == f"{PATH}/a/status"


async def test_each_patch_has_its_media_type() -> None:
    scripted = Scripted(Answer(body=widget("a")), Answer(body=widget("a")))
    await scripted.client.json_patch(WIDGET, "a", [{"op": "test", "path": "/spec/size", "value": 1}], "shop")
    assert scripted.transport.last.headers["Content-Type"] == "application/json-patch+json"
    await scripted.client.merge_patch(WIDGET, "a", {"spec": None}, "shop")
    assert scripted.transport.last.headers["Content-Type"] == "application/merge-patch+json"


async def test_delete_sends_preconditions_and_propagation() -> None:
    scripted = Scripted(Answer())
    await scripted.client.delete(
        WIDGET, "a", "shop", uid="u", resource_version="3", propagation="Foreground", grace_s=0, dry_run=True
    )
    assert scripted.transport.body() == {
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "propagationPolicy": "Foreground",
        "gracePeriodSeconds": 0,
        "dryRun": ["All"],
        "preconditions": {"uid": "u", "resourceVersion": "3"},
    }


async def test_an_eviction_that_a_budget_forbids_is_told_at_once() -> None:
    scripted = Scripted(Answer(429, status(429, "TooManyRequests", "budget"), headers={"Retry-After": "10"}))
    with pytest.raises(TooManyRequests) as caught:
        await scripted.client.evict("p", "shop")
    assert caught.value.retry_after_s == 10
    assert scripted.transport.last.path == "/api/v1/namespaces/shop/pods/p/eviction"
    assert scripted.clock.slept == []


async def test_scale_is_read_and_set() -> None:
    body = {"metadata": {"resourceVersion": "4"}, "spec": {"replicas": 3}, "status": {"replicas": 2, "selector": "a=b"}}
    scripted = Scripted(Answer(body=body), Answer(body=body))
    scale = await scripted.client.scale(WIDGET, "a", "shop")
    assert (scale.wanted, scale.present, scale.selector) == (3, 2, "a=b")
    await scripted.client.set_scale(WIDGET, "a", "shop", 3)
    assert scripted.transport.body() == {"spec": {"replicas": 3}}


async def test_a_token_does_not_show_itself() -> None:
    body = {"status": {"token": "s3cret", "expirationTimestamp": "2026-01-01T01:00:00Z"}}
    token = await Scripted(Answer(201, body)).client.create_token("robot", "shop", ["api"])
    assert token.token == "s3cret"
    assert "s3cret" not in repr(token)


async def test_logs_arrive_as_chunks() -> None:
    scripted = Scripted(Answer(chunks=[b"one\n", b"two\n"]))
    chunks = [chunk async for chunk in scripted.client.logs("p", "shop", container="c", follow=True, tail=5)]
    assert chunks == [b"one\n", b"two\n"]
    assert scripted.transport.query() == {"container": "c", "follow": "true", "tailLines": "5"}
    assert scripted.transport.last.idle_timeout_s is None


async def test_binding_names_the_node() -> None:
    scripted = Scripted(Answer(201))
    await scripted.client.bind("p", "shop", "n1")
    assert scripted.transport.last.path.endswith("/pods/p/binding")
    assert scripted.transport.body()["target"] == {"apiVersion": "v1", "kind": "Node", "name": "n1"}


async def test_a_refusal_names_every_field() -> None:
    causes = [{"field": "spec.size", "reason": "FieldValueInvalid", "message": "must be positive"}]
    scripted = Scripted(Answer(422, status(422, "Invalid", "Widget a is invalid", causes=causes)))
    with pytest.raises(Invalid, match=r"create widgets\.test\.homeostat\.dev shop") as caught:
        await scripted.client.create(WIDGET, widget("a"))
    assert caught.value.causes[0].field == "spec.size"


async def test_an_answer_of_another_shape_names_the_path() -> None:
    with pytest.raises(MalformedAnswer, match=r"\$\.spec\.size"):
        await Scripted(Answer(body=widget("a") | {"spec": {"size": "x"}})).client.get(WIDGET, "a", "shop")


async def test_the_version_is_typed() -> None:
    version = await Scripted(Answer(body={"gitVersion": "v1.35.4", "major": "1", "minor": "35"})).client.version()
    assert version.git_version == "v1.35.4"


async def test_closing_the_client_closes_the_transport() -> None:
    scripted = Scripted()
    async with scripted.client:
        pass
    assert scripted.transport.closed


def test_cluster_scoped_paths_have_no_namespace() -> None:
    assert RESOURCE.path("a", "shop", "status") == f"{PATH}/a/status"
