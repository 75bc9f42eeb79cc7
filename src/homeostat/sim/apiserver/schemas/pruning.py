"""Removes from a custom object what its schema does not know. The object is changed in place.

Metadata at the root and in embedded resources is not touched here: `metadata` judges it.
"""

from __future__ import annotations

from typing import Any

from homeostat.sim.apiserver.schemas.causes import at_index, child
from homeostat.sim.apiserver.schemas.schema import Schema

META = ("apiVersion", "kind", "metadata")
_NOTHING_KNOWN = Schema()


def prune(value: Any, schema: Schema, *, root: bool = True) -> list[str]:
    """Remove unknown fields and return their paths, in order. At the root the metadata belongs to every object."""
    removed: list[str] = []
    if root and not schema.embedded:
        _prune_object(value, schema, "", removed, keeps_meta=True)
    else:
        _prune(value, schema, "", removed)
    return sorted(removed)


def drop_nulls(value: Any, schema: Schema) -> None:
    """Remove nulls of fields that may not be null and have no default; those with a default get it later."""
    if isinstance(value, dict):
        for name in list(value):
            part = schema.of(name)
            if value[name] is None and part and not part.nullable and not part.default:
                del value[name]
            elif part:
                drop_nulls(value[name], part)
    elif isinstance(value, list) and schema.items:
        for item in value:
            drop_nulls(item, schema.items)


def _prune(value: Any, schema: Schema | None, path: str, removed: list[str]) -> None:
    if isinstance(value, dict):
        if schema is None:
            _prune_object(value, _NOTHING_KNOWN, path, removed, keeps_meta=False)
        else:
            _prune_object(value, schema, path, removed, keeps_meta=schema.embedded)
    elif isinstance(value, list):
        items = schema.items if schema else None
        for index, item in enumerate(value):
            if schema and schema.preserves_unknown:
                # Lists in what is preserved have no schema, or one that the items still obey.
                if items:
                    _prune_preserved(item, items, at_index(path, index), removed)
            else:
                _prune(item, items, at_index(path, index), removed)


def _prune_preserved(value: Any, schema: Schema, path: str, removed: list[str]) -> None:
    """What is below a schema that preserves, reached through a list: only what has a name there is looked at."""
    if isinstance(value, dict):
        _prune_object(value, schema, path, removed, keeps_meta=schema.embedded, keeps_all=True)
    elif isinstance(value, list) and schema.items:
        for index, item in enumerate(value):
            _prune_preserved(item, schema.items, at_index(path, index), removed)


def _prune_object(
    value: dict[str, Any],
    schema: Schema,
    path: str,
    removed: list[str],
    *,
    keeps_meta: bool,
    keeps_all: bool = False,
) -> None:
    keeps_all = keeps_all or schema.preserves_unknown
    for name in list(value):
        if keeps_meta and name in META:
            continue
        if name in schema.properties:
            _prune(value[name], schema.properties[name], child(path, name), removed)
        elif schema.others is not None:
            _prune(value[name], schema.rest, child(path, name), removed)
        elif not keeps_all:
            removed.append(child(path, name))
            del value[name]
