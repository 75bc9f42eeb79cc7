"""What `status.backup`, the condition BackedUp and the events say."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from tests.support.backups import backed_up, failure, last, seen, taking
from tests.support.clusters import NOW
from tests.support.restoring import restore
from tests.support.snapshots import CLUSTER as REF
from tests.support.snapshots import entry, taken

from homeostat.api.cluster.backup import SnapshotStatus
from homeostat.api.cluster.v1alpha1 import Cluster, ClusterStatus
from homeostat.operators.cluster.actions import Verdict
from homeostat.operators.cluster.backup.manifest import Encryption, Manifest, describe
from homeostat.operators.cluster.snapshots.decide import Plan, TakeSnapshot, decide
from homeostat.operators.cluster.snapshots.outcomes import NotTaken, Took
from homeostat.operators.cluster.snapshots.pinning import Wished
from homeostat.operators.cluster.snapshots.report import backup_part, other_part, report
from homeostat.runtime.loop import Result
from homeostat.runtime.outcome import Outcome, Retry

ACTION = TakeSnapshot("Schedule", frozenset())


def manifest() -> Manifest:
    assert taken().cluster == REF
    return describe(
        taken(),
        plain=(20512, "a" * 64),
        stored=(20700, "b" * 64),
        encryption=Encryption("age", "2026-01-01", "age1"),
        homeostat_version="0.1.0",
    )


def told(declared: Cluster, outcome: Outcome | None = None, plan: Plan | None = None, store: str = "s3") -> Any:
    results = (Result(ACTION, outcome),) if outcome is not None else ()
    return report(seen(declared, store=store), plan or Plan((ACTION,)), results, NOW)


def condition(status: ClusterStatus) -> tuple[str, str]:
    (found,) = status.conditions
    return found.status, found.reason


def test_a_snapshot_that_was_taken_is_the_last_and_answers_its_request() -> None:
    declared = backed_up(taking=taking("Request", request="a", generation=3), failure=failure())
    found = told(declared, Took(0.1, manifest=manifest(), listed=(entry(), entry(timedelta(days=1)))))
    backup = found.status.backup
    assert (backup.last.id, backup.last.bytes, backup.last.revision) == (taken().id, 20512, 42)
    assert (backup.last.because, backup.last.generation, backup.last.kubernetes_version) == ("Request", 3, "1.35.4")
    assert (backup.taking, backup.failure, backup.answered) == (None, None, "a")
    assert [each.stored_bytes for each in backup.snapshots] == [1000, 1000]
    assert [note.reason for note in found.notes] == ["SnapshotTaken"]


def test_a_cluster_that_holds_a_snapshot_for_more_than_a_day_is_named_with_each_new_one() -> None:
    def notes(since: datetime, outcome: Outcome) -> list[tuple[str, str]]:
        looked = replace(seen(backed_up(taking=taking()), store="s3"), wished=(Wished("s-0", "shop/new", since),))
        found = report(looked, Plan((ACTION,)), (Result(ACTION, outcome),), NOW).notes
        return [(note.reason, note.note) for note in found if note.reason == "SnapshotHeld"]

    took = Took(0.1, manifest=manifest(), listed=None)
    waits = "Cluster shop/new is to begin with it, and was not Ready since 2025-12-31"
    held = ("SnapshotHeld", f"s-0 stays: {waits}; mend or delete that one")
    assert notes(NOW - timedelta(days=1), took) == [held]
    assert notes(NOW - timedelta(hours=23), took) == []
    assert notes(NOW - timedelta(days=1), NotTaken(0.1, "full", reason="StoreFull")) == []


def test_while_a_restore_is_under_way_the_cluster_is_not_backed_up_and_its_own_events_tell_of_it() -> None:
    declared = backed_up(last=last(timedelta(hours=1)), failure=failure())
    under_way = replace(declared, status=replace(declared.status, restore=restore("Starting")))
    found = told(under_way, plan=Plan())
    assert condition(found.status) == ("False", "Restoring")
    assert found.status.conditions[0].message == "none is taken until the restore has ended; the last snapshot is s-1"
    assert found.notes == ()


def test_old_snapshots_that_cannot_be_deleted_do_not_make_the_new_one_worse() -> None:
    declared = backed_up(taking=taking(), snapshots=(SnapshotStatus(id="s-1"),))
    found = told(declared, Took(0.1, manifest=manifest(), listed=None, retention_failure="not permitted"))
    assert [each.id for each in found.status.backup.snapshots] == ["s-1"]
    assert "not permitted" in found.status.conditions[0].message


def test_a_failure_is_told_with_its_reason_counted_and_tried_again_later() -> None:
    declared = backed_up(taking=taking(), failure=failure(), last=last())
    found = told(declared, NotTaken(0.1, "store x: full; make room", reason="StoreFull"))
    again = found.status.backup.failure
    assert (again.reason, again.attempts, again.retry_at) == ("StoreFull", 2, NOW + timedelta(minutes=2))
    assert condition(found.status) == ("False", "StoreFull")
    assert "the last snapshot is s-1" in found.status.conditions[0].message
    assert [(note.reason, note.type) for note in found.notes] == [("StoreFull", "Warning")]


def test_a_request_that_failed_is_not_a_new_one_after_an_upgrades_own_failure() -> None:
    asked = failure("Request", request="a", retry_in=timedelta(minutes=1))
    declared = backed_up(taking=taking("Upgrade", generation=2), failure=asked, request="a")
    backup = told(declared, NotTaken(0.1, "no room", reason="StoreFull")).status.backup
    assert (backup.failure.because, backup.failure.request, backup.failure.attempts) == ("Upgrade", "a", 2)
    after = replace(declared, status=replace(declared.status, backup=backup))
    assert decide(seen(after, store="s3"), NOW).begins is None


def test_a_failure_that_nobody_foresaw_is_told_too() -> None:
    found = told(backed_up(taking=taking()), Retry(RuntimeError("odd")))
    assert (found.status.backup.failure.reason, found.status.backup.failure.message) == ("SnapshotFailed", "odd")


def test_an_interrupted_one_is_told_as_failed() -> None:
    plan = Plan(failed=Verdict("Interrupted", "it ended"))
    found = told(backed_up(taking=taking()), plan=plan)
    assert found.status.backup.taking is None
    assert found.status.backup.failure.retry_at == NOW + timedelta(seconds=5)
    assert condition(found.status) == ("False", "Interrupted")


def test_one_that_begins_is_written_down() -> None:
    found = told(backed_up(), plan=Plan(begins=taking()))
    assert found.status.backup.taking == taking()


@pytest.mark.parametrize(
    ("known", "store", "expected"),
    [
        ({}, "", ("False", "NoStore")),
        ({}, "s3", ("False", "AwaitingFirst")),
        ({"last": last()}, "s3", ("True", "AsDeclared")),
        ({"last": last(timedelta(hours=13))}, "s3", ("False", "Overdue")),
        ({"last": last(), "paused": True}, "s3", ("False", "BackupsPaused")),
        ({"last": last(), "failure": failure()}, "s3", ("False", "StoreFull")),
    ],
)
def test_the_condition_says_how_it_stands(known: Any, store: str, expected: tuple[str, str]) -> None:
    assert condition(told(backed_up(**known), plan=Plan(), store=store).status) == expected


def test_a_reason_is_an_event_once() -> None:
    declared = backed_up(failure=failure())
    found = told(declared, plan=Plan())
    assert [note.reason for note in found.notes] == ["StoreFull"]
    again = replace(declared, status=replace(declared.status, conditions=found.status.conditions))
    assert told(again, plan=Plan()).notes == ()


def test_both_loops_parts_make_up_the_whole_status() -> None:
    whole = backed_up(told="AsDeclared", last=last()).status
    whole = replace(whole, conditions=(*whole.conditions, *told(backed_up(), plan=Plan()).status.conditions))
    own, other = backup_part(whole), other_part(whole)
    assert replace(other, backup=own.backup, conditions=(*other.conditions, *own.conditions)) == whole
    assert other.backup is None
