"""Which fields a value has, and what is left of it without some."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.shapes import CONFIG_MAP, SERVICE, THING, listing, mapping, set_of, struct

from homeostat.sim.apiserver.fields import paths
from homeostat.sim.apiserver.fields.forms import Unnamed
from homeostat.sim.apiserver.fields.sets import FieldSet
from homeostat.sim.apiserver.fields.typed import fields_of, with_named, without
from homeostat.sim.apiserver.schemas.shape import SCALAR, UNTYPED, Shape


def shown(fields: FieldSet) -> list[str]:
    return [paths.shown(path) for path in fields]


def test_a_named_field_is_there_by_what_is_below_it_and_a_key_of_a_map_by_itself() -> None:
    assert shown(fields_of({"data": {"a": "1"}}, CONFIG_MAP)) == [".data.a"]
    assert shown(fields_of({"a": {"b": "1"}}, mapping(mapping()))) == [".a", ".a.b"]


@pytest.mark.parametrize("nothing", [None, {}])
def test_a_field_that_is_null_or_empty_is_there_by_itself(nothing: Any) -> None:
    assert shown(fields_of({"data": nothing}, CONFIG_MAP)) == [".data"]


def test_an_empty_list_of_parts_is_no_field_and_one_that_is_a_whole_is() -> None:
    shape = struct(parts=set_of(), whole=listing())

    assert shown(fields_of({"parts": [], "whole": []}, shape)) == [".whole"]


def test_items_are_told_apart_by_keys_with_their_defaults() -> None:
    value = {"spec": {"ports": [{"port": 80, "name": "a"}, {"port": 80, "protocol": "UDP"}]}}

    assert shown(fields_of(value, SERVICE)) == [
        '.spec.ports[port=80,protocol="TCP"]',
        '.spec.ports[port=80,protocol="UDP"]',
        '.spec.ports[port=80,protocol="TCP"].name',
        '.spec.ports[port=80,protocol="TCP"].port',
        '.spec.ports[port=80,protocol="UDP"].port',
        '.spec.ports[port=80,protocol="UDP"].protocol',
    ]


def test_items_of_a_set_are_their_own_keys_and_a_doubled_one_is_one_field() -> None:
    assert shown(fields_of(["a", "b", "a"], set_of())) == ['[="a"]', '[="b"]']


def test_a_value_without_a_type_is_owned_by_its_parts_but_for_its_lists() -> None:
    assert shown(fields_of({"a": {"b": 1, "c": [{"d": 1}]}}, UNTYPED)) == [".a", ".a.b", ".a.c"]


def test_an_object_that_is_a_whole_is_one_field() -> None:
    assert shown(fields_of({"spec": {"whole": {"one": "1", "two": "2"}}}, THING)) == [".spec.whole"]


@pytest.mark.parametrize("item", [None, "x", {"weight": 1}])
def test_an_item_that_has_no_key_cannot_be_told(item: Any) -> None:
    shape = Shape("list", "map", each=struct(name=SCALAR, weight=SCALAR), keys=("name",))

    with pytest.raises(Unnamed):
        fields_of([item], shape)


@pytest.mark.parametrize("item", [None, [], {}])
def test_an_item_of_a_set_is_a_scalar(item: Any) -> None:
    with pytest.raises(Unnamed):
        fields_of([item], set_of())


def test_the_named_fields_above_members_can_be_made_members() -> None:
    fields = FieldSet.named("spec.inner.deep.a", "spec.free.b.c")

    named = with_named(fields, THING)

    assert named == fields | FieldSet.named("spec", "spec.inner", "spec.inner.deep", "spec.free")


def test_fields_are_taken_out_wherever_they_are() -> None:
    value = {"spec": {"tags": ["a", "b"], "parts": [{"name": "x", "weight": 1}, {"name": "y"}], "size": 1}}
    gone = fields_of({"spec": {"tags": ["a"], "size": 1}}, THING) | FieldSet.of(
        [
            ("f:spec", "f:parts", 'k:{"name":"x","zone":"a"}', "f:weight"),
            ("f:spec", "f:parts", 'k:{"name":"y","zone":"a"}'),
        ]
    )

    assert without(value, THING, gone) == {"spec": {"tags": ["b"], "parts": [{"name": "x"}]}}


def test_what_loses_all_its_parts_is_null() -> None:
    assert without({"data": {"a": "1"}}, CONFIG_MAP, FieldSet.named("data.a")) == {"data": None}
    assert without({"data": {"a": "1"}}, CONFIG_MAP, FieldSet.named("data")) is None
