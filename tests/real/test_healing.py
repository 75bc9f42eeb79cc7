"""Masters of real clusters are hurt in ways that Kubernetes alone does not mend, or not soon; clients hardly notice."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from tests.support.business import create, wait_ready
from tests.support.datacentre import Centre, eventually, on_host
from tests.support.evicting import cordoned
from tests.support.leading import Leader
from tests.support.masters import Masters, Whole, deaf_port, raised
from tests.support.silence import NAME, configuration, silent_port
from tests.support.spoiling import changed, database

pytestmark = pytest.mark.real

NAMESPACE = "real-healing"
SERVER, MANAGER = "kube-apiserver", "kube-controller-manager"
API_PORT = 6443
OUTAGE_S = 6.0  # a check of the balancer waits two seconds, and it takes two
ETCD_CLIENT_PORT, LARGE_BYTES = 2379, 500  # a read of etcd is smaller, a write of a Lease is larger
FOUND_S, PATIENCE_S = 330, 60.0
DERIVED = "services,configmaps,poddisruptionbudgets,deployments,statefulsets,secrets"
TRUE, FALSE = "what-was-written", "what-was-not-so!"
Say = Callable[[str], None]


@pytest.fixture(scope="module")
def hale(centre: Centre) -> Iterator[Masters]:
    """A highly available cluster."""
    checked = [{"name": "etcd", "args": {"corrupt-check-time": "10s"}}]
    with raised(centre, NAMESPACE, "hale", overrides=checked) as masters:
        yield masters


def test_an_api_server_that_is_stopped_leaves_the_endpoint_and_is_replaced(hale: Masters, say: Say) -> None:
    victim = hale.pods(SERVER)[0]
    uid, address = victim["metadata"]["uid"], victim["status"]["podIP"]
    with hale.life().lived() as client:
        eventually(lambda: len(client.acknowledged) > 10, within_s=20)
        hale.signal(victim, "STOP")
        stopped = time.monotonic()
        eventually(lambda: address not in hale.endpoint(), within_s=40)
        out = time.monotonic() - stopped
        eventually(lambda: len(hale.ready(SERVER)) == 2 and uid not in hale.ready(SERVER), within_s=90)
        replaced = time.monotonic() - stopped
        wait_ready(hale.centre, NAMESPACE, "hale")
    say(
        f"an API server is stopped: {len(client.failures)} of {client.tried} requests failed, the last one begun"
        f" {client.failed_for(stopped):.1f} s after; out of the endpoint after {out:.0f} s, replaced after"
        f" {replaced:.0f} s"
    )
    (told,) = hale.status()["healing"]["restarts"]
    assert (told["component"], told["podUid"], told["attempts"]) == (SERVER, uid, 1)
    assert "not ready since" in told["reason"]
    assert client.failed_for(stopped) <= OUTAGE_S, client.failures
    assert client.lost() == set()


@pytest.mark.soak  # above, an API server is found in the same way
def test_a_controller_manager_that_leads_and_stops_is_found_by_its_lease_and_replaced(hale: Masters, say: Say) -> None:
    leader = leading(hale, MANAGER)
    victim = next(pod for pod in hale.pods(MANAGER) if pod["metadata"]["name"] == leader)
    uid = victim["metadata"]["uid"]
    hale.signal(victim, "STOP")
    stopped = time.monotonic()
    eventually(lambda: leading(hale, MANAGER) != leader, within_s=60)
    taken = time.monotonic() - stopped
    eventually(lambda: len(hale.ready(MANAGER)) == 2 and uid not in hale.ready(MANAGER), within_s=90)
    replaced = time.monotonic() - stopped
    wait_ready(hale.centre, NAMESPACE, "hale")
    say(
        f"a leading controller manager is stopped: the other leads after {taken:.0f} s, replaced after {replaced:.0f} s"
    )
    told = next(each for each in hale.status()["healing"]["restarts"] if each["component"] == MANAGER)
    assert (told["podUid"], told["attempts"]) == (uid, 1)
    assert "is not ready since" in told["reason"]
    assert "and does not lead" in told["reason"]


def leading(masters: Masters, component: str) -> str:
    """The Pod that holds a component's Lease in the business cluster."""
    lease = ("get", "lease", component, "-n", "kube-system", "-o", "jsonpath={.spec.holderIdentity}")
    return masters.centre.business(masters.name, *lease, namespace=masters.namespace).partition("_")[0]


