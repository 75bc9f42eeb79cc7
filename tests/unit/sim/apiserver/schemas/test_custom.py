"""What happens to custom objects between the wire and the store."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from homeostat.sim.apiserver.refusing import Refused
from homeostat.sim.apiserver.schemas.custom import CustomType
from homeostat.sim.apiserver.schemas.reading import read

TEXT = {"type": "string"}
PORTS = {
    "type": "array",
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["name"],
    "items": {"type": "object", "required": ["name"], "properties": {"name": TEXT, "to": TEXT | {"maxLength": 3}}},
}


def custom(**properties: Any) -> CustomType:
    spec = {"type": "object", "properties": properties}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec, "status": {"type": "object"}}}},
    }
    names = {"kind": "Thing", "plural": "things"}
    return CustomType({"spec": {"group": "g.example", "scope": "Cluster", "names": names, "versions": [version]}}, "v1")


def thing(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "g.example/v1", "kind": "Thing", "metadata": {"name": "a"}, "spec": spec}


def told(type_: CustomType, value: dict[str, Any], before: dict[str, Any] | None = None) -> dict[str, str]:
    found = type_.creation_causes(value) if before is None else type_.update_causes(value, before)
    return {cause.field: cause.message for cause in found}


def test_unknown_fields_go_and_are_told_while_metadata_stays() -> None:
    value = thing(a="x", b="y") | {"zoo": 1}

    removed = custom(a=TEXT).prune(value)

    assert removed == ["spec.b", "zoo"]
    assert value == thing(a="x")


def test_what_is_preserved_keeps_its_unknown_fields_but_not_those_of_what_is_named_in_it() -> None:
    kept = {"type": "object", "x-kubernetes-preserve-unknown-fields": True, "properties": {"a": {"type": "object"}}}
    value = thing(kept={"x": {"y": 1}, "a": {"z": 1}})

    assert custom(kept=kept).prune(value) == ["spec.kept.a.z"]
    assert value["spec"]["kept"] == {"x": {"y": 1}, "a": {}}


def test_nulls_go_where_they_may_not_be_and_stay_where_they_may() -> None:
    value = thing(a=None, b=None)

    custom(a=TEXT, b=TEXT | {"nullable": True}).prune(value)

    assert value["spec"] == {"b": None}


def test_defaults_are_set_within_defaults_and_are_copies() -> None:
    inner = {"type": "object", "default": {}, "properties": {"size": {"type": "integer", "default": 3}}}
    made = custom(inner=inner)
    one, other = thing(), thing()

    made.set_defaults(one)
    one["spec"]["inner"]["size"] = 4
    made.set_defaults(other)

    assert other["spec"] == {"inner": {"size": 3}}


def test_a_null_with_a_default_becomes_the_default() -> None:
    made, value = custom(a=TEXT | {"default": "x"}), thing(a=None)

    made.prune(value)
    made.set_defaults(value)

    assert value["spec"] == {"a": "x"}


def test_a_wrong_type_hides_rules_and_says_so() -> None:
    rules = {"x-kubernetes-validations": [{"rule": "self == 'x'"}]}

    found = told(custom(a=TEXT | rules, b=TEXT), thing(a="y", b=3))

    assert found["spec.b"] == 'Invalid value: "integer": spec.b in body must be of type string: "integer"'
    assert found["<nil>"].startswith("Invalid value: null: some validation rules were not checked")
    assert "spec.a" not in found


def test_what_an_update_leaves_as_it_was_is_not_refused() -> None:
    made, before = custom(a=TEXT | {"maxLength": 3}, b=TEXT), thing(a="long before", b="x")

    assert not told(made, thing(a="long before", b="y"), before)
    assert told(made, thing(a="longer now", b="x"), before) == {
        "spec.a": "Too long: may not be more than 3 bytes",
    }


def test_items_are_as_they_were_by_their_key() -> None:
    made = custom(ports=PORTS)
    before = thing(ports=[{"name": "a", "to": "long"}, {"name": "b", "to": "x"}])

    assert not told(made, thing(ports=[{"name": "b", "to": "y"}, {"name": "a", "to": "long"}]), before)


def test_a_key_that_is_there_twice_is_told_once() -> None:
    found = told(custom(ports=PORTS), thing(ports=[{"name": "a"}, {"name": "a"}, {"name": "a"}]))

    assert found == {"spec.ports[1]": 'Duplicate value: {"name":"a"}'}


def test_the_status_is_judged_by_itself() -> None:
    made, value = custom(a=TEXT), thing(a=3)

    assert not made.status_causes(value | {"status": {}}, value)
    assert made.status_causes(value | {"status": 3}, value)[0].field == "status"


def test_an_object_of_another_kind_is_refused_for_that_alone() -> None:
    found = told(custom(a=TEXT), thing(a=3) | {"kind": "Other"})

    assert found == {"kind": 'Invalid value: "Other": must be Thing'}


def test_repeated_and_unknown_fields_are_told_in_the_order_of_an_api_server() -> None:
    body = b'{"zoo":1,"metadata":{"foo":1},"spec":{"a":"x","a":"y","b":1}}'

    decoded, faults = custom(a=TEXT).decode(read(body))

    assert decoded["spec"] == {"a": "y"}
    assert faults == [
        'duplicate field "spec.a"',
        'unknown field "metadata.foo"',
        'unknown field "spec.b"',
        'unknown field "zoo"',
    ]


def test_metadata_of_a_wrong_type_is_refused() -> None:
    with pytest.raises(Refused, match=r"cannot unmarshal number into Go struct field ObjectMeta.name of type string"):
        custom(a=TEXT).decode({"metadata": {"name": 3}})


def test_shapes_of_custom_types_know_their_lists_and_everybodys_metadata() -> None:
    shape = custom(ports=PORTS).shape

    assert shape.at("spec").at("ports").keys == ("name",)
    assert shape.at("metadata").at("finalizers").merge == "set"


def test_judging_does_not_change_the_object() -> None:
    value = thing(ports=[{"name": "a"}])
    before = copy.deepcopy(value)

    told(custom(ports=PORTS), value)

    assert value == before
