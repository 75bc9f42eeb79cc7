"""Values without parts as Go decodes them: numbers of a size, bytes, times, quantities, and int-or-strings."""

from __future__ import annotations

import base64
import binascii
import functools
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from homeostat.sim.apiserver.schemas.causes import go_number, quoted
from homeostat.sim.apiserver.schemas.quantities import canonical

Take = Callable[[Any], Any]
ZEROS: dict[str, Any] = {"string": "", "int32": 0, "int64": 0, "float64": 0, "bool": False}
_QUANTITY = re.compile(r"([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)")
_LAYOUT = "2006-01-02T15:04:05Z07:00"
_STEPS: tuple[tuple[str, str], ...] = (
    ("2006", r"\d{4}"),
    ("-", "-"),
    ("01", r"\d\d"),
    ("-", "-"),
    ("02", r"\d\d"),
    ("T", "T"),
)
_STEPS += (("15", r"\d\d"), (":", ":"), ("04", r"\d\d"), (":", ":"), ("05", r"\d\d(?:\.\d+)?"))
_STEPS += (("Z07:00", r"Z|[+-]\d\d:\d\d"),)
_RANGES = (
    (5, 7, 12, "month"),
    (8, 10, 31, "day"),
    (11, 13, 23, "hour"),
    (14, 16, 59, "minute"),
    (17, 19, 59, "second"),
)


class BadScalar(ValueError):
    """A value that its own type cannot decode; the text is the type's."""


class WrongType(ValueError):
    """A value of another type. The text is what was found, if more than its JSON type; `name` what was wanted."""

    def __init__(self, found: str = "", name: str = "", *, is_final: bool = False) -> None:
        super().__init__(found)
        self.name = name
        self.is_final = is_final


def json_type(value: Any) -> str:
    """What Go calls the JSON type of a value."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, (int, float)):
        return "number"
    return "string" if isinstance(value, str) else "array" if isinstance(value, list) else "object"


def plain(type_name: str, form: str) -> tuple[str, Take]:
    """Go's name for a type of OpenAPI, and how its values are taken."""
    if type_name == "string":
        return ("[]uint8", _bytes) if form == "byte" else ("string", _text)
    if type_name == "boolean":
        return "bool", _truth
    if type_name == "number":
        return "float64", _float
    bits = 32 if form == "int32" else 64
    return f"int{bits}", _whole(bits)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise WrongType
    return value


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise WrongType
    return value


def _float(value: Any) -> float:
    if json_type(value) != "number":
        raise WrongType
    number: float = value
    return number


def _whole(bits: int, *, is_final: bool = False) -> Take:
    limit = 1 << (bits - 1)

    def take(value: Any) -> int:
        if json_type(value) != "number":
            raise WrongType(name=f"int{bits}", is_final=is_final)
        if not isinstance(value, int) or not -limit <= value < limit:
            shown = f"{go_number(value)}.0" if isinstance(value, float) and value.is_integer() else go_number(value)
            raise WrongType(f"number {shown}", f"int{bits}", is_final=is_final)
        return value

    return take


def _bytes(value: Any) -> str:
    text = _text(value)
    plain_text = text.replace("\n", "").replace("\r", "")
    try:
        base64.b64decode(plain_text, validate=True)
    except (binascii.Error, ValueError):
        wrong = re.search(r"[^A-Za-z0-9+/=]", plain_text)
        at = wrong.start() if wrong else len(plain_text) // 4 * 4
        raise BadScalar(f"illegal base64 data at input byte {at}") from None
    return text


def _quantity(value: Any) -> Any:
    text = value if isinstance(value, str) else go_number(value) if json_type(value) == "number" else ""
    try:
        return canonical(text)
    except ValueError:
        if not _QUANTITY.fullmatch(text):
            raise BadScalar(f"quantities must match the regular expression '^{_QUANTITY.pattern}$'") from None
        raise BadScalar("unable to parse quantity's suffix") from None


def _int_or_string(value: Any) -> Any:
    return value if isinstance(value, str) else _whole(32, is_final=True)(value)


def _time(value: Any) -> str:
    """Times are kept in UTC and whole seconds."""
    return _moment(value).isoformat(timespec="seconds")[:19] + "Z"


def _micro_time(value: Any) -> str:
    return _moment(value).isoformat(timespec="microseconds")[:26] + "Z"


def _moment(value: Any) -> datetime:
    if not isinstance(value, str):
        raise WrongType(name="string", is_final=True)
    return _parsed(value)


@functools.lru_cache(maxsize=4096)  # an object is decoded at each write with all the times that it has
def _parsed(value: str) -> datetime:
    rest = value
    for step, pattern in _STEPS:
        found = re.match(pattern, rest, re.ASCII)
        if not found:
            raise BadScalar(
                f"parsing time {quoted(value)} as {quoted(_LAYOUT)}: cannot parse {quoted(rest)} as {quoted(step)}"
            )
        rest = rest[found.end() :]
    if rest:
        raise BadScalar(f"parsing time {quoted(value)}: extra text: {quoted(rest)}")
    try:
        return datetime.fromisoformat(value).astimezone(UTC)
    except ValueError:
        what = next((word for start, end, most, word in _RANGES if int(value[start:end]) > most), "day")
        raise BadScalar(f"parsing time {quoted(value)}: {what} out of range") from None


OWN_TYPES: dict[str, tuple[str, Take]] = {
    "IntOrString": ("intstr.IntOrString", _int_or_string),
    "MicroTime": ("v1.MicroTime", _micro_time),
    "Quantity": ("resource.Quantity", _quantity),
    "Time": ("v1.Time", _time),
}
"""Types that decode themselves, by the last part of their name."""
