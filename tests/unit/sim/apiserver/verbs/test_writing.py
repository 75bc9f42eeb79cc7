"""Writes of a simulated server: what is kept, what is put back, and what is no change at all."""

from __future__ import annotations

import pytest
from tests.support.clock import START, ManualClock
from tests.support.simulated import CONFIG_MAPS, NAMESPACES, client_of, config_map, simulated_server

from homeostat.kube.errors import AlreadyExists, BadRequest, Conflict, Forbidden, Invalid, NotFound, TooLarge


async def test_the_server_gives_an_object_what_is_not_the_clients_to_give() -> None:
    clock = ManualClock()
    async with client_of(simulated_server(clock), clock) as client:
        given = {"uid": "mine", "creationTimestamp": "2001-01-01T00:00:00Z", "generation": 9, "selfLink": "/"}
        body = config_map("a")
        body["metadata"] |= {**given, "resourceVersion": "1", "deletionTimestamp": "2001-01-01T00:00:00Z"}
        made = (await client.create(CONFIG_MAPS, body, "default"))["metadata"]
        assert made["creationTimestamp"] == START.strftime("%Y-%m-%dT%H:%M:%SZ")
        assert made["uid"] != "mine"
        assert not {"generation", "selfLink", "deletionTimestamp"} & set(made)


async def test_names_are_made_where_a_beginning_is_given_and_the_same_from_the_same_seed() -> None:
    async def names(seed: int) -> list[str]:
        clock = ManualClock()
        async with client_of(simulated_server(clock, seed), clock) as client:
            body = {"metadata": {"generateName": "m-"}}
            return [(await client.create(CONFIG_MAPS, body, "default"))["metadata"]["name"] for _ in range(3)]

    assert await names(1) == await names(1) != await names(2)


async def test_an_update_that_changes_nothing_is_not_written() -> None:
    clock = ManualClock()
    server = simulated_server(clock)
    async with client_of(server, clock) as client:
        made = await client.create(CONFIG_MAPS, config_map("a", k="1"), "default")
        revision = server.store.revision
        assert await client.replace(CONFIG_MAPS, made) == made
        assert await client.merge_patch(CONFIG_MAPS, "a", {"data": {"k": "1"}}, "default") == made
        assert server.store.revision == revision


async def test_nobody_changes_what_an_object_is() -> None:
    clock = ManualClock()
    async with client_of(simulated_server(clock), clock) as client:
        made = await client.create(CONFIG_MAPS, config_map("a"), "default")
        patch = {"metadata": {"creationTimestamp": "2001-01-01T00:00:00Z", "generation": 3}}
        assert await client.merge_patch(CONFIG_MAPS, "a", patch, "default") == made
        with pytest.raises(Conflict, match="Precondition failed: UID"):
            await client.merge_patch(CONFIG_MAPS, "a", {"metadata": {"uid": "other"}}, "default")


async def test_what_is_held_waits_marked_until_nobody_holds_it() -> None:
    clock = ManualClock()
    async with client_of(simulated_server(clock), clock) as client:
        body = {"metadata": {"name": "a", "finalizers": ["test.homeostat.dev/keep"]}}
        await client.create(CONFIG_MAPS, body, "default")
        await client.delete(CONFIG_MAPS, "a", "default")
        marked = (await client.get(CONFIG_MAPS, "a", "default"))["metadata"]
        assert (marked["deletionTimestamp"], marked["deletionGracePeriodSeconds"]) == ("2026-01-01T00:00:00Z", 0)
        await clock.advance(5)
        await client.delete(CONFIG_MAPS, "a", "default")
        assert (await client.get(CONFIG_MAPS, "a", "default"))["metadata"] == marked
        more = {"metadata": {"finalizers": ["test.homeostat.dev/keep", "test.homeostat.dev/more"]}}
        with pytest.raises(Invalid, match="no new finalizers can be added"):
            await client.merge_patch(CONFIG_MAPS, "a", more, "default")
        await client.merge_patch(CONFIG_MAPS, "a", {"metadata": {"finalizers": None}}, "default")
        with pytest.raises(NotFound):
            await client.get(CONFIG_MAPS, "a", "default")


