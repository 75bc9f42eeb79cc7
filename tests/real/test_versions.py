"""A business cluster on real hosts moves between patches and minors; what it served and stored is asked of itself."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml
from tests.support.business import EXAMPLES, create, homeostat, wait_ready
from tests.support.datacentre import Centre, eventually
from tests.support.dying import Births
from tests.support.masters import Masters, Whole
from tests.support.workers import joined

pytestmark = pytest.mark.real

NAMESPACE, NAME = "real-versions", "mover"
FIRST, PATCH, MINOR = "v1.34.3", "v1.34.4", "v1.35.4"
SERVER, MANAGER, SCHEDULER = "kube-apiserver", "kube-controller-manager", "kube-scheduler"
COMPONENTS = ("etcd", SERVER, MANAGER, SCHEDULER)
PAUSED_S = 15


@pytest.fixture(scope="module")
def mover(centre: Centre) -> Iterator[Centre]:
    """A data centre with a cluster of the first patch in it, that holds something."""
    centre.kubectl("create", "namespace", NAMESPACE)
    create(centre, NAMESPACE, NAME, packageVersion=FIRST, upgradePolicy={"finishEmulation": "Manual"})
    centre.business(NAME, "create", "namespace", "memory", namespace=NAMESPACE)
    yield centre
    centre.kubectl("delete", "clusters", "--all", "-n", NAMESPACE, "--timeout=120s")
    centre.kubectl("delete", "namespace", NAMESPACE, "--timeout=60s")


@pytest.fixture
def move(mover: Centre, capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Move the cluster, and tell how long it took."""

    def to(version: str) -> None:
        began = time.monotonic()
        homeostat(mover, "upgrade", "cluster", NAME, "-n", NAMESPACE, "--to", version, "--wait")
        with capsys.disabled():
            print(f"\nmeasured: single cluster to {version}: {time.monotonic() - began:.0f} s")  # noqa: T201
        assert "memory" in mover.business(NAME, "get", "namespaces", "-o", "name", namespace=NAMESPACE)

    return to


def served(centre: Centre) -> dict[str, str]:
    found: dict[str, str] = json.loads(centre.business(NAME, "get", "--raw", "/version", namespace=NAMESPACE))
    return found


def status(centre: Centre) -> dict[str, Any]:
    found: dict[str, Any] = centre.get("cluster", NAME, "-n", NAMESPACE)["status"]
    return found


def storage(centre: Centre) -> dict[str, str]:
    """Which version each resource is stored in, as the API server tells it by a hash."""
    groups = json.loads(centre.business(NAME, "get", "--raw", "/apis", namespace=NAMESPACE))["groups"]
    paths = ["/api/v1", *(f"/apis/{each['preferredVersion']['groupVersion']}" for each in groups)]
    lists = (json.loads(centre.business(NAME, "get", "--raw", path, namespace=NAMESPACE)) for path in paths)
    return {
        f"{each['groupVersion']}/{one['name']}": one.get("storageVersionHash", "")
        for each in lists
        for one in each["resources"]
        if "/" not in one["name"]
    }


def test_a_minor_is_entered_and_left_as_kubelets_allow_and_stores_what_the_older_one_did(
    mover: Centre, move: Callable[[str], None], say: Callable[[str], None]
) -> None:
    move(PATCH)
    assert served(mover)["gitVersion"] == PATCH
    masters, before = Masters(mover, NAMESPACE, NAME), storage(mover)
    with joined(masters, "v1.31.14") as worker:
        wish(masters, MINOR)
        told = eventually(lambda: refused(masters), within_s=60)
        assert "kubelets of 1.31, more than 3 minor versions behind 1.35; move them on first" in told
        worker.become(PATCH)
        wish(masters, PATCH)
        wish(masters, MINOR)
        eventually(lambda: status(mover)["packageVersion"] == MINOR, within_s=240)
        told = served(mover)
        assert (told["gitVersion"], told["emulationMinor"], told["minCompatibilityMinor"]) == (MINOR, "34", "33")
        assert storage(mover) == before
        eventually(lambda: status(mover)["kubernetesVersion"] == f"v1.34.0+{MINOR}", within_s=70)
        way = ways_back(masters)[PATCH]
        assert (way["possible"], way["keepsData"]) == (True, True)
        mover.business(NAME, "create", "namespace", "made-by-the-newer", namespace=NAMESPACE)
        worker.become(MINOR)
        wish(masters, PATCH)
        told = eventually(lambda: refused(masters), within_s=60)
        assert "kubelets of 1.35, which must not be newer than the API server; move them back first" in told
        way = ways_back(masters)[PATCH]
        assert (way.get("possible", False), way["reason"] in told) == (False, True)
        assert images(masters, SERVER) == {MINOR}
        gone = time.monotonic()
    eventually(lambda: status(mover)["packageVersion"] == PATCH, within_s=300)
    say(f"a rollback that a kubelet forbids is complete {time.monotonic() - gone:.0f} s after its Node is gone")
    names = mover.business(NAME, "get", "namespaces", "-o", "name", namespace=NAMESPACE)
    assert "made-by-the-newer" in names
    assert storage(mover) == before


