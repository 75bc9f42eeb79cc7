"""Whether the schema of a CRD may be one: what apiextensions asks of it beyond that it is structural.

Walks over the schema as the CRD has it, because what is refused here is partly what `schema` does not read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from homeostat.sim.apiserver.refusing import Cause, not_imitated
from homeostat.sim.apiserver.schemas import causes, field_paths
from homeostat.sim.apiserver.schemas.causes import at_index, at_key, child
from homeostat.sim.apiserver.schemas.formats import NOT_IMITATED
from homeostat.sim.apiserver.schemas.pruning import META
from homeostat.sim.apiserver.schemas.schema import read

TYPES = ("array", "boolean", "integer", "number", "object", "string")
REASONS = ("FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired")
_UNSUPPORTED = ("id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref")
_NESTED = ("allOf", "oneOf", "anyOf")


class _Place(Struct, frozen=True):
    """Where the walk is: why defaults are forbidden there, if they are, and whether it is in an object's metadata."""

    no_defaults: str = ""
    in_meta: bool = False


def schema_causes(raw: Mapping[str, Any], path: str) -> list[Cause]:
    """Why a schema is refused, root first."""
    return list(_causes(raw, path, _Place(), root=True))


def _causes(raw: Mapping[str, Any], path: str, place: _Place, *, root: bool = False) -> Iterator[Cause]:
    yield from _standard(raw, path, place)
    if raw.get("uniqueItems"):
        said = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
        yield causes.forbidden(child(path, "uniqueItems"), said)
    yield from _others(raw, path, place)
    yield from _properties(raw, path, place, root=root)
    if raw.get("not") is not None:
        yield from _causes(raw["not"], child(path, "not"), place)
    for word in _NESTED:
        for index, part in enumerate(raw.get(word) or ()):
            yield from _causes(part, at_index(child(path, word), index), place)
    if isinstance(raw.get("items"), Mapping):
        yield from _causes(raw["items"], child(path, "items"), place)
    yield from _marks(raw, path)
    yield from _list_map(raw, path)
    for index, rule in enumerate(raw.get("x-kubernetes-validations") or ()):
        yield from _rule(rule, raw, at_index(child(path, "x-kubernetes-validations"), index))


def _standard(raw: Mapping[str, Any], path: str, place: _Place) -> Iterator[Cause]:
    if raw.get("format", "").replace("-", "") in NOT_IMITATED:
        raise not_imitated(f"the format {raw['format']} in schemas of CRDs")
    type_name = raw.get("type", "")
    if type_name and type_name not in TYPES:
        yield causes.not_supported(child(path, "type"), type_name, TYPES)
    if raw.get("default") is not None and place.no_defaults:
        yield causes.forbidden(child(path, "default"), f"must not be set {place.no_defaults}")
    for word in _UNSUPPORTED:
        if raw.get(word):
            yield causes.forbidden(child(path, word), f"{word} is not supported")
    if type_name == "null":
        said = "type cannot be set to null, use nullable as an alternative"
        yield causes.forbidden(child(path, "type"), said)
    if isinstance(raw.get("items"), list) and raw["items"]:
        yield causes.forbidden(child(path, "items"), "items must be a schema object and not an array")
    if place.in_meta and raw.get("x-kubernetes-embedded-resource"):
        yield causes.forbidden(
            child(path, "x-kubernetes-embedded-resource"), "must not be used inside of resource meta"
        )


def _others(raw: Mapping[str, Any], path: str, place: _Place) -> Iterator[Cause]:
    others, where = raw.get("additionalProperties"), child(path, "additionalProperties")
    if others is None:
        return
    if raw.get("properties") and others is not True:
        yield causes.forbidden(where, "additionalProperties and properties are mutual exclusive")
    if isinstance(others, Mapping):
        said = "inside additionalProperties applying to object metadata"
        yield from _causes(others, where, replace(place, no_defaults=said) if place.in_meta else place)


def _properties(raw: Mapping[str, Any], path: str, place: _Place, *, root: bool) -> Iterator[Cause]:
    for name, part in (raw.get("properties") or {}).items():
        inner = place
        if (root or raw.get("x-kubernetes-embedded-resource")) and name in META:
            inner = _Place(f"in top-level {name}" if root else place.no_defaults, in_meta=True)
        yield from _causes(part, at_key(child(path, "properties"), name), inner)


def _marks(raw: Mapping[str, Any], path: str) -> Iterator[Cause]:
    if raw.get("x-kubernetes-preserve-unknown-fields") is False:
        yield causes.invalid(child(path, "x-kubernetes-preserve-unknown-fields"), False, "must be true or undefined")
    map_type, list_type = raw.get("x-kubernetes-map-type"), raw.get("x-kubernetes-list-type")
    if map_type is not None:
        yield from _type_must_be(raw, path, "object", "x-kubernetes-map-type")
        if map_type not in ("atomic", "granular"):
            yield causes.not_supported(child(path, "x-kubernetes-map-type"), map_type, ("atomic", "granular"))
    if list_type is None:
        return
    items = raw.get("items")
    if raw.get("type") != "array":
        yield from _type_must_be(raw, path, "array", "x-kubernetes-list-type")
    elif list_type == "set" and isinstance(items, Mapping):
        yield from _set_items(items, child(path, "items"))
    if list_type not in ("atomic", "set", "map"):
        yield causes.not_supported(child(path, "x-kubernetes-list-type"), list_type, ("atomic", "set", "map"))


