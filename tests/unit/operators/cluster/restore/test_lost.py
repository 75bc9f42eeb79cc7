"""A lost quorum: told with its price, and restored only after an approval that came later than the telling."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace
from tests.support.ailing import DEAD, NAMES, ailing, members
from tests.support.clusters import NOW, cluster, pod, running
from tests.support.restoring import ID, LOST_AT, OWN, TAKEN_AT, lost, manifest, restore, store_said

from homeostat.operators.cluster import words
from homeostat.operators.cluster.actions import AskEtcd
from homeostat.operators.cluster.decide import Policy, decide
from homeostat.operators.cluster.healing.seen import EtcdSeen
from homeostat.operators.cluster.observe import Observed
from homeostat.operators.cluster.restore.actions import AskSnapshots
from homeostat.operators.cluster.restore.approval import Lost
from homeostat.operators.cluster.restore.beginning import FETCHING, STARTING, own
from homeostat.operators.cluster.restore.lost import quorum_lost


def look(seen: Observed) -> Lost:
    found = quorum_lost(seen, NOW)
    assert found is not None
    return found


def told(seen: Observed) -> tuple[str, str]:
    verdict = look(seen).heal.verdict
    assert verdict is not None
    assert look(seen).restore.becomes is None
    return verdict.reason, verdict.message


def test_with_one_member_of_three_dead_the_quorum_is_not_lost() -> None:
    assert quorum_lost(ailing(DEAD), NOW) is None


def test_members_that_are_away_for_a_short_time_may_come_back() -> None:
    seen = ailing(DEAD, NAMES[2], since=NOW - timedelta(seconds=299))
    assert quorum_lost(seen, NOW) is None


def test_what_kubelets_say_is_not_believed_before_etcd_was_asked() -> None:
    assert look(replace(lost(told=False), members=None)).heal.actions == (AskEtcd(),)


def test_an_etcd_that_agrees_with_itself_has_its_quorum_whatever_kubelets_say() -> None:
    assert quorum_lost(replace(lost(), members=EtcdSeen(NOW, members())), NOW) is None


def test_one_member_that_thinks_itself_led_is_no_quorum() -> None:
    alone = replace(lost(), members=EtcdSeen(NOW, members(DEAD, NAMES[2])))
    assert told(alone)[0] == words.QUORUM_LOST


def test_the_loss_dates_from_the_member_that_was_one_too_many() -> None:
    found = look(lost(told=False)).restore.loss
    assert found is not None
    assert found.since == LOST_AT


def test_the_only_member_of_a_single_cluster_is_its_quorum() -> None:
    unready = {"conditions": [{"type": "Ready", "status": "False", "lastTransitionTime": LOST_AT.isoformat()}]}
    seen = running(cluster(), pods=(pod("etcd", "demo-etcd-0", **unready),), members=EtcdSeen(NOW, failure="silence"))
    assert told(seen)[0] == words.QUORUM_LOST


def test_the_store_is_asked_for_the_newest_snapshot_once_a_minute() -> None:
    assert look(lost()).heal.actions == (AskSnapshots(OWN, ""),)
    assert look(lost(answer=store_said(snapshot=""))).heal.actions == ()
    old = store_said(snapshot="", at=NOW - timedelta(seconds=61))
    assert look(lost(answer=old)).heal.actions == (AskSnapshots(OWN, ""),)


def test_the_message_names_the_newest_snapshot_and_the_time_that_would_be_lost() -> None:
    found = look(lost(answer=store_said(snapshot="")))
    assert found.restore.loss is not None
    assert (found.restore.loss.newest_snapshot, found.restore.loss.lost_seconds) == (ID, 720)
    reason, message = told(lost(answer=store_said(snapshot="")))
    assert reason == words.QUORUM_LOST
    assert "demo-etcd-1, demo-etcd-2 are not ready; mend their hosts, or set spec.healing.approveRestore to" in message
    assert f"{ID}, the newest snapshot: what was written in the 0:12:00 before the loss is then gone" in message


def test_without_a_snapshot_the_message_says_why_there_is_none() -> None:
    seen = lost(told=False, answer=store_said(snapshot="", sound=(), failure="no route to the store"))
    first = look(seen).restore.loss
    again = replace(seen, cluster=replace(seen.cluster, status=replace(seen.cluster.status, quorum_loss=first)))
    assert "no snapshot is known: no route to the store" in told(again)[1]


def test_nothing_begins_without_an_approval() -> None:
    assert told(lost(answer=store_said()))[0] == words.QUORUM_LOST


def test_an_approval_leads_to_the_manifest_first() -> None:
    assert look(lost(approveRestore=ID)).heal.actions == (AskSnapshots(OWN, ID),)


def test_an_approval_that_names_a_sound_snapshot_begins_and_that_is_told_first() -> None:
    found = look(lost(approveRestore=ID, answer=store_said()))
    assert found.heal.actions == ()
    becomes = found.restore.becomes
    assert becomes is not None
    assert (becomes.snapshot, becomes.stage, becomes.number) == (ID, FETCHING, 1)
    assert (becomes.taken_at, becomes.lost_seconds) == (TAKEN_AT, 720)


def test_an_approval_counts_once_also_while_members_start_on_the_restored_data() -> None:
    seen = lost(approveRestore=ID, answer=store_said())
    begun = look(seen).restore
    status = replace(seen.cluster.status, restore=begun.becomes, quorum_loss=begun.loss)
    assert told(replace(seen, cluster=replace(seen.cluster, status=status)))[0] == words.QUORUM_LOST


def test_nobody_is_asked_to_approve_again_while_members_start_on_the_restored_data() -> None:
    seen = lost(approveRestore=ID, spent=ID, answer=store_said())
    status = replace(seen.cluster.status, restore=restore(STARTING))
    _, message = told(replace(seen, cluster=replace(seen.cluster, status=status)))
    awaited = f"its members start on snapshot {ID}, as was approved; only if they do not come, mend their hosts"
    assert awaited in message


def test_what_was_approved_before_the_loss_was_told_is_no_approval_of_it() -> None:
    first = look(lost(told=False, approveRestore=ID, answer=store_said())).restore.loss
    assert first is not None
    assert first.spent_approval == ID
    assert told(lost(approveRestore=ID, spent=ID, answer=store_said()))[0] == words.QUORUM_LOST


def test_an_approval_that_does_not_count_is_told_with_how_it_would() -> None:
    _, message = told(lost(approveRestore=ID, spent=ID, answer=store_said()))
    way = "clear spec.healing.approveRestore, as what stood there before does not count, and set it to"
    assert f"mend their hosts, or {way} {ID} again, the newest snapshot: what was written in the 0:12:00" in message


def test_an_approval_that_was_taken_back_may_be_given_again() -> None:
    found = look(lost(spent=ID, answer=store_said())).restore.loss
    assert found is not None
    assert found.spent_approval == ""


@pytest.mark.parametrize(
    ("seen", "why", "message"),
    [
        (lost(approveRestore=ID, paused=True), words.HEALING_PAUSED, "spec.healing.paused is true"),
        (
            lost(approveRestore=ID, answer=store_said(manifest=None, failure="its seal is wrong")),
            words.RESTORE_REFUSED,
            "its seal is wrong",
        ),
        (
            lost(approveRestore=ID, answer=store_said(manifest=manifest(kubernetes="v1.36.0"))),
            words.RESTORE_REFUSED,
            "which is older and cannot read it",
        ),
        (
            lost(approveRestore=ID, answer=store_said(manifest=manifest(secrets_key="k1"))),
            words.RESTORE_REFUSED,
            "it is from before or after a rotation of that key: choose another one",
        ),
    ],
)
def test_an_approval_that_cannot_be_followed_is_refused_and_nothing_touched(
    seen: Observed, why: str, message: str
) -> None:
    assert told(seen)[0] == why
    assert message in told(seen)[1]
    assert look(seen).heal.actions == ()


def test_an_operator_that_has_just_started_still_knows_the_loss_from_the_status() -> None:
    fresh = replace(lost(approveRestore=ID, answer=store_said()), pods=(), unready={})
    assert look(fresh).restore.becomes is not None


def test_a_quorum_that_came_back_is_told() -> None:
    seen = ailing(DEAD)
    loss = lost().cluster.status.quorum_loss
    back = replace(seen, cluster=replace(seen.cluster, status=replace(seen.cluster.status, quorum_loss=loss)))
    plan = decide(back, NOW, Policy())
    assert plan.restore.has_looked
    assert plan.restore.loss is None


def test_a_lost_quorum_is_told_in_place_of_a_member_that_cannot_be_replaced() -> None:
    plan = decide(lost(answer=store_said(snapshot="")), NOW, Policy())
    assert plan.heal.verdict is not None
    assert plan.heal.verdict.reason == words.QUORUM_LOST


def test_the_cluster_is_named_as_its_snapshots_name_it() -> None:
    assert own(cluster()) == OWN
