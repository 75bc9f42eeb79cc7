"""Restores on real hosts: write, snapshot, destroy, restore, read."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.support.business import create, declare, homeostat, wait_ready
from tests.support.datacentre import Centre

pytestmark = pytest.mark.real

NAMESPACE = "real-restore"


@pytest.fixture
def namespace(centre: Centre) -> Iterator[str]:
    """A namespace of the test's own."""
    centre.kubectl("create", "namespace", NAMESPACE)
    yield NAMESPACE
    centre.kubectl("delete", "clusters", "--all", "-n", NAMESPACE, "--timeout=120s")
    centre.kubectl("delete", "namespace", NAMESPACE, "--timeout=60s")


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Print a figure past pytest's capture."""

    def tell(line: str) -> None:
        with capsys.disabled():
            print(f"\nmeasured: {line}")  # noqa: T201  (figures for the docs)

    return tell


def write(centre: Centre, cluster: str, name: str) -> None:
    centre.business(cluster, "create", "configmap", name, "--from-literal=word=elephant", namespace=NAMESPACE)
    centre.business(cluster, "create", "secret", "generic", name, "--from-literal=word=mouse", namespace=NAMESPACE)


def read(centre: Centre, cluster: str) -> dict[str, str]:
    """The word of every object that a test wrote, by kind and name."""
    found = centre.business(cluster, "get", "configmaps,secrets", "-o", "json", namespace=NAMESPACE)
    items = json.loads(found)["items"]
    return {
        f"{one['kind']}/{one['metadata']['name']}": one["data"]["word"]
        for one in items
        if "word" in one.get("data", {})
    }


def written(name: str) -> dict[str, str]:
    return {f"ConfigMap/{name}": "elephant", f"Secret/{name}": "bW91c2U="}


def revision(centre: Centre, cluster: str) -> int:
    found = json.loads(centre.business(cluster, "get", "--raw", "/api/v1/configmaps", namespace=NAMESPACE))
    return int(found["metadata"]["resourceVersion"])


def snapshot(centre: Centre, cluster: str) -> str:
    """Take one; its id."""
    homeostat(centre, "backup", "cluster", cluster, "-n", NAMESPACE, "--wait", "--timeout", "2m")
    return str(status(centre, cluster)["backup"]["last"]["id"])


def status(centre: Centre, cluster: str) -> dict[str, Any]:
    return dict(centre.get("cluster", cluster, "-n", NAMESPACE).get("status", {}))


def stage(centre: Centre, cluster: str) -> str:
    return str(status(centre, cluster).get("restore", {}).get("stage", ""))


def test_a_deleted_cluster_is_declared_anew_with_its_data_and_its_keys(
    centre: Centre, namespace: str, say: Callable[[str], None]
) -> None:
    create(centre, namespace, "phoenix")
    write(centre, "phoenix", "before")
    taken = snapshot(centre, "phoenix")
    write(centre, "phoenix", "after")
    last = revision(centre, "phoenix")
    uid = centre.get("cluster", "phoenix", "-n", namespace)["metadata"]["uid"]
    keys = centre.get("secret", "phoenix-pki", "-n", namespace)
    kept = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "kept"}, "data": keys["data"]}
    centre.kubectl("apply", "-n", namespace, "-f", "-", stdin=json.dumps(kept))
    centre.kubectl("delete", "cluster", "phoenix", "-n", namespace, "--timeout=120s")
    former = {"namespace": namespace, "name": "phoenix", "uid": uid}
    began = time.monotonic()
    declare(centre, namespace, "phoenix", restoreFrom={"snapshot": taken, "cluster": former, "keysFrom": "kept"})
    wait_ready(centre, namespace, "phoenix")
    say(f"a deleted cluster is Ready with its data {time.monotonic() - began:.0f} s after its declaration")
    assert read(centre, "phoenix") == written("before")
    assert revision(centre, "phoenix") > last
    assert stage(centre, "phoenix") == "Done"
    assert centre.get("secret", "phoenix-pki", "-n", namespace)["data"] == keys["data"]
