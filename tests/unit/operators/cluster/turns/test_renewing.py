"""Certificates are renewed long before they run out, one Secret at a time, while the cluster is well."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.support.clusters import NOW, cluster, running, workload

from homeostat.api.cluster.masters import API_SERVER
from homeostat.api.cluster.network import ClusterEndpointStatus
from homeostat.kit.pki.authority import AUTHORITY_LIFE, LEAF_LIFE
from homeostat.operators.cluster import words
from homeostat.operators.cluster.actions import IssueLeaf, Plan, ProbeEndpoint, Verdict
from homeostat.operators.cluster.decide import Policy, decide
from homeostat.operators.cluster.names import names_of
from homeostat.operators.cluster.observe import Observed, ProbeSeen
from homeostat.operators.cluster.pki.authority import new_authorities
from homeostat.operators.cluster.pki.judging import LeafSeen
from homeostat.operators.cluster.pki.leaves import leaves, make
from homeostat.operators.cluster.pki.lifetimes import Certificate, of_authorities, of_leaf, renewal
from homeostat.operators.cluster.pki.material import material
from homeostat.operators.cluster.pki.told import certificates
from homeostat.operators.cluster.ports import Refusal
from homeostat.operators.cluster.report import report
from homeostat.operators.cluster.turns.renewing import expiring
from homeostat.runtime.conditions import find_condition
from homeostat.runtime.loop import Result
from homeostat.runtime.outcome import DONE

AUTHORITY = new_authorities(NOW)
END = NOW + LEAF_LIFE
ORDER = ["demo-etcd", "demo-controller-manager", "demo-scheduler", "demo-apiserver", "demo-admin-kubeconfig"]
LONG_DUE = END - timedelta(days=100)
ONE_DAY_BEFORE = END - timedelta(days=1)


def held(now: datetime, *renewed: str, **spec: Any) -> Observed:
    """A cluster that is well and has its place, with certificates of its first day but for those renewed now."""
    seen = running(cluster(**spec), ready_since=NOW, probed=ProbeSeen(now, "v1.35.4"))
    top = of_authorities(AUTHORITY)

    def judged(leaf: LeafSeen) -> LeafSeen:
        made = make(leaf.leaf, material(AUTHORITY), now if leaf.leaf.name in renewed else NOW)
        found = of_leaf(leaf.leaf, made)
        return replace(leaf, certificates=found, renew_at=renewal(found, top, f"uid-demo/{leaf.leaf.name}"))

    one = replace(seen.cluster, status=replace(seen.cluster.status, rolling_since=now))
    authority = replace(seen.authority, certificates=top)
    return replace(seen, cluster=one, authority=authority, leaves=tuple(map(judged, seen.leaves)))


def plan(seen: Observed, now: datetime) -> Plan:
    return decide(seen, now, Policy())


def renewals(seen: Observed, now: datetime) -> list[str]:
    return [each.leaf.name for each in plan(seen, now).actions if isinstance(each, IssueLeaf)]


def test_nothing_is_renewed_while_most_of_its_life_is_left() -> None:
    half = NOW + LEAF_LIFE / 2
    assert renewals(held(half), half) == []


def test_a_plan_says_when_the_next_renewal_is() -> None:
    seen = held(NOW)
    next_one = min(leaf.renew_at for leaf in seen.leaves if leaf.renew_at is not None)
    turn = plan(seen, NOW).turn
    assert turn.wait is not None
    assert turn.wait.until == next_one


def test_secrets_are_renewed_one_after_the_other() -> None:
    for now in (LONG_DUE, ONE_DAY_BEFORE):
        done: list[str] = []
        while found := renewals(held(now, *done), now):
            assert len(found) == 1
            done += found
        assert sorted(done) == sorted(ORDER)


def test_with_a_day_left_certificates_that_restart_nobody_come_first() -> None:
    done: list[str] = []
    while found := renewals(held(ONE_DAY_BEFORE, *done), ONE_DAY_BEFORE):
        done += found
    assert done[-2:] == ["demo-controller-manager", "demo-scheduler"]


def lame(seen: Observed) -> Observed:
    """With an API server that is not ready."""
    broken = workload(API_SERVER, "demo-apiserver", ready=0)
    return replace(seen, workloads={**seen.workloads, "demo-apiserver": broken})


def test_nothing_is_renewed_beside_a_master_that_is_not_well() -> None:
    assert renewals(lame(held(LONG_DUE)), LONG_DUE) == []


def test_but_in_the_last_month_what_restarts_nobody_is() -> None:
    done: list[str] = []
    while found := renewals(lame(held(ONE_DAY_BEFORE, *done)), ONE_DAY_BEFORE):
        done += found
    assert set(done) == {"demo-etcd", "demo-apiserver", "demo-admin-kubeconfig"}


def test_and_when_they_run_out_all_are() -> None:
    late = END - timedelta(minutes=59)
    done: list[str] = []
    while found := renewals(lame(held(late, *done)), late):
        done += found
    assert sorted(done) == sorted(ORDER)


def test_the_endpoint_must_have_answered_since_masters_were_ready() -> None:
    seen = replace(held(LONG_DUE), ready_since=LONG_DUE, probed=ProbeSeen(LONG_DUE - timedelta(seconds=1), "v1.35.4"))
    assert renewals(seen, LONG_DUE) == []
    assert ProbeEndpoint() in plan(seen, LONG_DUE).actions


@pytest.mark.parametrize("is_by_policy", [True, False])
def test_a_policy_of_the_business_cluster_that_refuses_writes_holds_no_renewal(is_by_policy: bool) -> None:
    probed = ProbeSeen(LONG_DUE, "v1.35.4", refused=Refusal("no writes today", is_by_policy))
    assert bool(renewals(replace(held(LONG_DUE), probed=probed), LONG_DUE)) is is_by_policy


def test_nothing_is_renewed_during_a_move_or_a_pause() -> None:
    assert renewals(held(LONG_DUE, packageVersion="v1.34.4", paused=True), LONG_DUE) == []
    moving = held(LONG_DUE)
    wish = replace(moving.cluster.spec, package_version="v1.34.4")
    moving = replace(moving, cluster=replace(moving.cluster, spec=wish), kubelets=frozenset())
    assert renewals(moving, LONG_DUE) == []


def test_a_renewal_is_told_as_one_and_not_as_a_repair() -> None:
    seen = held(LONG_DUE)
    found = plan(seen, LONG_DUE)
    told = report(seen, found, tuple(Result[Any](each, DONE) for each in found.actions), LONG_DUE)
    notes = [(note.reason, note.type) for note in told.notes]
    assert (words.RENEWED, "Normal") in notes
    assert words.REPAIRED not in [reason for reason, _ in notes]


def test_the_status_says_for_each_authority_what_runs_out_first() -> None:
    seen = held(NOW, "demo-etcd")
    told = {each.authority: each for each in certificates(seen.authority, seen.leaves)}
    assert set(told) == {"ca", "etcd-ca", "front-proxy-ca"}
    assert told["front-proxy-ca"].secret == "demo-apiserver"
    assert told["front-proxy-ca"].soonest == END
    assert told["ca"].not_after == NOW + AUTHORITY_LIFE
    assert told["ca"].renews_at is not None


def test_what_runs_out_because_nothing_is_touched_is_told() -> None:
    late = END - timedelta(days=10)
    seen = held(late, paused=True)
    status = report(seen, plan(seen, late), (), late).status
    assert status is not None
    condition = find_condition(status.conditions, words.PKI_READY)
    assert condition is not None
    assert (condition.reason, condition.status) == (words.EXPIRING, "False")
    assert "runs out on 2027-01-01" in condition.message
    assert expiring(held(NOW), NOW) is None


def test_an_authority_near_its_end_is_told_and_renews_nothing_in_vain() -> None:
    late = NOW + AUTHORITY_LIFE - timedelta(days=10)
    seen = held(late, *ORDER)
    assert renewals(seen, late) == []
    assert isinstance(expiring(seen, late), Verdict)


@given(st.uuids())
def test_renewals_of_a_fleet_are_spread_over_a_month_and_always_the_same(uid: object) -> None:
    names = names_of(cluster())
    endpoint = ClusterEndpointStatus(host="10.0.0.1", port=6443)
    (leaf,) = [each for each in leaves(cluster(), names, endpoint) if each.name == names.scheduler]
    one = (Certificate("ca", leaf.name, END),)
    top = (Certificate("ca", "ca.crt", NOW + AUTHORITY_LIFE),)
    at = renewal(one, top, f"{uid}/{leaf.name}")
    assert at == renewal(one, top, f"{uid}/{leaf.name}")
    assert at is not None
    assert timedelta(days=121) <= END - at <= timedelta(days=153)