@pytest.mark.soak  # a new Pod is given three minutes to start before anybody thinks of its host
def test_an_api_server_whose_host_keeps_it_ill_moves_away_and_the_host_is_as_good_as_others_when_that_is_long_ago(
    hale: Masters, say: Say
) -> None:
    centre = hale.centre
    victim = next(pod for pod in hale.pods(SERVER) if pod["spec"]["nodeName"] != Leader(centre).host)
    bad, uid = victim["spec"]["nodeName"], victim["metadata"]["uid"]
    (spare,) = {place.name for place in centre.inner.plan.meta} - set(hale.hosts(SERVER))
    with hale.life(attempts=2).lived() as client:
        eventually(lambda: len(client.acknowledged) > 10, within_s=20)
        with deaf_port(centre, bad, API_PORT):
            broken = time.monotonic()
            with cordoned(centre, spare):  # so that the first new Pod is made where it was
                eventually(lambda: uid not in uids_of(hale) and hale.hosts(SERVER).count(bad) == 1, within_s=120)
                recreated = time.monotonic() - broken
            eventually(lambda: sorted(hale.hosts(SERVER)) == sorted(others(hale, bad)), within_s=400)
            eventually(lambda: len(hale.ready(SERVER)) == 2, within_s=60)
            moved = time.monotonic() - broken
            wait_ready(centre, NAMESPACE, "hale")
    say(
        f"the port of API servers is deaf on one host: recreated there after {recreated:.0f} s, moved away after"
        f" {moved:.0f} s; {len(client.failures)} of {client.tried} requests failed, the last one begun"
        f" {client.failed_for(broken):.1f} s after"
    )
    told = restart_of(hale, SERVER)
    assert (told["step"], told["attempts"], told["avoidedHosts"]) == ("Move", 2, [bad])
    assert bad in json.dumps(affinity(hale))
    assert client.failed_for(broken) <= OUTAGE_S, client.failures
    assert client.lost() == set()
    eventually(lambda: "endedAt" in restart_of(hale, SERVER), within_s=30)
    age(hale, SERVER, timedelta(hours=13))
    hale.patch(json.dumps({"overrides": [{"name": SERVER, "args": {"v": "1"}}]}))  # a calm alone restarts nobody
    eventually(lambda: affinity(hale) == {} and hale.restarts(SERVER) == [], within_s=150)
    eventually(lambda: up_to_date(hale), within_s=150)
    hale.patch(json.dumps({"overrides": None}))
    eventually(lambda: up_to_date(hale), within_s=150)
    wait_ready(centre, NAMESPACE, "hale")


def up_to_date(masters: Masters) -> bool:
    """Whether nothing moves any more."""
    told = masters.condition("UpToDate")
    there = masters.centre.get("cluster", masters.name, "-n", masters.namespace)["metadata"]
    return bool((told["observedGeneration"], told["status"]) == (there["generation"], "True"))


def uids_of(masters: Masters) -> set[str]:
    return {pod["metadata"]["uid"] for pod in masters.pods(SERVER)}


def others(masters: Masters, host: str) -> list[str]:
    """All hosts of the cell but one."""
    return [place.name for place in masters.centre.inner.plan.meta if place.name != host]


def affinity(masters: Masters) -> Whole:
    """Which hosts API servers prefer."""
    found = masters.centre.get("deployment", f"{masters.name}-apiserver", "-n", masters.namespace)
    return dict(found["spec"]["template"]["spec"].get("affinity", {}))


def restart_of(masters: Masters, component: str) -> Whole:
    """What is told of the last restart of a component."""
    (told,) = masters.restarts(component)
    return told


def age(masters: Masters, component: str, by: timedelta) -> None:
    """Have the status say that a component was well for so long since its last restart."""
    ended = (datetime.now(UTC) - by).strftime("%FT%TZ")
    masters.rewrite_restarts(lambda each: {**each, "endedAt": ended} if each["component"] == component else each)


@pytest.mark.soak  # nobody is asked more often than once a minute while all looks well
def test_an_api_server_whose_writes_hang_behind_a_good_readiness_is_found_and_replaced(hale: Masters, say: Say) -> None:
    victim = hale.pods(SERVER)[0]
    uid, address = victim["metadata"]["uid"], victim["status"]["podIP"]
    with hale.life().lived() as client:
        eventually(lambda: len(client.acknowledged) > 10, within_s=20)
        hale.swallow(victim, ETCD_CLIENT_PORT, LARGE_BYTES)
        spoilt = time.monotonic()
        eventually(lambda: address not in hale.endpoint(), within_s=FOUND_S)
        out = time.monotonic() - spoilt
        assert uid in hale.ready(SERVER)  # by its kubelet, which asks /readyz
        eventually(lambda: len(hale.ready(SERVER)) == 2 and uid not in hale.ready(SERVER), within_s=300)
        replaced = time.monotonic() - spoilt
        wait_ready(hale.centre, NAMESPACE, "hale")
    say(
        f"writes of an API server hang: out of the endpoint after {out:.0f} s, replaced after {replaced:.0f} s;"
        f" {len(client.failures)} of {client.tried} requests failed, the last one begun"
        f" {client.failed_for(spoilt):.1f} s after"
    )
    told = next(each for each in hale.status()["healing"]["restarts"] if each["podUid"] == uid)
    assert "is ready, but does not answer" in told["reason"]
    assert client.failed_for(spoilt) <= out + OUTAGE_S, client.failures
    assert client.lost() == set()


