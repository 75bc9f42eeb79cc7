"""Shapes, read from OpenAPI: from the captured schemas of built-in types, and from those of CRDs.

Follows what kube-openapi's `schemaconv` makes of a schema: a reference, or an `allOf` of a single one, is the type it
names; an object without named fields may have any; a list is atomic unless it says otherwise. A shape of a named type
is made once, when it is first asked for, and its parts are then shared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from homeostat.sim.apiserver.schemas.shape import SCALAR, UNTYPED, Merge, Shape

REFERENCE = "#/components/schemas/"


def reference_of(schema: Mapping[str, Any]) -> str:
    """The name of the type that a schema stands for, or an empty text if it is one of its own."""
    parts: Sequence[Mapping[str, Any]] = schema.get("allOf") or ()
    if "$ref" not in schema and len(parts) == 1:
        schema = parts[0]
    return str(schema.get("$ref", "")).removeprefix(REFERENCE)


# What Go keeps as it came, which OpenAPI tells as any object.
RAW = "io.k8s.apimachinery.pkg.runtime.RawExtension"


class Shapes:
    """The shapes of a set of named schemas."""

    def __init__(self, schemas: Mapping[str, Mapping[str, Any]]) -> None:
        self._schemas = schemas
        self._made: dict[str, Shape] = {}

    def named(self, name: str) -> Shape:
        """The shape of a named type. Raises KeyError."""
        if name not in self._made:
            schema = self._schemas[name]
            if name == RAW:
                self._made[name] = Shape("object", "atomic", each=UNTYPED)
            elif schema.get("type") in ("object", None) and "properties" in schema:
                # Known before it is filled: it may have parts of its own type.
                self._made[name] = shape = Shape("object")
                self._fill(shape, schema)
            else:
                self._made[name] = self.of(schema)
        return self._made[name]

    def of(self, schema: Mapping[str, Any]) -> Shape:
        """The shape of a schema that may refer to named ones."""
        name = reference_of(schema)
        if name:
            return _with_own_marks(self.named(name), schema)
        if schema.get("x-kubernetes-int-or-string"):
            return SCALAR
        match schema.get("type"):
            case "object":
                shape = Shape("object")
                self._fill(shape, schema)
                return shape
            case "array":
                return self._list(schema)
            case None if "oneOf" not in schema and "anyOf" not in schema:
                return UNTYPED
            case _:
                return SCALAR

    def _fill(self, shape: Shape, schema: Mapping[str, Any]) -> None:
        shape.merge = "atomic" if schema.get("x-kubernetes-map-type") == "atomic" else "granular"
        shape.patch_strategy = schema.get("x-kubernetes-patch-strategy", "")
        named = schema.get("properties") or {}
        shape.fields = {name: self.of(part) for name, part in named.items()}
        others = schema.get("additionalProperties")
        if isinstance(others, Mapping):
            shape.each = self.of(others)
        elif others or not named or schema.get("x-kubernetes-preserve-unknown-fields"):
            shape.each = UNTYPED

    def _list(self, schema: Mapping[str, Any]) -> Shape:
        items = schema.get("items") or {}
        merge, keys = _list_merge(schema)
        properties = self.resolved(items).get("properties") or {}
        defaults = {key: properties[key]["default"] for key in keys if "default" in properties.get(key, {})}
        return Shape(
            "list",
            merge,
            each=self.of(items),
            keys=keys,
            key_defaults=defaults,
            patch_key=schema.get("x-kubernetes-patch-merge-key", ""),
            patch_strategy=schema.get("x-kubernetes-patch-strategy", ""),
        )

    def resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        """The schema itself, or the one that it refers to."""
        name = reference_of(schema)
        return self._schemas[name] if name else schema


def _list_merge(schema: Mapping[str, Any]) -> tuple[Merge, tuple[str, ...]]:
    match schema.get("x-kubernetes-list-type"):
        case "map":
            return "map", tuple(schema.get("x-kubernetes-list-map-keys", ()))
        case "set":
            return "set", ()
        case None if schema.get("x-kubernetes-patch-strategy") in ("merge", "merge,retainKeys"):
            key = schema.get("x-kubernetes-patch-merge-key")
            return ("map", (key,)) if key else ("set", ())
        case _:
            return "atomic", ()


def _with_own_marks(shape: Shape, schema: Mapping[str, Any]) -> Shape:
    """A field says of the type that it refers to how it merges here, where it does so."""
    marks = schema.get("x-kubernetes-map-type"), schema.get("x-kubernetes-patch-strategy", "")
    if marks in ((None, ""), (shape.merge, shape.patch_strategy)) or shape.form != "object":
        return shape
    merge: Merge = "atomic" if marks[0] == "atomic" else "granular" if marks[0] == "granular" else shape.merge
    return Shape("object", merge, fields=shape.fields, each=shape.each, patch_strategy=marks[1])
