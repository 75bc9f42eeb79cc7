"""Amounts of named resources, added up as Go adds quantities: the sum is written as its first part that is not zero."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal

from msgspec import Struct

from homeostat.kit.quantity import parse_quantity
from homeostat.sim.apiserver.schemas.quantities import Form, form_of, written


class Amount(Struct, frozen=True):
    """How much of something, and in which form it is written."""

    value: Decimal = Decimal(0)
    form: Form = "decimal"

    def __str__(self) -> str:
        return written(self.value, self.form)

    def __add__(self, other: Amount) -> Amount:
        return Amount(self.value + other.value, self.form if self.value else other.form)


Amounts = dict[str, Amount]
ONE, ZERO = Amount(Decimal(1)), Amount()


def read(given: Mapping[str, str | int] | None) -> Amounts:
    """The amounts of an object, whose quantities are sound."""
    return {name: amount_of(text) for name, text in (given or {}).items()}


def amount_of(text: str | int) -> Amount:
    """One of them."""
    return Amount(parse_quantity(text), form_of(str(text)))


def told(amounts: Mapping[str, Amount]) -> dict[str, str]:
    """Amounts as objects have them."""
    return {name: str(each) for name, each in amounts.items()}


def plus(left: Mapping[str, Amount], right: Mapping[str, Amount]) -> Amounts:
    """Both together."""
    names = dict.fromkeys((*left, *right))
    return {name: left[name] + right.get(name, ZERO) if name in left else right[name] for name in names}


def most(left: Mapping[str, Amount], right: Mapping[str, Amount]) -> Amounts:
    """Of each the larger."""
    larger = {name: each for name, each in right.items() if name not in left or each.value > left[name].value}
    return {**left, **larger}


def growth(new: Mapping[str, Amount], old: Mapping[str, Amount]) -> Amounts:
    """How much more it is, where it is more."""
    grown = {name: Amount(each.value - old.get(name, ZERO).value, each.form) for name, each in new.items()}
    return {name: each for name, each in grown.items() if each.value > 0}


def only(amounts: Mapping[str, Amount], names: Collection[str]) -> Amounts:
    """Those of some names."""
    return {name: each for name, each in amounts.items() if name in names}


def listed(amounts: Mapping[str, Amount]) -> str:
    """As refusals show them."""
    return ",".join(f"{name}={amounts[name]}" for name in sorted(amounts))
