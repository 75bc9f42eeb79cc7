"""The schema of a custom type as documents show it: as the definition says it, with what every object has beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from homeostat.sim.apiserver.schemas import builtin
from homeostat.sim.apiserver.schemas.openapi import REFERENCE
from homeostat.sim.apiserver.types.type import Type, Value

META = "io.k8s.apimachinery.pkg.apis.meta.v1"
_PRESERVED, _EMBEDDED = "x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource"
_NUMBER_OR_TEXT = "x-kubernetes-int-or-string"
_CONVENTIONS = "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md"
# What built-in types say of the same fields is captured; of the kind within an object they say nothing.
_OF_EMBEDDED = {
    "apiVersion": "apiVersion defines the versioned schema of this representation of an object."
    f" More info: {_CONVENTIONS}#resources",
    "kind": "kind is a string value representing the type of this object. In CamelCase."
    f" More info: {_CONVENTIONS}#types-kinds",
}
_LIST_METADATA = f"Standard list metadata. More info: {_CONVENTIONS}#types-kinds"
_METADATA = f"Standard object's metadata. More info: {_CONVENTIONS}#metadata"
# Of a schema, only for people, and kept by nobody.
_NOT_SHOWN = ("example", "externalDocs", "id", "$schema")
_PARTS = ("items", "not", "additionalProperties")
# False is what they are where nothing is said.
_UNSAID = ("nullable", "uniqueItems", "exclusiveMinimum", "exclusiveMaximum", _PRESERVED, _EMBEDDED, _NUMBER_OR_TEXT)
_LISTS = ("allOf", "anyOf", "oneOf")


def name_of(type_: Type, kind: str = "") -> str:
    """The name of a schema: the group backwards, as Java has it."""
    resource = type_.resource
    backwards = ".".join(reversed(resource.group.split(".")))
    return f"{backwards}.{resource.version}.{kind or resource.kind}"


def schemas_of(type_: Type, *, for_swagger: bool = False) -> dict[str, Value]:
    """The schemas of a type and of its list, by their names.

    What keeps unknown fields has no fields of its own in version 2, since kubectl would take them for all.
    """
    raw = (type_.raw.get("schema") or {}).get("openAPIV3Schema") or {}
    shown = shown_schema(raw, for_swagger=for_swagger)
    if for_swagger and raw.get(_PRESERVED):
        shown = {"type": "object"}
    else:
        fields = {**_type_fields(), "metadata": _described(_METADATA, f"{META}.ObjectMeta")}
        shown["properties"] = {**(shown.get("properties") or {}), **fields}
    listed = {
        "description": f"{type_.list_kind} is a list of {type_.resource.kind}",
        "type": "object",
        "required": ["items"],
        "properties": {
            **_type_fields(),
            "items": {
                "description": f"List of {type_.resource.plural}. More info: {_CONVENTIONS}",
                "type": "array",
                "items": {"$ref": f"{REFERENCE}{name_of(type_)}"},
            },
            "metadata": _described(
                f"Standard list metadata. More info: {_CONVENTIONS}#types-kinds", f"{META}.ListMeta"
            ),
        },
    }
    return {
        name_of(type_): shown | _marks(type_, type_.resource.kind),
        name_of(type_, type_.list_kind): listed | _marks(type_, type_.list_kind),
    }


def shown_schema(raw: Mapping[str, Any], *, for_swagger: bool = False) -> Value:
    """A schema of a definition, and all below it, as documents show it."""

    def shown_part(part: Mapping[str, Any]) -> Value:
        return shown_schema(part, for_swagger=for_swagger)

    shown: Value = {key: each for key, each in raw.items() if key not in _NOT_SHOWN}
    for key in [key for key in _UNSAID if shown.get(key) is False]:
        del shown[key]
    for key in _PARTS:
        if isinstance(raw.get(key), Mapping):
            shown[key] = shown_part(raw[key])
    for key in _LISTS:
        if key in raw:
            shown[key] = [shown_part(each) for each in raw[key]]
    if "properties" in raw:
        shown["properties"] = {name: shown_part(each) for name, each in raw["properties"].items()}
    if raw.get(_NUMBER_OR_TEXT) and "anyOf" not in raw and "allOf" not in raw:
        shown["anyOf"] = [{"type": "integer"}, {"type": "string"}]
    if raw.get(_EMBEDDED) and not (for_swagger and raw.get(_PRESERVED)):
        _embed(shown)
    return shown


def _embed(shown: Value) -> None:
    """What every object has that stands in another one; in place."""
    fields = {name: {"description": text, "type": "string"} for name, text in _OF_EMBEDDED.items()}
    metadata = {"metadata": _described(_METADATA, f"{META}.ObjectMeta")}
    shown["properties"] = {**(shown.get("properties") or {}), **fields, **metadata}
    required = shown.get("required") or []
    shown["required"] = [*required, *(each for each in ("kind", "apiVersion") if each not in required)]


def _type_fields() -> Value:
    properties = builtin.schema(f"{META}.Status")["properties"]
    return {name: dict(properties[name]) for name in ("apiVersion", "kind")}


def _described(text: str, name: str) -> Value:
    return {"description": text, "allOf": [{"$ref": f"{REFERENCE}{name}"}]}


def _marks(type_: Type, kind: str) -> Value:
    resource = type_.resource
    marks: Value = {
        "x-kubernetes-group-version-kind": [{"group": resource.group, "kind": kind, "version": resource.version}]
    }
    selectable = type_.raw.get("selectableFields") or ()
    if selectable:
        paths = [{"fieldPath": each["jsonPath"].removeprefix(".")} for each in selectable]
        marks["x-kubernetes-selectable-fields"] = paths
    return marks
