"""The line: never more under way than there are places, the oldest first, and nobody holds up the others for ever."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from tests.support.clusters import NOW

from homeostat.operators.cluster.pacing.line import Line
from homeostat.operators.cluster.pacing.place import FREE, Place

SECOND = timedelta(seconds=1)
LONG = timedelta(hours=1)
PATIENCE = timedelta(minutes=5)


def line(places: int, *waiting: str) -> Line:
    made = Line(places, PATIENCE)
    for number, uid in enumerate(waiting):
        made.wait(uid, NOW + number * SECOND)
    return made


def test_the_oldest_have_their_turn_whoever_is_told_of_first() -> None:
    made = Line(2, PATIENCE)
    for uid, age in (("c", 3), ("a", 1), ("b", 2)):
        made.wait(uid, NOW + age * SECOND)
    assert made.first(NOW) == ["a", "b"]
    assert made.place("b", NOW) == FREE
    assert made.place("c", NOW) == Place(may_begin=False, before=0, at_once=2)


def test_whoever_begins_takes_a_place_and_gives_it_back_when_done() -> None:
    made = line(1, "a", "b", "c")
    made.go("a", NOW + LONG)
    assert made.first(NOW) == []
    assert made.place("c", NOW) == Place(may_begin=False, before=1, at_once=1)
    made.leave("a")
    assert made.first(NOW) == ["b"]


def test_whoever_is_not_in_line_is_told_as_if_it_came_now_and_does_not_begin() -> None:
    assert line(1, "a", "b").place("stranger", NOW) == Place(may_begin=False, before=1, at_once=1)


def test_whoever_had_its_turn_keeps_it_when_somebody_older_comes_late() -> None:
    made = line(1, "b")
    assert made.first(NOW) == ["b"]
    made.wait("a", NOW - SECOND)
    assert made.first(NOW) == ["b"]
    made.go("b", NOW + LONG)
    made.leave("b")
    assert made.first(NOW) == ["a"]


def test_what_is_stuck_does_not_count_for_ever() -> None:
    made = line(1, "a", "b")
    made.go("a", NOW + 10 * SECOND)
    assert made.first(NOW + 9 * SECOND) == []
    assert made.first(NOW + 10 * SECOND) == ["b"]


def test_whoever_does_not_begin_goes_behind_the_others() -> None:
    made = line(1, "a", "b")
    assert made.first(NOW) == ["a"]
    assert made.first(NOW + PATIENCE) == ["a"]
    assert made.first(NOW + PATIENCE + SECOND) == ["b"]
    made.go("b", NOW + LONG)
    made.leave("b")
    assert made.first(NOW + PATIENCE + 2 * SECOND) == ["a"], "it is still in line"


def test_how_far_it_is_is_told_roughly() -> None:
    told = [Place(may_begin=False, before=before).among for before in (0, 1, 3, 150, 9000)]
    assert told == [
        "among the next 1",
        "among the next 2",
        "among the next 5",
        "among the next 200",
        "behind more than 5000 others",
    ]


def standing(before: int) -> Place:
    return Place(may_begin=False, before=before, at_once=10)


@given(st.integers(0, 20_000))
def test_nobody_looks_before_what_it_says_can_be_otherwise_nor_much_later(before: int) -> None:
    """Ten are made at once, as quickly as can be: one a second."""
    again = standing(before).again
    if again > timedelta(seconds=30):
        assert standing(before - again // SECOND).among == standing(before).among
        assert standing(before - again // SECOND - 10).among != standing(before).among


def test_ten_thousand_who_wait_for_hours_look_some_dozen_times_each_and_not_every_half_a_minute() -> None:
    looks, asked = 0, range(0, 10_000, 500)
    for number in asked:
        at = timedelta()
        while (before := number - at // (2 * SECOND)) > 0:
            at, looks = at + standing(before).again, looks + 1
    assert looks / len(asked) < 50, "half a minute each would be more than three hundred"


@given(
    places=st.integers(1, 4),
    count=st.integers(1, 12),
    steps=st.lists(st.tuples(st.sampled_from(["come", "look", "echo", "done"]), st.integers(0, 11)), max_size=200),
)
def test_no_place_is_given_twice_however_late_the_caches_are(
    places: int, count: int, steps: list[tuple[str, int]]
) -> None:
    """They come and are looked at in any order; what was begun is seen only later, by its echo."""
    names = [f"u{number:02}" for number in range(count)]
    made, come = Line(places, PATIENCE), set[str]()
    begun: set[str] = set()  # truly under way
    unseen: set[str] = set()  # begun, but not echoed yet
    for kind, number in steps:
        uid = names[number % count]
        if kind == "come" and uid not in come:
            come.add(uid)
            made.wait(uid, NOW + number * SECOND)
        elif kind == "look" and uid in come - begun and made.place(uid, NOW).may_begin:
            begun.add(uid)
            unseen.add(uid)
        elif kind == "echo" and uid in unseen:
            unseen.discard(uid)
            made.go(uid, NOW + LONG)
        elif kind == "done" and uid in begun - unseen:
            begun.discard(uid)
            come.discard(uid)
            made.leave(uid)
        assert len(begun) <= places


@given(places=st.integers(1, 5), ages=st.lists(st.integers(0, 1000), min_size=1, max_size=30, unique=True))
def test_everybody_comes_in_the_order_of_their_age(places: int, ages: list[int]) -> None:
    made, order = Line(places, PATIENCE), []
    for age in ages:
        made.wait(str(age), NOW + age * SECOND)
    now: datetime = NOW
    while first := made.first(now):
        order.append(first[0])
        made.go(first[0], now + LONG)
        made.leave(first[0])
    assert order == [str(age) for age in sorted(ages)]