def _type_must_be(raw: Mapping[str, Any], path: str, wanted: str, because: str) -> Iterator[Cause]:
    found, said = raw.get("type", ""), f"must be {wanted} if {because} is specified"
    if found != wanted:
        where = child(path, "type")
        yield causes.invalid(where, found, said) if found else causes.required(where, said)


def _set_items(items: Mapping[str, Any], path: str) -> Iterator[Cause]:
    said = "must be atomic as item of a list with x-kubernetes-list-type=set"
    list_type = items.get("x-kubernetes-list-type")
    if items.get("type") == "array" and list_type not in (None, "atomic"):
        yield causes.invalid(child(path, "x-kubernetes-list-type"), list_type, said)
    if items.get("type") == "object" and items.get("x-kubernetes-map-type") != "atomic":
        yield causes.invalid(child(path, "x-kubernetes-map-type"), list_type, said)


def _list_map(raw: Mapping[str, Any], path: str) -> Iterator[Cause]:
    list_type, keys = raw.get("x-kubernetes-list-type"), raw.get("x-kubernetes-list-map-keys") or ()
    if keys and list_type != "map":
        where, said = child(path, "x-kubernetes-list-type"), "must be map if x-kubernetes-list-map-keys is non-empty"
        yield causes.required(where, said) if list_type is None else causes.invalid(where, list_type, said)
    if list_type == "map":
        if not keys:
            said = "must not be empty if x-kubernetes-list-type is map"
            yield causes.required(child(path, "x-kubernetes-list-map-keys"), said)
        yield from _list_map_items(raw, path, keys)
    if list_type in ("set", "map") and isinstance(raw.get("items"), Mapping):
        yield from _item_nulls(raw["items"], path, list_type, keys)


def _list_map_items(raw: Mapping[str, Any], path: str, keys: Sequence[str]) -> Iterator[Cause]:
    items, where = raw.get("items"), child(path, "items")
    if items is None:
        yield causes.required(where, "must have a schema if x-kubernetes-list-type is map")
    if not isinstance(items, Mapping):
        return
    if items.get("type") != "object":
        said = "must be object if parent array's x-kubernetes-list-type is map"
        yield causes.invalid(child(where, "type"), items.get("type", ""), said)
        return
    known = items.get("properties") or {}
    for index, key in enumerate(keys):
        if key not in known:
            said = "entries must all be names of item properties"
            yield causes.invalid(child(path, "x-kubernetes-list-map-keys"), keys, said)
        elif known[key].get("type") in ("array", "object"):
            said = "must be a scalar type if parent array's x-kubernetes-list-type is map"
            yield causes.invalid(child(at_key(child(where, "properties"), key), "type"), "object", said)
        if key in keys[:index]:
            yield causes.invalid(child(path, "x-kubernetes-list-map-keys"), keys, "must not contain duplicate entries")


def _item_nulls(items: Mapping[str, Any], path: str, list_type: str, keys: Sequence[str]) -> Iterator[Cause]:
    where = child(path, "items")
    if items.get("nullable"):
        said = f"cannot be nullable when x-kubernetes-list-type is {list_type}"
        yield causes.forbidden(child(where, "nullable"), said)
    known = items.get("properties") or {}
    for key in keys if list_type == "map" else ():
        if key not in known:
            continue
        place, because = (
            at_key(child(where, "properties"), key),
            "this property is in x-kubernetes-list-map-keys, so it",
        )
        if key not in (items.get("required") or ()) and known[key].get("default") is None:
            yield causes.required(child(place, "default"), f"{because} must have a default or be a required property")
        if known[key].get("nullable"):
            yield causes.forbidden(child(place, "nullable"), f"{because} cannot be nullable")


def _rule(rule: Mapping[str, Any], raw: Mapping[str, Any], path: str) -> Iterator[Cause]:
    text, message = rule.get("rule", ""), rule.get("message", "")
    if not text.strip():
        yield causes.required(child(path, "rule"), "rule is not specified")
    elif message and not message.strip():
        yield causes.invalid(child(path, "message"), message, "must be non-empty if specified")
    elif _has_lines(message.strip()):
        yield causes.invalid(child(path, "message"), message, "must not contain line breaks")
    elif _has_lines(text.strip()) and not message.strip():
        yield causes.required(child(path, "message"), "message must be specified if rule contains line breaks")
    expression = rule.get("messageExpression", "")
    if expression and not expression.strip():
        said = "messageExpression must be non-empty if specified"
        yield causes.required(child(path, "messageExpression"), said)
    if rule.get("reason") is not None and rule["reason"] not in REASONS:
        yield causes.not_supported(child(path, "reason"), rule["reason"], REASONS)
    field, where = rule.get("fieldPath", ""), child(path, "fieldPath")
    if field and not field.strip():
        yield causes.invalid(where, field, "must be non-empty if specified")
    if _has_lines(field):
        yield causes.invalid(where, field, "must not contain line breaks")
    if field and not field_paths.is_known(field, read(raw)):
        yield causes.invalid(where, field, "must be a valid path")


def _has_lines(text: str) -> bool:
    return "\n" in text or "\r" in text
