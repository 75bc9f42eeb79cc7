"""What takes long: many clusters at once, and dying again and again. Run by `make soak`; figures are in the docs."""

from __future__ import annotations

import contextlib
import os
import random
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Self

import pytest
from tests.support.business import content, declare, declared, homeostat
from tests.support.datacentre import Centre, eventually, traces

pytestmark = [pytest.mark.real, pytest.mark.soak]

SEED = 20261123
CLUSTERS = int(os.environ.get("HOMEOSTAT_SOAK_CLUSTERS", "30"))  # another number looks for the limit of a machine
MOST_CLUSTERS = 80  # what 110 Pods on each of three hosts leave room for
SMALL = "v1.35.4-small"
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
    with Watch() as watch:
        began = time.monotonic()
        homeostat(centre, "apply", "-n", namespace, "-f", "-", stdin=clusters)

        def are_ready() -> bool:
            watch.add(endpoints(centre, namespace))
            return ready(centre, namespace) == {"one", *names}

        eventually(are_ready, within_s=40 * CLUSTERS, every_s=2)
        together_s = time.monotonic() - began
        watch.add(endpoints(centre, namespace))
        until = time.monotonic() + 30
        eventually(lambda: time.monotonic() > until, within_s=31)  # they stay so
    say(f"{CLUSTERS} Clusters declared at once are Ready after {together_s:.0f} s, one alone after {alone_s:.0f} s")
    answered = f"answered {watch.answered} of {watch.asked} times, each from its first answer on"
    say(f"API servers {answered}; the slowest answer took {watch.slowest_s:.1f} s")
    assert len(endpoints(centre, namespace)) == CLUSTERS + 1
    assert restarts(centre, namespace) == {}
    assert watch.asked - watch.answered <= watch.asked // 1000
    began = time.monotonic()
    centre.kubectl("delete", "clusters", "--all", "-n", namespace, "--wait=false")
    eventually(lambda: content(centre, namespace) == before, within_s=600, every_s=2)
    say(f"{CLUSTERS + 1} Clusters deleted at once are gone after {time.monotonic() - began:.0f} s")
    centre.kubectl("delete", "namespace", namespace, "--timeout=60s")


class Watch:
    """Asks every endpoint every second from its first answer on."""

    def __init__(self) -> None:
        self.asked = self.answered = 0
        self.slowest_s = 0.0
        self._hosts: set[str] = set()
        self._known: set[str] = set()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._end.set()
        self._thread.join()

    def add(self, hosts: set[str]) -> None:
        self._hosts = self._hosts | hosts

    def _run(self) -> None:
        with ThreadPoolExecutor(8) as pool:
            while not self._end.wait(1):
                hosts = sorted(self._hosts)
                for host, (is_well, took_s) in zip(hosts, pool.map(asked, hosts), strict=True):
                    if host in self._known:
                        self.asked += 1
                        self.answered += is_well
                        self.slowest_s = max(self.slowest_s, took_s)
                    elif is_well:
                        self._known.add(host)


def asked(host: str) -> tuple[bool, float]:
    """Whether an API server says that it is ready, to anybody, and how long that took."""
    began = time.monotonic()
    try:
        with urllib.request.urlopen(f"https://{host}:6443/readyz", timeout=5, context=ANYBODY) as answer:
            is_well = int(answer.status) == 200
    except urllib.error.HTTPError as error:
        is_well = error.code in (401, 403)  # it knows that it does not know us
    except OSError:
        is_well = False
    return is_well, time.monotonic() - began


def anybody() -> ssl.SSLContext:
    """TLS that trusts whoever answers; made once, for that costs more than a question."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


ANYBODY = anybody()


def endpoints(centre: Centre, namespace: str) -> set[str]:
    """Of the Clusters that are Ready."""
    items = centre.get("clusters", "-n", namespace)["items"]
    return {one["status"]["endpoint"]["host"] for one in items if one["status"].get("readyAt")}


def restarts(centre: Centre, namespace: str) -> dict[str, int]:
    """Pods whose containers were started again, and how often."""
    found = {}
    for one in centre.get("pods", "-n", namespace)["items"]:
        times = sum(each["restartCount"] for each in one["status"].get("containerStatuses", []))
        if times:
            found[one["metadata"]["name"]] = times
    return found


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
