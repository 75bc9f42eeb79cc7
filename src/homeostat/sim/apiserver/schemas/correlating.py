"""Which part of an object before an update a part of it afterwards was: by field, or by key in a list of type map.

An API server does not refuse what an update leaves as it was, though the schema asks for more than before; rules with
`oldSelf` see what they change. Items of other lists are not told apart.
"""

from __future__ import annotations

from itertools import repeat
from typing import Any, Final

from homeostat.sim.apiserver.schemas.schema import Schema


class _Absent:
    def __bool__(self) -> bool:
        return False


ABSENT: Final = _Absent()
"""There was no such part, or none that can be told apart."""


def field_before(before: Any, name: str, schema: Schema) -> Any:
    """The field of that name of an object before."""
    if not isinstance(before, dict) or name not in before or schema.of(name) is None:
        return ABSENT
    return before[name]


def items_before(before: Any, items: list[Any], schema: Schema) -> list[Any]:
    """For each item of a list, the item with the same keys of that list before."""
    if schema.list_type != "map" or not isinstance(before, list):
        return [ABSENT] * len(items)
    known: dict[tuple[str, ...], Any] = {}
    for each in before:
        if isinstance(each, dict):
            known.setdefault(_key(each, schema), each)
    return [known.get(_key(item, schema), ABSENT) if isinstance(item, dict) else ABSENT for item in items]


def is_unchanged(now: Any, before: Any, schema: Schema | None) -> bool:
    """Whether a part is as it was; the order of items that have keys is no change."""
    if before is ABSENT or schema is None:
        return before is not ABSENT and _equal(now, before)
    if isinstance(now, dict) and isinstance(before, dict):
        return now.keys() == before.keys() and all(
            schema.of(name) is not None and is_unchanged(now[name], before[name], schema.of(name)) for name in now
        )
    if isinstance(now, list) and isinstance(before, list) and schema.list_type == "map" and schema.items:
        if len(now) != len(before):
            return False
        return all(map(is_unchanged, now, items_before(before, now, schema), repeat(schema.items)))
    return _equal(now, before)


def _equal(one: Any, other: Any) -> bool:
    """Python's equality says that True is 1, and 1.0 too."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_equal(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_equal, one, other))
    return type(one) is type(other) and bool(one == other)


def _key(item: dict[str, Any], schema: Schema) -> tuple[str, ...]:
    return tuple(repr(item.get(name)) for name in schema.list_keys)
