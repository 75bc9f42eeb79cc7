"""Corrupt data that no majority agrees on: told with its price, restored after an approval, though a quorum is."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from tests.support.ailing import NAMES, ailing, host_of, members
from tests.support.clusters import NOW
from tests.support.restoring import ID, OFFER, OWN, TAKEN_AT, entry, manifest, restore, store_said

from homeostat.api.cluster.etcd import ClusterEtcdStatus
from homeostat.api.cluster.restoring import QuorumLossStatus
from homeostat.api.cluster.upgrades import ClusterUpgradeStatus
from homeostat.api.cluster.v1alpha1 import ClusterStatus
from homeostat.operators.cluster import words
from homeostat.operators.cluster.actions import Plan
from homeostat.operators.cluster.decide import Policy, decide
from homeostat.operators.cluster.observe import Memory, Observed
from homeostat.operators.cluster.report import report
from homeostat.operators.cluster.restore.actions import AskSnapshots, FetchSnapshot
from homeostat.operators.cluster.restore.beginning import DROPPED, FETCHING, RESTORING, STOPPING
from homeostat.operators.cluster.restore.corrupt import corrupted
from homeostat.operators.cluster.restore.seen import HandedSeen, SnapshotsSeen
from homeostat.operators.cluster.restore.stages import go_on
from homeostat.operators.cluster.scaling.turn import must_be_over
from homeostat.operators.cluster.upkeep.actions import AskStores, CompareStores
from homeostat.operators.cluster.upkeep.observe import observe_stores
from homeostat.operators.cluster.upkeep.seen import UpkeepSeen
from homeostat.operators.cluster.upkeep.stores import CORRUPT, Alarm, Stores, StoreSeen
from homeostat.runtime.conditions import find_condition

MIB = 1 << 20
HOSTS = {name: host_of(name) for name in NAMES}
APART = {host: number for number, host in enumerate(HOSTS.values())}
AGREED = dict.fromkeys(APART, 1)
ONE_ODD = {**AGREED, HOSTS[NAMES[1]]: 2}
FOUND_AT = NOW - timedelta(minutes=1)
ACCUSED = Alarm(CORRUPT, 11)


def compared(
    hashes: dict[str, int] = APART, *alarms: Alarm, at: datetime | None = FOUND_AT, silent: tuple[str, ...] = ()
) -> UpkeepSeen:
    """What is known of the stores after a comparison."""
    stores = tuple(
        StoreSeen(10 + number, host, "3.6.16", MIB, MIB, is_leader=number == 0)
        for number, host in enumerate(HOSTS.values())
        if host not in silent
    )
    answer = Stores(stores, alarms, silent)
    return UpkeepSeen(NOW, NOW, answer, compared_at=at, hashes=hashes, compared_under=alarms if at else ())


def cluster_with(
    upkeep: UpkeepSeen,
    *dead: str,
    told: QuorumLossStatus | None = None,
    answer: SnapshotsSeen | None = None,
    agreed_at: datetime | None = NOW,
    **healing: Any,
) -> Observed:
    """Three members whose data was compared; `told` is what the status says of a loss."""
    seen = replace(ailing(*dead, known=members(), healing=healing), upkeep=upkeep, snapshots=answer)
    etcd = ClusterEtcdStatus(agreed_at=agreed_at, deviating=NAMES)
    return replace(seen, cluster=replace(seen.cluster, status=_with(seen, etcd=etcd, quorum_loss=told)))


def _with(seen: Observed, **status: Any) -> ClusterStatus:
    return replace(seen.cluster.status, **status)


def loss(**changes: Any) -> QuorumLossStatus:
    return replace(QuorumLossStatus(since=FOUND_AT, newest_snapshot=ID, lost_seconds=60, corrupt=True), **changes)


def undecided(**changes: Any) -> Observed:
    """Told of already."""
    return cluster_with(compared(), **{"told": loss(), "answer": store_said(), **changes})


def being_restored(stage: str, upkeep: UpkeepSeen, *, handed: bool = True) -> Observed:
    seen = cluster_with(upkeep, told=loss(spent_approval=ID), approveRestore=ID)
    state = restore(stage, corrupt=True)
    mine = HandedSeen(OWN, ID, OFFER) if handed else None
    return replace(seen, cluster=replace(seen.cluster, status=_with(seen, restore=state)), handed=mine)


def plan_for(seen: Observed) -> Plan:
    return decide(seen, NOW, Policy())


def status_of(seen: Observed) -> ClusterStatus:
    status = report(seen, plan_for(seen), (), NOW).status
    assert status is not None
    return status


def etcd_ready(seen: Observed) -> tuple[str, str, str]:
    found = find_condition(status_of(seen).conditions, "EtcdReady")
    assert found is not None
    return found.status, found.reason, found.message


@pytest.mark.parametrize("hashes", [AGREED, ONE_ODD])
def test_where_a_majority_agrees_no_data_is_lost(hashes: dict[str, int]) -> None:
    seen = cluster_with(compared(hashes), told=loss())
    assert corrupted(seen, NOW) is None
    assert status_of(seen).quorum_loss is None


def test_members_that_all_differ_are_told_at_once_though_all_are_ready() -> None:
    found = status_of(cluster_with(compared())).quorum_loss
    assert found is not None
    assert (found.since, found.corrupt) == (FOUND_AT, True)


def test_the_message_names_the_newest_snapshot_from_before_and_the_time_that_would_be_lost() -> None:
    agreed = NOW - timedelta(minutes=30)
    later = entry(replace(manifest(), taken_at=FOUND_AT - timedelta(seconds=5)))
    answer = store_said(snapshot="", sound=(later, entry()))
    status, reason, message = etcd_ready(undecided(answer=answer, agreed_at=agreed, told=loss(newest_snapshot="")))
    assert (status, reason) == ("False", words.ETCD_CORRUPT)
    span = timedelta(seconds=int((FOUND_AT - TAKEN_AT).total_seconds()))
    assert message == (
        f"members have different data, and no majority agrees: {', '.join(NAMES)} (found at {FOUND_AT:%FT%TZ}); set"
        f" spec.healing.approveRestore to {ID}, the newest snapshot from before {agreed:%FT%TZ}, when all members"
        f" agreed: what was written in the {span} before that was found, and since, is then gone for good"
    )


def test_a_snapshot_from_after_members_agreed_is_told_to_be_doubtful() -> None:
    agreed = TAKEN_AT - timedelta(seconds=1)
    message = etcd_ready(undecided(agreed_at=agreed))[2]
    assert f"which may be corrupt as well: there is none from before {agreed:%FT%TZ}, when all members" in message
    assert "members never agreed at a comparison before" in etcd_ready(undecided(agreed_at=None))[2]


def test_it_is_told_too_when_members_are_not_ready_because_of_the_alarm() -> None:
    unready = cluster_with(compared(APART, ACCUSED), *NAMES, told=loss(), answer=store_said())
    status, reason, message = etcd_ready(unready)
    assert (status, reason) == ("False", words.ETCD_CORRUPT)
    assert message.count("no majority agrees") == 1
    assert f"spec.healing.approveRestore to {ID}" in message


def test_an_alarm_is_compared_first_and_counts_when_members_cannot_be() -> None:
    assert corrupted(cluster_with(compared({}, ACCUSED, at=None)), NOW) is None
    silent = (HOSTS[NAMES[2]],)
    message = etcd_ready(cluster_with(compared({}, ACCUSED, silent=silent), told=loss(), answer=store_said()))[2]
    assert message.startswith("etcd raised the alarm CORRUPT; which member is wrong is not known (found at ")
    assert f"mend the hosts of {NAMES[2]}, whose data may decide, or set spec.healing.approveRestore to {ID}" in message


def test_an_alarm_in_the_middle_of_a_move_is_told_though_members_are_not_compared_then() -> None:
    seen = cluster_with(compared({}, ACCUSED, at=None))
    moving = ClusterUpgradeStatus(from_version="a", to_version="b", component="etcd", started_at=NOW)
    assert corrupted(replace(seen, cluster=replace(seen.cluster, status=_with(seen, upgrade=moving))), NOW) is not None


def test_stores_are_looked_at_and_compared_on_while_an_approval_is_awaited() -> None:
    old = replace(compared(), at=NOW - timedelta(minutes=1))
    assert plan_for(_known(undecided(), old)).actions[-1] == AskStores()
    assert CompareStores() in plan_for(undecided()).actions


def test_a_process_that_has_just_begun_tells_on_what_was_told_and_looks() -> None:
    fresh = _known(undecided(), UpkeepSeen(first=NOW))
    assert status_of(fresh).quorum_loss == status_of(undecided()).quorum_loss
    assert etcd_ready(fresh)[2].startswith("data of etcd was corrupt at the last look (found at ")
    assert AskStores() in plan_for(fresh).actions


def _known(seen: Observed, upkeep: UpkeepSeen) -> Observed:
    return replace(seen, upkeep=upkeep)


def test_what_was_approved_before_it_was_told_begins_nothing_and_the_remedy_says_so() -> None:
    first = status_of(cluster_with(compared(), answer=store_said(), approveRestore=ID)).quorum_loss
    assert first is not None
    assert first.spent_approval == ID
    again = undecided(told=first, approveRestore=ID)
    assert plan_for(again).restore.becomes is None
    assert (
        f"clear spec.healing.approveRestore, as what stood there before does not count, and set it to {ID} again"
        in (etcd_ready(again)[2])
    )


def test_what_was_approved_for_a_lost_quorum_is_no_approval_for_corrupt_data() -> None:
    other = QuorumLossStatus(since=FOUND_AT, newest_snapshot=ID, lost_seconds=60)
    seen = undecided(told=other, approveRestore=ID)
    assert plan_for(seen).restore.becomes is None
    assert status_of(seen).quorum_loss == loss(
        spent_approval=ID, lost_seconds=int((FOUND_AT - TAKEN_AT).total_seconds())
    )


def test_an_approval_begins_and_that_is_told_first() -> None:
    assert AskSnapshots(OWN, ID) in plan_for(undecided(approveRestore=ID, answer=None)).actions
    begun = status_of(undecided(approveRestore=ID))
    assert begun.restore is not None
    assert (begun.restore.snapshot, begun.restore.stage, begun.restore.corrupt) == (ID, FETCHING, True)
    assert begun.restore.lost_seconds == int((NOW - TAKEN_AT).total_seconds())
    assert begun.quorum_loss is not None
    assert begun.quorum_loss.spent_approval == ID


def test_an_approval_that_cannot_be_followed_is_the_reason_of_the_condition_though_members_are_ready() -> None:
    damaged = store_said(manifest=None, failure="its seal is wrong")
    assert etcd_ready(undecided(approveRestore=ID, answer=damaged))[1] == words.RESTORE_REFUSED
    assert etcd_ready(undecided(approveRestore=ID, paused=True))[1] == words.HEALING_PAUSED


def test_the_topology_does_not_change_meanwhile() -> None:
    seen = undecided()
    found, plan = corrupted(seen, NOW), plan_for(seen)
    assert found is not None
    assert plan.step is not None
    held = must_be_over(seen, plan.step, found.heal, plan.turn, is_applied=True)
    assert held is not None
    assert held.reason == words.ETCD_CORRUPT


def test_a_quorum_does_not_end_it_and_the_snapshot_is_fetched_first() -> None:
    found = go_on(being_restored(FETCHING, compared(), handed=False), NOW)
    assert found is not None
    assert found.actions == (FetchSnapshot(OWN, ID),)


@pytest.mark.parametrize("stage", [FETCHING, STOPPING])
def test_members_are_compared_once_more_before_masters_are_stopped(stage: str) -> None:
    for known in (UpkeepSeen(), compared(at=NOW - timedelta(seconds=60))):
        found = go_on(being_restored(stage, known), NOW)
        assert found is not None
        assert found.actions == (CompareStores(),)
        assert not found.holds_masters


@pytest.mark.parametrize("stage", [FETCHING, STOPPING])
@pytest.mark.parametrize("hashes", [AGREED, ONE_ODD])
def test_members_that_agree_after_all_drop_it_and_nothing_was_touched(stage: str, hashes: dict[str, int]) -> None:
    found = go_on(being_restored(stage, compared(hashes, at=NOW)), NOW)
    assert found is not None
    assert found.becomes is not None
    assert (found.becomes.stage, found.actions) == (DROPPED, ())
    assert found.becomes.dropped_because == "most members of etcd agree on the data after all"


@pytest.mark.parametrize("hashes", [APART, {}])
def test_members_that_differ_or_cannot_be_compared_any_more_are_stopped(hashes: dict[str, int]) -> None:
    found = go_on(being_restored(FETCHING, compared(hashes, at=NOW)), NOW)
    assert found is not None
    assert found.becomes is not None
    assert found.becomes.stage == STOPPING
    assert found.becomes.lost_seconds == int((NOW - TAKEN_AT).total_seconds())
    stopping = go_on(being_restored(STOPPING, compared(hashes, at=NOW)), NOW)
    assert stopping is not None
    assert stopping.holds_masters


def test_of_data_that_is_being_exchanged_nothing_is_told_or_known_any_more() -> None:
    seen = being_restored(RESTORING, compared(at=NOW))
    told = status_of(seen)
    assert told.quorum_loss is None
    assert told.etcd is not None
    assert told.etcd.deviating == ()
    known = Memory(upkeep=compared(at=NOW))
    assert observe_stores(seen, known, NOW, timedelta(minutes=5)).upkeep == UpkeepSeen(first=NOW)


def test_that_all_members_agree_is_told_with_the_moment() -> None:
    told = status_of(cluster_with(compared(AGREED), agreed_at=None)).etcd
    assert told is not None
    assert told.agreed_at == FOUND_AT