async def test_a_namespace_that_ends_takes_nothing_more_and_stays_until_it_is_empty() -> None:
    clock = ManualClock()
    async with client_of(simulated_server(clock), clock) as client:
        made = await client.create(NAMESPACES, {"metadata": {"name": "n"}})
        assert made["metadata"]["labels"] == {"kubernetes.io/metadata.name": "n"}
        with pytest.raises(NotFound, match='namespaces "other" not found'):
            await client.create(CONFIG_MAPS, config_map("a"), "other")
        await client.delete(NAMESPACES, "n")
        assert (await client.get(NAMESPACES, "n"))["status"] == {"phase": "Terminating"}
        with pytest.raises(Forbidden, match="because it is being terminated"):
            await client.create(CONFIG_MAPS, config_map("a"), "n")


@pytest.mark.parametrize(
    ("metadata", "says"),
    [
        ({}, "name or generateName is required"),
        ({"name": "A"}, "a lowercase RFC 1123 subdomain"),
        ({"name": "a" * 254}, "must be no more than 253"),
        ({"name": "a", "labels": {"a b": ""}}, "name part must consist of"),
        ({"name": "a", "labels": {"a": "b c"}}, "a valid label must be"),
        ({"name": "a", "annotations": {"a": "x" * (257 * 1024)}}, "Too long"),
    ],
)
async def test_metadata_that_no_object_may_have_is_invalid(metadata: dict[str, object], says: str) -> None:
    clock = ManualClock()
    async with client_of(simulated_server(clock), clock) as client:
        with pytest.raises(Invalid, match=says):
            await client.create(CONFIG_MAPS, {"metadata": metadata}, "default")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/v1/namespaces/default/configmaps", b"{"),
        ("POST", "/api/v1/namespaces/default/configmaps", b"[]"),
        ("POST", "/api/v1/namespaces/default/configmaps", b'{"metadata":1}'),
        ("POST", "/api/v1/namespaces/default/configmaps", b'{"kind":"Pod","metadata":{"name":"a"}}'),
        ("POST", "/api/v1/namespaces/default/configmaps", b'{"apiVersion":"v2","metadata":{"name":"a"}}'),
        ("POST", "/api/v1/namespaces/default/configmaps", b'{"metadata":{"name":"a","namespace":"other"}}'),
        ("PUT", "/api/v1/namespaces/default/configmaps/a", b'{"metadata":{"name":"b"}}'),
        ("DELETE", "/api/v1/namespaces/default/configmaps/a", b'{"kind":"ConfigMap"}'),
    ],
)
async def test_a_body_that_makes_no_sense_is_a_bad_request(method: str, path: str, body: bytes) -> None:
    clock = ManualClock()
    path, _, query = path.partition("?")
    pairs = [tuple(query.split("="))] if query else []
    async with client_of(simulated_server(clock), clock) as client:
        with pytest.raises(BadRequest):
            await client.request(method, path, body=body, query=pairs)  # type: ignore[arg-type]


async def test_too_much_is_refused_and_a_second_one_of_a_name_too() -> None:
    clock = ManualClock()
    async with client_of(simulated_server(clock), clock) as client:
        with pytest.raises(TooLarge):
            await client.create(CONFIG_MAPS, config_map("a", k="x" * (3 << 20)), "default")
        await client.create(CONFIG_MAPS, config_map("a"), "default")
        with pytest.raises(AlreadyExists):
            await client.create(CONFIG_MAPS, config_map("a"), "default", dry_run=True)


async def test_a_dry_run_answers_as_if_and_keeps_nothing() -> None:
    clock = ManualClock()
    server = simulated_server(clock)
    async with client_of(server, clock) as client:
        made = await client.create(CONFIG_MAPS, config_map("a"), "default", dry_run=True)
        assert "resourceVersion" not in made["metadata"]
        await client.create(CONFIG_MAPS, config_map("a"), "default")
        before = server.store.revision
        await client.merge_patch(CONFIG_MAPS, "a", {"data": {"k": "1"}}, "default", dry_run=True)
        await client.delete(CONFIG_MAPS, "a", "default", dry_run=True)
        assert server.store.revision == before