def wish(masters: Masters, version: str) -> None:
    """Declare a package version, whatever is known against it: the command line would not."""
    masters.patch(f'{{"packageVersion": "{version}"}}')


def ways_back(masters: Masters) -> dict[str, Whole]:
    """What is told of going back, by package version."""
    return {each["packageVersion"]: each for each in masters.status()["rollback"]}


@pytest.mark.soak  # it begins with a minor upgrade, which the test above shows
def test_two_minors_back_are_refused_with_the_way_to_take_and_nothing_is_touched(
    mover: Centre, move: Callable[[str], None]
) -> None:
    move(PATCH)
    move(MINOR)
    far = older(PATCH, "v1.33.11")
    mover.kubectl("apply", "-f", "-", stdin=json.dumps(far))
    masters = Masters(mover, NAMESPACE, NAME)
    before = births(masters)
    masters.patch('{"packageVersion": "v1.33.11"}')
    told = eventually(lambda: refused(masters), within_s=60)
    assert "1.35 -> 1.34 -> 1.33; declare a package version of 1.34 first" in told
    assert births(masters) == before
    (way,) = [each for each in masters.status()["rollback"] if each["packageVersion"] == "v1.33.11"]
    assert (way.get("possible", False), "one minor version at a time" in way["reason"]) == (False, True)
    masters.patch(f'{{"packageVersion": "{MINOR}"}}')
    eventually(lambda: masters.condition("Accepted")["status"] == "True", within_s=30)
    assert births(masters) == before
    mover.kubectl("delete", "cpv", "v1.33.11")


def older(name: str, version: str) -> Whole:
    """A package version of another version of Kubernetes, which nobody has."""
    package: Whole = yaml.safe_load((EXAMPLES / "packageversions" / f"{name}.yaml").read_text())
    package["metadata"]["name"] = package["spec"]["kubernetesVersion"] = version
    for part in package["spec"]["components"]:
        part["version"] = version if part["version"] == name else part["version"]
    return package


def refused(masters: Masters) -> str:
    """Why what is declared is not followed."""
    told = masters.condition("Accepted")
    return str(told["message"]) if told["reason"] == "UpgradeRefused" else ""


def births(masters: Masters) -> set[str]:
    """The uids of all masters."""
    return {pod["metadata"]["uid"] for each in COMPONENTS for pod in masters.pods(each)}


def images(masters: Masters, component: str) -> set[str]:
    """The versions that Pods of a component are made of."""
    return {pod["spec"]["containers"][0]["image"].rpartition(":")[2] for pod in masters.pods(component)}


@pytest.mark.soak  # it goes three ways, of which the test above goes one
def test_a_third_version_may_be_wished_in_the_middle_and_is_reached_by_the_shortest_way(
    mover: Centre, move: Callable[[str], None]
) -> None:
    move(PATCH)
    masters, before = Masters(mover, NAMESPACE, NAME), storage(mover)
    with Births(mover, NAMESPACE, NAME) as made:
        homeostat(mover, "upgrade", "cluster", NAME, "-n", NAMESPACE, "--to", MINOR)
        eventually(lambda: MINOR in images(masters, SERVER), within_s=90)
        move(FIRST)
        # Each of the two ways is tried.
        assert made.counted() == {SERVER: 2, "kube-apiserver-trial": 2, MANAGER: 1, SCHEDULER: 1}
    assert served(mover)["gitVersion"] == FIRST
    assert storage(mover) == before
    assert status(mover)["previousPackageVersion"] == PATCH


