"""A business cluster on real hosts moves between patches and minors; what it served and stored is asked of itself."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.support.business import create, homeostat
from tests.support.datacentre import Centre, eventually

pytestmark = pytest.mark.real

NAMESPACE, NAME = "real-versions", "mover"
FIRST, PATCH, MINOR = "v1.34.3", "v1.34.4", "v1.35.4"


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


def test_a_minor_upgrade_stores_what_the_older_version_did_until_it_is_left(
    mover: Centre, move: Callable[[str], None]
) -> None:
    move(PATCH)
    assert served(mover)["gitVersion"] == PATCH
    before = storage(mover)
    move(MINOR)
    told = served(mover)
    assert (told["gitVersion"], told["emulationMinor"], told["minCompatibilityMinor"]) == (MINOR, "34", "33")
    assert storage(mover) == before
    eventually(lambda: status(mover)["kubernetesVersion"] == f"v1.34.0+{MINOR}", within_s=70)
    (way,) = [each for each in status(mover)["rollback"] if each["packageVersion"] == PATCH]
    assert (way["possible"], way["keepsData"]) == (True, True)
    mover.business(NAME, "create", "namespace", "made-by-the-newer", namespace=NAMESPACE)
    move(PATCH)
    names = mover.business(NAME, "get", "namespaces", "-o", "name", namespace=NAMESPACE)
    assert "made-by-the-newer" in names
    assert storage(mover) == before


@pytest.mark.soak  # the move between patches up is part of the test above
def test_a_patch_is_left_for_the_one_before(mover: Centre, move: Callable[[str], None]) -> None:
    move(PATCH)
    move(FIRST)
    assert served(mover)["gitVersion"] == FIRST
