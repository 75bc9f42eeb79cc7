"""Gives custom objects the defaults of their schema. The object is changed in place; defaults are copied into it."""

from __future__ import annotations

import copy
from typing import Any

from homeostat.sim.apiserver.schemas.schema import Schema


def set_defaults(value: Any, schema: Schema | None) -> None:
    """Set what is missing, and what is null and may not be. Defaults within defaults are set as well."""
    if schema is None:
        return
    if isinstance(value, dict):
        for name, part in schema.properties.items():
            if part.default and (name not in value or _is_no_null(value[name], part)):
                value[name] = copy.deepcopy(part.default[0])
        for name in value:
            if name in schema.properties:
                set_defaults(value[name], schema.properties[name])
            elif schema.rest:
                _set_default_of(value, name, schema.rest)
    elif isinstance(value, list) and schema.items:
        for index in range(len(value)):
            _set_default_of(value, index, schema.items)


def _set_default_of(holder: Any, key: str | int, schema: Schema) -> None:
    if _is_no_null(holder[key], schema):
        holder[key] = copy.deepcopy(schema.default[0]) if schema.default else None
    set_defaults(holder[key], schema)


def _is_no_null(value: object, schema: Schema) -> bool:
    return value is None and not schema.nullable
