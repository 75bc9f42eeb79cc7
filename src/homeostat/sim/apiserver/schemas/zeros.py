"""What Go writes of a built-in object though nobody said it: structs that are always there, and values of zero.

OpenAPI tells it as defaults, besides some that are true defaults (`protocol: TCP`). Defaults that a kube-apiserver sets
in code (`restartPolicy: Always`) are not among them.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Mapping
from typing import Any

from msgspec import Struct, field

from homeostat.sim.apiserver.schemas import builtin
from homeostat.sim.apiserver.schemas.openapi import reference_of


class _Zeros(Struct, eq=False):
    """What fields are where they are missing, and the same of what is below a field, an item, or a key of a map."""

    missing: dict[str, Any] = field(default_factory=dict)
    fields: dict[str, _Zeros] = field(default_factory=dict)
    each: _Zeros | None = None


def set_zeros(value: Any, group: str, version: str, kind: str) -> None:
    """Set what is missing, in place. Raises KeyError for a kind that is not built in."""
    name = builtin.schema_name(group, version, kind)
    if not name:
        raise KeyError(kind)
    _set(value, _named(name))


def _set(value: Any, zeros: _Zeros) -> None:
    if isinstance(value, dict):
        for name, zero in zeros.missing.items():
            if name not in value:
                value[name] = copy.copy(zero)
        for name, part in value.items():
            if inner := zeros.fields.get(name) or zeros.each:
                _set(part, inner)
    elif isinstance(value, list) and zeros.each:
        for item in value:
            _set(item, zeros.each)


def _named(name: str) -> _Zeros:
    known = _all()
    if name not in known:
        # Known before it is filled: types have parts of their own type.
        known[name] = zeros = _Zeros()
        _fill(zeros, builtin.schema(name))
    return known[name]


@functools.cache
def _all() -> dict[str, _Zeros]:
    """Of the types that were used."""
    return {}


def _fill(zeros: _Zeros, schema: Mapping[str, Any]) -> None:
    for name, part in (schema.get("properties") or {}).items():
        zeros.fields[name] = _of(part)
        if "default" in part and not _is_text_within(part):
            zeros.missing[name] = part["default"]
    each = schema.get("items") or schema.get("additionalProperties")
    if isinstance(each, Mapping):
        zeros.each = _of(each)


def _of(schema: Mapping[str, Any]) -> _Zeros:
    if reference := reference_of(schema):
        return _named(reference)
    zeros = _Zeros()
    _fill(zeros, schema)
    return zeros


def _is_text_within(schema: Mapping[str, Any]) -> bool:
    """Times and quantities are structs to Go and texts to others: their zero is null, and left out."""
    reference = reference_of(schema)
    return bool(reference) and builtin.schema(reference).get("type") != "object"
