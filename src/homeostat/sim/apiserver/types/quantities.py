"""Quantities, as apimachinery's resource.Quantity reads and writes them: `1000m` is `1`, `1024Mi` is `1Gi`."""

from __future__ import annotations

import re
from fractions import Fraction
from math import ceil

_FORM = re.compile(r"(?P<number>[+-]?(?:\d+\.?\d*|\.\d+))(?P<suffix>[KMGTPE]i|[numkMGTPE]|[eE][+-]?\d+|)")
_BINARY = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_LETTERS = {power: letter for letter, power in _DECIMAL.items()}


def amount(given: object) -> Fraction | None:
    """How much it is; None for what is no quantity."""
    found = _FORM.fullmatch(str(given).strip())
    return None if found is None else Fraction(found["number"].rstrip(".")) * _unit(found["suffix"])


def canonical(given: object) -> str:
    """The same quantity with the largest suffix that needs no fraction; what is no quantity stays what it is."""
    found, size = _FORM.fullmatch(str(given).strip()), amount(given)
    if found is None or size is None:
        return str(given)
    suffix = found["suffix"]
    if suffix in _BINARY[1:] and abs(size) >= 1024:
        return _binary(ceil(size))
    is_exponent = len(suffix) > 1 and suffix[0] in "eE"
    return _decimal(size, is_exponent=is_exponent)


def _binary(size: int) -> str:
    power = 0
    while size % 1024 == 0 and power < len(_BINARY) - 1:
        size, power = size // 1024, power + 1
    return f"{size}{_BINARY[power]}"


def _decimal(size: Fraction, *, is_exponent: bool) -> str:
    mantissa, power = ceil(size * 10**9), -9
    while mantissa and mantissa % 1000 == 0 and power < 18:
        mantissa, power = mantissa // 1000, power + 3
    if not mantissa or not power:
        return str(mantissa)
    return f"{mantissa}e{power}" if is_exponent else f"{mantissa}{_LETTERS[power]}"


def _unit(suffix: str) -> Fraction:
    if suffix in _DECIMAL:
        return Fraction(10) ** _DECIMAL[suffix]
    if suffix in _BINARY:
        return Fraction(1024) ** _BINARY.index(suffix)
    return Fraction(10) ** int(suffix[1:])
