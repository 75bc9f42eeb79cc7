"""A restore that was decided: fetch, stop, restore each member, start; each stage told before it begins."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace
from tests.support.ailing import HOSTS, NAMES, ailing, member_pod, members
from tests.support.clusters import NOW, planned
from tests.support.restoring import (
    FORMER,
    ID,
    OFFER,
    OWN,
    begun_with,
    lost,
    manifest,
    restore,
    restore_pod,
    restoring,
    store_said,
)

from homeostat.api.core import PERSISTENT_VOLUME_CLAIM, SECRET
from homeostat.api.pods import POD, Pod
from homeostat.operators.cluster import words
from homeostat.operators.cluster.actions import AskEtcd, Plan
from homeostat.operators.cluster.decide import Policy, decide
from homeostat.operators.cluster.healing.seen import EtcdSeen
from homeostat.operators.cluster.observe import Live, Observed
from homeostat.operators.cluster.pki.judging import AuthoritySeen
from homeostat.operators.cluster.restore.actions import AskSnapshots, Clear, FetchSnapshot, RestoreMember
from homeostat.operators.cluster.restore.beginning import DONE, DROPPED, FETCHING, RESTORING, STARTING, STOPPING
from homeostat.operators.cluster.restore.seen import HandedSeen
from homeostat.operators.cluster.restore.stages import Next, back_off, begin, go_on

FETCH = FetchSnapshot(OWN, ID)


def look(seen: Observed) -> Next:
    found = begin(seen, NOW) or go_on(seen, NOW)
    assert found is not None
    return found


def turned(seen: Observed) -> str:
    """The stage that comes now; nothing is done yet."""
    found = look(seen)
    assert found.becomes is not None
    assert found.actions == ()
    return found.becomes.stage


def all_pods(phase: str) -> tuple[Pod, ...]:
    return tuple(restore_pod(name, phase) for name in NAMES)


def placed(seen: Observed, **nodes: str) -> Observed:
    """Members' claims with the hosts of their volumes, by number as `m0="h1"`."""
    marks = {f"data-{NAMES[int(key[1:])]}": {"volume.kubernetes.io/selected-node": host} for key, host in nodes.items()}
    claims = (
        replace(each, metadata=replace(each.metadata, annotations=marks.get(each.metadata.name, {})))
        for each in seen.claims
    )
    return replace(seen, claims=tuple(claims))


def without_hosts(seen: Observed, *names: str) -> Observed:
    hosts = {name: replace(host, is_ready=name not in names) for name, host in HOSTS.items()}
    return replace(seen, hosts=hosts)


def plan(seen: Observed) -> Plan:
    return decide(seen, NOW, Policy())


def test_a_cluster_that_names_no_snapshot_has_nothing_to_restore() -> None:
    assert begin(lost(), NOW) is None
    assert go_on(lost(), NOW) is None


def test_a_new_cluster_looks_at_the_manifest_of_its_snapshot_first() -> None:
    assert look(begun_with()).actions == (AskSnapshots(FORMER, ID),)


def test_keys_of_the_former_cluster_are_looked_at_before_any_are_made() -> None:
    seen = begun_with(keys="kept")
    assert plan(seen).actions == (AskSnapshots(FORMER, ID, "kept"),)


def test_a_new_cluster_begins_with_its_snapshot_and_tells_it_first() -> None:
    found = look(begun_with(snapshots=store_said(FORMER)))
    assert found.actions == ()
    assert found.becomes is not None
    assert (found.becomes.stage, found.becomes.lost_seconds, found.becomes.cluster.uid) == (FETCHING, 0, FORMER.uid)


