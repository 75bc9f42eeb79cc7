"""Kubernetes quantities (`500m`, `2Gi`, `1e3`) as exact numbers.

The grammar is that of k8s.io/apimachinery/pkg/api/resource: a signed decimal with a binary suffix (Ki ... Ei), a
decimal suffix (n, u, m, k, M ... E) or a decimal exponent.
"""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, Decimal

_GRAMMAR = re.compile(r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?", re.ASCII)
_BINARY = {name: Decimal(1024) ** power for power, name in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), start=1)}
_DECIMAL = {
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    "k": Decimal("1e3"),
    "M": Decimal("1e6"),
    "G": Decimal("1e9"),
    "T": Decimal("1e12"),
    "P": Decimal("1e15"),
    "E": Decimal("1e18"),
}
_FACTORS = {**_BINARY, **_DECIMAL}


def parse_quantity(text: str | int) -> Decimal:
    """The number that a quantity means. Raises ValueError that shows what was found."""
    if isinstance(text, int):
        return Decimal(text)
    match = _GRAMMAR.fullmatch(text)
    if match is None:
        raise ValueError(f"expected a quantity such as 500m, 2Gi or 1e3, found {text!r}")
    number, suffix = match.groups()
    if not suffix:
        return Decimal(number)
    if suffix in _FACTORS:
        return Decimal(number) * _FACTORS[suffix]
    exponent = int(suffix[1:])
    if abs(exponent) > 30:
        raise ValueError(f"expected a quantity with an exponent between -30 and 30, found {text!r}")
    return Decimal(number).scaleb(exponent)


def format_bytes(count: Decimal | int) -> str:
    """The shortest exact binary form: 2147483648 is 2Gi."""
    value = Decimal(count)
    for name, factor in reversed(_BINARY.items()):
        if value and value % factor == 0:
            return f"{value / factor:f}".removesuffix(".0") + name
    return f"{value:f}"


def format_cpu(cores: Decimal | int) -> str:
    """Cores as `2` or `500m`, rounded up to whole milli-cores as the scheduler does."""
    milli = (Decimal(cores) * 1000).to_integral_value(ROUND_CEILING)
    return f"{milli / 1000:f}".removesuffix(".000") if milli % 1000 == 0 else f"{milli:f}m"
