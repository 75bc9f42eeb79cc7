"""Causes in the words of apimachinery's `field.Error`, and values as Go prints them.

The constructors are named as those of `pkg/util/validation/field`. A path is a text (`spec.ports[0].name`), made by
`child`, `at_key` and `at_index`; the path of the object itself is the empty text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from homeostat.sim.apiserver.refusing import Cause

NOTHING = object()
"""A bad value that the message leaves out, as it does for objects and lists that a rule refuses."""

_ESCAPES = {'"': '\\"', "\\": "\\\\", "\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_ESCAPES |= {"\v": "\\v"}
_HTML = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


class InOrder(dict[str, Any]):
    """An object whose fields stand in an order of their own, as those of Go's structs do."""


def child(path: str, name: str) -> str:
    """The path of a field of an object."""
    return f"{path}.{name}" if path else name


def at_key(path: str, key: str) -> str:
    """The path of what a map has under a key."""
    return f"{path}[{key}]"


def at_index(path: str, index: int) -> str:
    """The path of an item of a list."""
    return f"{path}[{index}]"


def required(path: str, detail: str = "") -> Cause:
    """A value is missing."""
    return Cause("FieldValueRequired", _joined("Required value", detail), _shown_path(path))


def forbidden(path: str, detail: str) -> Cause:
    """A value that may not stand here."""
    return Cause("FieldValueForbidden", _joined("Forbidden", detail), _shown_path(path))


def invalid(path: str, value: object, detail: str) -> Cause:
    """A value of the right type that is not allowed."""
    return Cause("FieldValueInvalid", _joined(_with_value("Invalid value", value), detail), _shown_path(path))


def type_invalid(path: str, value: object, detail: str) -> Cause:
    """A value of another type than the schema's."""
    return Cause("FieldValueTypeInvalid", _joined(_with_value("Invalid value", value), detail), _shown_path(path))


def duplicate(path: str, value: object) -> Cause:
    """A value that is there twice."""
    return Cause("FieldValueDuplicate", _with_value("Duplicate value", value), _shown_path(path))


def not_supported(path: str, value: object, allowed: Iterable[object]) -> Cause:
    """A value that is none of those allowed."""
    told = ", ".join(quoted(each if isinstance(each, str) else go_json(each)) for each in allowed)
    text = _joined(_with_value("Unsupported value", value), f"supported values: {told}" if told else "")
    return Cause("FieldValueNotSupported", text, _shown_path(path))


def too_long(path: str, limit: int) -> Cause:
    """A text of more characters than allowed; the API server says bytes."""
    text = f"Too long: may not be more than {limit} {'byte' if limit == 1 else 'bytes'}"
    return Cause("FieldValueTooLong", text, _shown_path(path))


def too_many(path: str, count: int, limit: int) -> Cause:
    """More items, or fields, than allowed."""
    text = f"Too many: {count}: must have at most {limit} {'item' if limit == 1 else 'items'}"
    return Cause("FieldValueTooMany", text, _shown_path(path))


def go_list(texts: Iterable[str]) -> str:
    """Texts as Go's %q prints a list of them."""
    return f"[{' '.join(map(quoted, texts))}]"


def quoted(text: str) -> str:
    """A text as Go's %q prints it."""
    return '"' + "".join(_quoted_character(each) for each in text) + '"'


def go_number(value: float) -> str:
    """A number as Go's %v prints it: floats in the shortest form, with an exponent where it is below -4 or above 20."""
    if isinstance(value, int):
        return str(value)
    sign, digits, exponent = Decimal(repr(value)).as_tuple()
    if not isinstance(exponent, int):
        return {"n": "NaN", "F": "-Inf" if sign else "+Inf"}.get(str(exponent), "NaN")
    text = "".join(map(str, digits)).rstrip("0") or "0"
    exponent += len(digits) - len(text)
    power = exponent + len(text) - 1
    if text == "0":
        return "-0" if sign else "0"
    if -4 <= power < 21:
        return format(Decimal((sign, tuple(map(int, text)), exponent)), "f")
    mantissa = text[0] + ("." + text[1:] if len(text) > 1 else "")
    return f"{'-' if sign else ''}{mantissa}e{'-' if power < 0 else '+'}{abs(power):02d}"


def go_json(value: object) -> str:
    """A value as Go's json.Marshal writes it: keys in order, and <, > and & escaped."""
    text = json.dumps(_plain(value), ensure_ascii=False, separators=(",", ":"))
    return re.sub("[<>&\u2028\u2029]", lambda found: _HTML[found.group()], text)


def _plain(value: object) -> Any:
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        return int(value)
    if isinstance(value, dict):
        return {key: _plain(value[key]) for key in (value if isinstance(value, InOrder) else sorted(value))}
    return [_plain(each) for each in value] if isinstance(value, list) else value


def _with_value(title: str, value: object) -> str:
    if value is NOTHING:
        return title
    if isinstance(value, str):
        return f"{title}: {quoted(value)}"
    if isinstance(value, bool) or value is None or not isinstance(value, (int, float)):
        return f"{title}: {go_json(value)}"
    return f"{title}: {go_number(value)}"


def _joined(title: str, detail: str) -> str:
    return f"{title}: {detail}" if detail else title


def _shown_path(path: str) -> str:
    return path or "<nil>"


def _quoted_character(each: str) -> str:
    if each in _ESCAPES:
        return _ESCAPES[each]
    if each.isprintable():
        return each
    code = ord(each)
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
