"""Quantities are exact."""

from __future__ import annotations

from decimal import Decimal

import pytest

from homeostat.kit.quantity import format_bytes, format_cpu, parse_quantity


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("500m", "0.5"),
        ("2Gi", "2147483648"),
        ("1e3", "1000"),
        ("1E", "1000000000000000000"),
        (".5", "0.5"),
        ("-1.5k", "-1500"),
        (4, "4"),
        ("12E-1", "1.2"),
    ],
)
def test_a_quantity_means_its_exact_number(text: str | int, number: str) -> None:
    assert parse_quantity(text) == Decimal(number)


@pytest.mark.parametrize("text", ["", "Gi", "1 Gi", "1gi", "one", "1e", "1e999", "1Gi\n", "٣"])
def test_what_is_no_quantity_is_shown_in_the_error(text: str) -> None:
    with pytest.raises(ValueError, match="expected a quantity"):
        parse_quantity(text)


def test_sizes_and_cores_are_written_short() -> None:
    assert (format_bytes(2147483648), format_bytes(1000), format_bytes(0)) == ("2Gi", "1000", "0")
    assert (format_cpu(Decimal("0.5")), format_cpu(2), format_cpu(Decimal("0.0001"))) == ("500m", "2", "1m")
