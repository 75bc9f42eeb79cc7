"""A cell of two hosts, whose homeostat comes by Helm: what has no room there, and what may not be made anew at once."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Self

import pytest
from tests.support.business import create, declare, homeostat, wait_ready
from tests.support.datacentre import Centre, eventually
from tests.support.dying import HOME, OPERATORS
from tests.support.masters import Masters, Whole
from tests.support.real import require
from tests.support.tree import ROOT

from homeostat.local.machine import version

pytestmark = [pytest.mark.real, pytest.mark.soak]  # it raises a data centre of its own

NAMESPACE, NAMES = "real-narrow", ("ash", "elm", "fir")
SMALL = "v1.35.4-small"
CHART = ROOT / "deploy" / "chart" / "homeostat"
MADE = "pods,secrets,services,deployments,statefulsets,pvc"
STAY_S = 10
LEAST_ASKED = 4  # times, while the replicas are replaced one after the other
Say = Callable[[str], None]


@pytest.fixture(scope="module")
def narrow() -> Iterator[Centre]:
    """A data centre with hosts in two zones."""
    real = Centre(f"n{os.getpid()}")
    try:
        real.homeostat("up", "--hosts", "2")
        real.kubectl("create", "namespace", NAMESPACE)
        yield real
    finally:
        real.homeostat("down")


@pytest.fixture(scope="module")
def charted(narrow: Centre) -> Centre:
    """The same with a cluster in it, after Helm has taken homeostat over where the plain manifests had made it."""
    create(narrow, NAMESPACE, NAMES[0], packageVersion=SMALL)
    before = masters(narrow)
    with Asker(narrow) as asker:
        release(narrow, "--take-ownership")
        narrow.kubectl("rollout", "status", "deployment/homeostat", "-n", HOME, "--timeout=120s")
    assert asker.asked >= LEAST_ASKED
    assert asker.refused == []
    assert masters(narrow) == before
    return narrow


class Asker:
    """Has a change of a Cluster judged and not stored, again and again until the block ends: webhooks must answer."""

    def __init__(self, centre: Centre) -> None:
        self.asked, self.refused = 0, list[str]()
        self._centre, self._end = centre, threading.Event()
        self._thread = threading.Thread(target=self._run, name="asker")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join(60)

    def _run(self) -> None:
        where = ("-n", NAMESPACE, "--type=merge", "--dry-run=server", "-o", "name")
        while not self._end.wait(0.5):
            self.asked += 1
            wish = json.dumps({"spec": {"backup": {"keep": {"last": 1 + self.asked % 99}}}})
            try:
                self._centre.kubectl("patch", "cluster", NAMES[0], *where, "-p", wish)
            except (AssertionError, subprocess.SubprocessError) as error:
                self.refused.append(str(error))


def helm(centre: Centre, *words: str) -> str:
    """What helm printed, as the cell's administrator."""
    command = [str(require("helm")), "--kubeconfig", str(centre.inner.kubeconfig), "--namespace", HOME, *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, f"helm {' '.join(words)}: {done.stderr[-4000:]}"
    return done.stdout


def release(centre: Centre, *words: str, **values: Any) -> None:
    """Install the chart, or upgrade it, with these values, and wait until it is there.

    The manifests' fields stay kubectl's as well, so each upgrade has to say that it takes them.
    """
    given = [f"--set-json={name}={json.dumps(value)}" for name, value in {"image.tag": version(), **values}.items()]
    wish = ("--force-conflicts", "--wait", "--timeout", "120s")
    helm(centre, "upgrade", "--install", "homeostat", str(CHART), *given, *wish, *words)


def masters(centre: Centre) -> dict[str, tuple[str, list[int]]]:
    """The Pods of the first cluster, by uid and by how often their containers were started again."""
    pods = centre.get("pods", "-n", NAMESPACE, "-l", f"cluster.homeostat.dev/name={NAMES[0]}")["items"]
    return {
        one["metadata"]["name"]: (
            one["metadata"]["uid"],
            [each["restartCount"] for each in one["status"].get("containerStatuses", [])],
        )
        for one in pods
    }


def operators(centre: Centre) -> list[Whole]:
    """The Pods of homeostat that are ready."""
    pods = centre.get("pods", *OPERATORS)["items"]
    told = {pod["metadata"]["name"]: pod["status"].get("conditions", ()) for pod in pods}
    is_ready = {name: any((c["type"], c["status"]) == ("Ready", "True") for c in told[name]) for name in told}
    return [pod for pod in pods if is_ready[pod["metadata"]["name"]] and "deletionTimestamp" not in pod["metadata"]]


def test_a_cluster_that_asks_for_three_zones_says_how_many_there_are_and_nothing_of_it_is_stuck(narrow: Centre) -> None:
    declare(narrow, NAMESPACE, "tall", "cluster-ha.yaml")
    tall = Masters(narrow, NAMESPACE, "tall")

    def told() -> Whole:
        return next(each for each in tall.status()["conditions"] if each["type"] == "Accepted")

    eventually(lambda: told()["reason"] == "TooFewZones", within_s=60)
    assert "in 3 zones of the cell, found 2 (a, b)" in told()["message"]
    until = time.monotonic() + STAY_S
    while time.monotonic() < until:
        assert narrow.get(MADE, "-n", NAMESPACE, "-l", "cluster.homeostat.dev/name=tall")["items"] == []
    tall.patch('{"topology": "single"}')
    wait_ready(narrow, NAMESPACE, "tall")
    homeostat(narrow, "delete", "cluster", "tall", "-n", NAMESPACE, "--wait")


def test_helm_installs_and_upgrades_homeostat_beside_clusters_that_run_and_touches_no_master(
    charted: Centre, say: Say
) -> None:
    before, first = masters(charted), operators(charted)
    assert len({pod["spec"]["nodeName"] for pod in first}) == len(first) == 2
    create(charted, NAMESPACE, NAMES[1], packageVersion=SMALL)
    began = time.monotonic()
    release(charted, args=["--max-rolling=1", "--max-creating=4"], resources={"limits": {"memory": "768Mi"}})
    say(f"the chart is upgraded after {time.monotonic() - began:.0f} s")
    eventually(lambda: len(operators(charted)) == 2, within_s=60)
    assert uids(first).isdisjoint(uids(operators(charted)))
    assert all("--max-rolling=1" in pod["spec"]["containers"][0]["command"] for pod in operators(charted))
    create(charted, NAMESPACE, NAMES[2], packageVersion=SMALL)
    assert [each["revision"] for each in json.loads(helm(charted, "history", "homeostat", "-o", "json"))] == [1, 2]
    assert masters(charted) == before


def uids(pods: list[Whole]) -> set[str]:
    return {pod["metadata"]["uid"] for pod in pods}


def test_no_more_clusters_than_may_are_made_anew_at_once(charted: Centre, say: Say) -> None:
    centre = charted
    release(centre, args=["--max-rolling=1"])
    for name in NAMES:
        create(centre, NAMESPACE, name, packageVersion=SMALL)
    most = 0

    def are_there() -> bool:
        nonlocal most
        clusters = {one["metadata"]["name"]: one["status"] for one in centre.get("clusters", "-n", NAMESPACE)["items"]}
        most = max(most, sum("rollingSince" in each for each in clusters.values()))
        return all(each.get("auditLevel") == "Request" for each in clusters.values())

    began = time.monotonic()
    for name in NAMES:
        Masters(centre, NAMESPACE, name).patch('{"audit": {"level": "Request"}}')
    eventually(are_there, within_s=400, every_s=0.2)
    say(f"three clusters, of which one at once may be made anew, are all there after {time.monotonic() - began:.0f} s")
    for name in NAMES:
        wait_ready(centre, NAMESPACE, name)
    assert most == 1
