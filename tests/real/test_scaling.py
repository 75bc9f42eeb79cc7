"""A cluster on real hosts becomes highly available and small again, while a client reads and writes all the time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.support.business import homeostat
from tests.support.datacentre import Centre, eventually
from tests.support.masters import Masters, raised

pytestmark = pytest.mark.real

NAMESPACE, NAME = "real-scaling", "growing"


@pytest.fixture(scope="module")
def growing(centre: Centre) -> Iterator[Centre]:
    """A data centre with a cluster of single masters in it."""
    with raised(centre, NAMESPACE, NAME, "cluster.yaml"):
        yield centre


def status(centre: Centre) -> dict[str, Any]:
    found: dict[str, Any] = centre.get("cluster", NAME, "-n", NAMESPACE)["status"]
    return found


def pods(centre: Centre, component: str) -> dict[str, str]:
    """Uid by name of the Pods of a component that are not on their way out."""
    items = centre.get("pods", "-n", NAMESPACE, "-l", f"app.kubernetes.io/component={component}")["items"]
    meta = [item["metadata"] for item in items]
    return {each["name"]: each["uid"] for each in meta if "deletionTimestamp" not in each}


def zones(centre: Centre) -> set[str]:
    """The zones in which members of etcd stand."""
    labels = {node["metadata"]["name"]: node["metadata"]["labels"] for node in centre.get("nodes")["items"]}
    items = centre.get("pods", "-n", NAMESPACE, "-l", "app.kubernetes.io/component=etcd")["items"]
    return {labels[item["spec"]["nodeName"]]["topology.kubernetes.io/zone"] for item in items}


def change(centre: Centre, topology: str) -> float:
    """Declare another topology and wait until it is there; how long that took."""
    began = time.monotonic()
    wish = f'{{"spec": {{"topology": "{topology}"}}}}'
    centre.kubectl("patch", "cluster", NAME, "-n", NAMESPACE, "--type=merge", "-p", wish)
    eventually(lambda: status(centre)["topology"]["complete"] == topology, within_s=150)
    wait = ("--for", "condition=Ready", "--timeout", "60s")
    homeostat(centre, "wait", "cluster", NAME, "-n", NAMESPACE, *wait)
    return time.monotonic() - began


def restart_members(centre: Centre) -> float:
    """Let every member of etcd have another flag, and wait until all have it; how long that took."""
    began, before = time.monotonic(), pods(centre, "etcd")
    wish = '{"spec": {"overrides": [{"name": "etcd", "args": {"snapshot-count": "5000"}}]}}'
    centre.kubectl("patch", "cluster", NAME, "-n", NAMESPACE, "--type=merge", "-p", wish)
    eventually(lambda: status(centre).get("overrides") and "upgrade" not in status(centre), within_s=120)
    after = pods(centre, "etcd")
    assert set(after) == set(before)
    assert not set(after.values()) & set(before.values())
    return time.monotonic() - began


def claims(centre: Centre) -> dict[str, str]:
    items = centre.get("pvc", "-n", NAMESPACE)["items"]
    return {item["metadata"]["name"]: item["metadata"]["uid"] for item in items}


def test_it_grows_and_shrinks_under_a_client_that_loses_nothing(growing: Centre, say: Callable[[str], None]) -> None:
    centre = growing
    endpoint, first = status(centre)["endpoint"], claims(centre)
    with Masters(centre, NAMESPACE, NAME).life(attempts=2).lived() as client:
        eventually(lambda: len(client.acknowledged) > 10, within_s=20)
        took = change(centre, "ha")
        say(f"single to ha: {took:.0f} s, {client.retried} requests tried twice, {len(client.failures)} failed")
        assert len(pods(centre, "etcd")) == 3
        assert len(pods(centre, "kube-apiserver")) == 2
        assert len(zones(centre)) == 3
        retried, failed = client.retried, len(client.failures)
        took = restart_members(centre)
        say(
            f"three members of etcd restarted: {took:.0f} s, {client.retried - retried} requests tried twice,"
            f" {len(client.failures) - failed} failed"
        )
        retried, failed, member = client.retried, len(client.failures), pods(centre, "etcd")[f"{NAME}-etcd-0"]
        took = change(centre, "single")
        say(
            f"ha to single: {took:.0f} s, {client.retried - retried} requests tried twice,"
            f" {len(client.failures) - failed} failed"
        )
    say(f"{client.tried} requests, {client.retried} tried twice, {len(client.failures)} failed")
    assert pods(centre, "etcd") == {f"{NAME}-etcd-0": member}, "the member that stays was not restarted"
    assert claims(centre) == first
    assert status(centre)["endpoint"] == endpoint
    assert client.lost() == set()
    assert client.failures == []
