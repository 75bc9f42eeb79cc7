"""Version 2 of OpenAPI, made of version 3: older clients read it, kubectl where a document of version 3 is missing.

It knows no alternatives and nothing that may be null: a real server leaves out what it cannot say, and kubectl takes
what has no type for anything. Only the schemas are made, and no paths.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from homeostat.sim.apiserver.schemas.openapi import REFERENCE
from homeostat.sim.apiserver.types.type import Value

_DEFINITIONS = "#/definitions/"
_PRESERVED = "x-kubernetes-preserve-unknown-fields"
_LOST = frozenset({"default", "allOf", "anyOf", "oneOf", "not", "nullable"})


def definition(schema: Mapping[str, Any]) -> Value:
    """A schema of version 3, and all below it, as one of version 2."""
    made: Value = {key: each for key, each in schema.items() if key not in _LOST}
    if reference := _reference(schema):
        made["$ref"] = reference.replace(REFERENCE, _DEFINITIONS)
    if "type" not in schema and any(each == {"type": "string"} for each in schema.get("oneOf") or ()):
        made["type"] = "string"  # or a number, which this version cannot say
    if schema.get("nullable") or schema.get(_PRESERVED):
        made.pop("items", None)
        made.pop("properties", None)
    if schema.get("nullable") or (schema.get(_PRESERVED) and schema.get("type") in ("array", "object")):
        made.pop("type", None)
    _required(schema, made)
    if "properties" in made:
        made["properties"] = {name: definition(each) for name, each in made["properties"].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(made.get(key), Mapping):
            made[key] = definition(made[key])
    return made


def _reference(schema: Mapping[str, Any]) -> str:
    parts: Sequence[Mapping[str, Any]] = schema.get("allOf") or ()
    only = parts[0] if len(parts) == 1 else {}
    return str(schema.get("$ref") or only.get("$ref") or "")


def _required(schema: Mapping[str, Any], made: Value) -> None:
    """Nobody must say what may be null."""
    others = schema.get("additionalProperties")
    if isinstance(others, Mapping) and others.get("nullable"):
        made.pop("required", None)
    nullable = {name for name, each in (made.get("properties") or {}).items() if each.get("nullable")}
    if nullable & set(made.get("required") or ()):
        made["required"] = [each for each in made["required"] if each not in nullable]
        if not made["required"]:
            del made["required"]
