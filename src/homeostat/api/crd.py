"""Structural schemas and CustomResourceDefinitions from msgspec types.

A structural schema has no references and no unions, so the types are walked through `msgspec.inspect` and written out
in place. `None` means absent, never null; a default that says "nothing" ("" or an empty collection) is left out of the
schema, so that what a person did not write stays unwritten; all other defaults of a spec are filled in by the API
server. A status has neither defaults nor rules, although it may hold types of a spec: its writer is a program, and API
servers limit what all the rules of a kind may cost.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import NODEFAULT, Struct, inspect

from homeostat.api.kind import Kind
from homeostat.api.meta import Condition
from homeostat.api.schema import Definition

Schema = dict[str, Any]
_RULES = "x-kubernetes-validations"

_CONDITION: Schema = {
    "type": "object",
    "description": "One aspect of the state.",
    "required": ["type", "status", "lastTransitionTime", "reason", "message"],
    "properties": {
        "type": {"type": "string", "description": "The aspect, such as Ready.", "minLength": 1, "maxLength": 316},
        "status": {
            "type": "string",
            "description": "True, False or Unknown.",
            "enum": ["True", "False", "Unknown"],
        },
        "reason": {
            "type": "string",
            "description": "Why, in one word that programs can read.",
            "minLength": 1,
            "maxLength": 1024,
            "pattern": "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$",
        },
        "message": {"type": "string", "description": "Why, in a sentence for people.", "maxLength": 32768},
        "lastTransitionTime": {
            "type": "string",
            "description": "When status changed last.",
            "format": "date-time",
        },
        "observedGeneration": {
            "type": "integer",
            "description": "The metadata.generation that this condition is about.",
            "format": "int64",
            "minimum": 0,
        },
    },
}


class UnsupportedType(TypeError):
    """A field has a type that a structural schema cannot say."""


def custom_resource_definition(kind: Kind[Any], definition: Definition) -> dict[str, Any]:
    """The CustomResourceDefinition of a kind, as plain data."""
    resource = kind.resource
    version: dict[str, Any] = {
        "name": resource.version,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": object_schema(kind.type, definition)},
        "additionalPrinterColumns": [msgspec.to_builtins(column) for column in definition.columns],
    }
    if definition.has_status:
        version["subresources"] = {"status": {}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": resource.qualified},
        "spec": {
            "group": resource.group,
            "scope": "Namespaced" if resource.namespaced else "Cluster",
            "names": {
                "kind": resource.kind,
                "listKind": f"{resource.kind}List",
                "plural": resource.plural,
                "singular": resource.kind.lower(),
                "shortNames": list(definition.short_names),
                "categories": ["homeostat"],
            },
            "versions": [version],
        },
    }


def object_schema(type_: type[Any], definition: Definition) -> Schema:
    """The schema of whole objects: apiVersion, kind and metadata are known to the API server and only named."""
    fields = {field.encode_name: field for field in _struct(type_).fields}
    properties: Schema = {
        "apiVersion": {"type": "string", "description": "The version of this kind's schema."},
        "kind": {"type": "string", "description": "The kind of this object."},
        "metadata": {"type": "object", "properties": {"name": _name_schema(definition)}},
    }
    required = [name for name, field in fields.items() if field.required and name != "metadata"]
    for name in ("spec", "status"):
        if name in fields:
            properties[name] = schema_of(fields[name].type, name, defaults=name == "spec")
    schema: Schema = {
        "type": "object",
        "description": definition.description,
        "required": required,
        "properties": properties,
    }
    if definition.rules:
        schema[_RULES] = [msgspec.to_builtins(rule) for rule in definition.rules]
    return schema


def _name_schema(definition: Definition) -> Schema:
    """The one part of metadata that a CRD may limit, and that rules may name."""
    return {"type": "string", **({"pattern": definition.name_pattern} if definition.name_pattern else {})}


def schema_of(type_: inspect.Type, path: str, *, defaults: bool = True) -> Schema:
    """The structural schema of any field type. Raises UnsupportedType, which names the field."""
    extra: Schema = {}
    while isinstance(type_, inspect.Metadata):
        extra = {**(type_.extra_json_schema or {}), **extra}
        type_ = type_.type
    type_ = _without_none(type_)
    extra = dict(extra)
    items, values, keys = extra.pop("items", {}), extra.pop("values", {}), extra.pop("list_map_keys", ())
    if not defaults:
        values = {name: value for name, value in values.items() if name != _RULES}
    schema: Schema = {}
    match type_:
        case inspect.StructType():
            schema = struct_schema(type_, path, defaults=defaults)
        case inspect.VarTupleType(item_type=item) | inspect.ListType(item_type=item):
            schema = {"type": "array", "items": {**schema_of(item, f"{path}[]", defaults=defaults), **items}}
            schema["x-kubernetes-list-type"] = "map" if keys else "atomic"
            if keys:
                schema["x-kubernetes-list-map-keys"] = list(keys)
        case inspect.DictType(key_type=inspect.StrType(), value_type=value):
            schema = {
                "type": "object",
                "additionalProperties": {**schema_of(value, f"{path}.*", defaults=defaults), **values},
            }
        case _:
            schema = _scalar(type_, path)
    rules = [*schema.pop(_RULES, ()), *extra.pop(_RULES, ())]
    merged = {**schema, **extra}
    return {**merged, _RULES: rules} if rules and defaults else merged


def struct_schema(type_: inspect.StructType, path: str, *, defaults: bool) -> Schema:
    """The schema of an object with named fields."""
    if type_.cls is Condition:
        return _CONDITION
    properties: Schema = {}
    for field in type_.fields:
        properties[field.encode_name] = schema_of(field.type, f"{path}.{field.encode_name}", defaults=defaults)
        if defaults and (default := _default(field)) is not None:
            properties[field.encode_name]["default"] = default
    schema: Schema = {"type": "object", "properties": properties}
    required = [field.encode_name for field in type_.fields if field.required]
    if required:
        schema["required"] = required
    rules = getattr(type_.cls, "rules", ())
    if rules:
        schema[_RULES] = [msgspec.to_builtins(rule) for rule in rules]
    return schema


def _scalar(type_: inspect.Type, path: str) -> Schema:
    match type_:
        case inspect.StrType():
            return {"type": "string"}
        case inspect.BoolType():
            return {"type": "boolean"}
        case inspect.IntType():
            return {"type": "integer", "format": "int64"}
        case inspect.DateTimeType():
            return {"type": "string", "format": "date-time"}
        case inspect.UnionType(types=types) if {type(t) for t in types} == {inspect.StrType, inspect.IntType}:
            return {"anyOf": [{"type": "integer"}, {"type": "string"}], "x-kubernetes-int-or-string": True}
    raise UnsupportedType(
        f"{path}: expected a string, integer, boolean, time, int or string, list, map or struct, "
        f"found {type(type_).__name__}; give the field one of these types"
    )


def _without_none(type_: inspect.Type) -> inspect.Type:
    """`T | None` is an optional T: a schema says that by not requiring it."""
    if isinstance(type_, inspect.UnionType) and type_.includes_none:
        others = [each for each in type_.types if not isinstance(each, inspect.NoneType)]
        inner = others[0] if len(others) == 1 else inspect.UnionType(tuple(others))
        while isinstance(inner, inspect.Metadata):
            inner = inner.type
        return inner
    return type_


def _default(field: inspect.Field) -> Any:
    """The default that the API server fills in; None for none."""
    default = field.default
    if default is NODEFAULT or default is None:
        return None
    if isinstance(default, Struct):
        return {}  # the API server fills in the fields' own defaults
    if isinstance(default, str | tuple | list | Mapping) and not default:
        return None
    return msgspec.to_builtins(default)


def _struct(type_: type[Any]) -> inspect.StructType:
    info = inspect.type_info(type_)
    if not isinstance(info, inspect.StructType):
        raise UnsupportedType(f"{type_}: expected a msgspec Struct; only these become kinds")
    return info
