r"""The `fieldPath` of a rule, as `.spec.ports['a.b'].name`: fields by name, keys of maps, and nothing else."""

from __future__ import annotations

import re

from homeostat.sim.apiserver.schemas.causes import at_key, child
from homeostat.sim.apiserver.schemas.schema import Schema

_STEP = re.compile(r"\.([^.\[\]]+)|\['((?:\\.|[^'\\])*)'\]")
_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "'": "'", "\\": "\\"}


class BadFieldPath(ValueError):
    """A path that leads nowhere in its schema; the text says why."""


def normalized(text: str, schema: Schema, *, keys: bool = True) -> tuple[str, Schema]:
    """The path as causes show it, and the schema of what it leads to. Raises BadFieldPath."""
    path, position = "", 0
    while position < len(text):
        step = _STEP.match(text, position)
        if not step:
            raise BadFieldPath(f"expected [ or . but got: {text[position:]}")
        if step[2] is not None and not keys:
            raise BadFieldPath("array notation is not allowed")
        name = step[1] if step[1] is not None else _unescaped(step[2])
        if schema.properties:
            found, path = schema.properties.get(name), child(path, name)
        else:
            found, path = schema.rest, at_key(path, name)
        if found is None:
            raise BadFieldPath("does not refer to a valid field")
        schema, position = found, step.end()
    return path, schema


def is_known(text: str, schema: Schema) -> bool:
    """Whether the path leads somewhere."""
    try:
        normalized(text, schema)
    except BadFieldPath:
        return False
    return True


def _unescaped(text: str) -> str:
    def plain(found: re.Match[str]) -> str:
        if found[1] not in _ESCAPES:
            raise BadFieldPath(f"invalid string literal: invalid escape char {found[0]}")
        return _ESCAPES[found[1]]

    return re.sub(r"\\(.)", plain, text)
