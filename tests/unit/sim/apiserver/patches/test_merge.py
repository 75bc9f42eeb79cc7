"""JSON merge patch."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeostat.sim.apiserver.patches.merge import merged
from homeostat.sim.apiserver.refusing import Refused

names = st.sampled_from(["a", "b", "c"])
values = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(names, inner, max_size=3),
    max_leaves=6,
)
objects = st.dictionaries(names, values, max_size=3)
# Without nulls in lists: those stay the first time, where an object was before, and go the second time, as the library
# does it that API servers patch with.
items = st.recursive(st.booleans() | st.integers(0, 2), lambda inner: st.dictionaries(names, inner, max_size=3))
patches = st.dictionaries(
    names,
    st.recursive(
        st.none() | st.lists(items, max_size=2), lambda inner: st.dictionaries(names, inner, max_size=3), max_leaves=6
    ),
    max_size=3,
)


@pytest.mark.parametrize(
    ("live", "patch", "expected"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"a": {"b": 1}}, {"a": [{"b": None}]}, {"a": [{"b": None}]}),
        ({}, {"a": {"b": {"c": None}}}, {"a": {"b": {}}}),
        ({}, {"a": [{"b": None}, None]}, {"a": [{}, None]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({"e": None}, {"e": {"a": None}}, {"e": {}}),
    ],
)
def test_objects_are_merged_null_removes_and_all_else_replaces(live: Any, patch: Any, expected: Any) -> None:
    assert merged(live, patch) == expected


@given(live=objects, patch=patches)
def test_patching_twice_is_patching_once_and_changes_neither(live: Any, patch: Any) -> None:
    before = copy.deepcopy((live, patch))

    once = merged(live, patch)

    assert merged(once, patch) == once
    assert (live, patch) == before


@pytest.mark.parametrize(
    ("patch", "message"),
    [
        ([], "error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}"),
        ("x", "error decoding patch: json: cannot unmarshal string into Go value of type map[string]interface {}"),
        (None, "Invalid JSON Patch"),
    ],
)
def test_what_is_no_object_is_a_bad_request(patch: Any, message: str) -> None:
    with pytest.raises(Refused) as refused:
        merged({}, patch)

    assert (refused.value.code, refused.value.message) == (400, message)
