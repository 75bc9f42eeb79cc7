"""What a server forgets by itself, as time goes by."""

from __future__ import annotations

import pytest
from tests.support.clock import ManualClock
from tests.support.simulated import CONFIG_MAPS, client_of, config_map, simulated_server

from homeostat.kube.client import Client
from homeostat.kube.errors import Gone
from homeostat.sim.apiserver.store.store import Store

MAPS = ("", "configmaps")


async def written(client: Client, name: str) -> str:
    made = await client.create(CONFIG_MAPS, config_map(name), "default")
    return str(made["metadata"]["resourceVersion"])


async def test_a_server_forgets_every_five_minutes_what_was_older_at_the_last_time() -> None:
    clock = ManualClock()
    server = simulated_server(clock)
    async with client_of(server, clock) as client:
        versions = []
        for name in ("a", "b", "c", "d", "e"):
            versions.append(await written(client, name))
            await clock.advance(200)
        # Looked at after 400 s, and after 800: what was there at the first is forgotten by the second.
        history = server.store.shelf(MAPS).history
        assert history.forgotten == int(versions[1])
        with pytest.raises(Gone):
            await anext(client.watch(CONFIG_MAPS, resource_version=versions[0]))
        assert (await anext(client.watch(CONFIG_MAPS, resource_version=versions[1]))).type == "ADDED"


async def test_a_server_that_was_idle_forgets_all_that_was_before() -> None:
    clock = ManualClock()
    server = simulated_server(clock)
    async with client_of(server, clock) as client:
        first = await written(client, "a")
        await clock.advance(3600)
        second = await written(client, "b")
        assert server.store.shelf(MAPS).history.forgotten == int(first) < int(second)


async def test_what_a_store_forgets_that_was_given_is_left_to_who_gave_it() -> None:
    clock, store = ManualClock(), Store()
    server = simulated_server(clock, store=store)
    async with client_of(server, clock) as client:
        await written(client, "a")
        await clock.advance(3600)
        await written(client, "b")
        assert len(store.shelf(MAPS).history.after(store.shelf(MAPS).history.forgotten)) == 2
