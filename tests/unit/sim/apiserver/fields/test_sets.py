"""Sets of fields obey the laws of sets, and survive being written and read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeostat.sim.apiserver.fields import paths
from homeostat.sim.apiserver.fields.paths import Path
from homeostat.sim.apiserver.fields.sets import NOTHING, FieldSet

elements = st.sampled_from(["f:a", "f:b", "f:.", 'k:{"name":"x"}', "v:1", 'v:"1"', "i:0"])
lists_of_paths = st.lists(st.lists(elements, min_size=1, max_size=4).map(tuple), max_size=8)
sets = lists_of_paths.map(FieldSet.of)


@given(fields=sets)
def test_a_set_that_is_written_and_read_is_the_same(fields: FieldSet) -> None:
    assert FieldSet.read(json.loads(json.dumps(fields.written))) == fields


@given(given_paths=lists_of_paths)
def test_a_set_holds_its_paths_and_no_others(given_paths: list[Path]) -> None:
    fields = FieldSet.of(given_paths)

    assert set(fields) == set(given_paths)
    assert all(path in fields for path in given_paths)
    assert (*given_paths[0], "f:more") not in fields if given_paths else not fields


@given(one=sets, other=sets)
def test_operations_are_those_of_sets_of_paths(one: FieldSet, other: FieldSet) -> None:
    assert set(one | other) == set(one) | set(other)
    assert set(one & other) == set(one) & set(other)
    assert set(one - other) == set(one) - set(other)
    assert bool(one - other) == bool(set(one) - set(other))


@given(one=sets, other=sets)
def test_without_takes_what_is_below_a_path_as_well(one: FieldSet, other: FieldSet) -> None:
    gone = set(other)

    left = {path for path in one if not any(path[:length] in gone for length in range(1, len(path) + 1))}

    assert set(one.without(other)) == left


@given(fields=sets)
def test_leaves_have_nothing_below_them(fields: FieldSet) -> None:
    every = set(fields)

    leaves = {path for path in every if not any(len(each) > len(path) and each[: len(path)] == path for each in every)}

    assert set(fields.leaves()) == leaves


def test_a_field_that_is_a_member_and_has_some_below_it_is_written_with_a_dot() -> None:
    fields = FieldSet.named("data", "data.b", "data.a", "spec.x")

    assert json.dumps(fields.written) == json.dumps({"f:data": {".": {}, "f:a": {}, "f:b": {}}, "f:spec": {"f:x": {}}})


def test_what_is_below_a_field_is_found_without_its_path() -> None:
    fields = FieldSet.named("a.b.c", "a.d")

    assert fields.at(paths.of_field("a")) == FieldSet.named("b.c", "d")
    assert fields.at(paths.of_field("z")) == NOTHING


def test_elements_of_a_kind_that_nobody_knows_are_dropped_with_all_below_them() -> None:
    assert FieldSet.read({"f:a": {"z:new": {}}, "z:new": {"f:b": {}}}) == FieldSet.named("a")


@pytest.mark.parametrize("raw", [[], "x", {"f:a": 1}, {"nonsense": {}}])
def test_what_is_no_set_is_unreadable(raw: Any) -> None:
    with pytest.raises(paths.Unreadable):
        FieldSet.read(raw)
