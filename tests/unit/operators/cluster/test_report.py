"""What a Cluster's status and events say: all of it, in whole sentences, and Ready only when it truly is."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.support.clusters import NOW, cluster, new, pod, running, waiting, workload
from tests.support.telling import ending, served, silent, status, told

from homeostat.api.cluster.masters import ETCD
from homeostat.api.cluster.v1alpha1 import ClusterStatus
from homeostat.api.meta import Condition
from homeostat.kube.errors import ConnectionFailed, Forbidden
from homeostat.operators.cluster import words
from homeostat.operators.cluster.actions import (
    Action,
    Applied,
    Apply,
    Conflicted,
    Plan,
    Probed,
    ProbeFailed,
    Refused,
    RemoveFinalizer,
)
from homeostat.operators.cluster.decide import Policy, decide
from homeostat.operators.cluster.healing.sickness import sick_since
from homeostat.operators.cluster.meanings.tables import TABLES
from homeostat.operators.cluster.observe import Observed, ProbeSeen
from homeostat.operators.cluster.pki.judging import AuthoritySeen
from homeostat.operators.cluster.ports import Refusal
from homeostat.operators.cluster.report import report
from homeostat.runtime.conditions import find_condition
from homeostat.runtime.events import Note
from homeostat.runtime.loop import Report, Result
from homeostat.runtime.outcome import DONE, Outcome, Retry

FORBIDDEN = Retry(Forbidden(403, "Forbidden", "not you"))
SILENT = Retry(ConnectionFailed("the cell does not answer"))
REASONS = {word.name for table in TABLES for word in table.words}


def condition(seen: Observed, type_: str, outcome: Outcome | None = None) -> Condition:
    found = find_condition(status(seen, outcome).conditions, type_)
    assert found is not None
    return found


def test_a_running_cluster_is_ready_in_every_respect() -> None:
    found = status(running())
    assert [(each.type, each.status) for each in found.conditions] == [(type_, "True") for type_ in words.CONDITIONS]
    assert (found.phase, found.observed_generation, found.attempts) == ("Ready", 1, 0)
    assert {component.state for component in found.components} == {words.COMPONENTS_READY}


def test_a_status_that_says_all_is_told_again_without_a_change() -> None:
    seen = served()
    assert told(seen) == Report(seen.cluster.status, ())


def test_a_new_cluster_tells_what_it_waits_for_in_every_condition() -> None:
    found = status(new())
    assert {each.type: (each.status, each.reason) for each in found.conditions} == {
        "Accepted": ("True", words.AS_DECLARED),
        "PKIReady": ("False", words.ISSUING),
        "EndpointAssigned": ("False", words.WAITING_FOR_ADDRESS),
        "EtcdReady": ("False", words.NOT_CREATED),
        "APIServerReady": ("False", words.NOT_CREATED),
        "ControllersReady": ("False", words.NOT_CREATED),
        "Scaled": ("True", words.AS_DECLARED),
        "UpToDate": ("True", words.AS_DECLARED),
        "Available": ("False", words.PROGRESSING),
        "Ready": ("False", words.ISSUING),
    }
    assert (found.phase, found.started_at, found.package_version) == ("Provisioning", NOW, "v1.35.4")


@pytest.mark.parametrize(
    ("seen", "phase"),
    [
        (new(packages={}), "Pending"),
        (new(cluster(paused=True)), "Paused"),
        (new(), "Provisioning"),
        (running(), "Ready"),
        (silent(running()), "Degraded"),
        (running(cluster(deleted=True)), "Deleting"),
        (running(cluster(deleted=True, deletionProtection=True)), "Deleting"),
    ],
)
def test_the_phase_is_one_word_for_it_all(seen: Observed, phase: str) -> None:
    assert status(seen).phase == phase


@pytest.mark.parametrize("held", [{"paused": True}, {"network": {"podCIDR": "x", "serviceCIDR": "y"}}])
def test_a_declaration_that_is_not_followed_makes_no_keys_and_says_so(held: dict[str, Any]) -> None:
    found = condition(new(cluster(**held)), words.PKI_READY)
    assert (found.status, found.reason) == ("False", words.NOT_CREATED)
    assert words.ACCEPTED in found.message
    assert status(new(cluster(**held))).started_at is None


@pytest.mark.parametrize("spec", [{}, {"paused": True}, {"deleted": True, "deletionProtection": True}])
@pytest.mark.parametrize(
    ("authority", "reason"),
    [
        (AuthoritySeen(exists=False), words.AUTHORITY_LOST),
        (AuthoritySeen(exists=True, damage="ca.key is missing"), words.AUTHORITY_DAMAGED),
    ],
)
def test_broken_authorities_are_told_even_when_nothing_may_be_touched(
    spec: dict[str, Any], authority: AuthoritySeen, reason: str
) -> None:
    found = condition(running(cluster(**spec), authority=authority), words.PKI_READY)
    assert (found.status, found.reason) == ("False", reason)
    assert "demo-pki" in found.message
    assert "backup" in found.message


def test_authorities_that_go_with_their_cluster_are_not_lost() -> None:
    seen = running(cluster(deleted=True), authority=AuthoritySeen(exists=False))
    assert condition(seen, words.PKI_READY).reason == words.NOT_CREATED


def test_a_probe_that_fails_makes_a_cluster_unready_with_its_words() -> None:
    found = condition(replace(served(), probed=None), words.READY, ProbeFailed(1.0, "nobody listens"))
    assert (found.status, found.reason, found.message) == (
        *("False", words.ENDPOINT_UNREACHABLE),
        "Available: nobody listens",
    )


WEBHOOK = Refusal('failed calling webhook "policy.tenant.example": connection refused', is_by_policy=True)


def test_what_people_s_own_webhook_refuses_is_told_and_no_fault_of_the_masters() -> None:
    seen = replace(served(), probed=None)
    found = told(seen, Probed(version="v1.35.4", refused=WEBHOOK))
    assert found.status is not None
    available = find_condition(found.status.conditions, words.AVAILABLE)
    assert available is not None
    assert (available.status, available.reason, available.message) == ("True", words.WRITES_REFUSED, WEBHOOK.why)
    assert Note(words.WRITES_REFUSED, f"Available: {WEBHOOK.why}", type="Warning") in found.notes
    assert found.status.phase == "Ready"
    again = replace(seen, cluster=replace(seen.cluster, status=found.status))
    for probed in (None, ProbeSeen(NOW, "v1.35.4", refused=WEBHOOK)):  # None: a process that has not asked yet
        kept = report(replace(again, probed=probed), Plan(), (), NOW)
        assert kept.status is not None
        assert find_condition(kept.status.conditions, words.AVAILABLE) == available
    assert sick_since(again.cluster) is None


def test_what_api_servers_refuse_of_their_own_accord_serves_nobody() -> None:
    denied = Refusal("admission control is denying all modifications", is_by_policy=False)
    found = condition(replace(served(), probed=None), words.AVAILABLE, Probed(version="v1.35.4", refused=denied))
    assert (found.status, found.reason, found.message) == ("False", words.WRITES_REFUSED, denied.why)


def test_a_restart_of_the_operator_is_no_moment_of_doubt() -> None:
    seen = replace(served(cluster(paused=True)), probed=None)
    assert condition(replace(served(), probed=None), words.READY).status == "True"
    assert condition(seen, words.READY).status == "True"


def test_a_cluster_that_nobody_has_asked_yet_is_not_ready() -> None:
    seen = running(probed=None)
    told = tuple(each for each in seen.cluster.status.conditions if each.type != words.AVAILABLE)
    seen = replace(seen, cluster=replace(seen.cluster, status=replace(seen.cluster.status, conditions=told)))
    found = find_condition((report(seen, Plan(), (), NOW).status or ClusterStatus()).conditions, words.READY)
    assert found is not None
    assert (found.status, found.reason) == ("False", words.PROGRESSING)


def test_a_cluster_whose_masters_were_declared_anew_this_moment_is_not_ready_before_that_is_seen() -> None:
    """A leader that knows what another one has told, and not yet what that has written, would say it too early."""
    seen = running()
    (unready,) = (each for each in status(silent(seen)).conditions if each.type == words.READY)
    waiting = replace(seen, cluster=replace(seen.cluster, status=ClusterStatus(conditions=(unready,))))
    (seen_version,) = {each.metadata.resource_version for each in seen.workloads.values()}

    def said(before: Observed, version: str) -> str:
        done = Result[Action](Apply(()), Applied(versions=(("StatefulSet", version),)))
        plan = decide(before, NOW, Policy())
        results = (*(Result[Action](action, ending(action)) for action in plan.actions), done)
        found = find_condition((report(before, plan, results, NOW).status or ClusterStatus()).conditions, words.READY)
        assert found is not None
        return f"{found.status} {found.reason}"

    assert said(waiting, "77") == f"False {words.PROGRESSING}"
    assert said(waiting, seen_version) == f"True {words.SERVING}", "nothing was changed, and nothing will be seen"
    assert said(served(), "77") == f"True {words.SERVING}", "what was said before is kept until more is known"


def test_a_cluster_that_lost_one_of_three_members_serves_but_is_not_as_declared() -> None:
    seen = running(cluster(topology="ha"))
    fewer = workload(ETCD, "demo-etcd", ready=2, replicas=3)
    seen = replace(seen, workloads={**seen.workloads, "demo-etcd": fewer})
    assert condition(seen, words.AVAILABLE).status == "True"
    found = condition(seen, words.READY)
    assert (found.status, found.reason) == ("False", words.PROGRESSING)
    assert found.message.startswith("EtcdReady: etcd: starting demo-etcd-0 on h1")


def test_a_cluster_without_a_quorum_is_not_available_whatever_the_last_probe_said() -> None:
    seen = running(cluster(topology="ha"))
    fewer = workload(ETCD, "demo-etcd", ready=1, replicas=3)
    seen = replace(seen, workloads={**seen.workloads, "demo-etcd": fewer})
    found = condition(seen, words.AVAILABLE)
    assert (found.status, found.reason) == ("False", words.TOO_FEW_MASTERS)


def test_a_protected_cluster_that_was_deleted_is_still_available() -> None:
    assert condition(running(cluster(deleted=True, deletionProtection=True)), words.AVAILABLE).status == "True"
    assert condition(running(cluster(deleted=True)), words.AVAILABLE).status == "False"


def test_what_the_api_forbids_is_told_at_once_and_what_fails_after_the_third_time() -> None:
    assert condition(new(), words.ACCEPTED, FORBIDDEN).reason == words.FORBIDDEN
    seen = new()
    for attempt in (1, 2, 3):
        found = status(seen, SILENT)
        assert found.attempts == attempt
        seen = replace(seen, cluster=replace(seen.cluster, status=found))
    failing = find_condition(seen.cluster.status.conditions, words.ACCEPTED)
    assert failing is not None
    assert (failing.reason, failing.message) == (words.API_REFUSED, "tried 3 times: the cell does not answer")
    assert status(seen).attempts == 0


@pytest.mark.parametrize(
    ("is_forbidden", "reason"), [(True, words.FORBIDDEN), (False, words.API_REFUSED)], ids=["forbidden", "invalid"]
)
def test_an_object_that_the_cell_does_not_take_is_told_at_once_and_what_was_written_beside_it_too(
    is_forbidden: bool, reason: str
) -> None:
    why = "apply poddisruptionbudgets.policy default/demo-etcd: no"
    outcome = Refused(30.0, why, put_back=("Service demo-etcd",), is_forbidden=is_forbidden)
    found = told(running(applied={}), outcome)
    assert found.status is not None
    accepted = find_condition(found.status.conditions, words.ACCEPTED)
    assert accepted is not None
    assert (accepted.status, accepted.reason, accepted.message) == ("False", reason, why)
    assert found.status.attempts == 0
    assert "put back Service demo-etcd" in [note.note for note in found.notes]


@pytest.mark.parametrize("outcome", [FORBIDDEN, Conflicted(30.0, "Secret default/demo-etcd is not of this Cluster")])
@pytest.mark.parametrize(
    "seen", [new(cluster(deleted=True), live=running().live), running(cluster(deleted=True)), running(applied={})]
)
def test_whatever_stands_in_the_way_is_told_also_during_a_deletion(seen: Observed, outcome: Outcome) -> None:
    found = condition(seen, words.ACCEPTED, outcome)
    assert found.status == "False"
    assert found.reason in (words.FORBIDDEN, words.NAME_CONFLICT)


def test_what_stands_in_the_way_of_the_old_version_goes_before_the_refusal_of_the_new() -> None:
    moved = cluster(packageVersion="v9.9.9")
    moved = replace(moved, status=replace(moved.status, package_version="v1.35.4"))
    assert condition(running(moved), words.ACCEPTED).reason == words.PACKAGE_NOT_FOUND
    assert condition(running(moved, applied={}), words.ACCEPTED, FORBIDDEN).reason == words.FORBIDDEN


def test_a_finalizer_that_cannot_be_taken_off_is_told() -> None:
    plan = Plan((RemoveFinalizer(),))
    failed = told(running(cluster(deleted=True)), FORBIDDEN, plan=plan)
    assert failed.status is not None
    accepted = find_condition(failed.status.conditions, words.ACCEPTED)
    assert accepted is not None
    assert accepted.reason == words.FORBIDDEN
    assert all(note.reason != words.DELETED for note in failed.notes)


def test_a_cluster_that_is_let_go_gets_no_more_status_but_a_last_word() -> None:
    last = told(running(cluster(deleted=True)), DONE, plan=Plan((RemoveFinalizer(),)))
    assert last.status is None
    assert last.notes == (Note(words.DELETED, "everything that was made for it is gone"),)


def test_a_deleted_cluster_that_others_hold_back_begins_nothing_and_names_them() -> None:
    held = cluster(deleted=True, begun=False)
    held = replace(held, metadata=replace(held.metadata, finalizers=("example.org/backup",)))
    found = told(new(held))
    assert found.notes == ()
    assert found.status is not None
    assert (found.status.started_at, found.status.package_version) == (None, "")
    accepted = find_condition(found.status.conditions, words.ACCEPTED)
    assert accepted is not None
    assert (accepted.status, accepted.reason) == ("False", words.DELETING)
    assert "example.org/backup" in accepted.message


def test_a_condition_keeps_its_time_while_its_status_is_equal() -> None:
    seen = served()
    later = NOW + timedelta(hours=1)
    again = report(seen, Plan(), (), later).status
    assert again is not None
    assert {each.last_transition_time for each in again.conditions} == {NOW}


def test_the_whole_status_survives_the_way_to_the_api_and_back() -> None:
    for seen in (new(), running(), silent(running())):
        found = status(seen)
        assert msgspec.json.decode(msgspec.json.encode(found), type=ClusterStatus) == found


outcomes = st.sampled_from([DONE, FORBIDDEN, SILENT, None, Conflicted(30.0, "foreign"), ProbeFailed(1.0, "no")])
bases = [new(), running(), silent(running()), served(), running(cluster(deleted=True)), new(cluster(paused=True))]
changes = st.fixed_dictionaries(
    {},
    optional={
        "packages": st.just({}),
        "endpoint": st.just(None),
        "authority": st.sampled_from(
            [AuthoritySeen(exists=False), AuthoritySeen(exists=True), AuthoritySeen(exists=True, damage="odd")]
        ),
        "applied": st.just({}),
        "live": st.just({}),
        "claims": st.just(()),
        "pods": st.sampled_from([(), (pod(ETCD, **waiting("ErrImagePull", "x" * 3000)),)]),
        "workloads": st.sampled_from([{}, running().workloads, silent(running()).workloads]),
        "probed": st.sampled_from([None, ProbeSeen(NOW, ""), ProbeSeen(NOW, "v1.35.4")]),
        "rival": st.just("default/other"),
    },
)


@given(st.sampled_from(bases), changes, st.lists(outcomes, min_size=12, max_size=12))
def test_whatever_happens_the_report_is_complete_and_ready_means_ready(
    base: Observed, change: dict[str, Any], ends: list[Outcome | None]
) -> None:
    seen = replace(base, **change)
    plan = decide(seen, NOW, Policy())
    results = tuple(Result[Action](action, end) for action, end in zip(plan.actions, ends, strict=False))
    found = report(seen, plan, results, NOW).status
    if found is None:
        assert plan.actions == (RemoveFinalizer(),)
        return
    said = {each.type: each for each in found.conditions}
    assert tuple(said) == words.CONDITIONS
    assert {each.reason for each in found.conditions} <= REASONS
    assert all(each.message or each.status == "True" for each in found.conditions)
    assert all(len(each.message) <= 1024 for each in found.conditions)
    assert all(len(each.message) <= 1024 for each in found.components)
    if said[words.READY].status == "True":
        assert {each.status for type_, each in said.items() if type_ != words.ACCEPTED} == {"True"}
    assert (found.phase == "Ready") <= (said[words.READY].status == "True")
