"""Names of single fields, as managedFields writes them: `f:name`, `k:{"name":"x"}`, `v:"x"`, `i:0`.

An element of a path is kept as that text, in the one spelling that a kube-apiserver gives it: two elements are the same
when their texts are, and a set of fields costs little more than its JSON. Their order is not that of the texts: fields
come first, then items by key, by value and by index, and numbers are ordered as numbers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

Element = str
Path = tuple[Element, ...]
Order = tuple[Any, ...]

_KINDS = "fkvi"
_HIDDEN = {ord(each): f"\\u{ord(each):04x}" for each in "<>&\u2028\u2029"}
"""What Go's encoder never writes plainly, so that JSON can stand in HTML and in scripts."""


class Unreadable(ValueError):
    """A text that names no field."""


def of_field(name: str) -> Element:
    """The field of an object that has this name."""
    return f"f:{name}"


def of_keys(keys: Mapping[str, Any]) -> Element:
    """The item of a list whose key fields have these values."""
    shown = [f"{_written(name)}:{_written(keys[name])}" for name in sorted(keys)]
    return f"k:{{{','.join(shown)}}}"


def of_value(value: Any) -> Element:
    """The item of a set that is this value."""
    return f"v:{_written(value)}"


def of_index(index: int) -> Element:
    """The item of a list that is at this place."""
    return f"i:{index}"


def name_of(element: Element) -> str | None:
    """The name of a field; None for items of lists."""
    return element[2:] if element.startswith("f:") else None


@lru_cache(maxsize=65536)
def read(text: str) -> Element | None:
    """The element that a text of a client names; None for a kind that nobody knows. Raises Unreadable."""
    if len(text) < 2 or text[1] != ":":
        raise Unreadable(f"missing colon: {text}" if len(text) >= 2 else "key must be 2 characters long:")
    kind, rest = text[0], text[2:]
    if kind not in _KINDS:
        return None
    try:
        if kind == "k":
            return of_keys(_as_keys(json.loads(rest)))
        if kind == "v":
            return of_value(json.loads(rest))
        return of_index(int(rest)) if kind == "i" else text
    except ValueError as error:
        raise Unreadable(str(error)) from error


@lru_cache(maxsize=65536)
def order(element: Element) -> Order:
    """What elements are sorted by."""
    kind, rest = element[0], element[2:]
    rank = _KINDS.index(kind)
    if kind == "f":
        return (rank, rest)
    if kind == "i":
        return (rank, int(rest))
    value = json.loads(rest)
    if kind == "v":
        return (rank, _value_order(value))
    return (rank, tuple((name, _value_order(value[name])) for name in sorted(value)))


def shown(path: Path) -> str:
    """A path as messages show it: `.spec.ports[port=80,protocol="TCP"].name`."""
    return "".join(_shown(element) for element in path)


@lru_cache(maxsize=65536)
def _shown(element: Element) -> str:
    kind, rest = element[0], element[2:]
    if kind == "f":
        return f".{rest}"
    if kind == "i":
        return f"[{rest}]"
    value = json.loads(rest)
    if kind == "v":
        return f"[={_quoted(value)}]"
    return f"[{','.join(f'{name}={_quoted(value[name])}' for name in sorted(value))}]"


def _written(value: Any) -> str:
    return _written_once(value) if type(value) is str else _written_anew(value)


def _written_anew(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).translate(_HIDDEN)


_written_once = lru_cache(maxsize=65536)(_written_anew)  # keys of items are few, and written all the time


def _quoted(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", "="))


def _as_keys(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Unreadable(f"expected the key fields of an item, got {value!r}")
    return value


def _value_order(value: Any) -> Order:
    if isinstance(value, bool):
        return (2, value)
    if isinstance(value, int | float):
        return (0, value)
    if isinstance(value, str):
        return (1, value)
    return (5,) if value is None else (4, json.dumps(value, sort_keys=True))
