"""What takes long: many clusters at once, and dying again and again. Run by `make soak`; figures are in the docs."""

from __future__ import annotations

import contextlib
import random
import subprocess
import time
from collections.abc import Callable

import pytest
from tests.support.business import content, declare
from tests.support.datacentre import Centre, eventually, traces

pytestmark = [pytest.mark.real, pytest.mark.soak]

SEED = 20261123
CLUSTERS = 12
KILLS = 12


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Print a figure past pytest's capture."""

    def tell(line: str) -> None:
        with capsys.disabled():
            print(f"\nsoak: {line}")  # noqa: T201  (figures for the docs)

    return tell


def test_a_dozen_clusters_at_once_become_ready_and_go(centre: Centre, say: Callable[[str], None]) -> None:
    namespace = "soak-many"
    centre.kubectl("create", "namespace", namespace)
    before = content(centre, namespace)
    names = [f"many-{number:02}" for number in range(CLUSTERS)]
    began = time.monotonic()
    for name in names:
        declare(centre, namespace, name)
    eventually(lambda: ready(centre, namespace) == set(names), within_s=900, every_s=2)
    say(f"{CLUSTERS} Clusters declared at once are Ready after {time.monotonic() - began:.0f} s")
    addresses = {one["status"]["endpoint"]["host"] for one in centre.get("clusters", "-n", namespace)["items"]}
    assert len(addresses) == CLUSTERS
    began = time.monotonic()
    centre.kubectl("delete", "clusters", "--all", "-n", namespace, "--wait=false")
    eventually(lambda: content(centre, namespace) == before, within_s=600, every_s=2)
    say(f"{CLUSTERS} Clusters deleted at once are gone after {time.monotonic() - began:.0f} s")
    centre.kubectl("delete", "namespace", namespace, "--timeout=60s")


def test_an_operator_that_dies_all_the_time_still_makes_and_removes(centre: Centre, say: Callable[[str], None]) -> None:
    namespace, chance = "soak-dying", random.Random(SEED)
    centre.kubectl("create", "namespace", namespace)
    before = content(centre, namespace)
    deaths = 0

    def live_and_die(claim: Callable[[], bool], within_s: float) -> None:
        nonlocal deaths
        until = time.monotonic() + within_s
        while not claim():
            assert time.monotonic() < until, centre.kubectl("describe", "clusters,pods", "-n", namespace)
            selector = ("-l", "app.kubernetes.io/name=homeostat", "--grace-period=0", "--force", "--wait=false")
            centre.kubectl("delete", "pods", "-n", "homeostat-system", *selector)
            deaths += 1
            with contextlib.suppress(AssertionError):
                eventually(claim, within_s=chance.uniform(2, 12), every_s=1)

    for number in range(3):
        declare(centre, namespace, f"dying-{number}")
    live_and_die(lambda: len(ready(centre, namespace)) == 3, 600)
    centre.kubectl("delete", "clusters", "--all", "-n", namespace, "--wait=false")
    live_and_die(lambda: content(centre, namespace) == before, 600)
    say(f"3 Clusters made and removed through {deaths} deaths of all operators")
    centre.kubectl("delete", "namespace", namespace, "--timeout=60s")


def test_up_survives_a_dozen_kills_at_random_moments(say: Callable[[str], None]) -> None:
    small, chance = Centre("tsoak"), random.Random(SEED)
    moments = [chance.uniform(1, 40) for _ in range(KILLS)]
    try:
        for moment in moments:
            with subprocess.Popen(
                [*small.command("up"), "--hosts", "2"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            ) as process:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(moment)
                process.kill()
        began = time.monotonic()
        small.homeostat("up", "--hosts", "2")
        assert small.status()["is_ready"] is True
        say(f"after {KILLS} kills of `up`, the next one ends well after {time.monotonic() - began:.0f} s")
        prefix = small.inner.plan.range.removesuffix("0.0/16")
    finally:
        small.homeostat("down")
    assert traces(small, prefix) == []


def ready(centre: Centre, namespace: str) -> set[str]:
    found = set()
    for one in centre.get("clusters", "-n", namespace)["items"]:
        conditions = one.get("status", {}).get("conditions", [])
        if any(each["type"] == "Ready" and each["status"] == "True" for each in conditions):
            found.add(one["metadata"]["name"])
    return found
