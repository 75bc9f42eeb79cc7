"""How an applied value goes into a live one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.courses import specs
from tests.support.shapes import CONFIG_MAP, SERVICE, THING, set_of

from homeostat.sim.apiserver.fields.comparing import compare
from homeostat.sim.apiserver.fields.forms import same
from homeostat.sim.apiserver.fields.merging import merge
from homeostat.sim.apiserver.schemas.shape import UNTYPED

things = st.fixed_dictionaries({"spec": specs(distinct=True)})


@given(live=things, applied=things)
def test_merging_twice_is_merging_once(live: Any, applied: Any) -> None:
    once = merge(live, applied, THING)

    assert same(merge(once, applied, THING), once)


@given(live=things, applied=things)
def test_merging_removes_nothing_but_what_becomes_something_else(live: Any, applied: Any) -> None:
    made = merge(live, applied, THING)

    assert (
        not compare(live, made, THING).removed - compare(live, applied, THING).modified - _below_modified(live, applied)
    )


def _below_modified(live: Any, applied: Any) -> Any:
    change = compare(live, applied, THING)
    return change.removed - change.removed.without(change.modified)


def test_what_is_applied_wins_and_the_rest_stays() -> None:
    assert merge({"data": {"a": "1", "b": "1"}}, {"data": {"b": "2"}}, CONFIG_MAP) == {"data": {"a": "1", "b": "2"}}


def test_items_are_merged_by_their_keys_with_defaults() -> None:
    live = {"spec": {"ports": [{"port": 80, "protocol": "TCP", "nodePort": 1}, {"port": 81, "protocol": "TCP"}]}}
    applied = {"spec": {"ports": [{"port": 80, "name": "x"}]}}

    assert merge(live, applied, SERVICE) == {
        "spec": {
            "ports": [{"port": 80, "protocol": "TCP", "nodePort": 1, "name": "x"}, {"port": 81, "protocol": "TCP"}]
        }
    }


@pytest.mark.parametrize(
    ("live", "applied", "merged"),
    [
        ("abc", "", "abc"),
        ("", "abc", "abc"),
        ("abc", "d", "abcd"),
        ("abc", "ca", "bca"),
        ("abcd", "dx", "abcdx"),
        ("abcd", "xd", "abcxd"),
        ("abcd", "db", "acdb"),
        ("ab", "cab", "cab"),
        ("axb", "bya", "xbya"),
    ],
)
def test_items_stand_as_the_applied_list_has_them_and_the_others_among_them(
    live: str, applied: str, merged: str
) -> None:
    assert "".join(merge(list(live), list(applied), set_of())) == merged


def test_an_item_that_is_doubled_in_the_live_list_stands_once_when_it_is_applied() -> None:
    assert merge(["a", "b", "a"], ["a"], set_of()) == ["a", "b"]
    assert merge(["a", "b", "a"], ["c"], set_of()) == ["a", "b", "a", "c"]


def test_null_leaves_the_parts_that_are_there() -> None:
    assert merge({"data": {"a": "1"}}, {"data": None}, CONFIG_MAP) == {"data": {"a": "1"}}
    assert merge({"data": {}}, {"data": None}, CONFIG_MAP) == {"data": None}
    assert merge({"spec": {"numbers": [1]}}, {"spec": {"numbers": None}}, THING) == {"spec": {"numbers": None}}


def test_a_value_of_another_form_takes_the_place() -> None:
    assert merge({"a": 1, "b": {"c": 1}}, {"a": {"x": 1}, "b": [1]}, UNTYPED) == {"a": {"x": 1}, "b": [1]}


def test_neither_side_is_changed() -> None:
    live, applied = {"data": {"a": "1"}}, {"data": {"b": "1"}}

    merge(live, applied, CONFIG_MAP)["data"]["c"] = "1"

    assert (live, applied) == ({"data": {"a": "1"}}, {"data": {"b": "1"}})
