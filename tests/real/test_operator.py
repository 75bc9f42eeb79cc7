"""The operator itself on real hosts: rolled to another Pod template while clusters run, which must not notice."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.support.business import create
from tests.support.datacentre import Centre, eventually

pytestmark = pytest.mark.real

HOME = ("-n", "homeostat-system")
PODS = ("pods", *HOME, "-l", "app.kubernetes.io/name=homeostat")
NAMESPACE = "real-operator"


@pytest.fixture
def namespace(centre: Centre) -> Iterator[str]:
    centre.kubectl("create", "namespace", NAMESPACE)
    yield NAMESPACE
    centre.kubectl("delete", "clusters", "--all", "-n", NAMESPACE, "--timeout=120s")
    centre.kubectl("delete", "namespace", NAMESPACE, "--timeout=60s")


def masters(centre: Centre, namespace: str) -> dict[str, tuple[str, list[int]]]:
    """Every Pod with its uid, and how often its containers were started again."""
    found: dict[str, tuple[str, list[int]]] = {}
    for one in centre.get("pods", "-n", namespace)["items"]:
        restarts = [each["restartCount"] for each in one["status"].get("containerStatuses", [])]
        found[one["metadata"]["name"]] = (one["metadata"]["uid"], restarts)
    return found


def lease(centre: Centre) -> dict[str, Any]:
    found: dict[str, Any] = centre.get("lease", "homeostat-cell", *HOME)["spec"]
    return found


def test_homeostat_is_rolled_without_touching_a_master(
    centre: Centre, namespace: str, say: Callable[[str], None]
) -> None:
    create(centre, namespace, "calm")
    before, leader = masters(centre, namespace), lease(centre)["holderIdentity"]
    operators = {one["metadata"]["uid"] for one in centre.get(*PODS)["items"]}
    centre.kubectl("rollout", "restart", "deployment/homeostat", *HOME)
    held, without_s, until = True, 0.0, time.monotonic() + 90
    last = time.monotonic()
    while time.monotonic() < until:
        now, spec = time.monotonic(), lease(centre)
        without_s += 0.0 if held else now - last
        held, last = bool(spec.get("holderIdentity")), now
        if held and spec["holderIdentity"] != leader and is_rolled(centre, operators):
            break
    say(f"homeostat is rolled; nobody held the lease for at most {without_s:.1f} s")
    assert is_rolled(centre, operators)
    # The new one works: it takes up what is declared, and it does not think that anything has to be made anew.
    centre.kubectl("patch", "cluster", "calm", "-n", namespace, "--type=merge", "-p", '{"spec": {"paused": true}}')
    eventually(lambda: centre.get("cluster", "calm", "-n", namespace)["status"]["phase"] == "Paused", within_s=30)
    centre.kubectl("patch", "cluster", "calm", "-n", namespace, "--type=merge", "-p", '{"spec": {"paused": false}}')
    eventually(lambda: centre.get("cluster", "calm", "-n", namespace)["status"]["phase"] == "Ready", within_s=30)
    assert masters(centre, namespace) == before
    assert without_s < 10


def is_rolled(centre: Centre, old: set[str]) -> bool:
    pods = centre.get(*PODS)["items"]
    ready = [
        one
        for one in pods
        for condition in one["status"].get("conditions", [])
        if condition["type"] == "Ready" and condition["status"] == "True"
    ]
    return len(ready) >= 2 and not old & {one["metadata"]["uid"] for one in pods}
