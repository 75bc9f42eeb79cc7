"""Quantities take the form that Kubernetes keeps them in."""

from __future__ import annotations

import pytest

from homeostat.sim.apiserver.schemas.quantities import amount, canonical


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("1000m", "1"),
        ("0.5", "500m"),
        ("1024Mi", "1Gi"),
        ("1.5Gi", "1536Mi"),
        ("100Ki", "100Ki"),
        ("1000", "1k"),
        ("1e3", "1e3"),
        ("0.1m", "100u"),
        ("0", "0"),
        ("2", "2"),
        ("-2000m", "-2"),
    ],
)
def test_the_largest_suffix_without_a_fraction(given: str, kept: str) -> None:
    assert canonical(given) == kept
    assert amount(given) == amount(kept)


def test_what_is_no_quantity_has_no_amount_and_no_form() -> None:
    assert amount("much") is None
    with pytest.raises(ValueError, match="expected a quantity such as 500m"):
        canonical("much")