@pytest.mark.soak  # the same
def test_a_pause_in_the_middle_holds_before_the_next_master_until_it_ends(
    mover: Centre, move: Callable[[str], None], say: Callable[[str], None]
) -> None:
    move(FIRST)
    masters = Masters(mover, NAMESPACE, NAME)
    homeostat(mover, "upgrade", "cluster", NAME, "-n", NAMESPACE, "--to", PATCH)
    eventually(lambda: PATCH in images(masters, SERVER), within_s=90)
    homeostat(mover, "pause", "cluster", NAME, "-n", NAMESPACE)
    # What was under way ends well: the Deployment's controller has all that it needs.
    eventually(lambda: images(masters, SERVER) == {PATCH} and len(masters.ready(SERVER)) == 1, within_s=60)
    eventually(lambda: masters.condition("UpToDate")["reason"] == "Paused", within_s=10)
    held, until = births(masters), time.monotonic() + PAUSED_S
    while time.monotonic() < until:
        assert births(masters) == held
    assert (images(masters, MANAGER), images(masters, SCHEDULER)) == ({FIRST}, {FIRST})
    assert status(mover)["upgrade"]["component"] == SERVER
    resumed = time.monotonic()
    homeostat(mover, "resume", "cluster", NAME, "-n", NAMESPACE)
    eventually(lambda: status(mover)["packageVersion"] == PATCH, within_s=120)
    say(f"an upgrade paused after the API server is complete {time.monotonic() - resumed:.0f} s after the pause")
    assert (images(masters, MANAGER), images(masters, SCHEDULER)) == ({PATCH}, {PATCH})
    assert "memory" in mover.business(NAME, "get", "namespaces", "-o", "name", namespace=NAMESPACE)


@pytest.mark.soak  # tests/contract/operators/test_upgrade.py shows it without hosts
def test_a_broken_version_is_left_for_a_person_who_sets_the_spec_back_and_no_master_that_serves_is_touched(
    mover: Centre, move: Callable[[str], None], say: Callable[[str], None]
) -> None:
    move(PATCH)
    masters, before = Masters(mover, NAMESPACE, NAME), births(Masters(mover, NAMESPACE, NAME))
    broken = older(PATCH, PATCH)
    broken["metadata"]["name"] = "broken"
    (server,) = [each for each in broken["spec"]["components"] if each["name"] == SERVER]
    server["args"]["no-such-flag"] = "true"
    mover.kubectl("apply", "-f", "-", stdin=json.dumps(broken))
    try:
        masters.patch(json.dumps({"upgradePolicy": {"onFailure": "Pause", "stepTimeoutSeconds": 30}}))
        wish(masters, "broken")
        eventually(lambda: masters.condition("UpToDate")["reason"] == "UpgradeFailed", within_s=150)
        assert f"set spec.packageVersion back to {PATCH}" in masters.condition("UpToDate")["message"]
        until = time.monotonic() + PAUSED_S
        while time.monotonic() < until:
            assert (births(masters), masters.condition("UpToDate")["reason"]) == (before, "UpgradeFailed")
        assert "memory" in mover.business(NAME, "get", "namespaces", "-o", "name", namespace=NAMESPACE)
        began = time.monotonic()
        wish(masters, PATCH)
        eventually(lambda: "upgrade" not in masters.status(), within_s=60)
        wait_ready(mover, NAMESPACE, NAME)
        say(f"a broken version that a person takes back is forgotten after {time.monotonic() - began:.0f} s")
        assert (births(masters), masters.condition("UpToDate")["reason"]) == (before, "AsDeclared")
        eventually(lambda: masters.pods("kube-apiserver-trial") == [], within_s=60)
    finally:
        wish(masters, PATCH)
        masters.patch('{"upgradePolicy": {"onFailure": null, "stepTimeoutSeconds": null}}')
    mover.kubectl("delete", "cpv", "broken")


@pytest.mark.soak  # the move between patches up is part of the test above
def test_a_patch_is_left_for_the_one_before(mover: Centre, move: Callable[[str], None]) -> None:
    move(PATCH)
    move(FIRST)
    assert served(mover)["gitVersion"] == FIRST
