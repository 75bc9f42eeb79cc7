"""Quantities as an API server writes them back: `0.5` is `500m`, `1024Mi` is `1Gi`, `1.5Gi` is `1536Mi`.

The form that a quantity came in is kept as far as it goes: binary suffixes need whole numbers of 1024 or more,
exponents stay exponents, and nothing is smaller than a nano, to which it is rounded up. What looks canonical at a
glance is kept to the letter, `+3` and `1E3` among it.
"""

from __future__ import annotations

import functools
import re
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Literal

from homeostat.kit.quantity import parse_quantity

Form = Literal["decimal", "binary", "exponent"]
"""By suffixes of thousands, by suffixes of 1024, or by powers of ten."""
_BINARY = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
_DECIMAL = {-9: "n", -6: "u", -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T", 15: "P", 18: "E"}
_SHIFTS = {suffix: exponent for exponent, suffix in _DECIMAL.items()}
_PARTS = re.compile(r"[+-]?([0-9]*)(?:\.([0-9]*))?([a-zA-Z]?i?|[eE][+-]?[0-9]+)", re.ASCII)
_GLANCE = 15
_NANO = Decimal("1e-9")
_MOST = Decimal(2**63 - 1)


def amount(given: object) -> Decimal | None:
    """How much it is; None for what is no quantity."""
    try:
        return parse_quantity(str(given))
    except ValueError:
        return None


@functools.lru_cache(maxsize=4096)
def canonical(text: str) -> str:
    """The quantity in its canonical form. Raises ValueError."""
    value = parse_quantity(text)
    if _looks_canonical(text):
        return text
    value = max(-_MOST, min(_MOST, value)) if text.endswith("i") else value
    value = value.quantize(_NANO, ROUND_CEILING if value > 0 else ROUND_FLOOR) if value % _NANO else value
    return written(value, form_of(text))


def form_of(text: str) -> Form:
    """How a quantity is written."""
    if text.endswith("i"):
        return "binary"
    return "exponent" if text[-1:].isdecimal() and "e" in text.lower() else "decimal"


def written(value: Decimal, form: Form) -> str:
    """A number, of whole nanos, as a quantity in its canonical form."""
    if form == "binary" and abs(value) >= 1024:
        return _binary(int(value.to_integral_value(ROUND_CEILING if value > 0 else ROUND_FLOOR)))
    digits, exponent = _thousands(value)
    suffix = (f"e{exponent}" if exponent else "") if form == "exponent" else _DECIMAL[exponent]
    return f"{digits}{suffix}"


def _looks_canonical(text: str) -> bool:
    """As apimachinery tells at a glance: by the digits, and how far the point is from where a suffix could be."""
    found = _PARTS.fullmatch(text)
    if not found:
        return False
    whole, fraction, suffix = found[1], found[2] or "", found[3]
    digits = whole.lstrip("0") + fraction
    if suffix in _BINARY[1:]:
        return (
            not fraction and bool(digits) and int(digits) % 8 != 0 and len(digits) < _GLANCE - _BINARY.index(suffix) * 3
        )
    shift = _SHIFTS[suffix] if suffix in _SHIFTS else int(suffix[1:])
    fits = len(digits) <= _GLANCE + 3 and shift - len(fraction) >= -9
    return fits and (shift - len(fraction)) % 3 == 0 and digits[:1] not in ("", "0") and not digits.endswith("000")


def _binary(value: int) -> str:
    power = 0
    while value % 1024 == 0 and power < len(_BINARY) - 1:
        value, power = value // 1024, power + 1
    return f"{value}{_BINARY[power]}"


def _thousands(value: Decimal) -> tuple[int, int]:
    """A whole number and the largest exponent, of those that have a suffix, by which it is the value."""
    if not value:
        return 0, 0
    exponent = 18
    while value % Decimal(10) ** exponent:
        exponent -= 3
    return int(value.scaleb(-exponent)), exponent
