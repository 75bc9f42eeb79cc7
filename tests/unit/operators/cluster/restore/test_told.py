"""What the status and the events say about restores."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from tests.support.ailing import NAMES, ailing, replacing
from tests.support.clusters import NOW, running
from tests.support.restoring import FORMER, ID, begun_with, lost, restore, restoring, store_said

from homeostat.api.cluster.restoring import ClusterRestoreStatus
from homeostat.api.cluster.scaling import ClusterTopologyStatus, MemberChangeStatus
from homeostat.api.cluster.v1alpha1 import ClusterStatus
from homeostat.operators.cluster import words
from homeostat.operators.cluster.decide import Policy, decide
from homeostat.operators.cluster.observe import Observed, ProbeSeen
from homeostat.operators.cluster.report import report
from homeostat.operators.cluster.restore.actions import Restoring
from homeostat.operators.cluster.restore.beginning import DONE, DROPPED, FETCHING, RESTORING, STARTING, STOPPING
from homeostat.operators.cluster.restore.told import restore_notes, restored
from homeostat.operators.cluster.topology import JOIN, LEAVE
from homeostat.runtime.conditions import find_condition, is_true


def look(seen: Observed) -> tuple[ClusterStatus, list[tuple[str, str]]]:
    plan = decide(seen, NOW, Policy())
    told = report(seen, plan, (), NOW)
    assert told.status is not None
    return told.status, [(note.reason, note.note) for note in told.notes]


def reason(status: ClusterStatus, type_: str) -> str:
    found = find_condition(status.conditions, type_)
    assert found is not None
    return found.reason


def running_after(state: ClusterRestoreStatus, probed: ProbeSeen | None) -> Observed:
    seen = running(probed=probed)
    return replace(seen, cluster=replace(seen.cluster, status=replace(seen.cluster.status, restore=state)))


def with_restore(stage: str, **status: Any) -> ClusterStatus:
    return ClusterStatus(restore=restore(stage), **status)


def test_a_lost_quorum_is_a_condition_with_its_price_and_stands_in_the_status() -> None:
    status, notes = look(lost(answer=store_said(snapshot="")))
    assert reason(status, "EtcdReady") == words.QUORUM_LOST
    assert status.quorum_loss is not None
    assert status.quorum_loss.newest_snapshot == ID
    assert any(why == words.QUORUM_LOST for why, _ in notes)


def test_a_restore_that_was_approved_is_written_down_before_its_first_step() -> None:
    status, notes = look(lost(approveRestore=ID, answer=store_said()))
    assert status.restore is not None
    assert (status.restore.stage, status.restore.snapshot) == (FETCHING, ID)
    assert (words.RESTORING, f"from {ID}: fetching") in notes
    assert status.phase == "Restoring"


def test_while_it_is_under_way_the_condition_says_how_far_it_is() -> None:
    status, _ = look(restoring(RESTORING))
    assert reason(status, "EtcdReady") == words.RESTORING
    assert status.quorum_loss is not None


def test_a_new_cluster_whose_snapshot_is_refused_is_not_accepted() -> None:
    seen = begun_with(snapshots=store_said(FORMER, manifest=None, failure="it is not there"))
    seen = replace(seen, authority=running().authority)
    status, _ = look(seen)
    assert reason(status, "Accepted") == words.RESTORE_REFUSED
    assert status.started_at is None
    assert status.restore is None


def test_it_ends_when_the_cluster_serves_and_was_read_from_since_the_masters_started() -> None:
    began = restore(STARTING, stage_started_at=NOW - timedelta(seconds=9), lost_seconds=720)
    status, notes = look(running_after(began, ProbeSeen(NOW, "v1.35.4")))
    assert status.restore is not None
    assert (status.restore.stage, status.restore.finished_at) == (DONE, NOW)
    lost_time = "what was written in the 0:12:00 before the loss is gone"
    assert (words.DATA_RESTORED, f"the cluster serves the data of {ID}; {lost_time}") in notes
    assert status.quorum_loss is None


def test_it_ends_though_not_all_is_as_declared_when_clients_are_served() -> None:
    seen = running_after(restore(STARTING, stage_started_at=NOW - timedelta(seconds=9)), ProbeSeen(NOW, "v1.35.4"))
    few = replace(seen.workloads["demo-scheduler"], status=type(seen.workloads["demo-scheduler"].status)())
    status, _ = look(replace(seen, workloads=dict(seen.workloads) | {"demo-scheduler": few}))
    assert (is_true(status.conditions, "Ready"), is_true(status.conditions, "Available")) == (False, True)
    assert status.restore is not None
    assert status.restore.stage == DONE


def test_a_read_from_before_proves_nothing() -> None:
    began = restore(STARTING, stage_started_at=NOW)
    status, _ = look(running_after(began, ProbeSeen(NOW - timedelta(seconds=1), "v1.35.4")))
    assert status.restore == began


@pytest.mark.parametrize("stage", [STOPPING, RESTORING, STARTING])
def test_a_replacement_that_was_told_ends_when_the_data_is_exchanged_and_its_time_is_remembered(stage: str) -> None:
    before = replacing(ailing()).cluster.status.healing
    assert before is not None
    told = restored(with_restore(stage, healing=before), Restoring(), None, NOW, serves=False)
    assert told.healing == replace(before, replacement=None)
    kept = restored(with_restore(FETCHING, healing=before), Restoring(), None, NOW, serves=False)
    assert kept.healing == before, "until then nothing was touched"


def test_a_replacement_ends_in_the_very_write_that_tells_of_the_masters_end() -> None:
    before = replacing(ailing()).cluster.status.healing
    told = restored(with_restore(FETCHING, healing=before), Restoring(restore(STOPPING)), None, NOW, serves=False)
    assert told.healing is not None
    assert told.healing.replacement is None


@pytest.mark.parametrize(
    ("members", "action", "is_kept"),
    [(2, JOIN, False), (1, JOIN, True), (2, LEAVE, False), (1, LEAVE, True)],
    ids=["joins with a Pod", "joins without one yet", "is to leave", "has left"],
)
def test_a_member_that_comes_or_goes_is_one_of_the_restored_where_it_counts(
    members: int, action: str, is_kept: bool
) -> None:
    change = MemberChangeStatus(member=NAMES[1], action=action, started_at=NOW)
    before = ClusterTopologyStatus(complete="single", members=members, replicas=2, change=change, started_at=NOW)
    told = restored(with_restore(STOPPING, topology=before), Restoring(), None, NOW, serves=False)
    assert told.topology == (before if is_kept else replace(before, change=None))


def test_an_event_is_told_once_for_each_stage() -> None:
    assert restore_notes(None, restore()) != []
    assert restore_notes(restore(), restore(attempts=1)) == []
    assert restore_notes(restore(DONE), restore(DONE)) == []
    assert len(restore_notes(restore(DONE), restore(number=2))) == 1


def test_why_one_was_dropped_is_an_event_and_that_nothing_was_touched() -> None:
    (note,) = restore_notes(restore(), restore(DROPPED, dropped_because="etcd has its quorum again"))
    assert note.note == "etcd has its quorum again; the restore is dropped, and nothing was touched"
