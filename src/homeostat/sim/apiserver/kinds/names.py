"""Selectors, shares and numbers, as many kinds ask for them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from homeostat.sim.apiserver.refusing import Cause
from homeostat.sim.apiserver.schemas.causes import InOrder, at_index, child, forbidden, invalid, required
from homeostat.sim.apiserver.schemas.labels import label_causes, label_name_faults, label_value_faults
from homeostat.sim.apiserver.types.type import Value

_PERCENT = re.compile(r"[0-9]+%")
_PERCENT_SAYS = (
    "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for"
    " validation is '[0-9]+%')"
)
_OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist")
NEGATIVE = "must be greater than or equal to 0"


def selector_causes(selector: Value, path: str) -> Iterator[Cause]:
    """Faults of a selector of labels."""
    yield from label_causes(selector.get("matchLabels") or {}, child(path, "matchLabels"))
    for index, each in enumerate(selector.get("matchExpressions") or ()):
        place = at_index(child(path, "matchExpressions"), index)
        operator = each.get("operator", "")
        if operator in ("In", "NotIn") and not each.get("values"):
            yield required(child(place, "values"), "must be specified when `operator` is 'In' or 'NotIn'")
        elif operator in ("Exists", "DoesNotExist") and each.get("values"):
            text = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            yield forbidden(child(place, "values"), text)
        elif operator not in _OPERATORS:
            yield invalid(child(place, "operator"), operator, "not a valid selector operator")
        yield from (
            invalid(child(place, "key"), each.get("key", ""), fault) for fault in label_name_faults(each.get("key", ""))
        )
        for at, value in enumerate(each.get("values") or ()):
            spot = at_index(child(place, "values"), at)
            yield from (invalid(spot, value, fault) for fault in label_value_faults(value))


def as_struct(selector: Value) -> InOrder:
    """A selector in the order in which Go shows it."""
    parts = ("matchLabels", "matchExpressions")
    return InOrder({name: selector[name] for name in parts if selector.get(name)})


def is_empty(selector: Value) -> bool:
    """Whether it chooses everything."""
    return not selector.get("matchLabels") and not selector.get("matchExpressions")


def share_causes(share: Any, path: str) -> Iterator[Cause]:
    """Faults of a number or a percentage."""
    if isinstance(share, int):
        if share < 0:
            yield invalid(path, share, NEGATIVE)
    elif not _PERCENT.fullmatch(str(share)):
        yield invalid(path, share, _PERCENT_SAYS)


def too_much_causes(share: Any, path: str) -> Iterator[Cause]:
    """More than all."""
    if isinstance(share, str) and _PERCENT.fullmatch(share) and int(share[:-1]) > 100:
        yield invalid(path, share, "must not be greater than 100%")


def number_causes(value: Value, path: str, *names: str) -> Iterator[Cause]:
    """Of fields that may not be below zero."""
    for name in names:
        if (value.get(name) or 0) < 0:
            yield invalid(child(path, name), value[name], NEGATIVE)