@pytest.mark.soak  # the same
def test_a_webhook_that_keeps_all_writes_waiting_is_told_and_no_master_is_restarted(hale: Masters, say: Say) -> None:
    servers, before = hale.endpoint(), set(hale.ready(SERVER))
    restarts = hale.status().get("healing", {}).get("restarts", [])
    with silent_port(hale.centre.inner.plan.gateway) as port:
        hook = json.dumps(configuration(f"https://{hale.centre.inner.plan.gateway}:{port}"))
        hale.centre.business("hale", "apply", "-f", "-", namespace=NAMESPACE, stdin=hook)
        began = time.monotonic()
        try:
            eventually(lambda: hale.condition("Available")["reason"] == "WritesRefused", within_s=FOUND_S)
            say(f"writes that a webhook keeps waiting are told after {time.monotonic() - began:.0f} s")
            until = time.monotonic() + PATIENCE_S
            eventually(lambda: time.monotonic() > until, within_s=PATIENCE_S + 1)
            assert (hale.endpoint(), set(hale.ready(SERVER))) == (servers, before)
            assert hale.status().get("healing", {}).get("restarts", []) == restarts
            assert hale.condition("Available")["status"] == "True"
        finally:
            hale.centre.business("hale", "delete", "validatingwebhookconfiguration", NAME, namespace=NAMESPACE)
    wait_ready(hale.centre, NAMESPACE, "hale")


@pytest.mark.soak  # tests/contract/etcd/test_membership.py has a member that hangs, and test_ha.py one that is lost
def test_a_member_of_etcd_that_is_stopped_is_told_and_replaced_while_the_others_keep_the_quorum(
    hale: Masters, say: Say
) -> None:
    server = hale.hosts(SERVER)[0]
    victim = next(pod for pod in hale.pods("etcd") if pod["spec"]["nodeName"] == server)
    name, uid, before = victim["metadata"]["name"], victim["metadata"]["uid"], hale.directory(victim)
    hale.forget_replacements()
    hale.patch('{"healing": {"replaceMemberAfterSeconds": 30}}')
    with hale.life(attempts=2).lived() as client:
        eventually(lambda: len(client.acknowledged) > 10, within_s=20)
        hale.signal(victim, "STOP")
        stopped = time.monotonic()
        eventually(lambda: name in hale.condition("EtcdReady")["message"], within_s=60, every_s=0.2)
        told = time.monotonic() - stopped
        eventually(lambda: keeps_its_quorum(hale) and hale.attempts() == 1, within_s=180)
        eventually(lambda: keeps_its_quorum(hale) and len(hale.ready("etcd")) == 3, within_s=60)
        took = time.monotonic() - stopped
        wait_ready(hale.centre, NAMESPACE, "hale")
        served = len(client.acknowledged)
        eventually(lambda: len(client.acknowledged) > served + 10, within_s=20)
    say(
        f"a member of etcd is stopped: told after {told:.0f} s, replaced after {took:.0f} s, 30 s of them patience;"
        f" {len(client.failures)} of {client.tried} requests failed, the last one begun"
        f" {client.failed_for(stopped):.1f} s after"
    )
    assert uid not in hale.ready("etcd")
    assert hale.directory(victim) != before
    assert client.failed_for(stopped) <= told + OUTAGE_S, client.failures
    assert client.lost() == set()


def keeps_its_quorum(masters: Masters) -> bool:
    """Two members of three are ready; it fails where they are not, for that must never be."""
    ready = len(masters.ready("etcd"))
    if ready < 2:
        raise RuntimeError(f"{ready} members of etcd are ready, a quorum is 2")
    return True


@pytest.mark.soak  # test_ha.py shows a lost volume; here the process runs on until it is killed
def test_a_data_directory_wiped_under_a_member_that_runs_is_replaced_when_it_ends(hale: Masters, say: Say) -> None:
    victim = hale.pods("etcd")[-1]
    hale.forget_replacements()
    hale.patch('{"healing": {"replaceMemberAfterSeconds": 30}}')
    with hale.life().lived() as client:
        eventually(lambda: len(client.acknowledged) > 10, within_s=20)
        on_host(hale.centre, victim["spec"]["nodeName"], f"rm -rf {hale.directory(victim)}/*")
        hale.signal(victim, "KILL")
        lost = time.monotonic()
        eventually(lambda: hale.status()["healing"].get("attempts") == 1, within_s=120)
        eventually(lambda: "replacement" not in hale.status()["healing"], within_s=120)
        took = time.monotonic() - lost
    wait_ready(hale.centre, NAMESPACE, "hale")
    say(
        f"a data directory is wiped: another member is there after {took:.0f} s, 30 s of them patience;"
        f" {len(client.failures)} of {client.tried} requests failed"
    )
    assert len(hale.ready("etcd")) == 3
    assert client.lost() == set()


