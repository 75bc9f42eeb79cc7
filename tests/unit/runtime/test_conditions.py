"""Conditions keep their transition time while their status is equal."""

from __future__ import annotations

from datetime import timedelta

from tests.support.clock import START

from homeostat.api.meta import Condition
from homeostat.runtime.conditions import find_condition, is_true, remove_condition, set_condition


def test_a_condition_keeps_its_time_until_its_status_changes() -> None:
    late = START + timedelta(hours=1, microseconds=5)
    first = set_condition((), "Ready", status=False, reason="Starting", generation=1, now=START)
    same = set_condition(first, "Ready", status=False, reason="Waiting", generation=2, now=late)
    turned = set_condition(same, "Ready", status=True, reason="AllGood", generation=2, now=late)
    assert same == (
        Condition(type="Ready", status="False", reason="Waiting", last_transition_time=START, observed_generation=2),
    )
    assert turned[0].last_transition_time == START + timedelta(hours=1)


def test_conditions_keep_their_order_and_none_is_unknown() -> None:
    made = set_condition((), "A", status=True, reason="Yes", generation=1, now=START)
    made = set_condition(made, "B", status=None, reason="NotKnown", generation=1, now=START)
    made = set_condition(made, "A", status=False, reason="No", generation=1, now=START)
    assert [(condition.type, condition.status) for condition in made] == [("A", "False"), ("B", "Unknown")]
    assert find_condition(remove_condition(made, "A"), "A") is None
    assert not is_true(made, "B")