@pytest.mark.parametrize(
    ("seen", "message"),
    [
        (
            begun_with(snapshots=store_said(FORMER, manifest=None, failure="it is not there")),
            "spec.restoreFrom: it is not there",
        ),
        (
            begun_with(snapshots=store_said(FORMER, manifest=manifest(FORMER, etcd="3.7.1"))),
            "written by etcd 3.7.1",
        ),
        (
            begun_with(snapshots=store_said(FORMER, manifest=manifest(FORMER, secrets_key="k1"))),
            "its Secrets are encrypted with the key k1, and there is no such key here; name the Secret that holds",
        ),
        (
            begun_with(snapshots=store_said(FORMER, manifest=manifest(FORMER, secrets_key="k1"), secrets_key="k2")),
            "encrypted with the key k1, and the key is k2 here",
        ),
    ],
)
def test_a_snapshot_that_cannot_be_had_or_does_not_fit_is_refused_before_anything_is_made(
    seen: Observed, message: str
) -> None:
    found = plan(seen)
    assert found.verdict is not None
    assert found.verdict.reason == words.RESTORE_REFUSED
    assert message in found.verdict.message
    assert found.actions == ()
    assert found.wait is not None


def test_the_key_of_the_former_cluster_makes_its_secrets_readable() -> None:
    answer = store_said(FORMER, manifest=manifest(FORMER, secrets_key="k1"), secrets_key="k1")
    assert look(begun_with(snapshots=answer)).becomes is not None


def test_a_cluster_that_has_data_is_not_restored_because_its_declaration_names_a_snapshot() -> None:
    seen = begun_with()
    assert begin(replace(lost(), cluster=replace(lost().cluster, spec=seen.cluster.spec)), NOW) is None


def test_no_master_is_made_while_the_data_of_a_new_cluster_is_fetched() -> None:
    seen = begun_with(authority=AuthoritySeen(exists=True))
    status = replace(seen.cluster.status, restore=restore(owner=FORMER))
    found = plan(replace(seen, cluster=replace(seen.cluster, status=status)))
    assert FetchSnapshot(FORMER, ID) in found.actions
    assert {each.kind.resource.kind for each in planned(found)} <= {"Service", "ConfigMap", "PodDisruptionBudget"}


def test_until_the_snapshot_is_verified_nothing_is_stopped() -> None:
    seen = restoring(FETCHING, handed=False, stopped=False)
    assert look(seen).actions == (FETCH,)
    assert planned(plan(seen)) == []


def test_a_fetch_that_failed_is_told_and_tried_again_half_a_minute_later() -> None:
    seen = restoring(FETCHING, handed=False, stopped=False)
    failed = replace(seen, snapshots=store_said(manifest=None, failure="no route"))
    assert (look(failed).actions, look(failed).verdict.reason) == ((), words.RESTORE_REFUSED)
    later = replace(failed, snapshots=store_said(manifest=None, failure="no route", at=NOW - timedelta(seconds=31)))
    assert look(later).actions == (FETCH,)


def test_an_approval_that_is_taken_back_before_anything_is_stopped_ends_it() -> None:
    seen = restoring(FETCHING, handed=False, stopped=False)
    spec = replace(seen.cluster.spec, healing=replace(seen.cluster.spec.healing, approve_restore=""))
    assert turned(replace(seen, cluster=replace(seen.cluster, spec=spec))) == DROPPED


def back(seen: Observed, *, by_kubelets: bool) -> Observed:
    """Members are there again: their kubelets say so first, or etcd does."""
    if by_kubelets:
        return replace(seen, pods=ailing().pods)
    return replace(seen, members=EtcdSeen(NOW, members(NAMES[2])))


@pytest.mark.parametrize("stage", [FETCHING, STOPPING])
@pytest.mark.parametrize("by_kubelets", [True, False])
@pytest.mark.parametrize("handed", [True, False])
def test_a_quorum_that_comes_back_before_anything_is_stopped_ends_it(
    stage: str, by_kubelets: bool, handed: bool
) -> None:
    seen = back(restoring(stage, stopped=False, handed=handed), by_kubelets=by_kubelets)
    found = look(seen)
    assert turned(seen) == DROPPED
    assert found.becomes is not None
    assert found.becomes.dropped_because == "etcd has its quorum again, with all that was written"
    assert planned(plan(seen)) == []