@pytest.mark.soak  # tests/contract/etcd/test_corruption.py shows on members alone what tells them apart
def test_a_member_whose_data_was_changed_under_it_is_told_from_the_others_and_replaced(hale: Masters, say: Say) -> None:
    centre, words = hale.centre, ("configmap", "word", "-o", "jsonpath={.data.word}")
    centre.business("hale", "create", "configmap", "word", f"--from-literal=word={TRUE}", namespace=NAMESPACE)
    victim = hale.pods("etcd")[0]
    before, known = hale.directory(victim), hale.status().get("healing", {}).get("attempts", 0)
    with hale.life(attempts=2).lived() as client:
        eventually(lambda: len(client.acknowledged) > 10, within_s=20)
        on_host(centre, victim["spec"]["nodeName"], changed(database(before), TRUE, FALSE))
        spoilt = time.monotonic()
        eventually(lambda: hale.condition("EtcdReady")["reason"] == "EtcdCorrupt", within_s=180, every_s=0.2)
        told = time.monotonic() - spoilt
        eventually(lambda: hale.status().get("healing", {}).get("attempts", 0) > known, within_s=120)
        eventually(lambda: "replacement" not in hale.status()["healing"], within_s=120)
        eventually(lambda: "alarms" not in hale.status()["etcd"], within_s=120)
        wait_ready(centre, NAMESPACE, "hale")
        took = time.monotonic() - spoilt
        served = len(client.acknowledged)
        eventually(lambda: len(client.acknowledged) > served + 10, within_s=20)
    say(
        f"the data of one member of three is changed: told after {told:.0f} s, replaced and all is well after"
        f" {took:.0f} s; {len(client.failures)} of {client.tried} requests failed, the last one begun"
        f" {client.failed_for(spoilt):.0f} s after"
    )
    assert hale.directory(hale.pods("etcd")[0]) != before
    assert {centre.business("hale", "get", *words, namespace=NAMESPACE) for _ in range(6)} == {TRUE}
    assert client.lost() == set()


def test_each_derived_object_deleted_and_each_secret_corrupted_in_turn_comes_back(hale: Masters, say: Say) -> None:
    centre, name = hale.centre, "plain"
    create(centre, NAMESPACE, name)
    plain = Masters(centre, NAMESPACE, name)
    centre.business(name, "create", "namespace", "kept", namespace=NAMESPACE)
    endpoint, began = plain.status()["endpoint"], time.monotonic()
    mine = ("-n", NAMESPACE, "-l", f"cluster.homeostat.dev/name={name}")
    objects = [(one["kind"], one["metadata"]) for one in centre.get(DERIVED, *mine)["items"]]
    derived = [(kind, meta["name"], meta["uid"]) for kind, meta in objects if meta["name"] != f"{name}-pki"]
    for kind, each, uid in derived:
        centre.kubectl("delete", kind, each, "-n", NAMESPACE, "--wait=false")
        eventually(lambda: uid_of(centre, kind, each) not in ("", uid), within_s=60)  # noqa: B023
    wait_ready(centre, NAMESPACE, name)
    for each in [each for kind, each, _ in derived if kind == "Secret"]:
        content = centre.get("secret", each, "-n", NAMESPACE)["data"]
        garbage = json.dumps({"data": dict.fromkeys(content, "Z2FyYmFnZQ==")})
        centre.kubectl("patch", "secret", each, "-n", NAMESPACE, "--type=merge", "-p", garbage)
        eventually(lambda: "Z2FyYmFnZQ==" not in data_of(centre, each).values(), within_s=60)  # noqa: B023
    wait_ready(centre, NAMESPACE, name)
    took = time.monotonic() - began
    say(f"{len(derived)} objects deleted and their Secrets corrupted in turn: all is well {took:.0f} s after the first")
    assert "namespace/kept" in centre.business(name, "get", "namespaces", "-o", "name", namespace=NAMESPACE)
    assert plain.status()["endpoint"] == endpoint
    assert len(derived) == 16, derived


def uid_of(centre: Centre, kind: str, name: str) -> str:
    path = "jsonpath={.metadata.uid}"
    return centre.kubectl("get", kind, name, "-n", NAMESPACE, "--ignore-not-found", "-o", path)


def data_of(centre: Centre, secret: str) -> dict[str, str]:
    return dict(centre.get("secret", secret, "-n", NAMESPACE)["data"])
