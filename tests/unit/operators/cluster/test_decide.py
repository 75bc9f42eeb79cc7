"""The rules of a business cluster: what is done, what is left alone, and what is never done."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.support.clusters import NOW, claim, cluster, new, planned, pod, running, settled, waiting, workload

from homeostat.api.cluster.masters import API_SERVER, ETCD, SCHEDULER
from homeostat.api.cluster.network import ClusterEndpointStatus
from homeostat.operators.cluster import words
from homeostat.operators.cluster.actions import (
    AddFinalizer,
    IssueAuthority,
    IssueLeaf,
    Plan,
    ProbeEndpoint,
    Remove,
    RemoveFinalizer,
)
from homeostat.operators.cluster.decide import Policy, decide
from homeostat.operators.cluster.observe import Live, Observed, ProbeSeen
from homeostat.operators.cluster.pki.judging import AuthoritySeen, LeafSeen


def plan_for(seen: Observed) -> Plan:
    return decide(seen, NOW, Policy())


def names(plan: Plan) -> set[str]:
    return {f"{desired.kind.resource.kind} {desired.name}" for desired in planned(plan)}


def test_the_finalizer_comes_before_the_first_object() -> None:
    assert plan_for(new(cluster(begun=False))).actions == (AddFinalizer(),)


def test_authorities_and_services_are_made_at_once_and_nothing_that_needs_them() -> None:
    plan = plan_for(new())
    assert isinstance(plan.actions[0], IssueAuthority)
    found_and_kept_by = {"ConfigMap demo-etcd", "PodDisruptionBudget demo-etcd", "PodDisruptionBudget demo-apiserver"}
    assert names(plan) == {
        "Service demo-etcd",
        "Service demo-etcd-client",
        "Service demo-apiserver",
        "ConfigMap demo-apiserver",
        *found_and_kept_by,
    }


def issued(seen: Observed) -> Observed:
    """With all Secrets that there can be without an endpoint."""
    leaves = tuple(LeafSeen(each.leaf, True, "", "digest") for each in seen.leaves)
    return replace(seen, authority=AuthoritySeen(exists=True), leaves=leaves)


def test_etcd_starts_without_waiting_for_an_address() -> None:
    assert "StatefulSet demo-etcd" in names(plan_for(issued(new())))


def test_an_api_server_is_made_when_etcd_answers_and_the_address_is_known() -> None:
    endpoint = ClusterEndpointStatus(host="10.100.1.1", port=6443)
    ready = running()
    early = replace(ready, cluster=cluster(), workloads={}, pods=(), applied={}, live={})
    assert "Deployment demo-apiserver" not in names(plan_for(early))
    starting = replace(early, pods=(pod(ETCD),))
    assert "Deployment demo-apiserver" not in names(plan_for(starting))
    answering = pod(ETCD, conditions=[{"type": "Ready", "status": "True"}])
    assert "Deployment demo-apiserver" in names(plan_for(replace(early, pods=(answering,))))
    nowhere = replace(issued(new()), pods=(answering,))
    assert nowhere.endpoint != endpoint
    assert "Deployment demo-apiserver" not in names(plan_for(nowhere))


def test_controllers_are_made_when_the_api_answers_and_kept_when_it_does_not() -> None:
    ready = running()
    answering = {name: ready.workloads[name] for name in ("demo-etcd", "demo-apiserver")}
    silent = {**answering, "demo-apiserver": workload(API_SERVER, "demo-apiserver", ready=0)}
    first = replace(ready, cluster=cluster(), applied={}, live={}, workloads=silent)
    assert "Deployment demo-scheduler" not in names(plan_for(first))
    assert "Deployment demo-scheduler" in names(plan_for(replace(first, workloads=answering)))
    later = replace(ready, applied={}, live={}, workloads=silent)
    assert {"Deployment demo-scheduler", "Deployment demo-controller-manager"} <= names(plan_for(later))


def test_a_settled_cluster_is_left_alone_until_the_next_probe() -> None:
    plan = plan_for(running())
    assert plan.actions == ()
    assert plan.wait is not None
    later = decide(running(), plan.wait.until, Policy())
    assert later.actions == (ProbeEndpoint(),)


def test_a_failed_probe_is_repeated_at_once() -> None:
    failed = ProbeSeen(NOW, "", "no answer")
    assert plan_for(running(probed=failed)).actions == (ProbeEndpoint(),)


def test_a_new_cluster_is_looked_at_at_once_when_all_of_it_is_ready_and_before_as_that_gets_ready() -> None:
    made = running()
    ready = replace(made, cluster=replace(made.cluster, status=replace(made.cluster.status, ready_at=None)))
    late = {**made.workloads, "demo-scheduler": workload(SCHEDULER, "demo-scheduler", ready=0)}
    waits = [plan_for(seen).wait for seen in (ready, replace(ready, workloads=late))]
    assert [(wait.until - NOW).total_seconds() for wait in waits if wait is not None] == [0.5, 5]


def test_nothing_is_probed_while_a_component_is_not_ready() -> None:
    seen = running()
    hurt = {**seen.workloads, "demo-apiserver": workload(API_SERVER, "demo-apiserver", ready=0)}
    assert plan_for(replace(seen, workloads=hurt, probed=None)).actions == ()


@pytest.mark.parametrize("mark", sorted(running().applied))
def test_whatever_is_edited_or_gone_is_put_back_and_nothing_else(mark: tuple[str, str]) -> None:
    seen = running()
    edited = {**seen.live, mark: replace(seen.live[mark], fingerprint="edited")}
    gone = {other: live for other, live in seen.live.items() if other != mark}
    for live in (edited, gone):
        assert names(plan_for(replace(seen, live=live))) == {f"{mark[0]} {mark[1]}"}


def test_what_is_being_deleted_is_not_applied_again_until_it_is_gone() -> None:
    seen = running()
    mark = ("Deployment", "demo-apiserver")
    assert plan_for(replace(seen, live={**seen.live, mark: Live("uid", "edited", True)})).actions == ()


def test_a_damaged_certificate_is_issued_anew_and_its_users_wait_for_it() -> None:
    seen = running()
    leaves = tuple(replace(each, damage="no key") if each.leaf.name == "demo-etcd" else each for each in seen.leaves)
    plan = plan_for(replace(seen, leaves=leaves, applied={}))
    (leaf,) = [action for action in plan.actions if isinstance(action, IssueLeaf)]
    assert (leaf.leaf.name, leaf.because) == ("demo-etcd", "no key")
    assert "StatefulSet demo-etcd" not in names(plan)


def test_a_new_certificate_replaces_the_pods_that_read_it() -> None:
    seen = running()
    leaves = tuple(replace(each, digest="new") if each.leaf.name == "demo-etcd" else each for each in seen.leaves)
    assert names(plan_for(replace(seen, leaves=leaves))) == {"StatefulSet demo-etcd"}


@pytest.mark.parametrize("begun", [{"claims": (claim(),)}, {"workloads": running().workloads}])
def test_lost_authorities_of_a_cluster_with_data_are_never_made_anew(begun: dict[str, Any]) -> None:
    plan = plan_for(replace(new(), **begun))
    assert plan.actions == ()
    assert plan.pki is not None
    assert plan.pki.reason == words.AUTHORITY_LOST
    assert "demo-pki" in plan.pki.message
    assert "backup" in plan.pki.message


def test_damaged_authorities_are_told_and_not_replaced() -> None:
    plan = plan_for(running(authority=AuthoritySeen(exists=True, damage="ca.key: no key"), applied={}))
    assert plan.actions == ()
    assert plan.pki is not None
    assert (plan.pki.reason, "ca.key" in plan.pki.message) == (words.AUTHORITY_DAMAGED, True)


def test_without_its_package_version_nothing_is_touched_and_the_name_is_told() -> None:
    for seen, rest in ((new(packages={}), ""), (running(packages={}, applied={}), "run on")):
        plan = plan_for(seen)
        assert plan.actions == ()
        assert plan.verdict is not None
        assert plan.verdict.reason == words.PACKAGE_NOT_FOUND
        assert "'v1.35.4'" in plan.verdict.message
        assert rest in plan.verdict.message


def test_an_unknown_package_version_is_told_and_the_old_one_kept() -> None:
    moved = cluster(packageVersion="v9.9.9")
    moved = replace(moved, status=replace(moved.status, package_version="v1.35.4"))
    plan = plan_for(running(moved, applied={}))
    assert plan.verdict is not None
    assert plan.verdict.reason == words.PACKAGE_NOT_FOUND
    assert "StatefulSet demo-etcd" in names(plan)


def test_a_paused_cluster_is_not_touched_but_its_deletion_goes_on() -> None:
    assert plan_for(running(cluster(paused=True), applied={})).actions == ()
    assert plan_for(running(cluster(paused=True, deleted=True))).actions != ()


def test_of_two_clusters_that_ask_for_one_address_the_younger_waits() -> None:
    plan = plan_for(new(cluster(endpoint={"address": "10.100.1.9"}), rival="default/older"))
    assert plan.actions == ()
    assert plan.verdict is not None
    assert "default/older" in plan.verdict.message
    assert plan_for(running(cluster(endpoint={"address": "10.100.1.9"}), rival="default/older")).verdict is None


def test_nothing_is_made_of_networks_that_overlap() -> None:
    plan = plan_for(new(cluster(network={"podCIDR": "10.0.0.0/8", "serviceCIDR": "10.201.0.0/20"})))
    assert plan.actions == ()
    assert plan.verdict is not None
    assert plan.verdict.reason == words.INVALID_SPEC


states = st.builds(
    lambda base, changes: replace(base, **changes),
    st.sampled_from([new(), issued(new()), running(), settled(issued(new()))]),
    st.fixed_dictionaries(
        {},
        optional={
            "packages": st.sampled_from([{}, running().packages]),
            "authority": st.sampled_from(
                [AuthoritySeen(exists=False), AuthoritySeen(exists=True), AuthoritySeen(exists=True, damage="odd")]
            ),
            "applied": st.just({}),
            "live": st.just({}),
            "claims": st.sampled_from([(), (claim(),)]),
            "pods": st.sampled_from([(), (pod(ETCD),), (pod(ETCD, **waiting("CrashLoopBackOff")),)]),
            "workloads": st.sampled_from([{}, running().workloads]),
            "probed": st.sampled_from([None, ProbeSeen(NOW, ""), ProbeSeen(NOW, "v1.35.4")]),
            "rival": st.sampled_from(["", "default/other"]),
        },
    ),
)


@given(states, st.booleans())
def test_nothing_is_ever_removed_from_a_cluster_that_is_not_being_deleted(seen: Observed, paused: bool) -> None:
    spec = replace(seen.cluster.spec, paused=paused, deletion_protection=not paused)
    plan = plan_for(replace(seen, cluster=replace(seen.cluster, spec=spec)))
    assert not [action for action in plan.actions if isinstance(action, Remove)]


@given(states)
def test_authorities_are_made_only_where_no_data_can_be(seen: Observed) -> None:
    makes = any(isinstance(action, IssueAuthority) for action in plan_for(seen).actions)
    assert not (makes and (seen.claims or "demo-etcd" in seen.workloads or seen.authority.exists))


@given(states)
def test_an_applied_plan_is_not_planned_again(seen: Observed) -> None:
    done = replace(seen, authority=AuthoritySeen(exists=True))
    after = plan_for(settled(done))
    assert planned(after) == []


@given(states)
def test_a_plan_that_does_nothing_waits_or_says_why(seen: Observed) -> None:
    plan = plan_for(seen)
    waits_for_a_change = any(status.status.ready_replicas == 0 for status in seen.workloads.values())
    starting = len(seen.workloads) < 4
    assert plan.actions or plan.wait or plan.stop or plan.verdict or waits_for_a_change or starting


def test_the_next_probe_is_within_a_minute_and_that_of_others_at_another_time() -> None:
    def pause(name: str) -> timedelta:
        wait = plan_for(running(cluster(name))).wait
        assert wait is not None
        return wait.until - NOW

    pauses = [pause(f"many-{number}") for number in range(30)]
    assert timedelta(0) < min(pauses) < max(pauses) <= timedelta(seconds=60)
    assert len(set(pauses)) == 30
    assert pause("many-7") == pause("many-7")


def test_a_proof_from_before_an_outage_is_none() -> None:
    seen = running()
    told = tuple(
        replace(each, status="False") if each.type == words.AVAILABLE else each
        for each in seen.cluster.status.conditions
    )
    status = replace(seen.cluster.status, conditions=told)
    assert plan_for(replace(seen, cluster=replace(seen.cluster, status=status))).actions == (ProbeEndpoint(),)


def test_a_missing_package_is_told_where_it_is_named() -> None:
    new_one, moved = new(packages={}), cluster(packageVersion="v9.9.9")
    moved = replace(moved, status=replace(moved.status, package_version="v1.35.4"))
    said = [plan.stop or "" for plan in (plan_for(new_one), plan_for(running(moved, packages={})))]
    assert said == [
        "spec.packageVersion: there is no ClusterPackageVersion 'v1.35.4'; create it, or name another one",
        "status.packageVersion: there is no ClusterPackageVersion 'v1.35.4'; create it again, until then the masters"
        " run on, but are not repaired",
    ]


@given(states, st.booleans())
def test_what_is_removed_is_there_and_of_one_stage_and_nothing_else_happens(seen: Observed, damaged: bool) -> None:
    """Also of a cluster that is damaged, paused, invalid or of an unknown package: a deletion always goes on."""
    network = {"podCIDR": "x" if damaged else "10.0.0.0/16", "serviceCIDR": "10.201.0.0/20"}
    gone = cluster(deleted=True, paused=damaged, network=network)
    seen = replace(seen, cluster=replace(gone, status=seen.cluster.status))
    plan = plan_for(seen)
    assert all(isinstance(action, Remove | RemoveFinalizer) for action in plan.actions)
    claims = {claim.metadata.name: claim.metadata.uid for claim in seen.claims}
    kinds = set()
    for action in plan.actions:
        if isinstance(action, Remove):
            kind = action.kind.resource.kind
            kinds.add(kind)
            there = claims.get(action.name) if kind == "PersistentVolumeClaim" else seen.live[kind, action.name].uid
            assert action.uid == there
    assert kinds <= {"Service", "Secret"} or len(kinds) == 1
    if RemoveFinalizer() in plan.actions:
        assert (len(seen.live), seen.pods, seen.claims) == (0, (), ())


def test_a_topology_that_finds_too_few_zones_is_refused_before_anything_is_made() -> None:
    seen = new(cluster(topology="ha", begun=False), zones=frozenset({"b", "a"}))
    plan = plan_for(seen)
    assert plan.actions == ()
    assert plan.verdict is not None
    assert plan.verdict.reason == words.TOO_FEW_ZONES
    assert "in 3 zones of the cell, found 2 (a, b)" in plan.verdict.message
    assert plan_for(replace(seen, zones=frozenset("abc"))).actions == (AddFinalizer(),)


def test_no_member_begins_on_a_volume_that_a_former_cluster_left() -> None:
    seen = new(cluster(begun=False), foreign_claims=("data-demo-etcd-0", "data-demo-etcd-1"))
    plan = plan_for(seen)
    assert plan.actions == ()
    assert plan.verdict is not None
    assert plan.verdict.reason == words.NAME_CONFLICT
    assert plan.verdict.message.startswith("PersistentVolumeClaim data-demo-etcd-0 is not of this Cluster")
    beside = replace(seen, foreign_claims=("data-demo-etcd-1",))
    assert plan_for(beside).actions == (AddFinalizer(),)
    assert plan_for(running(foreign_claims=("data-demo-etcd-0",))).verdict is None


def test_masters_that_run_are_kept_whatever_became_of_the_zones() -> None:
    seen = running(cluster(topology="ha"), zones=frozenset())
    assert plan_for(seen).verdict is None


def test_a_cluster_that_lost_a_replica_is_probed_all_the_same() -> None:
    seen = running(cluster(topology="ha"), probed=None)
    fewer = workload(ETCD, "demo-etcd", ready=2, replicas=3)
    seen = replace(seen, workloads={**seen.workloads, "demo-etcd": fewer})
    assert plan_for(seen).actions == (ProbeEndpoint(),)
