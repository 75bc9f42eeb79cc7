"""What rules see of an object: the fields that its schema names, under the names by which CEL can say them.

Fields that are not in the schema are not there for rules, and neither is metadata but for the names. Order does not
count when a set or a list map is compared with what it was before, so that what was before is put in today's order.
"""

from __future__ import annotations

import functools
from typing import Any

from homeostat.sim.apiserver.schemas.correlating import items_before
from homeostat.sim.apiserver.schemas.schema import Schema

_RESERVED = frozenset(
    (
        *("true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if", "import"),
        *("let", "loop", "package", "namespace", "return", "var", "void", "while"),
    )
)
_ESCAPES = (("__", "__underscores__"), (".", "__dot__"), ("-", "__dash__"), ("/", "__slash__"))
_TEXT = Schema(type="string")
_META = Schema(type="object", properties={"name": _TEXT, "generateName": _TEXT})
_OBJECT = {"apiVersion": _TEXT, "kind": _TEXT, "metadata": _META}
_KINDS = {"string": "string", "integer": "int", "number": "double", "boolean": "bool"}


def kind_of(schema: Schema) -> str:
    """The type that CEL's compiler knows values of a schema by. Objects with named fields are anything to it."""
    if schema.int_or_string or schema.nullable or schema.properties or schema.embedded or schema.preserves_unknown:
        return "dyn"
    if schema.type == "array":
        return f"list<{kind_of(schema.items)}>" if schema.items else "dyn"
    if schema.type == "object":
        return f"map<string,{kind_of(schema.rest)}>" if schema.rest else "dyn"
    return _KINDS.get(schema.type, "dyn")


def seen(value: Any, schema: Schema, *, is_object: bool = False) -> Any:
    """A value as rules see it."""
    if isinstance(value, dict):
        known = _fields(schema, is_object=is_object or schema.embedded)
        if not known and schema.rest:
            return {name: seen(part, schema.rest) for name, part in value.items()}
        named = ((escaped(name), part, known.get(name)) for name, part in value.items())
        return {name: seen(part, found) for name, part, found in named if name and found}
    if isinstance(value, list):
        return [seen(item, schema.items) for item in value] if schema.items else []
    if schema.type == "number" and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return int(value) if schema.type == "integer" and isinstance(value, float) else value


def in_order_of(now: Any, before: Any, schema: Schema) -> Any:
    """A value before, with the items of its sets and list maps in the order of those of now."""
    if isinstance(now, dict) and isinstance(before, dict):
        parts = ((name, part, schema.of(name)) for name, part in before.items())
        return {name: in_order_of(now.get(name), part, found) if found else part for name, part, found in parts}
    if isinstance(now, list) and isinstance(before, list) and schema.list_type == "set":
        return [item for item in now if item in before] + [item for item in before if item not in now]
    if isinstance(now, list) and isinstance(before, list) and schema.list_type == "map" and schema.items:
        kept = items_before(before, now, schema)
        pairs = zip(now, kept, strict=True)
        found = [in_order_of(item, old, schema.items) for item, old in pairs if isinstance(old, dict)]
        taken = {id(old) for old in kept}
        return found + [item for item in before if id(item) not in taken]
    return before


@functools.lru_cache(maxsize=4096)
def escaped(name: str) -> str:
    """A field's name as rules write it; empty if they cannot."""
    if name in _RESERVED:
        return f"__{name}__"
    if not name or name[0].isdecimal():
        return ""
    for text, told in _ESCAPES:
        name = name.replace(text, told) if text != "__" else name.replace("__", told)
    return name if name.isidentifier() and name.isascii() else ""


def _fields(schema: Schema, *, is_object: bool) -> dict[str, Schema]:
    return schema.properties | _OBJECT if is_object else schema.properties
