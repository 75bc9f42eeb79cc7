"""When a snapshot is taken, what for, and what happens after one that failed or was interrupted."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest
from msgspec.structs import replace
from tests.support.backups import backed_up, failure, last, seen, taking
from tests.support.clusters import NOW, cluster
from tests.support.restoring import ID, lost, restore

from homeostat.api.cluster.upgrades import ClusterUpgradeStatus
from homeostat.operators.cluster.snapshots import words
from homeostat.operators.cluster.snapshots.decide import Plan, TakeSnapshot, back_off, decide
from homeostat.operators.cluster.snapshots.pinning import pinned

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def because(plan: Plan) -> str:
    return plan.begins.because if plan.begins is not None else ""


def test_a_cluster_that_was_never_ready_has_nothing_to_save() -> None:
    assert decide(seen(cluster()), NOW) == Plan(applies=False)


def test_a_cluster_that_is_deleted_is_left_alone() -> None:
    gone = cluster(deleted=True)
    assert not decide(seen(replace(gone, status=backed_up().status)), NOW).applies


def test_without_a_store_nothing_is_begun() -> None:
    assert decide(seen(backed_up(request="now"), store=""), NOW) == Plan()


def test_between_two_snapshots_it_waits_until_the_next_is_due() -> None:
    plan = decide(seen(backed_up(last=last(), everySeconds=3600)), NOW)
    assert plan.begins is None
    assert plan.wait is not None
    assert plan.wait.until == plan.next_at
    assert NOW < plan.wait.until <= NOW + HOUR + timedelta(seconds=1)


def test_every_period_has_its_snapshot_within_five_minutes_of_the_clusters_own_moment() -> None:
    declared, now, taken_at = backed_up(last=last(), everySeconds=3600), NOW, []
    while now < NOW + DAY:
        plan = decide(seen(declared), now)
        if because(plan) == "Schedule":
            taken_at.append(now)
            declared = backed_up(last=last(now=now), everySeconds=3600)
        now += timedelta(minutes=1)
    assert len(taken_at) == 24
    gaps = {later - sooner for sooner, later in pairwise(taken_at)}
    assert gaps == {HOUR}


def test_a_first_snapshot_comes_within_the_hour() -> None:
    found = [because(decide(seen(backed_up()), NOW + timedelta(minutes=each))) for each in range(61)]
    assert "Schedule" in found


def test_paused_takes_none_by_the_clock_but_the_requested_one() -> None:
    assert decide(seen(backed_up(paused=True)), NOW) == Plan()
    assert because(decide(seen(backed_up(paused=True, request="now")), NOW)) == "Request"


def test_a_request_is_answered_once() -> None:
    plan = decide(seen(backed_up(last=last(), request="a")), NOW)
    assert plan.begins == taking("Request", request="a")
    assert because(decide(seen(backed_up(last=last(), request="a", answered="a")), NOW)) == ""
    assert because(decide(seen(backed_up(last=last(), request="b", answered="a")), NOW)) == "Request"


def test_what_was_told_is_taken_by_the_process_that_told_it() -> None:
    declared = backed_up(
        taking=taking(), upgrade=ClusterUpgradeStatus(from_version="a", to_version="b", started_at=NOW, snapshot="s-0")
    )
    assert decide(seen(declared, is_ours=True), NOW).actions == (TakeSnapshot("Schedule", frozenset({"s-0"})),)


def test_what_another_process_began_counts_as_failed() -> None:
    plan = decide(seen(backed_up(taking=taking())), NOW)
    assert plan.actions == ()
    assert plan.failed is not None
    assert plan.failed.reason == "Interrupted"


def test_after_a_failure_nothing_is_tried_before_its_time_and_then_it_is_at_once() -> None:
    declared = backed_up(failure=failure(), everySeconds=86400)
    assert because(decide(seen(declared), NOW)) == ""
    assert decide(seen(declared), NOW).next_at == NOW + timedelta(minutes=1)
    assert because(decide(seen(declared), NOW + timedelta(minutes=1))) == "Schedule"


def test_what_was_asked_for_is_tried_again_also_while_backups_are_paused() -> None:
    declared = backed_up(failure=failure("Request", request="a"), request="a", paused=True)
    assert decide(seen(declared), NOW).next_at == NOW + timedelta(minutes=1)
    assert because(decide(seen(declared), NOW + timedelta(minutes=1))) == "Request"
    calm = backed_up(failure=failure(), paused=True)
    assert decide(seen(calm), NOW + timedelta(minutes=1)) == Plan()


def test_a_new_request_does_not_wait_for_the_back_off_but_the_same_one_does() -> None:
    failed = failure("Request", request="a")
    assert because(decide(seen(backed_up(failure=failed, request="a")), NOW)) == ""
    assert because(decide(seen(backed_up(failure=failed, request="a")), NOW + timedelta(minutes=1))) == "Request"
    assert because(decide(seen(backed_up(failure=failed, request="b")), NOW)) == "Request"


@pytest.mark.parametrize("told", ["AwaitingSnapshot", "UpgradeUnsecured"])
def test_an_upgrade_that_waits_has_its_snapshot_also_when_backups_are_paused(told: str) -> None:
    old = last(generation=0)
    assert because(decide(seen(backed_up(told=told, last=old, paused=True)), NOW)) == "Upgrade"
    assert because(decide(seen(backed_up(told=told, last=last(), paused=True)), NOW)) == ""


def test_an_upgrade_does_not_wait_for_what_failed_before_it_was_declared_but_for_its_own_failure() -> None:
    long_ago = failure(attempts=9, retry_in=timedelta(minutes=29), generation=0)
    waits = backed_up(told="AwaitingSnapshot", last=last(generation=0), failure=long_ago)
    assert because(decide(seen(waits), NOW)) == "Upgrade"
    tried = backed_up(told="UpgradeUnsecured", last=last(generation=0), failure=replace(long_ago, generation=1))
    assert because(decide(seen(tried), NOW)) == ""
    assert decide(seen(tried), NOW).next_at == NOW + timedelta(minutes=29)
    calm = backed_up(last=last(generation=0), failure=long_ago)
    assert because(decide(seen(calm), NOW)) == "", "nobody waits for it"


def test_an_upgrade_that_waits_for_health_has_none_yet() -> None:
    assert because(decide(seen(backed_up(told="AwaitingHealth", last=last(generation=0))), NOW)) == ""


def test_the_back_off_grows_to_half_an_hour() -> None:
    waits = [back_off(attempts, words.STORE_UNREACHABLE) for attempts in (1, 2, 3, 6, 60)]
    assert [wait // timedelta(minutes=1) for wait in waits] == [1, 2, 4, 30, 30]


def test_one_that_ended_with_its_operator_is_tried_again_soon_and_slower_when_that_goes_on() -> None:
    waits = [back_off(attempts, words.INTERRUPTED) for attempts in (1, 2, 3, 5, 60)]
    assert [wait // timedelta(seconds=1) for wait in waits] == [5, 10, 20, 80, 1800]


def test_nothing_is_pinned_without_an_upgrade() -> None:
    assert pinned(backed_up()) == frozenset()


def test_while_data_is_being_restored_none_is_taken_and_what_the_restore_names_stays() -> None:
    declared = backed_up(request="now")
    under_way = replace(declared, status=replace(declared.status, restore=restore("Restoring")))
    assert decide(seen(under_way), NOW) == Plan()
    assert pinned(under_way) == {ID}
    done = replace(declared, status=replace(declared.status, restore=restore("Done")))
    assert because(decide(seen(done), NOW)) == "Request"
    assert pinned(done) == frozenset()


def test_a_snapshot_that_a_restore_overtook_is_not_taken() -> None:
    declared = backed_up(taking=taking())
    under_way = replace(declared, status=replace(declared.status, restore=restore("Fetching")))
    assert decide(seen(under_way, is_ours=True), NOW) == Plan(drops=True)


def test_what_a_lost_quorum_could_be_restored_from_stays() -> None:
    assert pinned(lost().cluster) == {ID}
