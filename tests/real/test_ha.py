"""Highly available masters on real hosts: a host dies under a client that reads and writes all the time."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml
from tests.support.business import EXAMPLES, create, homeostat, wait_ready
from tests.support.client import Life
from tests.support.datacentre import Centre, eventually, on_host, power

pytestmark = pytest.mark.real

NAMESPACE, NAME = "real-ha", "tall"
OLD, NEW = "v1.34.4", "v1.35.4"
STATELESS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
OUTAGE_S, REPLACED_S, BACK_S = 5.0, 60.0, 120.0


@pytest.fixture(scope="module")
def tall(centre: Centre) -> Iterator[Centre]:
    """A data centre with a highly available cluster in it."""
    centre.kubectl("create", "namespace", NAMESPACE)
    create(centre, NAMESPACE, NAME, "cluster-ha.yaml", packageVersion=OLD)
    # What clients read here is written by the controller manager some time after the cluster is Ready.
    wanted = ("get", "configmap", "kube-root-ca.crt", "--ignore-not-found", "-o", "name")
    eventually(lambda: bool(centre.business(NAME, *wanted, namespace=NAMESPACE)), within_s=60)
    yield centre
    centre.kubectl("delete", "clusters", "--all", "-n", NAMESPACE, "--timeout=120s")
    centre.kubectl("delete", "namespace", NAMESPACE, "--timeout=60s")


def masters(centre: Centre, component: str) -> list[dict[str, Any]]:
    """The Pods of a component that are not on their way out."""
    items = centre.get("pods", "-n", NAMESPACE, "-l", f"app.kubernetes.io/component={component}")["items"]
    return [item for item in items if "deletionTimestamp" not in item["metadata"]]


def hosts(centre: Centre, component: str) -> list[str]:
    return [item["spec"].get("nodeName", "") for item in masters(centre, component)]


def ready(centre: Centre, component: str) -> int:
    told = (each for item in masters(centre, component) for each in item["status"].get("conditions", ()))
    return sum(each["type"] == "Ready" and each["status"] == "True" for each in told)


def life(centre: Centre, *, attempts: int = 1) -> Life:
    secret = centre.get("secret", f"{NAME}-admin-kubeconfig", "-n", NAMESPACE)
    return Life(base64.b64decode(secret["data"]["kubeconfig"]), attempts=attempts)


def test_replicas_stand_in_zones_apart(tall: Centre) -> None:
    zones = {
        node["metadata"]["name"]: node["metadata"]["labels"].get("topology.kubernetes.io/zone")
        for node in tall.get("nodes")["items"]
    }
    for component, count in (("etcd", 3), ("kube-apiserver", 2), ("kube-scheduler", 2), ("kube-controller-manager", 2)):
        assert len({zones[host] for host in hosts(tall, component)}) == count, component


def test_it_moves_up_a_minor_and_back_while_clients_work(tall: Centre, say: Callable[[str], None]) -> None:
    with life(tall, attempts=2).lived() as client:
        eventually(lambda: len(client.acknowledged) > 10, within_s=20)
        for command, version in (("upgrade", NEW), ("rollback", OLD)):
            began, retried = time.monotonic(), client.retried
            wish = ("--to", version) if command == "upgrade" else ()
            homeostat(tall, command, "cluster", NAME, "-n", NAMESPACE, *wish, "--wait")
            twice = client.retried - retried
            say(f"{command} to {version}: {time.monotonic() - began:.0f} s, {twice} requests tried twice")
            assert version in tall.business(NAME, "get", "--raw", "/version", namespace=NAMESPACE)
    say(f"{client.tried} requests, {client.retried} tried twice, {len(client.failures)} failed")
    assert client.failures == []
    assert client.lost() == set()


@pytest.mark.soak  # tests/contract/operators/test_upgrade.py shows the same on an API server alone
def test_an_api_server_that_cannot_start_is_taken_back_unattended(tall: Centre, say: Callable[[str], None]) -> None:
    package = yaml.safe_load((EXAMPLES / "packageversions" / f"{OLD}.yaml").read_text())
    package["metadata"]["name"] = "broken"
    (server,) = [each for each in package["spec"]["components"] if each["name"] == "kube-apiserver"]
    server["args"]["no-such-flag"] = "true"
    tall.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(package))
    try:
        with life(tall).lived() as client:
            wish = '{"spec": {"packageVersion": "broken", "upgradePolicy": {"onFailure": "Rollback"}}}'
            tall.kubectl("patch", "cluster", NAME, "-n", NAMESPACE, "--type=merge", "-p", wish)
            began = time.monotonic()
            eventually(lambda: reason(tall, "UpToDate") == "RolledBack", within_s=240)
            say(f"a broken API server is taken back after {time.monotonic() - began:.0f} s")
        assert client.failures == []
    finally:
        back = f'{{"spec": {{"packageVersion": "{OLD}"}}}}'
        tall.kubectl("patch", "cluster", NAME, "-n", NAMESPACE, "--type=merge", "-p", back)
    wait_ready(tall, NAMESPACE, NAME)
    tall.kubectl("delete", "cpv", "broken")


def reason(centre: Centre, type_: str) -> str:
    conditions = centre.get("cluster", NAME, "-n", NAMESPACE)["status"]["conditions"]
    return str(next(each["reason"] for each in conditions if each["type"] == type_))


def test_a_host_dies_and_clients_hardly_notice(tall: Centre, say: Callable[[str], None]) -> None:
    victim = next(host for host in hosts(tall, "etcd") if host in hosts(tall, "kube-apiserver"))
    with life(tall).lived() as client:
        eventually(lambda: len(client.acknowledged) > 10, within_s=20)
        assert client.failures == []
        died = time.monotonic()
        power(tall, victim, on=False)
        try:
            eventually(lambda: time.monotonic() > died + OUTAGE_S, within_s=OUTAGE_S + 1)
            eventually(
                lambda: all(ready(tall, each) == 2 and victim not in hosts(tall, each) for each in STATELESS),
                within_s=REPLACED_S - (time.monotonic() - died),
            )
            replaced = time.monotonic()
        finally:
            power(tall, victim, on=True)
        eventually(lambda: ready(tall, "etcd") == 3, within_s=BACK_S - (time.monotonic() - died))
        back = time.monotonic()
        wait_ready(tall, NAMESPACE, NAME)
    say(
        f"a host dies: {len(client.failures)} of {client.tried} requests failed, the last one begun"
        f" {client.failed_for(died):.1f} s after; all other masters replaced after {replaced - died:.0f} s, member back"
        f" after {back - died:.0f} s"
    )
    assert client.failed_for(died) <= OUTAGE_S, client.failures
    assert client.lost() == set()


def test_a_member_that_lost_its_volume_is_replaced_unattended(tall: Centre, say: Callable[[str], None]) -> None:
    victim = masters(tall, "etcd")[-1]
    name, host = victim["metadata"]["name"], victim["spec"]["nodeName"]
    volume = tall.get("pvc", f"data-{name}", "-n", NAMESPACE)["spec"]["volumeName"]
    source = tall.get("pv", volume)["spec"]
    directory = (source.get("local") or source["hostPath"])["path"]
    tall.kubectl("patch", "cluster", NAME, "-n", NAMESPACE, "--type=merge", "-p", patience(30))
    try:
        with life(tall).lived() as client:
            eventually(lambda: len(client.acknowledged) > 10, within_s=20)
            on_host(tall, host, f"rm -rf {directory}/*")
            lost = time.monotonic()
            tall.kubectl("delete", "pod", name, "-n", NAMESPACE, "--grace-period=1")
            eventually(lambda: ready(tall, "etcd") == 3 and replaced(tall) == 1, within_s=240)
            took = time.monotonic() - lost
    finally:
        tall.kubectl("patch", "cluster", NAME, "-n", NAMESPACE, "--type=merge", "-p", patience(300))
    wait_ready(tall, NAMESPACE, NAME)
    say(
        f"a member's volume is lost: another member is there after {took:.0f} s, 30 s of them patience;"
        f" {len(client.failures)} of {client.tried} requests failed"
    )
    assert tall.get("pvc", f"data-{name}", "-n", NAMESPACE)["spec"]["volumeName"] != volume
    assert client.failures == []
    assert client.lost() == set()


def patience(seconds: int) -> str:
    return f'{{"spec": {{"healing": {{"replaceMemberAfterSeconds": {seconds}}}}}}}'


def replaced(centre: Centre) -> int:
    """How many replacements were begun, none of which is still under way."""
    healing = centre.get("cluster", NAME, "-n", NAMESPACE)["status"].get("healing", {})
    return 0 if "replacement" in healing else int(healing.get("attempts", 0))
