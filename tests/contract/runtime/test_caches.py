"""Informers, on both engines."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any, Literal

import pytest

from homeostat.api.core import CONFIG_MAP, ConfigMap
from homeostat.kit.clock import SystemClock
from homeostat.kit.random import system_random
from homeostat.kube.client import Client
from homeostat.kube.errors import Gone
from homeostat.runtime.informer import Informer
from homeostat.runtime.queue import Priority

pytestmark = pytest.mark.real

CLOCK = SystemClock()


@asynccontextmanager
async def running(informer: Informer[Any]) -> AsyncIterator[None]:
    task = asyncio.ensure_future(informer.run())
    try:
        async with CLOCK.timeout(20):
            await informer.synced.wait()
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(claim: Callable[[], bool]) -> None:
    async with CLOCK.timeout(20):
        while not claim():
            await CLOCK.sleep(0.01)


def config_map(name: str, namespace: str, value: str = "") -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": namespace}, "data": {"value": value}}


def informer_of(client: Client, namespace: str, **options: Any) -> Informer[ConfigMap]:
    return Informer(client, CONFIG_MAP, clock=CLOCK, random=system_random(), namespace=namespace, **options)


@pytest.mark.parametrize("initial", ["pages", "stream"])
async def test_a_cache_holds_what_was_there_and_what_comes(
    client: Client, namespace: str, initial: Literal["pages", "stream"]
) -> None:
    for number in range(5):
        await client.create(CONFIG_MAP, config_map(f"old-{number}", namespace, "a"))
    informer = informer_of(
        client, namespace, initial=initial, page_size=2, indexes={"value": lambda obj: obj.data.values()}
    )
    heard: list[tuple[str, Priority]] = []
    informer.add_handler(lambda old, new, priority: heard.append(((new or old).metadata.name, priority)))  # type: ignore[union-attr]
    async with running(informer):
        assert len(informer.store) == 5
        assert {priority for _, priority in heard} == {Priority.INITIAL}
        await client.create(CONFIG_MAP, config_map("new", namespace, "b"))
        await until(lambda: bool(informer.store.by_index("value", "b")))
        assert heard[-1] == ("new", Priority.CHANGE)
        await client.delete(CONFIG_MAP, "old-0", namespace)
        await until(lambda: informer.store.get("old-0", namespace) is None)
        assert len(informer.store.by_index("value", "a")) == 4
        assert informer.healthy(CLOCK.monotonic())


async def test_a_cache_whose_version_is_forgotten_lists_again_and_notices_deletions(
    client: Client, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await client.create(CONFIG_MAP, config_map("stays", namespace))
    await client.create(CONFIG_MAP, config_map("goes", namespace))
    informer = informer_of(client, namespace)
    watch = client.watch_batches
    cuts = 0

    async def forgetful(*args: Any, **options: Any) -> AsyncIterator[Any]:
        nonlocal cuts
        cuts += 1
        if cuts == 1:
            await client.delete(CONFIG_MAP, "goes", namespace)
            raise Gone(410, "Expired", "too old resource version")
        async with aclosing(watch(*args, **options)) as batches:
            async for batch in batches:
                yield batch

    monkeypatch.setattr(client, "watch_batches", forgetful)
    gone: list[str] = []
    informer.add_handler(lambda old, new, _: gone.append(old.metadata.name) if new is None and old else None)
    async with running(informer):
        kept = informer.store.get("stays", namespace)
        await until(lambda: gone == ["goes"])
        assert informer.store.get("stays", namespace) is kept


async def test_a_store_tells_when_an_own_write_is_in(client: Client, namespace: str) -> None:
    informer = informer_of(client, namespace)
    async with running(informer):
        made = await client.create(CONFIG_MAP, config_map("own", namespace))
        arrived = asyncio.Event()
        informer.store.when(made.metadata.resource_version, arrived.set)
        async with CLOCK.timeout(20):
            await arrived.wait()
        assert informer.store.get("own", namespace) is not None
