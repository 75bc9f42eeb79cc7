"""Lists of a simulated server: pages of one state, and states that are forgotten."""

from __future__ import annotations

import pytest
from tests.support.clock import ManualClock
from tests.support.simulated import CONFIG_MAPS, client_of, config_map, simulated_server

from homeostat.kube.client import Client
from homeostat.kube.errors import ApiError, BadRequest, Gone


async def filled(client: Client, many: int) -> None:
    for number in range(many):
        await client.create(CONFIG_MAPS, config_map(f"m{number}"), "default")


async def test_pages_go_on_in_the_state_in_which_they_began() -> None:
    clock = ManualClock()
    async with client_of(simulated_server(clock), clock) as client:
        await filled(client, 4)
        names = []
        async for page in client.pages(CONFIG_MAPS, "default", page_size=2):
            names += [(one["metadata"]["name"], one.get("data")) for one in page.items]
            if page.remaining:
                await client.delete(CONFIG_MAPS, "m2", "default")
                await client.merge_patch(CONFIG_MAPS, "m3", {"data": {"late": "1"}}, "default")
                await client.create(CONFIG_MAPS, config_map("m9"), "default")
        assert names == [(f"m{number}", None) for number in range(4)]


async def test_pages_of_a_forgotten_state_are_gone_and_may_go_on_in_the_newest() -> None:
    clock = ManualClock()
    server = simulated_server(clock)
    async with client_of(server, clock) as client:
        await filled(client, 4)
        first = await client.page(CONFIG_MAPS, page_size=2)
        await client.delete(CONFIG_MAPS, "m2", "default")
        server.store.forget(server.store.revision)
        query = (("limit", "2"), ("continue", first.continue_token))
        with pytest.raises(Gone, match="too old to display a consistent list"):
            await client.request("GET", "/api/v1/configmaps", query=query)
        rest = await client.page(CONFIG_MAPS, after=first.continue_token, page_size=2)
        assert [one["metadata"]["name"] for one in rest.items] == ["m3"]


async def test_a_state_that_has_not_come_is_to_be_asked_for_again() -> None:
    clock = ManualClock()
    async with client_of(simulated_server(clock), clock) as client:
        with pytest.raises(ApiError, match="Too large resource version: 999, current: 10") as caught:
            await client.list(CONFIG_MAPS, resource_version="999")
        assert (caught.value.status, caught.value.reason, caught.value.retry_after_s) == (504, "Timeout", 1)


@pytest.mark.parametrize(
    "query",
    [
        {"continue": "nonsense!"},
        {"continue": "eyJ2IjoidjAiLCJydiI6MSwic3RhcnQiOiJhIn0"},
        {"resourceVersion": "new"},
        {"limit": "many"},
        {"labelSelector": "a b"},
        {"fieldSelector": "spec.x=1"},
    ],
)
async def test_a_list_that_makes_no_sense_is_a_bad_request(query: dict[str, str]) -> None:
    clock = ManualClock()
    async with client_of(simulated_server(clock), clock) as client:
        with pytest.raises(BadRequest):
            await client.request("GET", "/api/v1/configmaps", query=tuple(query.items()))
