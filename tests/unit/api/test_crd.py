"""From a type to a structural schema."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, ClassVar

import pytest
from msgspec import Struct, field

from homeostat.api.crd import UnsupportedType, custom_resource_definition, object_schema
from homeostat.api.kind import Kind, Resource
from homeostat.api.meta import Condition, ObjectMeta
from homeostat.api.schema import IMMUTABLE, Column, Definition, Rule, doc

DEFINITION = Definition(description="A thing.", short_names=("th",), columns=(Column("Age", ".a", "An age", "date"),))


class Part(Struct, frozen=True, rename="camel"):
    name: str
    how_many: Annotated[int, doc("A number.", minimum=1)] = 3

    rules: ClassVar[tuple[Rule, ...]] = (Rule(rule="self.howMany < 9", message="too many", field_path=".howMany"),)


class Spec(Struct, frozen=True, rename="camel", kw_only=True):
    wanted: Annotated[str, doc("What is wanted.", IMMUTABLE, maxLength=9)]
    part: Annotated[Part | None, doc("A part.")] = None
    parts: Annotated[tuple[Part, ...], doc("Parts.", maxItems=4, list_map_keys=["name"])] = ()
    words: tuple[str, ...] = ()
    amounts: Annotated[dict[str, str | int], doc("Amounts.", values={"maxLength": 5})] = {}
    is_quiet: bool = False
    note: str = ""
    level: str = "low"
    since: datetime | None = None
    odd_id: str = field(default="x", name="oddID")


class Status(Struct, frozen=True, rename="camel"):
    phase: str = "None"
    part: Annotated[Part | None, doc("A part, as it is.")] = None
    amounts: Annotated[dict[str, int], doc("Amounts.", values={"minimum": 1, "x-kubernetes-validations": []})] = {}
    conditions: Annotated[tuple[Condition, ...], doc("Conditions.", list_map_keys=["type"])] = ()


class Thing(Struct, frozen=True):
    metadata: ObjectMeta
    spec: Spec
    status: Status = Status()


def spec_schema() -> dict[str, Any]:
    properties: dict[str, Any] = object_schema(Thing, DEFINITION)["properties"]["spec"]["properties"]
    return properties


def test_required_fields_are_those_without_a_default() -> None:
    schema = object_schema(Thing, DEFINITION)
    assert (schema["required"], schema["properties"]["spec"]["required"]) == (["spec"], ["wanted"])


def test_field_docs_limits_and_rules_stand_beside_the_type() -> None:
    assert spec_schema()["wanted"] == {
        "type": "string",
        "description": "What is wanted.",
        "maxLength": 9,
        "x-kubernetes-validations": [{"rule": "self == oldSelf", "message": IMMUTABLE.message}],
    }


def test_an_optional_struct_is_neither_null_nor_a_union() -> None:
    part = spec_schema()["part"]
    assert (part["type"], part["description"], part["required"]) == ("object", "A part.", ["name"])
    assert part["x-kubernetes-validations"] == [
        {"rule": "self.howMany < 9", "message": "too many", "fieldPath": ".howMany"}
    ]


def test_lists_say_how_they_merge() -> None:
    schemas = spec_schema()
    assert schemas["parts"]["x-kubernetes-list-type"] == "map"
    assert schemas["parts"]["x-kubernetes-list-map-keys"] == ["name"]
    assert schemas["words"] == {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "atomic"}


def test_an_amount_is_an_integer_or_a_string() -> None:
    assert spec_schema()["amounts"]["additionalProperties"] == {
        "anyOf": [{"type": "integer"}, {"type": "string"}],
        "x-kubernetes-int-or-string": True,
        "maxLength": 5,
    }


def test_defaults_that_say_something_are_filled_in_by_the_server() -> None:
    defaults = {name: schema["default"] for name, schema in spec_schema().items() if "default" in schema}
    assert defaults == {"isQuiet": False, "level": "low", "oddID": "x"}


def test_a_status_has_no_defaults() -> None:
    status = object_schema(Thing, DEFINITION)["properties"]["status"]
    assert "default" not in status["properties"]["phase"]


def test_a_status_has_no_rules_although_its_types_may_be_those_of_a_spec() -> None:
    status = object_schema(Thing, DEFINITION)["properties"]["status"]["properties"]
    assert "x-kubernetes-validations" not in status["part"]
    assert status["part"]["properties"]["howMany"]["minimum"] == 1
    assert status["amounts"]["additionalProperties"] == {"type": "integer", "format": "int64", "minimum": 1}


def test_conditions_have_the_schema_that_all_of_kubernetes_uses() -> None:
    condition = object_schema(Thing, DEFINITION)["properties"]["status"]["properties"]["conditions"]["items"]
    assert condition["required"] == ["type", "status", "lastTransitionTime", "reason", "message"]


def test_the_definition_names_columns_short_names_and_category() -> None:
    kind = Kind(Resource("example.org", "v1", "Thing", "things", namespaced=False), Thing)
    spec = custom_resource_definition(kind, DEFINITION)["spec"]
    assert (spec["scope"], spec["names"]["shortNames"], spec["names"]["categories"]) == (
        "Cluster",
        ["th"],
        ["homeostat"],
    )
    assert spec["versions"][0]["additionalPrinterColumns"][0]["jsonPath"] == ".a"
    assert spec["versions"][0]["subresources"] == {"status": {}}


class Wrong(Struct, frozen=True):
    ratio: float = 1.0


class WrongThing(Struct, frozen=True):
    metadata: ObjectMeta
    spec: Wrong


def test_a_type_that_no_schema_can_say_is_named_with_its_field() -> None:
    with pytest.raises(UnsupportedType, match=r"spec\.ratio: expected a string, .* found FloatType"):
        object_schema(WrongThing, DEFINITION)


def nodes(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        yield schema
        for below in schema.values():
            yield from nodes(below)
    elif isinstance(schema, list):
        for below in schema:
            yield from nodes(below)


def test_no_schema_has_references() -> None:
    assert [node for node in nodes(object_schema(Thing, DEFINITION)) if "$ref" in node] == []
