"""Who fell sick at once, by what their statuses say: what is broken for long, or is a person's, freezes nobody."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.support.clusters import NOW, cluster, running
from tests.support.unwell import restart

from homeostat.api.cluster.components import ComponentStatus
from homeostat.api.cluster.healing import ClusterHealingStatus
from homeostat.api.cluster.restoring import QuorumLossStatus
from homeostat.api.cluster.v1alpha1 import Cluster
from homeostat.api.meta import Condition
from homeostat.operators.cluster import words
from homeostat.operators.cluster.healing.cell import CellHealth, CellPolicy
from homeostat.operators.cluster.healing.sickness import Falls

POLICY = CellPolicy()
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def fallen(name: str, since: datetime = NOW, *, type_: str = words.API_SERVER_READY, **spec: Any) -> Cluster:
    """A Cluster of which one condition is false since then."""
    made = running(cluster(name, **spec)).cluster
    worse = Condition(type=type_, status="False", reason="Crashing", last_transition_time=since)
    others = (each for each in made.status.conditions if each.type != type_)
    return saying(made, conditions=(worse, *others), ready_at=NOW - 100 * HOUR)


def saying(one: Cluster, **status: Any) -> Cluster:
    return replace(one, status=replace(one.status, **status))


def component(name: str, state: str) -> ComponentStatus:
    return ComponentStatus(name=name, version="", image="", desired=1, ready=0, state=state)


def why_frozen(*sick: Cluster, now: datetime = NOW) -> str:
    """What freezes a cell of eleven that are well, and these."""
    health = CellHealth(POLICY)
    for one in (*(running(cluster(f"well-{number}")).cluster for number in range(11)), *sick):
        health.note(None, one)
    return health.look(now).why_frozen(POLICY)


def test_three_of_fourteen_that_fell_sick_within_minutes_freeze_the_cell_as_long_as_they_are_so() -> None:
    sick = [fallen("a"), fallen("b", NOW + 2 * MINUTE), fallen("c", NOW + 9 * MINUTE)]
    assert "3 of 14 clusters of the cell look sick at once" in why_frozen(*sick, now=NOW + 10 * MINUTE)
    assert why_frozen(*sick, now=NOW + 5 * HOUR)
    assert not why_frozen(*sick[:2], now=NOW + 10 * MINUTE)


def test_those_that_broke_one_after_the_other_freeze_nobody_however_many_they_became() -> None:
    assert not why_frozen(*(fallen(f"sick-{number}", NOW - number * HOUR) for number in range(9)))


def test_what_is_broken_for_longer_than_a_cause_in_common_is_believed_in_is_mended_like_any_other() -> None:
    sick = [fallen(name) for name in "abc"]
    assert not why_frozen(*sick, now=NOW + POLICY.believed + POLICY.spell)
    assert why_frozen(*sick, *(fallen(name, NOW + 9 * HOUR) for name in "defg"), now=NOW + 9 * HOUR)


def test_what_never_came_up_since_its_cluster_was_made_did_not_fall() -> None:
    never = [saying(fallen(name), ready_at=NOW + 10 * MINUTE) for name in "abc"]
    assert not why_frozen(*never, now=NOW + 11 * MINUTE)
    falls = Condition(type=words.ETCD_READY, status="False", reason="x", last_transition_time=NOW + 12 * MINUTE)
    both = [saying(one, conditions=(*one.status.conditions[:1], falls)) for one in never]
    assert why_frozen(*both, now=NOW + 13 * MINUTE)


def handed_over(name: str) -> Cluster:
    return saying(fallen(name), healing=ClusterHealingStatus(restarts=(restart(step="HandOver"),)))


def without_quorum(name: str) -> Cluster:
    return saying(fallen(name, type_=words.ETCD_READY), quorum_loss=QuorumLossStatus(since=NOW))


def with_a_bad_guest(name: str) -> Cluster:
    parts = (component("guest", words.RIGHTS_REFUSED), component("kube-scheduler", words.COMPONENTS_READY))
    return saying(fallen(name, type_=words.CONTROLLERS_READY), components=parts)


@pytest.mark.parametrize(
    "made",
    [
        handed_over,
        without_quorum,
        with_a_bad_guest,
        lambda name: fallen(name, healing={"paused": True}),
        lambda name: fallen(name, paused=True),
    ],
    ids=["handed over", "waiting for an approval", "a hosted operator", "healing is paused", "paused"],
)
def test_what_a_person_looks_at_or_people_of_a_business_cluster_broke_says_nothing_of_the_cell(made: Any) -> None:
    assert not why_frozen(*(made(name) for name in "abcdef"))
    assert not why_frozen(fallen("g"), fallen("h"), made("a"))


def test_one_with_a_bad_hosted_operator_whose_masters_are_unwell_too_counts() -> None:
    parts = (component("guest", "Crashing"), component("kube-scheduler", "Crashing"))
    both = [saying(fallen(name, type_=words.CONTROLLERS_READY), components=parts) for name in "ab"]
    silent = saying(fallen("c"), components=(component("guest", "Crashing"),))
    assert why_frozen(*both, silent)


def test_all_that_are_not_well_are_counted_for_people_whether_they_freeze_or_not() -> None:
    health = CellHealth(POLICY)
    for one in (handed_over("a"), fallen("b", NOW - 9 * HOUR), fallen("c")):
        health.note(None, one)
    assert (health.sick, health.look(NOW).sick) == (3, 1)


def test_a_new_process_judges_as_the_one_before() -> None:
    sick = [fallen(name, NOW - HOUR) for name in "abc"]
    assert why_frozen(*sick) == why_frozen(*reversed(sick)) != ""


def test_who_fell_sick_by_a_hasty_clock_fell_so_just_now() -> None:
    ahead = NOW + timedelta(days=400)
    assert why_frozen(fallen("a", ahead), fallen("b", ahead + HOUR), fallen("c"))


def well(name: str, since: datetime) -> Cluster:
    """A Cluster whose masters are all well since then."""
    made = running(cluster(name)).cluster
    told = (replace(each, last_transition_time=since) for each in made.status.conditions)
    return replace(made, status=replace(made.status, conditions=tuple(told)))


def flapping(*names: str, every: timedelta, well_for: timedelta, times: int) -> tuple[CellHealth, datetime]:
    """A cell in which some fall sick together, again and again; and when they did so last."""
    health, at, last = CellHealth(POLICY), NOW, NOW
    for _ in range(times):
        for name in names:
            health.note(None, fallen(name, at))
        last, at = at, at + every
        for name in names:
            health.note(None, well(name, at - well_for))
    for name in names:
        health.note(None, fallen(name, last))
    return health, last


def test_those_that_flap_together_do_not_renew_a_freeze_for_ever() -> None:
    for hours, is_frozen in ((5, True), (7, False)):
        health, last = flapping(*"abc", every=30 * MINUTE, well_for=20 * MINUTE, times=2 * hours + 1)
        assert last == NOW + hours * HOUR
        assert bool(health.look(last).why_frozen(POLICY)) is is_frozen


def test_who_was_well_for_long_and_falls_sick_again_falls_so_anew() -> None:
    health, last = flapping(*"abc", every=2 * HOUR, well_for=POLICY.settled, times=9)
    assert last == NOW + 16 * HOUR
    assert health.look(last).why_frozen(POLICY)


def test_those_that_flapped_at_different_times_still_fall_sick_at_once() -> None:
    health = CellHealth(POLICY)
    for minutes, name in enumerate("abc"):
        health.note(None, fallen(name, NOW + 40 * minutes * MINUTE))
    for name in "abc":
        health.note(None, well(name, NOW + 90 * MINUTE))
    together = NOW + 100 * MINUTE
    for name in "abc":
        health.note(None, fallen(name, together))
    assert health.look(together).why_frozen(POLICY)


def test_what_is_said_again_of_one_that_is_sick_is_no_other_fall() -> None:
    health = CellHealth(POLICY)
    for name in "abc":
        health.note(None, fallen(name))
        health.note(None, saying(fallen(name), healing=ClusterHealingStatus(restarts=(restart(step="HandOver"),))))
        health.note(None, fallen(name))
    assert health.look(NOW + 5 * HOUR).why_frozen(POLICY)
    assert not health.look(NOW + 7 * HOUR).why_frozen(POLICY)


def test_what_is_gone_is_forgotten() -> None:
    health, last = flapping(*"abc", every=30 * MINUTE, well_for=20 * MINUTE, times=15)
    for name in "abc":
        health.note(fallen(name, last), None)
        health.note(None, fallen(name, last))
    assert health.look(last).why_frozen(POLICY)


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.none() | st.integers(0, 600))))
def test_however_they_fall_and_recover_the_count_is_that_of_the_last_word_of_each(
    story: list[tuple[str, int | None]],
) -> None:
    told, again = (Falls(POLICY.spell, POLICY.believed, POLICY.settled) for _ in range(2))
    last: dict[str, datetime | None] = {}
    for name, minute in story:
        last[name] = NOW + minute * MINUTE if minute is not None else None
        told.note(name, last[name], NOW)
    for name, since in last.items():
        again.note(name, since)
    assert told.at_once(NOW + HOUR) == again.at_once(NOW + HOUR)
    assert told.at_once(NOW + 10 * HOUR) <= again.at_once(NOW + 10 * HOUR), "those that flap are believed no longer"
    assert told.at_once(NOW + HOUR) <= len([each for each in last.values() if each is not None])
