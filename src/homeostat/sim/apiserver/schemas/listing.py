"""Lists of type set and map hold nothing twice, as apiextensions' `listtype` checks it."""

from __future__ import annotations

from typing import Any

from homeostat.sim.apiserver.refusing import Cause
from homeostat.sim.apiserver.schemas import causes
from homeostat.sim.apiserver.schemas.causes import at_index, at_key, child, go_json
from homeostat.sim.apiserver.schemas.schema import Schema


def validate_lists(value: Any, schema: Schema, path: str = "") -> list[Cause]:
    """A cause for each item that was there before it, once for each that is there more than twice."""
    found: list[Cause] = []
    if isinstance(value, dict):
        for name, part in value.items():
            if schema.rest:
                found += validate_lists(part, schema.rest, at_key(path, name))
            if name in schema.properties:
                found += validate_lists(part, schema.properties[name], child(path, name))
    elif isinstance(value, list):
        found += _here(value, schema, path)
        if schema.items:
            for index, item in enumerate(value):
                found += validate_lists(item, schema.items, at_index(path, index))
    return found


def _here(value: list[Any], schema: Schema, path: str) -> list[Cause]:
    if schema.list_type == "set":
        return [causes.duplicate(at_index(path, index), value[index]) for index in _repeated(value)]
    return _repeated_keys(value, schema, path) if schema.list_type == "map" else []


def _repeated_keys(value: list[Any], schema: Schema, path: str) -> list[Cause]:
    for index, item in enumerate(value):
        if item is not None and not isinstance(item, dict):
            return [causes.invalid(at_index(path, index), item, "must be an object for an array of list-type map")]
    keys = [{name: item[name] for name in schema.list_keys if name in item} for item in (each or {} for each in value)]
    return [causes.duplicate(at_index(path, index), keys[index]) for index in _repeated(keys)]


def _repeated(values: list[Any]) -> list[int]:
    seen: dict[str, int] = {}
    repeated = []
    for index, value in enumerate(values):
        text = f"{type(value).__name__} {go_json(value)}"
        seen[text] = seen.get(text, 0) + 1
        if seen[text] == 2:
            repeated.append(index)
    return repeated
