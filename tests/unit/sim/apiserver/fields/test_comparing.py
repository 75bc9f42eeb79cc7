"""What one value changes of another."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.courses import specs
from tests.support.shapes import CONFIG_MAP, THING, set_of

from homeostat.sim.apiserver.fields import paths
from homeostat.sim.apiserver.fields.comparing import Comparison, compare
from homeostat.sim.apiserver.fields.sets import FieldSet
from homeostat.sim.apiserver.fields.typed import fields_of
from homeostat.sim.apiserver.schemas.shape import UNTYPED, Shape

things = st.fixed_dictionaries({"spec": specs(distinct=True)})


def shown(fields: FieldSet) -> list[str]:
    return [paths.shown(path) for path in fields]


def changes(old: Any, new: Any, shape: Shape) -> tuple[list[str], list[str], list[str]]:
    found = compare(old, new, shape)
    return shown(found.removed), shown(found.modified), shown(found.added)


@given(value=things)
def test_a_value_changes_nothing_of_itself(value: Any) -> None:
    assert compare(value, value, THING) == Comparison()


@given(old=things, new=things)
def test_what_is_added_in_one_direction_is_removed_in_the_other(old: Any, new: Any) -> None:
    there, back = compare(old, new, THING), compare(new, old, THING)

    assert (there.added, there.modified, there.removed) == (back.removed, back.modified, back.added)


@given(value=things)
def test_to_nothing_all_fields_are_added(value: Any) -> None:
    found = compare({}, value, THING)

    assert not fields_of(value, THING) - found.added
    assert found == Comparison(added=found.added)


def test_fields_are_removed_modified_and_added() -> None:
    old, new = {"data": {"a": "1", "b": "1"}}, {"data": {"b": "2", "c": "1"}}

    assert changes(old, new, CONFIG_MAP) == ([".data.a"], [".data.b"], [".data.c"])


def test_an_object_that_is_new_is_added_with_all_its_parts() -> None:
    assert changes({}, {"data": {"a": "1"}}, CONFIG_MAP) == ([], [], [".data", ".data.a"])


def test_the_order_of_a_list_by_keys_or_of_a_set_is_no_change() -> None:
    assert changes(["a", "b"], ["b", "a"], set_of()) == ([], [], [])


def test_a_list_that_is_a_whole_is_modified() -> None:
    assert changes({"spec": {"numbers": [1, 2]}}, {"spec": {"numbers": [2, 1]}}, THING) == ([], [".spec.numbers"], [])


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (["a", "a"], ["a", "a", "a"], ([], ['[="a"]'], [])),
        (["a", "a"], ["a", "a"], ([], [], [])),
        (["a", "a"], [], (['[="a"]'], [], [])),
        ([], ["a", "a"], ([], [], ['[="a"]'])),
        (["a"], ["a", "a"], (['[="a"]'], [], ['[="a"]'])),
        (["a", "a"], ["a"], (['[="a"]'], [], ['[="a"]'])),
    ],
)
def test_items_that_have_one_key_are_one_field(old: Any, new: Any, expected: Any) -> None:
    assert changes(old, new, set_of()) == expected


def test_a_value_of_another_form_is_modified_and_its_parts_are_added() -> None:
    assert changes({"a": 1}, {"a": {"b": 1}}, UNTYPED) == ([], [".a"], [".a.b"])
    assert changes({"a": {"b": 1}}, {"a": 1}, UNTYPED) == ([".a.b"], [".a"], [])


def test_true_is_not_one_and_one_is_one_point_zero() -> None:
    assert changes({"a": 1}, {"a": True}, UNTYPED) == ([], [".a"], [])
    assert changes({"a": 1}, {"a": 1.0}, UNTYPED) == ([], [], [])


def test_a_comparison_can_be_blind_for_fields_and_all_below_them() -> None:
    found = compare({"spec": {"size": 1}}, {"spec": {"size": 2}, "status": {"phase": "x"}}, THING)

    assert shown(found.without(FieldSet.named("status")).set) == [".spec.size"]
