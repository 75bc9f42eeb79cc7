"""Restores on real hosts: write, snapshot, destroy, restore, read; of a deleted cluster, and of a lost quorum."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from tests.support.business import create, declare, homeostat, wait_ready
from tests.support.datacentre import Centre, eventually, on_host
from tests.support.masters import Masters
from tests.support.spoiling import changed, database, garbled

pytestmark = pytest.mark.real

NAMESPACE = "real-restore"
TOLD_S, RESTORED_S = 150, 240
TRUE, LIES = "what-was-written", {"torn-etcd-0": "what-was-not-so!", "torn-etcd-1": "nor-was-this-so!"}
OTHER = "20260304T050607Z-r4711"


@pytest.fixture
def namespace(centre: Centre) -> Iterator[str]:
    """A namespace of the test's own."""
    centre.kubectl("create", "namespace", NAMESPACE)
    yield NAMESPACE
    centre.kubectl("delete", "clusters", "--all", "-n", NAMESPACE, "--timeout=120s")
    centre.kubectl("delete", "namespace", NAMESPACE, "--timeout=60s")


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


def volume(centre: Centre, member: str) -> tuple[str, str]:
    """The host of a member, and where its volume lies there."""
    pod = centre.get("pod", member, "-n", NAMESPACE)
    return pod["spec"]["nodeName"], Masters(centre, NAMESPACE, member.rpartition("-etcd-")[0]).directory(pod)


def test_a_cluster_is_copied_then_deleted_and_declared_anew_with_its_data_and_its_keys(
    centre: Centre, namespace: str, say: Callable[[str], None]
) -> None:
    create(centre, namespace, "phoenix")
    write(centre, "phoenix", "before")
    taken = snapshot(centre, "phoenix")
    write(centre, "phoenix", "after")
    last = revision(centre, "phoenix")
    began = time.monotonic()
    wish = ("--snapshot", taken, "--into", "twin", "--wait", "--timeout", f"{RESTORED_S}s")
    homeostat(centre, "restore", "cluster", "phoenix", "-n", namespace, *wish)
    say(f"a copy of a cluster from its snapshot is Ready {time.monotonic() - began:.0f} s after its declaration")
    assert read(centre, "twin") == written("before")
    assert read(centre, "phoenix") == {**written("before"), **written("after")}
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


def test_a_lost_quorum_is_restored_after_the_approval_of_its_snapshot(
    centre: Centre, namespace: str, say: Callable[[str], None]
) -> None:
    create(centre, namespace, "tall", "cluster-ha.yaml", healing={"replaceMemberAfterSeconds": 30})
    write(centre, "tall", "before")
    taken = snapshot(centre, "tall")
    write(centre, "tall", "after")
    last = revision(centre, "tall")
    lost = time.monotonic()
    for member in ("tall-etcd-1", "tall-etcd-2"):
        host, directory = volume(centre, member)
        on_host(centre, host, garbled(database(directory)))
        centre.kubectl("delete", "pod", member, "-n", namespace, "--grace-period=1", "--wait=false")
    loss = eventually(lambda: status(centre, "tall").get("quorumLoss", {}).get("newestSnapshot"), within_s=TOLD_S)
    told = time.monotonic()
    assert loss == taken
    (told_of,) = (each for each in status(centre, "tall")["conditions"] if each["type"] == "EtcdReady")
    assert told_of["reason"] == "QuorumLost"
    assert re.search(r"what was written in the \d+:\d\d:\d\d before the loss is then gone for good", told_of["message"])
    assert f"set spec.healing.approveRestore to {taken}" in told_of["message"]
    assert stage(centre, "tall") == ""
    wish = ("--snapshot", taken, "--wait", "--timeout", f"{RESTORED_S}s")
    homeostat(centre, "restore", "cluster", "tall", "-n", namespace, *wish)
    restored = time.monotonic()
    assert stage(centre, "tall") == "Done"
    say(f"a lost quorum is told after {told - lost:.0f} s, and restored {restored - told:.0f} s after its approval")
    wait_ready(centre, namespace, "tall")
    assert read(centre, "tall") == written("before")
    assert revision(centre, "tall") > last + 900_000_000
    host, directory = volume(centre, "tall-etcd-1")
    assert f"data.before-1-{taken}" in on_host(centre, host, f"ls {directory}").split()
    assert "quorumLoss" not in status(centre, "tall")


