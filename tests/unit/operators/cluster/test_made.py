"""When a new cluster is no longer one: Ready, or in use though something of it never came up."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace
from tests.support.ailing import DEAD, HOSTS, ailing
from tests.support.clusters import NOW, pod, settled, waiting, workload
from tests.support.rollouts import NEW, PACKAGES
from tests.support.telling import ending

from homeostat.api.cluster.masters import ETCD
from homeostat.api.cluster.v1alpha1 import ClusterStatus
from homeostat.api.meta import Condition
from homeostat.operators.cluster import words
from homeostat.operators.cluster.actions import Plan
from homeostat.operators.cluster.decide import Policy, decide
from homeostat.operators.cluster.healing.seen import HostSeen
from homeostat.operators.cluster.observe import Observed
from homeostat.operators.cluster.report import report
from homeostat.operators.cluster.snapshots.decide import Seen
from homeostat.operators.cluster.snapshots.decide import decide as draw
from homeostat.runtime.loop import Report, Result

SERVES_SINCE = NOW - timedelta(minutes=10)
OTHER = "v1.34.4"


def never_ready(seen: Observed, since: datetime = SERVES_SINCE) -> Observed:
    """The same, that serves since then and was never Ready."""
    serves = Condition(type=words.AVAILABLE, status="True", reason=words.SERVING, last_transition_time=since)
    status = replace(seen.cluster.status, ready_at=None, started_at=NOW - timedelta(days=2), conditions=(serves,))
    return replace(seen, cluster=replace(seen.cluster, status=status))


def without_a_host() -> Observed:
    """Made while the host of one of three members died for good."""
    seen = ailing(DEAD)
    fewer = {"demo-etcd": workload(ETCD, "demo-etcd", ready=2, replicas=3)}
    hosts = HOSTS | {"h1": HostSeen("z1", is_ready=False, takes_pods=False)}
    return never_ready(replace(seen, hosts=hosts, workloads={**seen.workloads, **fewer}))


def without_a_scheduler(*dead: str) -> Observed:
    """Made of a package version whose scheduler nobody can pull."""
    seen = ailing(*dead)
    bad = pod("kube-scheduler", "demo-scheduler-x", **waiting("ImagePullBackOff"))
    pods = (*(each for each in seen.pods if "scheduler" not in each.metadata.name), bad)
    fewer = {"demo-scheduler": workload("kube-scheduler", "demo-scheduler", ready=0, replicas=2)}
    return never_ready(replace(seen, pods=pods, workloads={**seen.workloads, **fewer}))


def look(seen: Observed, now: datetime = NOW) -> tuple[Plan, Report[ClusterStatus], ClusterStatus]:
    plan = decide(seen, now, Policy())
    found = report(seen, plan, tuple(Result[Any](each, ending(each)) for each in plan.actions), now)
    assert found.status is not None
    return plan, found, found.status


def made(seen: Observed) -> Observed:
    return settled(replace(seen, cluster=replace(seen.cluster, status=look(seen)[2])))


def test_a_cluster_that_has_served_for_ten_minutes_is_made_though_it_was_never_ready() -> None:
    for seen in (without_a_host(), without_a_scheduler()):
        _, told, status = look(seen)
        assert (status.ready_at, status.phase) == (NOW, "Degraded")
        assert words.CREATED in [note.reason for note in told.notes]
        assert look(seen, NOW - timedelta(seconds=1))[2].ready_at is None


def test_one_that_does_not_serve_is_not_made_however_old_it_is() -> None:
    seen = without_a_host()
    none = workload(ETCD, "demo-etcd", ready=1, replicas=3)
    assert look(replace(seen, workloads={**seen.workloads, "demo-etcd": none}))[2].ready_at is None


def test_then_a_member_that_died_is_replaced() -> None:
    for seen in (without_a_host(), without_a_scheduler(DEAD)):
        assert look(seen)[0].heal.begins is None
        begun = look(made(seen))[0].heal.begins
        assert begun is not None
        assert begun.member == DEAD


def test_then_its_data_is_backed_up() -> None:
    seen = without_a_scheduler()
    assert not draw(Seen(seen.cluster, "s3://x"), NOW).applies
    assert draw(Seen(made(seen).cluster, "s3://x"), NOW).applies


def test_then_it_moves_one_master_at_a_time() -> None:
    def moves(seen: Observed) -> tuple[str, ...]:
        spec = replace(seen.cluster.spec, package_version=OTHER)
        wishing = replace(seen, packages=PACKAGES, kubelets=frozenset(), ready_since=NOW)
        step = decide(replace(wishing, cluster=replace(seen.cluster, spec=spec)), NOW, Policy()).step
        assert step is not None
        return step.moves

    seen = without_a_scheduler()
    assert set(PACKAGES) == {OTHER, NEW}
    assert len(moves(seen)) == 4
    assert len(moves(made(seen))) == 1
