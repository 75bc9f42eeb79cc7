"""JSON as it came: with the fields that stand twice in an object, and with Go's words for what is no JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, NoReturn

import msgspec

SHOWN_BYTES = 30
"""How much of a body an error shows."""
_STRINGS = re.compile(r'"(?:\\.|[^"\\])*"?')


class Repeated(dict[str, Any]):
    """An object with fields that stand more than once in it, or in what it holds; as a dict it has the last of each."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.pairs = pairs


class BadJson(ValueError):
    """What was sent is no JSON; the text is Go's."""


def read(data: bytes) -> Any:
    """The value. Objects with repeated fields are `Repeated`, and so is what holds any. Raises BadJson."""
    if (plain := _plain(data)) is not None:
        return plain
    text = data.decode(errors="replace")  # as Go does
    try:
        return _marked(json.loads(text, object_pairs_hook=_object, parse_constant=_no_constant))
    except json.JSONDecodeError as error:
        raise BadJson(_told(text, error)) from None
    except RecursionError:
        raise BadJson("exceeded max depth") from None


def _plain(data: bytes) -> Any:
    """What is the same bytes when it is written again, so that nothing stands twice in it; None for all else."""
    try:
        value = msgspec.json.decode(data)
        return value if msgspec.json.encode(value) == data else None
    except (ValueError, RecursionError):
        return None


def _marked(value: Any) -> Any:
    """A value whose outermost object tells whether there are repeated fields anywhere in it."""
    if type(value) is dict and next(iter(repeated_fields(value)), ""):
        return Repeated(list(value.items()))
    return value


def repeated_fields(value: Any, path: str = "") -> Iterable[str]:
    """The paths of fields that stand twice, in the order of the text."""
    if isinstance(value, dict):
        seen: set[str] = set()
        for name, part in fields_of(value):
            place = f"{path}.{name}" if path else name
            if name in seen:
                yield place
            seen.add(name)
            yield from repeated_fields(part, place)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from repeated_fields(item, f"{path}[{index}]")


def without_repeats(value: Any) -> Any:
    """The same value of plain objects and lists, in which the last of repeated fields counts."""
    if isinstance(value, dict):
        if type(value) is Repeated:
            value = dict(value)
        for name, part in value.items():
            if isinstance(part, (dict, list)):
                value[name] = without_repeats(part)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            if isinstance(item, (dict, list)):
                value[index] = without_repeats(item)
    return value


def fields_of(value: dict[str, Any]) -> Iterable[tuple[str, Any]]:
    """All fields of an object, repeated ones as often as they stand there."""
    return value.pairs if isinstance(value, Repeated) else value.items()


def no_object(value: Any) -> str:
    """What Go says of JSON that is no object, where it looks for kind and version."""
    found = {list: "array", str: "string", bool: "bool"}.get(type(value), "number")
    wanted = r'struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }'
    return f"json: cannot unmarshal {found} into Go value of type {wanted}"


def unrecognized(data: bytes, kind: str, error: str) -> str:
    """What an API server says of a body in which it finds no kind and version."""
    shown = data.decode(errors="replace") if data.startswith(b"{") else data.hex()
    shown = shown if len(shown) <= SHOWN_BYTES else f"{shown[:SHOWN_BYTES]} ..."
    told = f"the object provided is unrecognized (must be of type {kind})"
    return f"{told}: couldn't get version/kind; json parse error: {error} ({shown or '<empty>'})"


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    return made if len(made) == len(pairs) else Repeated(pairs)


def _no_constant(name: str) -> NoReturn:
    raise BadJson(f"invalid character '{name[0]}' looking for beginning of value")


def _told(text: str, error: json.JSONDecodeError) -> str:
    at = error.pos
    if error.msg.startswith("Unterminated string") or not text[at:].strip():
        return "unexpected end of JSON input"
    shown = _character(text[at])
    if error.msg.startswith("Expecting value"):
        return _no_value(text[at:], shown)
    where = {
        "Expecting property name": "looking for beginning of object key string",
        "Illegal trailing comma": "looking for beginning of object key string",
        "Expecting ':'": "after object key",
        "Extra data": "after top-level value",
        "Invalid control": "in string literal",
        "Invalid \\esc": "in string escape code",
    }
    for start, told in where.items():
        if error.msg.startswith(start):
            return f"invalid character {shown} {told}"
    return f"invalid character {shown} after {_innermost(text[:at])}"


def _no_value(rest: str, shown: str) -> str:
    for literal in ("true", "false", "null"):
        if rest[0] == literal[0]:
            same = next((i for i, each in enumerate(literal) if rest[i : i + 1] != each), len(literal))
            # Go ends a literal that is cut off with a space of its own.
            shown = _character(rest[same : same + 1] or " ")
            return f"invalid character {shown} in literal {literal} (expecting '{literal[same]}')"
    return f"invalid character {shown} looking for beginning of value"


def _innermost(text: str) -> str:
    """What a comma was missing in: the innermost object or list that is still open."""
    opened: list[str] = []
    for each in _STRINGS.sub("", text):
        if each in "{[":
            opened.append(each)
        elif each in "}]" and opened:
            opened.pop()
    return "array element" if opened and opened[-1] == "[" else "object key:value pair"


def _character(each: str) -> str:
    return {"'": "'\\''", '"': "'\"'"}.get(each) or f"'{each}'"
