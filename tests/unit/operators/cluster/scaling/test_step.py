"""From single to ha and back: members of etcd come and go one at a time, whatever happens in between."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.support.growing import World

from homeostat.operators.cluster import words

UP = [
    "added demo-etcd-1",
    "promoted demo-etcd-1",
    "added demo-etcd-2",
    "promoted demo-etcd-2",
    "moved the leader to demo-etcd-2",
    "restarted demo-etcd-0",
]
DOWN = [
    "moved the leader to demo-etcd-0",
    "retired demo-etcd-2",
    "discarded data-demo-etcd-2",
    "retired demo-etcd-1",
    "discarded data-demo-etcd-1",
]


def test_up_members_join_one_by_one_and_the_first_is_restarted_when_it_neither_leads_nor_is_needed() -> None:
    world = World("single")
    world.declare("ha")
    world.until("ha")
    assert world.story == UP


def test_down_the_first_leads_and_the_others_leave_with_their_volumes_and_nobody_is_restarted() -> None:
    world = World("single")
    world.declare("ha")
    world.until("ha")
    world.story.clear()
    world.declare("single")
    world.until("single")
    assert world.story == DOWN


def test_a_cluster_that_was_large_from_the_beginning_shrinks_and_grows_without_a_restart() -> None:
    world = World("ha")
    world.declare("single")
    world.until("single")
    assert world.story == DOWN[1:], "the first led already"
    world.story.clear()
    world.declare("ha")
    world.until("ha")
    assert world.story == UP[:4], "its rules were those of three members already"


def test_every_step_is_told_before_it_is_made() -> None:
    world = World("single")
    world.declare("ha")
    plan = world.look()
    assert plan.scale is not None
    assert plan.scale.becomes is not None
    assert (world.told.change.member, world.told.change.action) == ("demo-etcd-1", "Join")
    assert (world.told.members, world.told.replicas, world.told.zoned) == (1, 1, True)
    assert world.story == []


def steps(world: World) -> int:
    """How many looks it takes from here until nothing is left to do."""
    for number in range(200):
        plan = world.look()
        assert plan.scale is not None
        if plan.scale.verdict is None:
            return number
    raise AssertionError("it never ends")


@pytest.mark.parametrize(("start", "wish"), [("single", "ha"), ("ha", "single")])
def test_a_wish_that_is_taken_back_at_any_moment_leads_back(start: str, wish: str) -> None:
    undisturbed = World(start)
    undisturbed.declare(wish)
    for turn in range(steps(undisturbed)):
        world = World(start)
        world.declare(wish)
        for _ in range(turn):
            world.look()
        world.declare(start)
        world.until(start)
        assert "restarted demo-etcd-0" not in world.story or "promoted demo-etcd-2" in world.story


def test_what_was_only_told_is_taken_back_without_touching_anything() -> None:
    world = World("single")
    world.declare("ha")
    world.look()
    world.declare("single")
    world.until("single")
    assert world.story == []
    assert not world.told.zoned, "or the only member would be restarted for its rules"


def test_a_member_that_was_about_to_leave_stays() -> None:
    world = World("ha")
    world.declare("single")
    while world.told.change is None:
        world.look()
    world.declare("ha")
    world.until("ha")
    assert world.story == []


def test_no_member_joins_on_a_volume_that_another_cluster_left() -> None:
    world = World("single")
    world.seen = replace(world.seen, foreign_claims=("data-demo-etcd-1",))
    world.declare("ha")
    plan = world.look()
    assert plan.scale is not None
    assert plan.scale.verdict is not None
    assert plan.scale.verdict.reason == words.NAME_CONFLICT
    assert world.story == []
    world.seen = replace(world.seen, foreign_claims=())
    world.until("ha")


def test_a_cell_with_too_few_zones_is_told_and_nothing_is_touched_until_another_opens() -> None:
    world = World("single")
    world.zones = frozenset("ab")
    world.declare("ha")
    plan = world.look()
    assert plan.verdict is not None
    assert plan.verdict.reason == words.TOO_FEW_ZONES
    assert "in 3 zones of the cell, found 2 (a, b)" in plan.verdict.message
    assert (world.told.change, world.told.started_at, world.story) == (None, None, [])
    world.zones = frozenset("abc")
    world.until("ha")


def test_a_member_that_does_not_come_for_long_is_added_anew() -> None:
    world = World("single")
    world.declare("ha")
    while world.story != UP[:1]:
        world.look()
    world.now += timedelta(hours=1)
    world.until("ha")
    assert world.story[:3] == [UP[0], "retired demo-etcd-1", UP[0]]


def test_an_old_volume_of_a_member_that_joins_goes_first() -> None:
    world = World("single")
    world.claims["data-demo-etcd-1"] = world._claim("demo-etcd-1")
    world.declare("ha")
    world.until("ha")
    assert world.story == ["discarded data-demo-etcd-1", *UP]


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["single", "ha"]),
    st.lists(
        st.tuples(st.sampled_from(["single", "ha"]), st.integers(0, 12), st.none() | st.integers(0, 3)), max_size=6
    ),
    st.sampled_from(["single", "ha"]),
)
def test_whatever_is_wished_meanwhile_and_whenever_the_operator_dies_it_ends_as_declared(
    start: str, history: list[tuple[str, int, int | None]], wish: str
) -> None:
    world = World(start)
    for wished, looks, dies_after in history:
        world.declare(wished)
        for _ in range(looks):
            world.look()
        if dies_after is not None:
            world.look(dies_after=dies_after)
            world.asked = None
    world.declare(wish)
    world.until(wish)
    assert world.leader in world.members


def test_nothing_is_known_of_a_topology_that_was_never_told_but_what_there_is() -> None:
    world = World("ha")
    status = replace(world.seen.cluster.status, topology=None)
    world.seen = replace(world.seen, cluster=replace(world.seen.cluster, status=status))
    world.declare("single")
    world.until("single")
    assert world.story == DOWN[1:]
