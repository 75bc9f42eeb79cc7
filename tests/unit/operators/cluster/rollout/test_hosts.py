"""A host that dies in the middle of a move is not the fault of the version that masters move to."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import pytest
from msgspec.structs import replace
from tests.support.ailing import DEAD, HOSTS, NAMES, member_pod, members
from tests.support.clusters import NOW, pod, settled, workload
from tests.support.rollouts import NEW, OLD, ORDER, look, moved, wishing

from homeostat.api.cluster.masters import API_SERVER, ETCD
from homeostat.api.pods import Pod
from homeostat.operators.cluster import words
from homeostat.operators.cluster.components import pods_of
from homeostat.operators.cluster.healing.seen import EtcdSeen, HostSeen
from homeostat.operators.cluster.observe import Observed, ProbeSeen

DIED = NOW + timedelta(seconds=20)
AWAY = HOSTS | {"h1": HostSeen("z1", is_ready=False, takes_pods=False)}
READY = [{"type": "Ready", "status": "True"}]


def of_etcd(seen: Observed, pods: Iterable[Pod], ready: int, dead: str = DEAD) -> Observed:
    """With these members of etcd."""
    others = tuple(each for each in seen.pods if each not in pods_of(seen, ETCD))
    known = EtcdSeen(NOW + timedelta(days=1), members(dead) if dead else members())
    lame = {**seen.workloads, "demo-etcd": workload(ETCD, "demo-etcd", ready=ready, replicas=3)}
    unready = {dead: DIED} if dead else {}
    return replace(seen, pods=(*others, *pods), workloads=lame, members=known, unready=unready)


def etcd_without(host: str = "h1", on_failure: str = "Pause") -> Observed:
    """etcd has moved, and the host of one of three members died."""
    seen = moved(wishing(upgradePolicy={"onFailure": on_failure}), ETCD)
    pods = [member_pod(name, ready=name != DEAD, since=DIED) for name in NAMES]
    return replace(of_etcd(seen, pods, ready=2), hosts=HOSTS | {host: AWAY["h1"]})


def servers(seen: Observed, *pods: Pod) -> Observed:
    """With these API servers, of which one is ready."""
    others = tuple(each for each in seen.pods if each not in pods_of(seen, API_SERVER))
    lame = {**seen.workloads, "demo-apiserver": workload(API_SERVER, "demo-apiserver", ready=1, replicas=2)}
    return replace(seen, pods=(*others, *pods), workloads=lame)


def on(host: str, found: Pod) -> Pod:
    return replace(found, spec=replace(found.spec, node_name=host))


def run(seen: Observed, seconds: int) -> tuple[Observed, list[str]]:
    """Look every ten seconds; what UpToDate said, each once, and the cluster as it is told in the end."""
    said: list[str] = []
    for each in range(25, seconds, 10):
        plan, status = look(seen, NOW + timedelta(seconds=each))
        assert plan.step is not None
        assert plan.step.failed is None
        assert plan.step.verdict is not None
        said.append(plan.step.verdict.reason)
        kept = replace(seen.cluster.status, upgrade=status.upgrade)
        seen = replace(seen, cluster=replace(seen.cluster, status=kept))
    return seen, list(dict.fromkeys(said))


def verdict_at(seen: Observed, seconds: int) -> tuple[str, str]:
    plan, _ = look(settled(seen), NOW + timedelta(seconds=seconds))
    assert plan.step is not None
    assert plan.step.verdict is not None
    return plan.step.verdict.reason, plan.step.verdict.message


@pytest.mark.parametrize("policy", ["Pause", "Rollback"])
def test_the_time_of_a_move_stands_while_a_member_is_away_with_its_host(policy: str) -> None:
    seen, said = run(etcd_without(on_failure=policy), 700)
    assert said == [words.AWAITING_HEALTH]
    assert "etcd: " in verdict_at(seen, 700)[1]
    assert verdict_at(seen, 700)[1].endswith("; host h1 is away, and its time stands")
    assert seen.cluster.status.upgrade is not None
    assert seen.cluster.status.upgrade.failed_version == ""


def test_the_one_that_takes_its_place_has_the_time_of_a_step() -> None:
    seen, _ = run(etcd_without(), 400)
    pods = [member_pod(name, ready=name != DEAD, host="h5" if name == DEAD else "") for name in NAMES]
    replaced = of_etcd(seen, pods, ready=2)
    assert verdict_at(replaced, 400 + 280)[0] == words.UPGRADING
    assert verdict_at(replaced, 400 + 310)[0] == words.UPGRADE_FAILED
    well = of_etcd(seen, [member_pod(name) for name in NAMES], ready=3, dead="")
    assert look(replace(well, probed=None), NOW + timedelta(seconds=400))[0].step.probes  # type: ignore[union-attr]


def test_a_replica_that_fails_on_a_host_that_is_well_fails_the_move_beside_it() -> None:
    seen = etcd_without()
    pods = [member_pod(name, ready=name == "demo-etcd-0", since=DIED) for name in NAMES]
    both = of_etcd(seen, pods, ready=1)
    assert verdict_at(both, 310)[0] == words.UPGRADE_FAILED


def test_what_nobody_looked_at_is_not_away_nor_what_nobody_knows() -> None:
    others = {name: host for name, host in HOSTS.items() if name != "h1"}
    for hosts in ({}, others):
        assert verdict_at(replace(etcd_without(), hosts=hosts), 310)[0] == words.UPGRADE_FAILED


def test_an_api_server_waits_for_its_host_or_for_a_place_and_not_for_ever_elsewhere() -> None:
    seen = replace(moved(wishing(), API_SERVER), hosts=AWAY)
    well = on("h2", pod(API_SERVER, "demo-apiserver-well", conditions=READY))
    dead = on("h1", pod(API_SERVER, "demo-apiserver-dead"))
    going = replace(dead, metadata=replace(dead.metadata, deletion_timestamp=DIED))
    homeless = on("", pod(API_SERVER, "demo-apiserver-new", phase="Pending"))
    elsewhere = on("h3", homeless)
    assert verdict_at(servers(seen, well, dead), 310)[0] == words.AWAITING_HEALTH
    assert verdict_at(servers(seen, well, going), 310)[0] == words.AWAITING_HEALTH
    assert verdict_at(servers(seen, well, going, homeless), 310)[0] == words.AWAITING_HEALTH
    assert verdict_at(servers(seen, well, going, elsewhere), 310)[0] == words.UPGRADE_FAILED
    assert verdict_at(servers(replace(seen, hosts=HOSTS), well, homeless), 310)[0] == words.UPGRADE_FAILED


def test_api_servers_without_an_etcd_for_a_host_wait_as_well() -> None:
    seen = moved(wishing(topology="single"), API_SERVER)
    seen = replace(seen, pods=tuple(on("h2", each) for each in seen.pods), hosts=AWAY)
    gone = on("h1", pod(ETCD, "demo-etcd-0"))
    others = tuple(each for each in seen.pods if each not in (*pods_of(seen, ETCD), *pods_of(seen, API_SERVER)))
    lame = {
        "demo-etcd": workload(ETCD, "demo-etcd", ready=0),
        "demo-apiserver": workload(API_SERVER, "demo-apiserver", ready=0),
    }
    silent = on("h2", pod(API_SERVER, "demo-apiserver-0"))
    seen = replace(seen, pods=(*others, gone, silent), workloads={**seen.workloads, **lame})
    assert verdict_at(seen, 310)[0] == words.AWAITING_HEALTH
    assert verdict_at(replace(seen, hosts=HOSTS), 310)[0] == words.UPGRADE_FAILED


def test_the_next_move_has_its_own_time() -> None:
    seen, _ = run(etcd_without(), 400)
    upgrade = seen.cluster.status.upgrade
    assert upgrade is not None
    assert upgrade.counted_from is not None
    back = replace(seen.cluster, spec=replace(seen.cluster.spec, package_version=OLD))
    status = look(replace(seen, cluster=back), NOW + timedelta(seconds=400))[1]
    assert status.upgrade is not None
    assert (status.upgrade.to_version, status.upgrade.counted_from) == (OLD, None)


def with_server_on(host: str, seen: Observed) -> Observed:
    """One of two API servers is not ready, on this host."""
    well = on("h2", pod(API_SERVER, "demo-apiserver-well", conditions=READY))
    return servers(seen, well, on(host, pod(API_SERVER, "demo-apiserver-ill")))


def moved_to_servers() -> Observed:
    """etcd and API servers have moved."""
    return moved(moved(wishing(), ETCD), API_SERVER)


def server_beside(seen: Observed, dead: str = DEAD) -> Observed:
    """An API server has moved and answered, and a member of etcd is away with its host; or it is back."""
    pods = [member_pod(name, ready=name != dead, since=DIED) for name in NAMES]
    found = replace(of_etcd(seen, pods, ready=2 if dead else 3, dead=dead), hosts=AWAY if dead else HOSTS)
    return replace(found, ready_since=DIED, probed=ProbeSeen(DIED, NEW))


def test_a_host_that_comes_back_long_after_a_move_fails_nothing_that_was_well_all_the_time() -> None:
    seen, said = run(server_beside(moved_to_servers()), 700)
    assert said == [words.AWAITING_HEALTH]
    assert "before kube-controller-manager moves: etcd: " in verdict_at(seen, 700)[1]
    back = replace(server_beside(seen, dead=""), ready_since=NOW + timedelta(seconds=700))
    assert verdict_at(back, 700) == (
        words.AWAITING_HEALTH,
        "after kube-apiserver moved: waiting for a read through the endpoint",
    )
    silent = replace(back, probed=ProbeSeen(NOW + timedelta(seconds=701), "", "no answer"))
    assert verdict_at(silent, 700 + 280)[0] == words.AWAITING_HEALTH
    assert verdict_at(silent, 700 + 310)[0] == words.UPGRADE_FAILED


def test_nor_when_it_comes_back_after_the_last_move() -> None:
    seen = wishing()
    for component in ORDER:
        seen = moved(seen, component)
    seen, said = run(server_beside(seen), 700)
    assert said == [words.AWAITING_HEALTH]
    back = replace(server_beside(seen, dead=""), ready_since=NOW + timedelta(seconds=700))
    assert verdict_at(back, 700)[0] == words.AWAITING_HEALTH


def test_what_was_well_and_falls_ill_while_another_one_is_awaited_has_the_time_of_a_step() -> None:
    seen, _ = run(server_beside(moved_to_servers()), 700)
    ill = replace(with_server_on("h3", seen), ready_since=NOW + timedelta(seconds=700))
    assert verdict_at(ill, 700 + 280)[0] == words.UPGRADING
    assert verdict_at(ill, 700 + 310)[0] == words.UPGRADE_FAILED


def test_a_read_that_no_operator_was_there_to_ask_for_fails_nothing() -> None:
    later = NOW + timedelta(seconds=700)
    seen = replace(moved(wishing(), API_SERVER), ready_since=later, probed=None)
    plan, _ = look(seen, later)
    assert plan.step is not None
    assert (plan.step.failed, plan.step.probes) == (None, True)
    assert verdict_at(seen, 700)[0] == words.AWAITING_HEALTH
