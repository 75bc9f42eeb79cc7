"""The etcd of a highly available cluster on real hosts: up a minor and back under clients, full and free again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.support.business import homeostat
from tests.support.datacentre import Centre, eventually
from tests.support.masters import Masters, raised

from homeostat.api.core import CONFIG_MAP
from homeostat.kit.clock import SystemClock
from homeostat.kit.random import system_random
from homeostat.kube.config import from_kubeconfig_bytes
from homeostat.kube.connect import connect
from homeostat.kube.errors import KubeError

pytestmark = pytest.mark.real

NAMESPACE, NAME = "real-etcd", "store"
OLD, NEW = "v1.34.4-etcd3.5", "v1.34.4"
QUOTA = 48 << 20
LARGE = "x" * 900_000
FREED_S = 150.0


@pytest.fixture(scope="module")
def store(centre: Centre) -> Iterator[Centre]:
    """A data centre with a highly available cluster of etcd 3.5 in it, whose stores may have little."""
    overrides = [{"name": "etcd", "args": {"quota-backend-bytes": str(QUOTA)}}]
    with raised(centre, NAMESPACE, NAME, packageVersion=OLD, overrides=overrides):
        yield centre


def images(centre: Centre) -> set[str]:
    items = centre.get("pods", "-n", NAMESPACE, "-l", "app.kubernetes.io/component=etcd")["items"]
    return {item["spec"]["containers"][0]["image"].rpartition(":")[2] for item in items}


def told(centre: Centre) -> dict[str, Any]:
    """What the Cluster says of its stores, and why etcd is ready or not."""
    status = centre.get("cluster", NAME, "-n", NAMESPACE)["status"]
    ready = next(each for each in status["conditions"] if each["type"] == "EtcdReady")
    return {**status.get("etcd", {}), "ready": ready["status"], "reason": ready["reason"]}


def test_etcd_goes_up_a_minor_and_back_while_clients_work(store: Centre, say: Callable[[str], None]) -> None:
    with Masters(store, NAMESPACE, NAME).life(attempts=2).lived() as client:
        eventually(lambda: len(client.acknowledged) > 10, within_s=20)
        for command, version in (("upgrade", "3.6.16"), ("rollback", "3.5.35")):
            began, retried = time.monotonic(), client.retried
            wish = ("--to", NEW) if command == "upgrade" else ()
            homeostat(store, command, "cluster", NAME, "-n", NAMESPACE, *wish, "--wait")
            say(
                f"{command} to etcd {version}: {time.monotonic() - began:.0f} s, {client.retried - retried} tried twice"
            )
            assert images(store) == {version}
    say(f"{client.tried} requests, {client.retried} tried twice, {len(client.failures)} failed")
    assert client.failures == []
    assert client.lost() == set()


def test_an_etcd_that_is_full_takes_writes_again_by_itself(store: Centre, say: Callable[[str], None]) -> None:
    config = Masters(store, NAMESPACE, NAME).kubeconfig()
    names = asyncio.run(fill(config))
    full = time.monotonic()
    assert len(names) > 20
    asyncio.run(clear(config, names))
    eventually(lambda: asyncio.run(takes_writes(config)), within_s=FREED_S)
    say(f"an etcd of {QUOTA >> 20} MiB that was full takes writes again after {time.monotonic() - full:.0f} s")
    freed = eventually(
        lambda: found if (found := told(store))["ready"] == "True" and "alarms" not in found else None, within_s=60
    )
    assert freed["reason"] in ("Ready", "EtcdNearQuota")
    assert freed["fullSizeBytes"] > 0.8 * QUOTA
    assert freed["sizeBytes"] < 0.8 * QUOTA
    assert "lastDefragmentedAt" in freed


async def fill(config: bytes) -> list[str]:
    """Write until the cluster takes no more; the names of what it took."""
    names: list[str] = []
    async with connect(
        from_kubeconfig_bytes(config), clock=SystemClock(), random=system_random(), field_manager="test"
    ) as client:
        for number in range(2 * QUOTA // len(LARGE)):
            body = {"metadata": {"name": f"large-{number}"}, "data": {"large": LARGE}}
            try:
                await client.create(CONFIG_MAP, body, "default")
            except KubeError as error:
                assert "database space exceeded" in str(error)  # noqa: PT017  (anything else is no full etcd)
                return names
            names.append(f"large-{number}")
    raise AssertionError("etcd took twice its quota")


async def clear(config: bytes, names: list[str]) -> None:
    """Deletions are taken by an etcd that is full."""
    async with connect(
        from_kubeconfig_bytes(config), clock=SystemClock(), random=system_random(), field_manager="test"
    ) as client:
        for name in names:
            await client.delete(CONFIG_MAP, name, "default")


async def takes_writes(config: bytes) -> bool:
    async with connect(
        from_kubeconfig_bytes(config), clock=SystemClock(), random=system_random(), field_manager="test"
    ) as client:
        try:
            await client.apply(CONFIG_MAP, {"metadata": {"name": "after", "namespace": "default"}}, force=True)
        except KubeError:
            return False
        return True
