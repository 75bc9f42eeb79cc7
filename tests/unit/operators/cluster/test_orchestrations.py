"""What counts as an orchestration, when it ends and how: by the status before and after, once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from tests.support.ailing import ailing, replacing
from tests.support.clusters import NOW, cluster, running
from tests.support.restoring import restore
from tests.support.telling import served, told

from homeostat.api.cluster.upgrades import ClusterUpgradeStatus
from homeostat.operators.cluster import metrics, words
from homeostat.operators.cluster.actions import Heal, Plan, RemoveFinalizer, Step, Verdict
from homeostat.operators.cluster.observe import Observed
from homeostat.operators.cluster.orchestrations import running as under_way
from homeostat.operators.cluster.restore.actions import Restoring
from homeostat.operators.cluster.restore.beginning import DROPPED, STARTING, STOPPING
from homeostat.runtime.outcome import DONE
from homeostat.telemetry.metrics import Measure

OLD, NEW = "v1.34.4", "v1.35.4"
AGO = NOW - timedelta(seconds=42)


def counted(measures: tuple[Measure, ...]) -> dict[tuple[str, ...], float]:
    """Operations and results that were counted, with how long they took."""
    counts = [measure.labels for measure in measures if measure.of == metrics.ENDED]
    took = {measure.labels: measure.value for measure in measures if measure.of == metrics.DURATION}
    assert counts == list(took), "each is counted once, with its time"
    return took


def seen_with(**status: Any) -> Observed:
    """A cluster that is well, with something else in its status."""
    seen = served()
    return replace(seen, cluster=replace(seen.cluster, status=replace(seen.cluster.status, **status)))


def moving(at: str = OLD, to: str = NEW, **upgrade: Any) -> Observed:
    """A cluster whose masters all were moved, the last one a moment ago, from `at` to `to`."""
    move = ClusterUpgradeStatus(from_version=at, to_version=to, started_at=AGO, component="kube-scheduler", **upgrade)
    seen = seen_with(upgrade=move, package_version=at)
    return replace(seen, cluster=replace(seen.cluster, spec=replace(seen.cluster.spec, package_version=to)))


def by_step(seen: Observed, step: Step) -> dict[tuple[str, ...], float]:
    return counted(told(seen, plan=Plan(step=step)).measures)


def test_a_creation_ends_when_the_cluster_is_ready_for_the_first_time() -> None:
    seen = running(probed=None)
    new = replace(seen.cluster, status=replace(seen.cluster.status, ready_at=None, started_at=AGO))
    assert under_way(new) == {"create": AGO}
    assert counted(told(replace(seen, cluster=new)).measures) == {("create", "succeeded"): 42.0}
    assert counted(told(served()).measures) == {}


def deleted(**status: Any) -> Observed:
    seen = running(cluster(deleted=True))
    gone = replace(seen.cluster.metadata, deletion_timestamp=AGO)
    return replace(seen, cluster=replace(seen.cluster, metadata=gone, status=replace(seen.cluster.status, **status)))


def test_a_deletion_ends_when_nothing_is_left() -> None:
    assert under_way(deleted().cluster) == {"delete": AGO}
    last = told(deleted(), DONE, plan=Plan((RemoveFinalizer(),)))
    assert counted(last.measures) == {("delete", "succeeded"): 42.0}


def test_a_creation_that_is_overtaken_by_its_deletion_is_abandoned() -> None:
    never = deleted(ready_at=None, started_at=AGO - timedelta(seconds=8))
    last = told(never, DONE, plan=Plan((RemoveFinalizer(),)))
    assert counted(last.measures) == {("delete", "succeeded"): 42.0, ("create", "abandoned"): 8.0}


def test_a_move_ends_when_all_masters_are_there() -> None:
    assert under_way(moving().cluster) == {"upgrade": AGO}
    assert by_step(moving(), Step(NEW)) == {("upgrade", "succeeded"): 42.0}
    assert by_step(moving(), Step(NEW, Verdict(words.AWAITING_HEALTH, ""))) == {}


@pytest.mark.parametrize(
    ("seen", "to"),
    [(moving(at=NEW, to=OLD), OLD), (moving(at=NEW, to=NEW), NEW)],
    ids=["to an older Kubernetes", "to what was complete before, in the middle of a move"],
)
def test_a_way_back_is_a_rollback(seen: Observed, to: str) -> None:
    assert by_step(seen, Step(to)) == {("rollback", "succeeded"): 42.0}


def test_a_move_that_is_taken_back_unattended_has_failed_and_then_is_a_rollback() -> None:
    back = Verdict(words.ROLLING_BACK, "going back")
    failed = Step(NEW, back, failed=Verdict(words.UPGRADE_FAILED, "bad flag"))
    assert by_step(moving(), failed) == {("upgrade", "failed"): 42.0}
    on_its_way = moving(failed_version=NEW)
    assert under_way(on_its_way.cluster) == {"rollback": AGO}
    assert by_step(on_its_way, Step(OLD, Verdict(words.ROLLED_BACK, "back"))) == {("rollback", "succeeded"): 42.0}


def test_a_move_that_waits_for_a_person_has_failed_once() -> None:
    failed = Step(NEW, Verdict(words.UPGRADE_FAILED, "bad flag"))
    seen = moving()
    assert by_step(seen, failed) == {("upgrade", "failed"): 42.0}
    status = told(seen, plan=Plan(step=failed)).status
    assert status is not None
    assert by_step(replace(seen, cluster=replace(seen.cluster, status=status)), failed) == {}


def test_a_replacement_ends_when_the_member_is_back_and_fails_when_another_one_must_begin() -> None:
    seen = replacing(ailing())
    began = seen.cluster.status.healing
    assert began is not None
    assert under_way(seen.cluster) == {"heal": NOW - timedelta(minutes=1)}
    assert counted(told(seen, plan=Plan(heal=Heal(ends=True))).measures) == {("heal", "succeeded"): 60.0}
    again = Heal(begins=began.replacement)
    assert counted(told(seen, plan=Plan(heal=again)).measures) == {("heal", "failed"): 60.0}
    exchanged = Plan(restore=Restoring(restore(STOPPING)))
    assert counted(told(seen, plan=exchanged).measures) == {("heal", "abandoned"): 60.0}


def test_times_never_run_backwards() -> None:
    later: datetime = NOW + timedelta(hours=1)
    assert {measure.value for measure in metrics.ended("heal", "failed", (NOW - later).total_seconds())} == {1.0, 0.0}


def test_a_restore_ends_when_clients_are_served_again_or_its_approval_is_taken_back() -> None:
    going = seen_with(restore=restore(STARTING, started_at=AGO, stage_started_at=AGO))
    assert under_way(going.cluster) == {"restore": AGO}
    assert counted(told(going, plan=Plan(restore=Restoring(has_looked=True))).measures) == {
        ("restore", "succeeded"): 42.0
    }
    assert counted(told(going, plan=Plan()).measures) == {}
    dropped = restore(DROPPED, started_at=AGO)
    assert counted(
        told(seen_with(restore=restore(started_at=AGO)), plan=Plan(restore=Restoring(dropped))).measures
    ) == {("restore", "abandoned"): 42.0}
    assert under_way(seen_with(restore=dropped).cluster) == {}
    assert counted(told(seen_with(restore=dropped)).measures) == {}