@pytest.mark.parametrize("stage", [FETCHING, STOPPING])
@pytest.mark.parametrize("known", [None, EtcdSeen(NOW - timedelta(seconds=6), failure="no member answers")])
def test_etcd_is_asked_once_more_right_before_anything_is_stopped(stage: str, known: EtcdSeen | None) -> None:
    seen = replace(restoring(stage, stopped=False), members=known)
    assert (look(seen).actions, look(seen).becomes) == ((AskEtcd(),), None)
    assert planned(plan(seen)) == []


def test_one_member_that_answers_is_no_quorum() -> None:
    seen = restoring(FETCHING, stopped=False)
    assert turned(replace(seen, members=EtcdSeen(NOW, members(*NAMES[1:])))) == STOPPING


def test_when_masters_were_stopped_already_it_goes_on_whoever_answers() -> None:
    assert turned(back(restoring(STOPPING), by_kubelets=False)) == RESTORING


def test_a_new_cluster_that_begins_with_a_snapshot_needs_no_word_of_etcd() -> None:
    seen = replace(restoring(FETCHING, owner=FORMER), workloads={}, members=None)
    assert turned(replace(seen, handed=HandedSeen(FORMER, ID, OFFER))) == RESTORING


def test_masters_that_run_are_stopped_when_the_snapshot_is_here() -> None:
    assert turned(restoring(FETCHING, stopped=False)) == STOPPING


def test_a_new_cluster_has_no_masters_to_stop() -> None:
    assert turned(replace(restoring(FETCHING), workloads={})) == RESTORING


def test_while_masters_stop_all_workloads_are_declared_without_replicas() -> None:
    found = plan(restoring(STOPPING, stopped=False))
    made = {each.name: each.body["spec"]["replicas"] for each in planned(found) if "replicas" in each.body["spec"]}
    assert made == {"demo-etcd": 0, "demo-apiserver": 0, "demo-controller-manager": 0, "demo-scheduler": 0}


def test_a_pod_on_a_host_that_is_gone_is_not_waited_for() -> None:
    seen = without_hosts(restoring(STOPPING, member_pod(NAMES[0]), member_pod(NAMES[1])), "h1")
    assert look(seen).actions == (Clear(POD, NAMES[1], f"uid-{NAMES[1]}", away="h1"),)


def test_members_are_restored_when_no_member_and_no_api_server_is_left() -> None:
    assert turned(restoring(STOPPING)) == RESTORING
    assert look(restoring(STOPPING, member_pod(NAMES[0]))).becomes is None


@pytest.mark.parametrize("told", [{"observed_generation": 0}, {"replicas": 1}])
def test_no_member_is_restored_while_a_controller_may_still_make_masters(told: dict[str, int]) -> None:
    seen = restoring(STOPPING)
    late = seen.workloads["demo-etcd"]
    late = replace(late, status=replace(late.status, **told))
    found = look(replace(seen, workloads={**seen.workloads, "demo-etcd": late}))
    assert (found.becomes, found.holds_masters) == (None, True)


def test_every_member_is_restored_at_once() -> None:
    assert look(restoring(RESTORING)).actions == tuple(RestoreMember(name) for name in NAMES)


def test_an_operator_that_has_just_started_fetches_the_snapshot_once_more() -> None:
    assert look(restoring(RESTORING, handed=False)).actions == (FETCH,)


def test_pods_that_wait_for_another_process_are_made_anew_and_those_that_ended_well_are_kept() -> None:
    pods = (restore_pod(NAMES[0], "Succeeded", offer="old"), restore_pod(NAMES[1], offer="old"), restore_pod(NAMES[2]))
    assert look(restoring(RESTORING, *pods)).actions == (Clear(POD, f"{NAMES[1]}-restore", f"uid-{NAMES[1]}-restore"),)