@pytest.mark.soak  # the quorum of three is lost and restored above
def test_a_single_member_with_corrupt_data_waits_for_an_approval_which_is_dropped_when_the_data_comes_back(
    centre: Centre, namespace: str, say: Callable[[str], None]
) -> None:
    create(centre, namespace, "lone", healing={"replaceMemberAfterSeconds": 30})
    write(centre, "lone", "before")
    taken = snapshot(centre, "lone")
    write(centre, "lone", "after")
    host, directory = volume(centre, "lone-etcd-0")
    file = database(directory)
    on_host(centre, host, f"ln {file} {file}.kept && {garbled(file)}")
    again = ("delete", "pod", "lone-etcd-0", "-n", namespace, "--grace-period=1")
    centre.kubectl(*again)
    lost = time.monotonic()
    eventually(lambda: status(centre, "lone").get("quorumLoss", {}).get("newestSnapshot") == taken, within_s=TOLD_S)
    told = time.monotonic()
    assert stage(centre, "lone") == ""
    with reversed_copy(centre, namespace, "lone", taken):
        centre.kubectl("patch", "cluster", "lone", "-n", namespace, "--type=merge", "-p", approval(taken))
        eventually(lambda: stage(centre, "lone") == "Fetching", within_s=30)
        on_host(centre, host, f"mv {file}.kept {file}")
        centre.kubectl(*again)
        eventually(lambda: stage(centre, "lone") == "Dropped", within_s=90)
    dropped = time.monotonic()
    assert "quorum again" in status(centre, "lone")["restore"]["droppedBecause"]
    wait_ready(centre, namespace, "lone")
    say(
        f"a single member's corrupt data is told after {told - lost:.0f} s; back while its restore was being fetched,"
        f" it is kept: dropped {dropped - told:.0f} s after that was told"
    )
    assert read(centre, "lone") == {**written("before"), **written("after")}
    assert "quorumLoss" not in status(centre, "lone")


def approval(taken: str) -> str:
    return json.dumps({"spec": {"healing": {"approveRestore": taken}}})


@contextmanager
def reversed_copy(centre: Centre, namespace: str, cluster: str, taken: str) -> Iterator[None]:
    """The store has other bytes of a snapshot than its manifest says, as long as the block lasts."""
    (file,) = (centre.inner.snapshots / namespace / cluster).glob(f"*/{taken}/snapshot.age")
    right = file.read_bytes()
    file.write_bytes(right[::-1])
    try:
        yield
    finally:
        file.write_bytes(right)


@pytest.mark.soak  # test_healing.py has a member of three whose data differs, and its majority
def test_data_that_no_two_members_agree_on_is_told_with_its_price_and_restored_after_the_approval_of_its_snapshot(
    centre: Centre, namespace: str, say: Callable[[str], None]
) -> None:
    checked = [{"name": "etcd", "args": {"corrupt-check-time": "10s"}}]
    create(centre, namespace, "torn", "cluster-ha.yaml", overrides=checked)
    masters = Masters(centre, namespace, "torn")
    centre.business("torn", "create", "configmap", "word", f"--from-literal=word={TRUE}", namespace=namespace)
    taken = snapshot(centre, "torn")
    write(centre, "torn", "after")
    last, before = revision(centre, "torn"), births(masters)
    spoilt = time.monotonic()
    for member, lie in LIES.items():
        host, directory = volume(centre, member)
        on_host(centre, host, changed(database(directory), TRUE, lie))
    eventually(lambda: status(centre, "torn").get("quorumLoss", {}).get("newestSnapshot"), within_s=TOLD_S)
    told = time.monotonic()
    why = eventually(lambda: because(masters, "EtcdCorrupt"), within_s=10)
    assert "no majority agrees: torn-etcd-0, torn-etcd-1, torn-etcd-2" in why
    assert f"set spec.healing.approveRestore to {taken}" in why
    assert "before that was found, and since, is then gone for good" in why
    centre.kubectl("patch", "cluster", "torn", "-n", namespace, "--type=merge", "-p", approval(OTHER))
    assert OTHER in eventually(lambda: because(masters, "RestoreRefused"), within_s=60)
    assert (stage(centre, "torn"), births(masters)) == ("", before)
    approved = time.monotonic()
    wish = ("--snapshot", taken, "--wait", "--timeout", f"{RESTORED_S}s")
    homeostat(centre, "restore", "cluster", "torn", "-n", namespace, *wish)
    restored = time.monotonic()
    wait_ready(centre, namespace, "torn")
    say(
        f"data that no two members of three agree on is told after {told - spoilt:.0f} s, and restored"
        f" {restored - approved:.0f} s after the approval"
    )
    words = ("get", "configmap", "word", "-o", "jsonpath={.data.word}")
    assert {centre.business("torn", *words, namespace=namespace) for _ in range(6)} == {TRUE}
    assert read(centre, "torn") == {"ConfigMap/word": TRUE}
    assert revision(centre, "torn") > last + 900_000_000
    assert "quorumLoss" not in status(centre, "torn")
    assert "alarms" not in status(centre, "torn").get("etcd", {})


def because(masters: Masters, reason: str) -> str:
    """What is said of etcd for this reason; empty while it is another one."""
    told = masters.condition("EtcdReady")
    return str(told["message"]) if told["reason"] == reason else ""


def births(masters: Masters) -> set[str]:
    """The uids of all members of etcd and API servers."""
    return {pod["metadata"]["uid"] for each in ("etcd", "kube-apiserver") for pod in masters.pods(each)}
