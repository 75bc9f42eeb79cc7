"""The store of snapshots on real hosts: what is wrong with it is told with what to do, and nothing else is harmed.

First the data centre's own directory, then a bucket: with the address of the store the operators are made anew.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator

import pytest
from tests.support.business import content, homeostat
from tests.support.datacentre import Centre, eventually
from tests.support.keeping import store_at
from tests.support.leading import Leader
from tests.support.masters import Masters, Whole, mounted_over, raised
from tests.support.s3 import S3Server, s3_serving

from homeostat.cli.exits import Exit

pytestmark = pytest.mark.real

NAMESPACE, NAME, COPY = "real-stores", "saved", "near"
OLD, NEW = "v1.34.4", "v1.35.4"
STORE = "/var/lib/homeostat/snapshots"  # where the operators have the directory
SMALL = "64k"  # as much as a probe needs, and less than a snapshot
RESTORED_S = 240
SLOW_S = 2.5  # an answer; some ten of them make a snapshot
Say = Callable[[str], None]


@pytest.fixture(scope="module")
def saved(centre: Centre) -> Iterator[Masters]:
    """A cluster that is well, with something in it."""
    with raised(centre, NAMESPACE, NAME, "cluster.yaml", packageVersion=OLD) as masters:
        write(masters, "before")
        yield masters


@pytest.fixture(scope="module")
def bucket(saved: Masters) -> Iterator[tuple[S3Server, str]]:
    """A bucket, which is the store of the data centre now; its server, and its name."""
    with s3_serving(saved.centre.inner.plan.gateway) as server:
        name = server.new_bucket()
        address = f"s3://{name}/cell?endpoint={server.endpoint}&region=us-east-1&style=path"
        with store_at(saved.centre, address, server.credentials):
            yield server, name


def write(masters: Masters, name: str) -> None:
    words = ("create", "configmap", name, "--from-literal=word=elephant")
    masters.centre.business(masters.name, *words, namespace=NAMESPACE)


def read(centre: Centre, cluster: str) -> list[str]:
    """The names of what was written."""
    found = json.loads(centre.business(cluster, "get", "configmaps", "-o", "json", namespace=NAMESPACE))["items"]
    return [one["metadata"]["name"] for one in found if one.get("data", {}).get("word") == "elephant"]


def backup(masters: Masters, *, check: bool = True) -> tuple[int, str]:
    """Ask for a snapshot and wait; how the command ended, and what it said in the end."""
    wish = ("backup", "cluster", NAME, "-n", NAMESPACE, "--wait", "--timeout", "3m")
    done = homeostat(masters.centre, *wish, check=check)
    return done.returncode, done.stderr


def is_told(masters: Masters, reason: str, *words: str) -> None:
    """A snapshot that is asked for fails for this reason, the asker and the Cluster hear it; else it is well."""
    before = masters.lives()
    code, said = backup(masters, check=False)
    told = masters.condition("BackedUp")
    assert (code == Exit.OK, told["status"], told["reason"]) == (False, "False", reason), said
    assert [word for word in words if word not in told["message"] or word not in said] == [], (told, said)
    assert masters.condition("Ready")["status"] == "True"
    assert masters.lives() == before


def is_saved_again(masters: Masters) -> None:
    """The next snapshot is taken, by the same operator."""
    backup(masters)
    assert masters.condition("BackedUp")["reason"] == "AsDeclared"


def test_a_directory_without_room_is_told_keeps_nothing_half_done_and_holds_back_an_upgrade(saved: Masters) -> None:
    leader, before = Leader(saved.centre), saved.lives()
    with mounted_over(saved.centre, leader.pod, STORE, SMALL) as files:
        remedy = "make room, raise the quota or keep fewer snapshots"
        is_told(saved, "StoreFull", f"directory {STORE}: No space left on device", remedy)
        assert files() == []
        saved.patch(json.dumps({"packageVersion": NEW}))
        try:
            told = eventually(lambda: up_to_date(saved, "UpgradeUnsecured"), within_s=60)
            assert "no snapshot could be taken before anything moves" in told["message"]
            assert remedy in told["message"]
        finally:
            saved.patch(json.dumps({"packageVersion": OLD}))
        eventually(lambda: up_to_date(saved, "AsDeclared"), within_s=30)
    assert saved.lives() == before
    is_saved_again(saved)


def up_to_date(masters: Masters, reason: str) -> Whole:
    """The condition UpToDate, once it has this reason."""
    told = masters.condition("UpToDate")
    return told if told["reason"] == reason else {}


def test_a_directory_that_is_not_there_is_told_and_not_made(saved: Masters) -> None:
    leader = Leader(saved.centre)
    with mounted_over(saved.centre, leader.pod, STORE.rpartition("/")[0], SMALL) as files:
        missing = f"directory {STORE}: No such file or directory"
        is_told(saved, "StoreWrong", missing, "mend the address of the store, or make the bucket or directory")
        assert files() == []
    is_saved_again(saved)
    assert Leader(saved.centre).pod["metadata"]["uid"] == leader.pod["metadata"]["uid"]


def test_a_cluster_is_copied_by_a_snapshot_in_a_bucket(saved: Masters, bucket: tuple[S3Server, str], say: Say) -> None:
    centre, (server, name) = saved.centre, bucket
    began = time.monotonic()
    backup(saved)
    took, taken = time.monotonic() - began, saved.status()["backup"]["last"]["id"]
    write(saved, "after")
    files = [each.name for each in server.objects(name, f"cell/{NAMESPACE}/{NAME}/") if taken in each.key]
    assert "snapshot.age" in files
    began = time.monotonic()
    wish = ("--snapshot", taken, "--into", COPY, "--wait", "--timeout", f"{RESTORED_S}s")
    homeostat(centre, "restore", "cluster", NAME, "-n", NAMESPACE, *wish)
    say(
        f"a snapshot is in a bucket after {took:.0f} s, and a copy of its cluster Ready"
        f" {time.monotonic() - began:.0f} s after its declaration"
    )
    assert (read(centre, COPY), sorted(read(centre, NAME))) == (["before"], ["after", "before"])
    homeostat(centre, "delete", "cluster", COPY, "-n", NAMESPACE, "--wait")


@pytest.mark.parametrize(
    ("reason", "status", "code", "remedy"),
    [
        ("StoreFull", 507, "XMinioStorageFull", "make room, raise the quota or keep fewer snapshots"),
        ("StoreRefused", 403, "InvalidAccessKeyId", "mend the credentials, or the rights to list, read, write and"),
        ("StoreWrong", 404, "NoSuchBucket", "mend the address of the store, or make the bucket or directory"),
    ],
)
def test_a_bucket_that_refuses_is_told_by_kind(
    saved: Masters, bucket: tuple[S3Server, str], reason: str, status: int, code: str, remedy: str
) -> None:
    server, name = bucket
    with server.mood.refusing(status, code):
        is_told(saved, reason, f"bucket {name}/cell at {server.endpoint}: {code} (HTTP {status})", remedy)
    is_saved_again(saved)


def test_a_bucket_that_does_not_answer_is_told_in_its_time_and_keeps_nothing_else_waiting(
    saved: Masters, bucket: tuple[S3Server, str], say: Say
) -> None:
    centre, (server, _) = saved.centre, bucket
    with server.mood.silent():
        began = time.monotonic()
        homeostat(centre, "backup", "cluster", NAME, "-n", NAMESPACE)
        for act in ("pause", "resume"):
            homeostat(centre, act, "cluster", NAME, "-n", NAMESPACE, "--wait", "--timeout", "30s")
        assert "taking" in saved.status()["backup"]
        told = eventually(lambda: failed(saved, "StoreUnreachable"), within_s=90)
        say(f"a store that does not answer is told after {time.monotonic() - began:.0f} s")
    assert "did not end within 50 s; look at the store and at the network to it; it is tried again" in told["message"]
    assert saved.condition("Ready")["status"] == "True"
    is_saved_again(saved)


def test_a_bucket_that_is_slow_makes_a_snapshot_late_and_nothing_else(
    saved: Masters, bucket: tuple[S3Server, str], say: Say
) -> None:
    server, _ = bucket
    before = saved.lives()
    with server.mood.slow(SLOW_S):
        began = time.monotonic()
        homeostat(saved.centre, "backup", "cluster", NAME, "-n", NAMESPACE)
        for act in ("pause", "resume"):
            homeostat(saved.centre, act, "cluster", NAME, "-n", NAMESPACE, "--wait", "--timeout", "10s")
        assert "taking" in saved.status()["backup"]
        eventually(lambda: "taking" not in saved.status()["backup"], within_s=120)
        took = time.monotonic() - began
        say(f"a snapshot in a store whose answers take {SLOW_S:g} s each is there after {took:.0f} s")
    told = saved.condition("BackedUp")
    assert (told["status"], told["reason"]) == ("True", "AsDeclared"), told
    assert saved.condition("Ready")["status"] == "True"
    assert saved.lives() == before


def failed(masters: Masters, reason: str) -> Whole:
    """The condition BackedUp, once it has this reason."""
    told = masters.condition("BackedUp")
    return told if told["reason"] == reason else {}


def test_a_cluster_that_is_deleted_in_the_middle_of_an_upgrade_leaves_its_snapshots_and_nothing_else(
    saved: Masters, bucket: tuple[S3Server, str]
) -> None:
    centre, (server, name) = saved.centre, bucket
    saved.patch(json.dumps({"packageVersion": NEW}))
    moving = eventually(lambda: saved.status().get("upgrade", {}).get("component"), within_s=60, every_s=0.1)
    assert moving
    homeostat(centre, "delete", "cluster", NAME, "-n", NAMESPACE, "--wait")
    assert content(centre, NAMESPACE) == {"ConfigMap/kube-root-ca.crt"}
    assert server.objects(name, f"cell/{NAMESPACE}/{NAME}/")