def test_a_pod_of_an_earlier_restore_is_no_success_of_this_one() -> None:
    earlier = tuple(restore_pod(name, "Succeeded") for name in NAMES)
    assert len(look(restoring(RESTORING, *earlier, number=2)).actions) == 3


def test_a_member_that_failed_is_tried_again_after_a_while_and_counted() -> None:
    pods = (restore_pod(NAMES[0], "Failed"), *all_pods("Running")[1:])
    found = look(restoring(RESTORING, *pods))
    assert found.actions == (Clear(POD, f"{NAMES[0]}-restore", f"uid-{NAMES[0]}-restore"),)
    assert found.becomes is not None
    assert (found.becomes.stage, found.becomes.attempts) == (RESTORING, 1)
    assert "fetch: no route" in found.verdict.message
    patient = look(restoring(RESTORING, *pods, attempts=5))
    assert (patient.actions, patient.becomes) == ((), None)


def test_tries_wait_longer_and_longer_and_at_most_five_minutes() -> None:
    waits = [back_off(attempts).total_seconds() for attempts in range(12)]
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (5, 300)


def test_masters_start_when_every_member_has_its_data() -> None:
    assert turned(restoring(RESTORING, *all_pods("Succeeded"), handed=False)) == STARTING


def test_members_whose_hosts_are_away_are_left_to_be_replaced_when_the_others_are_a_quorum() -> None:
    pods = all_pods("Succeeded")[:2]
    seen = without_hosts(placed(restoring(RESTORING, *pods), m0="h0", m1="h1", m2="h2"), "h2")
    assert turned(seen) == STARTING


def test_a_quorum_on_hosts_that_are_away_is_waited_for_and_then_begins_on_new_volumes() -> None:
    def since(seconds: int) -> Observed:
        seen = restoring(RESTORING, stage_started_at=NOW - timedelta(seconds=seconds))
        return without_hosts(placed(seen, m0="h0", m1="h1", m2="h2"), "h1", "h2")

    young, old = since(299), since(300)
    assert (look(young).actions, look(young).verdict.message) == (
        (),
        "waiting for the hosts of demo-etcd-1, demo-etcd-2",
    )
    claims = {f"data-{name}": host for name, host in zip(NAMES[1:], ("h1", "h2"), strict=True)}
    assert look(old).actions == tuple(
        Clear(PERSISTENT_VOLUME_CLAIM, name, f"uid-{name}", away=host) for name, host in claims.items()
    )


def test_a_pod_goes_before_the_volume_that_it_would_wait_for() -> None:
    seen = restoring(RESTORING, restore_pod(NAMES[1]), stage_started_at=NOW - timedelta(seconds=300))
    first, second, _ = look(without_hosts(placed(seen, m0="h0", m1="h1", m2="h2"), "h1", "h2")).actions
    assert first == Clear(POD, f"{NAMES[1]}-restore", f"uid-{NAMES[1]}-restore", away="h1")
    assert second == Clear(PERSISTENT_VOLUME_CLAIM, f"data-{NAMES[1]}", f"uid-data-{NAMES[1]}", away="h1")


def test_what_restored_the_members_goes_before_etcd_starts() -> None:
    seen = restoring(STARTING, restore_pod(NAMES[0], "Succeeded"))
    seen = replace(seen, live=dict(seen.live) | {("Secret", "demo-etcd-restore"): Live("uid-s", "", False)})
    pod = Clear(POD, f"{NAMES[0]}-restore", f"uid-{NAMES[0]}-restore")
    assert look(seen).actions == (pod, Clear(SECRET, "demo-etcd-restore", "uid-s"))
    assert look(seen).holds_masters


def test_when_nothing_of_it_is_left_the_masters_are_declared_as_ever() -> None:
    seen = restoring(STARTING)
    assert go_on(seen, NOW) is None
    assert go_on(restoring(DONE), NOW) is None
    etcd = next(each for each in planned(plan(replace(seen, applied={}))) if each.kind.resource.kind == "StatefulSet")
    assert etcd.body["spec"]["replicas"] == 3
