"""Whether a schema is structural: whether every value has one known type, so that it can be pruned and defaulted.

What may restrict values (`allOf`, `anyOf`, `oneOf`, `not`) may say nothing of structure, and only of fields that the
structure has. The causes are those of apiextensions' `ValidateStructural`, in its order.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from homeostat.sim.apiserver.refusing import Cause
from homeostat.sim.apiserver.schemas import causes, patterns
from homeostat.sim.apiserver.schemas.causes import at_index, at_key, child
from homeostat.sim.apiserver.schemas.schema import Limits, Schema

Level = Literal["root", "item", "field"]
_EMPTY_TYPE = {
    "root": "must not be empty at the root",
    "item": "must not be empty for specified array items",
    "field": "must not be empty for specified object fields",
}
_NESTED = "{} to be structural"


def structural_causes(schema: Schema, path: str) -> list[Cause]:
    """Why a schema is not structural, sorted by what is said."""
    found = [*_invariants(schema, "root", path), *_incomplete(schema, schema, path, path)]
    return sorted(found, key=lambda cause: f"{cause.field}: {cause.message}")


def _invariants(schema: Schema, level: Level, path: str) -> Iterator[Cause]:
    if schema.type == "array" and schema.items is None:
        yield causes.required(child(path, "items"), "must be specified")
    if schema.items:
        yield from _invariants(schema.items, "item", child(path, "items"))
    for name, part in schema.properties.items():
        yield from _invariants(part, "field", at_key(child(path, "properties"), name))
    if schema.others is not None:
        place = child(path, "additionalProperties")
        if level == "root":
            yield causes.forbidden(place, "must not be used at the root")
        if schema.rest:
            yield from _invariants(schema.rest, "field", place)
    yield from _extensions(schema, path)
    yield from _values(schema, path, skips_any_of=_is_int_or_string(schema.any_of))
    yield from _types(schema, level, path)
    yield from _meta(schema, level, path)


def _extensions(schema: Schema, path: str) -> Iterator[Cause]:
    said = "must be false if x-kubernetes-int-or-string is true"
    if schema.int_or_string and schema.preserves_unknown:
        yield causes.invalid(child(path, "x-kubernetes-preserve-unknown-fields"), True, said)
    if schema.int_or_string and schema.embedded:
        yield causes.invalid(child(path, "x-kubernetes-embedded-resource"), True, said)


def _types(schema: Schema, level: Level, path: str) -> Iterator[Cause]:
    place = child(path, "type")
    if schema.embedded and schema.type != "object":
        said = "must be object if x-kubernetes-embedded-resource is true"
        yield causes.invalid(place, schema.type, said) if schema.type else causes.required(place, said)
    elif not schema.type and not schema.int_or_string and not schema.preserves_unknown:
        yield causes.required(place, _EMPTY_TYPE[level])
    if schema.embedded and schema.others is not None:
        said = "must not be used if x-kubernetes-embedded-resource is set"
        yield causes.forbidden(child(path, "additionalProperties"), said)
    if level == "root" and schema.type and schema.type != "object":
        yield causes.invalid(place, schema.type, "must be object at the root")


def _meta(schema: Schema, level: Level, path: str) -> Iterator[Cause]:
    """What is said of kind, apiVersion and metadata where these are those of an object."""
    places = child(path, "properties")
    is_object = level == "root" or schema.embedded
    for name in ("kind", "apiVersion"):
        part = schema.properties.get(name)
        if part and is_object and part.type != "string":
            yield causes.invalid(child(at_key(places, name), "type"), part.type, "must be string")
    metadata = schema.properties.get("metadata")
    if metadata:
        place = at_key(places, "metadata")
        if is_object and metadata.type != "object":
            yield causes.invalid(child(place, "type"), metadata.type, "must be object")
        if level == "root" and not _restricts_names_only(metadata):
            said = "must not specify anything other than name and generateName, but metadata is implicitly specified"
            yield causes.forbidden(place, said)
    if schema.embedded and not schema.preserves_unknown and not schema.properties:
        said = "must not be empty if x-kubernetes-embedded-resource is true without "
        yield causes.required(places, f"{said}x-kubernetes-preserve-unknown-fields")


def _restricts_names_only(metadata: Schema) -> bool:
    bare = (
        *(metadata.all_of, metadata.any_of, metadata.one_of, metadata.rules, metadata.list_keys),
        *(metadata.negated, metadata.items, metadata.title, metadata.description, metadata.list_type),
        *(metadata.nullable, metadata.preserves_unknown, metadata.embedded, metadata.int_or_string, metadata.map_type),
    )
    named = metadata.properties.keys() <= {"name", "generateName"}
    return named and metadata.others is None and metadata.limits == Limits() and not any(bare)


def _values(schema: Schema, path: str, *, skips_any_of: bool = False) -> Iterator[Cause]:
    """What restricts the values of a node, and may say nothing of structure."""
    if not skips_any_of:
        for index, part in enumerate(schema.any_of):
            yield from _nested(part, at_index(child(path, "anyOf"), index))
    for index, part in enumerate(schema.all_of):
        skips = index == 0 and _is_int_or_string(part.any_of)
        yield from _nested(part, at_index(child(path, "allOf"), index), skips_any_of=skips)
    for index, part in enumerate(schema.one_of):
        yield from _nested(part, at_index(child(path, "oneOf"), index))
    if schema.negated:
        yield from _nested(schema.negated, child(path, "not"))
    if schema.limits.pattern:
        try:
            patterns.compiled(schema.limits.pattern)
        except patterns.BadPattern as error:
            said = f"must be a valid regular expression, but isn't: {error}"
            yield causes.invalid(child(path, "pattern"), schema.limits.pattern, said)


def _nested(part: Schema, path: str, *, skips_any_of: bool = False) -> Iterator[Cause]:
    yield from _values(part, path, skips_any_of=skips_any_of)
    if part.items:
        yield from _nested(part.items, child(path, "items"))
    for name, field in part.properties.items():
        yield from _nested(field, at_key(child(path, "properties"), name))
    undefined, empty, untrue = "must be undefined", "must be empty", "must be false"
    forbidden = (
        ("type", part.type, empty),
        ("additionalProperties", part.others is True or part.rest, undefined),
        ("default", part.default, undefined),
        ("title", part.title, empty),
        ("description", part.description, empty),
        ("nullable", part.nullable, untrue),
        ("x-kubernetes-preserve-unknown-fields", part.preserves_unknown, untrue),
        ("x-kubernetes-embedded-resource", part.embedded, untrue),
        ("x-kubernetes-int-or-string", part.int_or_string, untrue),
        ("x-kubernetes-list-map-keys", part.list_keys, empty),
        ("x-kubernetes-list-type", part.list_type, undefined),
        ("x-kubernetes-map-type", part.map_type, undefined),
        ("x-kubernetes-validations", part.rules, empty),
    )
    for name, value, said in forbidden:
        if value:
            yield causes.forbidden(child(path, name), _NESTED.format(said))
    if "metadata" in part.properties:
        said = "must not be specified in a nested context"
        yield causes.forbidden(at_key(child(path, "properties"), "metadata"), said)


def _is_int_or_string(parts: tuple[Schema, ...]) -> bool:
    return [_only_type(part) for part in parts] == ["integer", "string"]


def _only_type(part: Schema) -> str:
    plain = part.limits == Limits() and not part.properties and not part.any_of and not part.all_of
    return part.type if plain and not part.one_of and not part.negated else ""


def _incomplete(values: Schema, schema: Schema, path: str, told_at: str) -> Iterator[Cause]:
    """What the values of a node are restricted to where the structure does not have it."""
    if values.negated:
        yield from _incomplete_nested(values.negated, schema, path, child(told_at, "not"))
    for word, parts in (("allOf", values.all_of), ("anyOf", values.any_of), ("oneOf", values.one_of)):
        for index, part in enumerate(parts):
            yield from _incomplete_nested(part, schema, path, at_index(child(told_at, word), index))


def _incomplete_nested(values: Schema, schema: Schema, path: str, told_at: str) -> Iterator[Cause]:
    yield from _incomplete(values, schema, path, told_at)
    if values.items:
        yield from _incomplete_part(values.items, schema.items, child(path, "items"), child(told_at, "items"))
    for name, part in values.properties.items():
        place, told = (at_key(child(each, "properties"), name) for each in (path, told_at))
        yield from _incomplete_part(part, schema.properties.get(name), place, told)


def _incomplete_part(values: Schema, schema: Schema | None, path: str, told_at: str) -> Iterator[Cause]:
    if schema is None:
        yield causes.required(path, f"because it is defined in {told_at}")
    else:
        yield from _incomplete_nested(values, schema, path, told_at)
