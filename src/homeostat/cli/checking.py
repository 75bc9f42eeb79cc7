"""What an API server would refuse of one of our objects by its schema alone, found without asking one.

The schema is the one that deploy/crds is made of: fields that do not exist, types, required fields and limits. Rules
that compare fields, and what webhooks judge, only an API server can tell: that is what `--dry-run=server` is for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

from homeostat.api.catalogue import KINDS
from homeostat.api.crd import Schema, object_schema
from homeostat.cli.lazy import nearest

# What Kubernetes itself knows of metadata, which a CRD does not repeat.
_METADATA = (
    *("annotations", "creationTimestamp", "deletionGracePeriodSeconds", "deletionTimestamp", "finalizers"),
    *("generateName", "generation", "labels", "managedFields", "name", "namespace", "ownerReferences"),
    *("resourceVersion", "selfLink", "uid"),
)
# YAML reads a time without quotes as one; it is sent as text.
_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str, date),
    "integer": (int,),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
}
_LIMITS: dict[str, tuple[Callable[[Any, Any], bool], str]] = {
    "enum": (lambda value, known: value in known, "one of {}"),
    "pattern": (lambda value, pattern: re.search(pattern, str(value)) is not None, "what matches {}"),
    "minimum": (lambda value, least: value >= least, "at least {}"),
    "maximum": (lambda value, most: value <= most, "at most {}"),
    "minLength": (lambda value, least: len(str(value)) >= least, "at least {} characters"),
    "maxLength": (lambda value, most: len(str(value)) <= most, "at most {} characters"),
    "minItems": (lambda value, least: len(value) >= least, "at least {} elements"),
    "maxItems": (lambda value, most: len(value) <= most, "at most {} elements"),
    "minProperties": (lambda value, least: len(value) >= least, "at least {} keys"),
    "maxProperties": (lambda value, most: len(value) <= most, "at most {} keys"),
}
_KEYS = "x-kubernetes-list-map-keys"


def schema_for(api_version: str, kind: str) -> Schema | None:
    """The schema of a kind of ours; None for any other, which only its API server knows."""
    for each, definition in KINDS:
        if (each.resource.api_version, each.resource.kind) == (api_version, kind):
            return object_schema(each.type, definition)
    return None


def problems(content: dict[str, Any], schema: Schema) -> list[str]:
    """What is wrong with a whole object, a line for each field."""
    metadata = schema["properties"]["metadata"]
    named = {field: metadata["properties"].get(field, {}) for field in _METADATA}
    whole = {**schema, "properties": {**schema["properties"], "metadata": {**metadata, "properties": named}}}
    return list(_wrong(content, whole, ""))


def _wrong(value: Any, schema: Schema, path: str) -> Iterator[str]:
    if schema.get("x-kubernetes-int-or-string"):
        if not isinstance(value, int | str) or isinstance(value, bool):
            yield f"{path}: expected an integer or a string, found {_shown(value)}"
        return
    expected = schema.get("type")
    if expected is None or (value is None and "default" in schema):
        return
    if not isinstance(value, _TYPES[expected]) or (expected == "integer" and isinstance(value, bool)):
        yield f"{path}: expected {expected}, found {_shown(value)}"
        return
    for limit, (is_kept, told) in _LIMITS.items():
        if limit in schema and not is_kept(value, schema[limit]):
            yield f"{path}: expected {told.format(_listed(schema[limit]))}, found {_shown(value)}"
    if isinstance(value, dict):
        yield from _wrong_in_map(value, schema, path)
    elif isinstance(value, list):
        yield from _wrong_in_list(value, schema, path)


def _wrong_in_map(value: dict[Any, Any], schema: Schema, path: str) -> Iterator[str]:
    known, others = schema.get("properties"), schema.get("additionalProperties")
    for field, inner in value.items():
        place = f"{path}.{field}" if path else str(field)
        if known is not None and field in known:
            yield from _wrong(inner, known[field], place)
        elif others is not None:
            yield from _wrong(inner, others, place)
        elif known is not None:
            yield f"{place}: there is no such field{nearest(str(field), sorted(known))}"
    for field in schema.get("required", ()):
        if field not in value:
            yield f"{path}.{field}: expected a value, found none" if path else f"{field}: expected a value, found none"


def _wrong_in_list(value: list[Any], schema: Schema, path: str) -> Iterator[str]:
    for number, inner in enumerate(value):
        yield from _wrong(inner, schema["items"], f"{path}[{number}]")
    seen = set()
    for number, inner in enumerate(value):
        key = tuple(str(inner.get(each, "")) for each in schema.get(_KEYS, ())) if isinstance(inner, dict) else ()
        if key and key in seen:
            yield f"{path}[{number}]: expected one element of {', '.join(schema[_KEYS])} {', '.join(key)}, found two"
        seen.add(key)


def _shown(value: Any) -> str:
    """A value as far as it helps: what a map or a list holds would fill the screen."""
    if value is None:
        return "nothing"
    if isinstance(value, dict | list):
        return f"a {'map' if isinstance(value, dict) else 'list'} of {len(value)}"
    return repr(value) if len(repr(value)) <= 60 else f"{repr(value)[:60]}..."


def _listed(limit: Any) -> str:
    return ", ".join(map(str, limit)) if isinstance(limit, list | tuple) else str(limit)
