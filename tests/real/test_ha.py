"""Highly available masters on real hosts: a host dies under a client that reads and writes all the time."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator

import pytest
import yaml
from tests.support.business import EXAMPLES, homeostat, wait_ready
from tests.support.client import Life
from tests.support.datacentre import Centre, eventually, on_host, power
from tests.support.dying import Births, Deaths
from tests.support.evicting import drained, evict
from tests.support.masters import Masters, Whole, is_ready, raised, received
from tests.support.routed import Routed

pytestmark = pytest.mark.real

NAMESPACE, NAME = "real-ha", "tall"
OLD, NEW = "v1.34.4", "v1.35.4"
STATELESS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
# Two Pods each; up a minor twice, as the older one first and then as themselves. Both have the same etcd.
MADE = {
    NEW: {**dict.fromkeys(STATELESS, 4), "kube-apiserver-trial": 2},
    OLD: {**dict.fromkeys(STATELESS, 2), "kube-apiserver-trial": 1},
}
# What the version-skew policy asks for: controllers are never newer than API servers.
CONTROLLERS = ["kube-controller-manager", "kube-scheduler"]
SERVERS = ["kube-apiserver-trial", "kube-apiserver"]
TURNS = {NEW: 2 * [*SERVERS, *CONTROLLERS], OLD: [*CONTROLLERS, *SERVERS]}
PRIORITY = "homeostat-masters"
SEED = 20261126
OUTAGE_S, REPLACED_S, BACK_S = 5.0, 60.0, 120.0
STEP_S = 30


@pytest.fixture(scope="module")
def tall(centre: Centre) -> Iterator[Centre]:
    """A data centre with a highly available cluster in it."""
    with raised(centre, NAMESPACE, NAME, packageVersion=OLD):
        yield centre


def hosts(centre: Centre, component: str) -> list[str]:
    return Masters(centre, NAMESPACE, NAME).hosts(component)


def ready(centre: Centre, component: str) -> int:
    return len(Masters(centre, NAMESPACE, NAME).ready(component))


def life(centre: Centre, *, attempts: int = 1) -> Life:
    return Masters(centre, NAMESPACE, NAME).life(attempts)


def zone_of(node: Whole) -> str:
    return str(node["metadata"]["labels"].get("topology.kubernetes.io/zone", ""))


def test_replicas_stand_in_zones_apart(tall: Centre) -> None:
    zones = {node["metadata"]["name"]: zone_of(node) for node in tall.get("nodes")["items"]}
    for component, count in (("etcd", 3), ("kube-apiserver", 2), ("kube-scheduler", 2), ("kube-controller-manager", 2)):
        assert len({zones[host] for host in hosts(tall, component)}) == count, component


def test_each_api_server_talks_to_the_etcd_of_its_own_zone(tall: Centre) -> None:
    masters = Masters(tall, NAMESPACE, NAME)
    zones = {node["metadata"]["name"]: zone_of(node) for node in tall.get("nodes")["items"]}
    servers = {pod["status"]["podIP"]: zones[pod["spec"]["nodeName"]] for pod in masters.pods("kube-apiserver")}
    heard = {zones[pod["spec"]["nodeName"]]: received(tall, pod, 2379) for pod in masters.pods("etcd")}
    told = {address: {zone for zone, by in heard.items() if by.get(address)} for address in servers}
    assert told == {address: {zone} for address, zone in servers.items()}, heard


def test_masters_come_before_other_pods_and_reserve_what_their_package_version_asks_for(tall: Centre) -> None:
    priority = tall.get("priorityclass", PRIORITY)["value"]
    for part in package(OLD)["spec"]["components"]:
        for pod in Masters(tall, NAMESPACE, NAME).pods(part["name"]):
            spec = pod["spec"]
            assert (spec["priorityClassName"], spec["priority"]) == (PRIORITY, priority)
            assert spec["containers"][0]["resources"] == part["resources"], part["name"]
    assert priority > 0


@pytest.mark.soak  # two members in turn are away and come back
def test_a_drain_takes_one_replica_and_the_next_host_keeps_its_own_until_that_is_back(
    tall: Centre, say: Callable[[str], None]
) -> None:
    masters = Masters(tall, NAMESPACE, NAME)
    first, second = masters.pods("etcd")[:2]
    name, uid = second["metadata"]["name"], second["metadata"]["uid"]
    with life(tall, attempts=2).lived() as client:
        eventually(lambda: len(client.acknowledged) > 10, within_s=20)
        began = time.monotonic()
        with drained(tall, first["spec"]["nodeName"], NAME):
            took = time.monotonic() - began
            assert "would violate the pod's disruption budget" in evict(tall, NAMESPACE, name)
            assert ready(tall, "etcd") == 2
            eventually(lambda: all(ready(tall, each) == 2 for each in STATELESS), within_s=60)
            assert all(first["spec"]["nodeName"] not in hosts(tall, each) for each in STATELESS)
        eventually(lambda: ready(tall, "etcd") == 3, within_s=60)
        eventually(lambda: evict(tall, NAMESPACE, name) == "", within_s=30)
        eventually(lambda: uid not in masters.ready("etcd") and ready(tall, "etcd") == 3, within_s=60)
        wait_ready(tall, NAMESPACE, NAME)
    say(
        f"a host is drained of its masters after {took:.0f} s, and the next member may go when that one is back;"
        f" {client.retried} of {client.tried} requests tried twice, {len(client.failures)} failed"
    )
    assert client.failures == []
    assert client.lost() == set()


@pytest.mark.soak  # the next test does the same, and hurts it
def test_it_moves_up_a_minor_and_back_while_clients_work(tall: Centre, say: Callable[[str], None]) -> None:
    with life(tall, attempts=2).lived() as client:
        eventually(lambda: len(client.acknowledged) > 10, within_s=20)
        for command, version in (("upgrade", NEW), ("rollback", OLD)):
            began, retried = time.monotonic(), client.retried
            wish = ("--to", version) if command == "upgrade" else ()
            with Births(tall, NAMESPACE, NAME) as births:
                homeostat(tall, command, "cluster", NAME, "-n", NAMESPACE, *wish, "--wait")
                assert (births.counted(), births.turns()) == (MADE[version], TURNS[version])
                assert births.most_at_once() == 1
            twice = client.retried - retried
            say(f"{command} to {version}: {time.monotonic() - began:.0f} s, {twice} requests tried twice")
            assert version in tall.business(NAME, "get", "--raw", "/version", namespace=NAMESPACE)
    say(f"{client.tried} requests, {client.retried} tried twice, {len(client.failures)} failed")
    assert client.failures == []
    assert client.lost() == set()


def test_it_moves_up_a_minor_and_back_though_all_operators_die_at_random_moments(
    tall: Centre, say: Callable[[str], None]
) -> None:
    chance = random.Random(SEED)
    with life(tall, attempts=2).lived() as client:
        eventually(lambda: len(client.acknowledged) > 10, within_s=20)
        for version in (NEW, OLD):
            began, retried = time.monotonic(), client.retried
            with Births(tall, NAMESPACE, NAME) as births:
                homeostat(tall, "upgrade", "cluster", NAME, "-n", NAMESPACE, "--to", version)
                with Deaths(tall, chance, led_s=(5, 25)) as deaths:
                    eventually(lambda: arrived(tall, version), within_s=400, every_s=1)  # noqa: B023
                assert (births.counted(), births.turns()) == (MADE[version], TURNS[version])
                assert births.most_at_once() == 1
            assert deaths.by.total() > 0, "the move was over before anybody died"
            say(
                f"to {version} through {dict(deaths.by)} of operators: {time.monotonic() - began:.0f} s,"
                f" {client.retried - retried} requests tried twice"
            )
    say(f"{client.tried} requests, {client.retried} tried twice, {len(client.failures)} failed")
    assert client.failures == []
    assert client.lost() == set()


def arrived(centre: Centre, version: str) -> bool:
    """All masters are of a version, and behave as it; what they wait for is in the error."""
    status = Masters(centre, NAMESPACE, NAME).status()
    (told,) = [each for each in status["conditions"] if each["type"] == "UpToDate"]
    assert (status["packageVersion"], told["reason"]) == (version, "AsDeclared"), (told, status.get("upgrade"))
    return True


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        # It is ready, and has no Leases: no controller leads by it, and no kubelet is alive.
        ("runtime-config", "coordination.k8s.io/v1=false"),
        # tests/contract/operators/test_upgrade.py shows the same on an API server alone
        pytest.param("no-such-flag", "true", marks=pytest.mark.soak),
    ],
)
def test_an_api_server_that_is_of_no_use_to_clients_is_taken_back_unattended_before_any_met_it(
    tall: Centre, say: Callable[[str], None], flag: str, value: str
) -> None:
    broken = package(OLD)
    broken["metadata"]["name"] = "broken"
    (server,) = [each for each in broken["spec"]["components"] if each["name"] == "kube-apiserver"]
    server["args"][flag] = value
    tall.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(broken))
    masters = Masters(tall, NAMESPACE, NAME)

    def is_back() -> bool:
        routed.look()
        return reason(tall, "UpToDate") == "RolledBack"

    try:
        with life(tall, attempts=2).lived() as client, Routed(masters) as routed:
            policy = {"onFailure": "Rollback", "stepTimeoutSeconds": 30}
            masters.patch(json.dumps({"packageVersion": "broken", "upgradePolicy": policy}))
            began, servers, uids = time.monotonic(), masters.endpoint(), masters.ready("kube-apiserver")
            eventually(is_back, within_s=240)
            say(f"an API server with --{flag}={value} is taken back after {time.monotonic() - began:.0f} s")
            ill = routed.started_with(flag)
            assert ill
            assert servers <= routed.ready & routed.balanced
            assert not ill & (routed.ready | routed.balanced)
            assert set(masters.ready("kube-apiserver")) == set(uids), "those that clients meet were never touched"
        assert client.failures == []
    finally:
        masters.patch(json.dumps({"packageVersion": OLD, "upgradePolicy": None}))
    wait_ready(tall, NAMESPACE, NAME)
    tall.kubectl("delete", "cpv", "broken")


def package(name: str) -> Whole:
    """A package version of the catalogue."""
    found: Whole = yaml.safe_load((EXAMPLES / "packageversions" / f"{name}.yaml").read_text())
    return found


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


@pytest.mark.soak  # test_a_host_dies_and_clients_hardly_notice shows it of masters that are not on the move
@pytest.mark.parametrize("component", ["kube-apiserver-trial", "kube-apiserver"])
def test_a_host_that_dies_in_the_middle_of_an_upgrade_is_awaited_and_no_version_is_blamed_for_it(
    tall: Centre, say: Callable[[str], None], component: str
) -> None:
    masters = Masters(tall, NAMESPACE, NAME)
    policy = {"onFailure": "Rollback", "stepTimeoutSeconds": STEP_S}
    masters.patch(json.dumps({"upgradePolicy": policy}))
    with life(tall, attempts=2).lived() as client:
        eventually(lambda: len(client.acknowledged) > 10, within_s=20)
        homeostat(tall, "upgrade", "cluster", NAME, "-n", NAMESPACE, "--to", NEW)
        victim = eventually(lambda: host_of(masters, component, NEW), within_s=120, every_s=0.1)
        assert client.failures == []
        died = time.monotonic()
        power(tall, victim, on=False)
        try:
            eventually(
                lambda: all(ready(tall, each) >= 2 and victim not in hosts(tall, each) for each in STATELESS),
                within_s=REPLACED_S,
            )
            replaced = time.monotonic()
            eventually(lambda: time.monotonic() > died + 2 * STEP_S, within_s=2 * STEP_S)
            assert reason(tall, "UpToDate") in ("Upgrading", "AwaitingHealth")
            assert "failure" not in masters.status()["upgrade"]
        finally:
            power(tall, victim, on=True)
        back = time.monotonic()
        eventually(lambda: arrived(tall, NEW), within_s=240, every_s=1)
        complete = time.monotonic()
        wait_ready(tall, NAMESPACE, NAME)
        assert NEW in tall.business(NAME, "get", "--raw", "/version", namespace=NAMESPACE)
    say(
        f"a host dies with the first {component} of an upgrade: {len(client.failures)} of {client.tried} requests"
        f" failed, {client.retried} tried twice, the last failure begun {client.failed_for(died):.1f} s after; masters"
        f" replaced after {replaced - died:.0f} s, power back after {back - died:.0f} s, upgrade complete"
        f" {complete - back:.0f} s after that"
    )
    masters.patch(json.dumps({"upgradePolicy": None}))
    homeostat(tall, "rollback", "cluster", NAME, "-n", NAMESPACE, "--wait")
    assert client.failed_for(died) <= OUTAGE_S, client.failures
    assert client.lost() == set()


def host_of(masters: Masters, component: str, version: str) -> str:
    """Where the first Pod of a component that is of a version, and ready, stands; empty: there is none yet."""
    pods = [pod for pod in masters.pods(component) if is_ready(pod)]
    return next((pod["spec"]["nodeName"] for pod in pods if version in pod["spec"]["containers"][0]["image"]), "")


def test_a_member_that_lost_its_volume_is_replaced_unattended(tall: Centre, say: Callable[[str], None]) -> None:
    masters = Masters(tall, NAMESPACE, NAME)
    victim = masters.pods("etcd")[-1]
    name, host, directory = victim["metadata"]["name"], victim["spec"]["nodeName"], masters.directory(victim)
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
        f" {len(client.failures)} of {client.tried} requests failed, the last one begun"
        f" {client.failed_for(lost):.1f} s after"
    )
    assert masters.directory(victim) != directory
    # It may have led: until another one does, nobody can write.
    assert client.failed_for(lost) <= OUTAGE_S, client.failures
    assert client.lost() == set()


def patience(seconds: int) -> str:
    return f'{{"spec": {{"healing": {{"replaceMemberAfterSeconds": {seconds}}}}}}}'


def replaced(centre: Centre) -> int:
    """How many replacements were begun, none of which is still under way."""
    healing = centre.get("cluster", NAME, "-n", NAMESPACE)["status"].get("healing", {})
    return 0 if "replacement" in healing else int(healing.get("attempts", 0))
