"""Snapshots of a business cluster on real hosts: by the command line, and before an upgrade."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyrage
import pytest
from tests.support.business import READY_S, create, declare, homeostat, wait_ready
from tests.support.datacentre import Centre, eventually
from tests.support.real import require

pytestmark = pytest.mark.real

LATEST_S = 130  # that a snapshot of every minute may come after the one before


@pytest.fixture
def namespace(centre: Centre) -> Iterator[str]:
    """A namespace of the test's own."""
    name = "real-backups"
    centre.kubectl("create", "namespace", name)
    yield name
    centre.kubectl("delete", "clusters", "--all", "-n", name, "--timeout=120s")
    centre.kubectl("delete", "namespace", name, "--timeout=60s")


def stored(centre: Centre, namespace: str, cluster: str) -> dict[str, Path]:
    """The files of a cluster's snapshots by their ids."""
    files = (centre.inner.snapshots / namespace / cluster).glob("*/*/snapshot.age")
    return {file.parent.name: file for file in files}


def test_a_snapshot_is_taken_on_request_and_ordinary_tools_read_it(
    centre: Centre, namespace: str, tmp_path: Path
) -> None:
    create(centre, namespace, "saved")
    centre.business("saved", "create", "configmap", "memory", "--from-literal=word=elephant", namespace=namespace)
    done = homeostat(centre, "backup", "cluster", "saved", "-n", namespace, "--wait", "--timeout", "2m")
    listed = homeostat(centre, "snapshots", "cluster", "saved", "-n", namespace, "-o", "name").stdout.split()
    assert listed[0] in done.stdout
    file = stored(centre, namespace, "saved")[listed[0]]
    (key,) = centre.inner.snapshot_keys.iterdir()
    identity = pyrage.x25519.Identity.from_str(key.read_text().strip())
    plain = pyrage.decrypt(file.read_bytes(), [identity])
    assert b"elephant" in plain
    assert b"elephant" not in file.read_bytes()
    (tmp_path / "etcd.db").write_bytes(plain)
    status = [str(require("etcdutl")), "snapshot", "status", str(tmp_path / "etcd.db"), "-w", "json"]
    said = json.loads(subprocess.run(status, check=True, capture_output=True).stdout)
    assert said["revision"] == centre.get("cluster", "saved", "-n", namespace)["status"]["backup"]["last"]["revision"]


def test_before_an_upgrade_a_snapshot_is_taken_and_named(centre: Centre, namespace: str) -> None:
    declare(centre, namespace, "moved", packageVersion="v1.34.4", backup={"paused": True})
    wait_ready(centre, namespace, "moved")
    homeostat(centre, "upgrade", "cluster", "moved", "-n", namespace, "--to", "v1.35.4")

    def named() -> str:
        upgrade = centre.get("cluster", "moved", "-n", namespace)["status"].get("upgrade", {})
        return str(upgrade.get("snapshot", ""))

    assert eventually(named, within_s=READY_S) in stored(centre, namespace, "moved")
    wait_ready(centre, namespace, "moved")


@pytest.mark.soak  # the shortest period is a minute
def test_snapshots_come_by_the_clock_the_oldest_go_and_one_that_a_restore_waits_for_stays(
    centre: Centre, namespace: str, say: Callable[[str], None]
) -> None:
    keep = {"last": 2, "daily": 0, "weekly": 0}
    create(centre, namespace, "clocked", backup={"everySeconds": 60, "keep": keep})
    began = time.monotonic()
    (wanted,) = eventually(lambda: stored(centre, namespace, "clocked"), within_s=LATEST_S)
    meta = centre.get("cluster", "clocked", "-n", namespace)["metadata"]
    owner = {"namespace": namespace, "name": "clocked", "uid": meta["uid"]}
    declare(centre, namespace, "waiting", paused=True, restoreFrom={"snapshot": wanted, "cluster": owner})
    seen = {wanted}

    def taken(count: int) -> bool:
        """Whether so many came; they come and go, so all that are seen are remembered."""
        seen.update(stored(centre, namespace, "clocked"))
        return len(seen) >= count

    eventually(lambda: taken(4), within_s=3 * LATEST_S)
    say(f"four snapshots by the clock of a minute after {time.monotonic() - began:.0f} s")
    oldest = sorted(seen)
    eventually(lambda: set(stored(centre, namespace, "clocked")) == {wanted, *sorted(seen)[-2:]}, within_s=LATEST_S)
    assert oldest[0] == wanted
    centre.kubectl("delete", "cluster", "waiting", "-n", namespace, "--timeout=60s")
    eventually(lambda: wanted not in stored(centre, namespace, "clocked"), within_s=LATEST_S)
    assert len(stored(centre, namespace, "clocked")) in (2, 3)  # another one may just have come
    last = centre.get("cluster", "clocked", "-n", namespace)["status"]["backup"]["last"]
    assert last["because"] == "Schedule"
