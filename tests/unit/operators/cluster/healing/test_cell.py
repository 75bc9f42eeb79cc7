"""The counts over all clusters of a cell: kept by changes, the same after a restart."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from msgspec.structs import replace
from tests.support.clusters import NOW, cluster, running
from tests.support.unwell import restart

from homeostat.api.cluster.healing import ClusterHealingStatus
from homeostat.api.cluster.upgrades import ClusterUpgradeStatus
from homeostat.api.cluster.v1alpha1 import Cluster
from homeostat.api.meta import Condition
from homeostat.operators.cluster import words
from homeostat.operators.cluster.healing.cell import CellHealth, CellPolicy, CellSeen
from homeostat.operators.cluster.healing.ladder import next_attempt


def formed(name: str, *, sick: bool = False, began: timedelta | None = None, **spec: Any) -> Cluster:
    made = running(cluster(name, **spec)).cluster
    status = made.status
    if sick:
        worse = Condition(type=words.ETCD_READY, status="False", reason="Crashing", last_transition_time=NOW)
        status = replace(status, conditions=(worse, *(c for c in status.conditions if c.type != worse.type)))
    if began is not None:
        status = replace(status, healing=ClusterHealingStatus(last_started_at=NOW - began, attempts=1))
    return replace(made, status=status)


def counted(*clusters: Cluster) -> CellHealth:
    health = CellHealth(CellPolicy())
    for one in clusters:
        health.note(None, one)
    return health


def counts(health: CellHealth) -> CellSeen:
    return replace(health.look(NOW), thawed=None)


def test_those_that_were_ready_once_count_and_those_that_are_not_well_are_sick() -> None:
    health = counted(formed("a"), formed("b", sick=True), cluster("new"))
    assert counts(health) == CellSeen(clusters=2, sick=1)


def test_a_paused_cluster_is_not_sick() -> None:
    assert counted(formed("a", sick=True, paused=True)).look(NOW).sick == 0


def test_a_cluster_that_recovers_or_goes_is_counted_no_more() -> None:
    health = counted(formed("a", sick=True), formed("b", sick=True))
    health.note(formed("a", sick=True), formed("a"))
    health.note(formed("b", sick=True), None)
    assert counts(health) == CellSeen(clusters=1, sick=0)


def test_a_successor_of_the_same_name_is_another_cluster() -> None:
    old = formed("a", sick=True)
    new = cluster("a")
    new = replace(new, metadata=replace(new.metadata, uid="another"))
    health = counted(old)
    health.note(old, new)
    assert counts(health) == CellSeen(clusters=0, sick=0)


def test_replacements_of_the_window_count_also_when_their_cluster_is_gone() -> None:
    recent, old = formed("a", began=timedelta(minutes=9)), formed("b", began=timedelta(minutes=11))
    health = counted(recent, old)
    health.note(recent, None)
    assert health.look(NOW).recent == 1
    assert health.look(NOW + timedelta(minutes=2)).recent == 0


def restarted(name: str, ago: timedelta, **changes: Any) -> Cluster:
    made = formed(name)
    entry = restart(**{"started_at": NOW - ago, **changes})
    return replace(made, status=replace(made.status, healing=ClusterHealingStatus(restarts=(entry,))))


MINUTE = timedelta(minutes=1)
POLICY = CellPolicy()


def test_restarts_and_replacements_use_one_budget() -> None:
    health = counted(restarted("a", 2 * MINUTE), formed("b", began=3 * MINUTE), restarted("c", 11 * MINUTE))
    assert (health.look(NOW).recent, health.left(NOW)) == (2, POLICY.acts - 2)


def test_who_decided_later_waits_for_those_before() -> None:
    health = counted(restarted("a", 3 * MINUTE), restarted("b", 2 * MINUTE), restarted("c", MINUTE))
    assert [health.look(NOW, f"uid-{name}").ahead for name in "abc"] == [0, 1, 2]


def test_two_that_decided_within_one_second_have_an_order_all_the_same() -> None:
    health = counted(restarted("a", MINUTE), restarted("b", MINUTE))
    assert sorted(health.look(NOW, f"uid-{name}").ahead for name in "ab") == [0, 1]


def test_what_was_taken_back_counts_no_more() -> None:
    health = counted(restarted("a", MINUTE))
    health.note(restarted("a", MINUTE), formed("a"))
    assert health.look(NOW).recent == 0


def test_masters_that_a_person_must_look_at_are_counted_until_they_are_well() -> None:
    health = counted(restarted("a", MINUTE, step="HandOver"), restarted("b", MINUTE, step="HandOver", ended_at=NOW))
    assert health.handed_over == 1


def unready(name: str, *, moving: bool = False) -> Cluster:
    made = formed(name)
    worse = Condition(type=words.API_SERVER_READY, status="False", reason="Progressing", last_transition_time=NOW)
    rest = (each for each in made.status.conditions if each.type != worse.type)
    move = ClusterUpgradeStatus(from_version="a", to_version="b", started_at=NOW, component="kube-apiserver")
    status = replace(made.status, conditions=(worse, *rest), upgrade=move if moving else None)
    return replace(made, status=status)


def test_an_api_server_that_moves_to_another_version_makes_nobody_sick() -> None:
    assert counted(unready("a"), unready("b", moving=True)).look(NOW).sick == 1


def test_healing_freezes_when_many_are_sick_at_once_or_the_cell_is_slow() -> None:
    few, many = CellSeen(clusters=4, sick=2), CellSeen(clusters=4, sick=3)
    assert not few.why_frozen(POLICY)
    assert "3 of 4 clusters" in many.why_frozen(POLICY)
    assert not CellSeen(clusters=100, sick=20).why_frozen(POLICY)
    assert "API server is slow" in CellSeen(is_slow=True).why_frozen(POLICY)


def test_after_a_freeze_one_begins_a_minute_until_a_window_has_passed() -> None:
    health = counted(restarted("other", timedelta(0)))
    assert health.look(NOW).paced_until(NOW, POLICY) == NOW + MINUTE
    later = NOW + 2 * MINUTE
    assert health.look(later).paced_until(later, POLICY) is None
    for name in "abc":
        health.note(None, formed(name, sick=True))
    frozen_at = NOW + 60 * MINUTE
    assert health.look(frozen_at).why_frozen(POLICY)
    for name in "abc":
        health.note(formed(name, sick=True), formed(name))
    thawed = frozen_at + MINUTE
    health.note(None, restarted("d", -61 * MINUTE))
    assert health.look(thawed).paced_until(thawed, POLICY) == thawed + MINUTE
    calm = thawed + POLICY.window
    assert health.look(calm).paced_until(calm, POLICY) is None


def test_what_is_decided_for_several_at_one_moment_after_a_freeze_has_a_turn_each() -> None:
    health = counted(*(restarted(name, timedelta(0)) for name in "abc"))
    looks = [health.look(NOW, uid).paced_until(NOW, POLICY, is_begun=True) for uid in uids(*"abc")]
    assert looks == [None, NOW + MINUTE, NOW + 2 * MINUTE]
    later = NOW + MINUTE
    again = [health.look(later, uid).paced_until(later, POLICY, is_begun=True) for uid in uids(*"abc")]
    assert again == [None, None, NOW + 2 * MINUTE]


def uids(*names: str) -> list[str]:
    """In the order in which they have their turns when all else is equal."""
    return sorted(formed(name).metadata.uid for name in names)


def test_what_a_hasty_clock_dated_ahead_holds_the_budget_for_one_window_and_no_longer() -> None:
    ahead = [restarted(name, timedelta(days=-400)) for name in "abcde"]
    health = counted(*ahead)
    health.note(ahead[0], None)  # nobody writes its status anew
    assert (health.look(NOW).recent, health.left(NOW)) == (5, 0)
    assert health.left(NOW + POLICY.window) == 5


def test_a_clock_that_was_set_back_ends_the_pace_after_one_window() -> None:
    health = counted(restarted("a", -11 * MINUTE))
    assert health.look(NOW + timedelta(days=400)).thawed is not None
    assert health.look(NOW).thawed == NOW
    later = NOW + 12 * MINUTE
    assert health.look(later).paced_until(later, POLICY) is None


@given(st.lists(st.tuples(st.sampled_from("abcdefghijkl"), st.integers(0, 60)), max_size=60))
def test_however_many_wish_no_more_than_the_budget_begins_within_any_window(wishes: list[tuple[str, int]]) -> None:
    """Whoever wishes looks first, as the operator does, and begins where there is room."""
    health, begun, known = counted(), [], dict[str, Cluster]()
    for name, minutes in sorted(wishes, key=lambda wish: wish[1]):
        now = NOW + minutes * MINUTE
        if health.look(now, f"uid-{name}").recent >= POLICY.acts:
            continue
        before = known[name].status.healing if name in known else None
        entry = next_attempt(before.restarts[0] if before else None, restart(), now, has_room=False)
        if entry.step == "HandOver":
            continue
        known[name] = restarted(name, timedelta(0), **structs.asdict(entry))
        health.note(None, known[name])
        begun.append(minutes)
    assert all(sum(end - 10 < each <= end for each in begun) <= POLICY.acts for end in begun)


@given(st.sets(st.sampled_from("abcdefghijkl"), min_size=1))
def test_of_all_that_decided_at_once_no_more_than_the_budget_has_its_turn(names: set[str]) -> None:
    health = counted(*(restarted(name, timedelta(0)) for name in sorted(names)))
    turns = [name for name in names if health.look(NOW, f"uid-{name}").ahead < POLICY.acts]
    assert len(turns) == min(len(names), POLICY.acts)
