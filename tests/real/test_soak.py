"""What takes long: many clusters at once, and dying again and again. Run by `make soak`; figures are in the docs."""

from __future__ import annotations

import contextlib
import os
import random
import subprocess
import time
from collections.abc import Callable

import pytest
from tests.support.business import content, declare, declared, homeostat
from tests.support.crowd import Items, Sights, Watch
from tests.support.datacentre import Centre, eventually, traces

pytestmark = [pytest.mark.real, pytest.mark.soak]

SEED = 20261123
CLUSTERS = int(os.environ.get("HOMEOSTAT_SOAK_CLUSTERS", "30"))  # another number looks for the limit of a machine
MOST_CLUSTERS = 80  # what 110 Pods on each of three hosts leave room for
SMALL = "v1.35.4-small"
MASTERS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
STAY_S = 30  # Ready
KILLS = 12


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Print a figure past pytest's capture."""

    def tell(line: str) -> None:
        with capsys.disabled():
            print(f"\nsoak: {line}")  # noqa: T201  (figures for the docs)

    return tell


def test_thirty_clusters_at_once_become_ready_without_a_restart_and_go(
    centre: Centre, say: Callable[[str], None]
) -> None:
    assert 0 < CLUSTERS <= MOST_CLUSTERS, f"HOMEOSTAT_SOAK_CLUSTERS: expected 1 to {MOST_CLUSTERS}, found {CLUSTERS}"
    namespace = "soak-many"
    centre.kubectl("create", "namespace", namespace)
    before = content(centre, namespace)
    began = time.monotonic()
    declare(centre, namespace, "one", packageVersion=SMALL)
    eventually(lambda: ready(centre, namespace) == {"one"}, within_s=180)
    alone_s = time.monotonic() - began
    names = {f"many-{number:02}" for number in range(CLUSTERS)}
    clusters = "\n---\n".join(declared(name, packageVersion=SMALL) for name in sorted(names))
    sights = Sights(centre, namespace)
    with Watch() as watch:
        began = time.monotonic()
        homeostat(centre, "apply", "-n", namespace, "-f", "-", stdin=clusters)

        def are_ready() -> bool:
            seen = sights.look()
            watch.add(endpoints(seen))
            return are_true(seen) == {"one", *names}

        eventually(are_ready, within_s=40 * CLUSTERS, every_s=2)
        together_s = time.monotonic() - began
        until = time.monotonic() + STAY_S
        eventually(lambda: are_ready() and time.monotonic() > until, within_s=2 * STAY_S, every_s=2)
    say(f"{CLUSTERS} Clusters declared at once are Ready after {together_s:.0f} s, one alone after {alone_s:.0f} s")
    say(watch.told())
    assert len(watch.by) == CLUSTERS + 1
    assert watch.neglected == {}
    assert sights.masters() == {(cluster, component) for cluster in {"one", *names} for component in MASTERS}
    assert sights.hurt() == {}
    assert watch.asked - watch.answered <= watch.asked // 1000
    began = time.monotonic()
    centre.kubectl("delete", "clusters", "--all", "-n", namespace, "--wait=false")
    eventually(lambda: content(centre, namespace) == before, within_s=600, every_s=2)
    say(f"{CLUSTERS + 1} Clusters deleted at once are gone after {time.monotonic() - began:.0f} s")
    centre.kubectl("delete", "namespace", namespace, "--timeout=60s")


def endpoints(clusters: Items) -> set[str]:
    """Of the Clusters that were Ready."""
    return {one["status"]["endpoint"]["host"] for one in clusters if one.get("status", {}).get("readyAt")}


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
    return are_true(centre.get("clusters", "-n", namespace)["items"])


def are_true(clusters: Items) -> set[str]:
    """By name, the Clusters that are Ready."""
    found = set()
    for one in clusters:
        conditions = one.get("status", {}).get("conditions", [])
        if any(each["type"] == "Ready" and each["status"] == "True" for each in conditions):
            found.add(one["metadata"]["name"])
    return found
