"""Schedules are reduced to what makes something break: pure cases, and an operator that is broken on purpose."""

from __future__ import annotations

import pytest
from tests.support.chaos.campaign import breaks, broken_in
from tests.support.chaos.event import Broken, Event, Schedule
from tests.support.chaos.life import live
from tests.support.chaos.reducing import reduced
from tests.support.chaos.telling import as_test
from tests.support.killing.variants import VARIANTS

FIRST = Broken("it_holds", "it does not", 1e9)
MANY = [Event(float(100 * number), f"deed-{number}") for number in range(64)]
MIXED = [
    Event(0.0, "declare", "ant", {"packageVersion": "v1.35.4"}),
    Event(40.0, "cordon", "host-a1", {"closed": True}),
    Event(60.0, "delete", "ant"),
    Event(60.0, "write", "ant"),
]


def only_when(*needed: str) -> tuple[Schedule, int]:
    """What a fault that needs some deeds in this order is reduced to, and by how many lives."""
    lives = 0

    def try_it(part: Schedule) -> Broken | None:
        nonlocal lives
        lives += 1
        deeds = [each.deed for each in part]
        return FIRST if [each for each in deeds if each in needed] == list(needed) else None

    return reduced(MANY, FIRST, try_it), lives


def test_one_event_among_many_is_found_in_a_few_lives() -> None:
    found, lives = only_when("deed-41")
    assert [(each.deed, each.at) for each in found] == [("deed-41", 0.0)]
    assert lives < 20


def test_events_that_matter_together_are_all_kept_in_their_order_and_drawn_together() -> None:
    found, lives = only_when("deed-3", "deed-17", "deed-60")
    assert [(each.deed, each.at) for each in found] == [("deed-3", 0.0), ("deed-17", 0.0), ("deed-60", 0.0)]
    assert lives < 100


def test_what_breaks_otherwise_is_not_what_is_looked_for() -> None:
    def try_it(part: Schedule) -> Broken | None:
        deeds = {each.deed for each in part}
        return FIRST if {"deed-1", "deed-2"} <= deeds else Broken("another_holds", "it does not", 0.0)

    assert [each.deed for each in reduced(MANY, FIRST, try_it)] == ["deed-1", "deed-2"]


def test_no_more_lives_are_taken_than_are_given() -> None:
    lives = list[int]()

    def try_it(part: Schedule) -> Broken | None:
        lives.append(len(part))
        return None

    assert list(reduced(MANY, FIRST, try_it, most=7)) == MANY
    assert len(lives) == 7


def test_a_schedule_is_told_as_a_test_that_is_python() -> None:
    told = as_test(MIXED, 7, FIRST)
    names: dict[str, object] = {"Event": Event, "live": lambda schedule, seed: (schedule, seed)}
    exec(told.replace("    live(", "    return live("), names)
    test = names["test_it_holds_under_schedule_7"]
    assert callable(test)
    assert test() == (MIXED, 7)


def test_chaos_finds_an_operator_that_ends_etcd_first_and_reduces_its_schedule_to_two_events(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    next(each for each in VARIANTS if each.name == "etcd goes before those who use it").breaks(monkeypatch)
    with pytest.raises(BaseExceptionGroup) as raised:
        live(MIXED, until=120, rests=False)
    first = broken_in(raised.value)
    assert first is not None
    found = reduced(MIXED, first, lambda part: breaks(part, 0, first))
    assert [each.deed for each in found] == ["declare", "delete"]
