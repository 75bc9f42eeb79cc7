"""What cells of many kinds have in common: containers, selectors, labels, and what stands for nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from homeostat.sim.apiserver.printing.ages import age
from homeostat.sim.apiserver.selecting.texts import selector_text
from homeostat.sim.apiserver.types.type import Value

NONE, UNSET = "<none>", "<unset>"
Cells = list[Any]


def name_of(value: Value) -> str:
    """Its name."""
    return str(value["metadata"].get("name", ""))


def age_of(value: Value, now: datetime) -> str:
    """How old it is."""
    return age(value["metadata"].get("creationTimestamp"), now)


def part(value: Mapping[str, Any], *names: str) -> Any:
    """What stands at a path of it; an empty object where nothing does."""
    for name in names:
        value = value.get(name) or {}
    return value


def containers(spec: Mapping[str, Any]) -> Cells:
    """Names and images of a Pod's containers, as two cells."""
    found = spec.get("containers") or ()
    return [",".join(each.get(key, "") for each in found) for key in ("name", "image")]


def labels(found: Mapping[str, str] | None) -> str:
    """Labels as a selector of them."""
    return ",".join(f"{key}={found[key]}" for key in sorted(found)) if found else NONE


def selector(found: Mapping[str, Any] | None) -> str:
    """A selector of labels; one that chooses all, or none at all, is shown as none."""
    return selector_text(found or {}) or NONE


def few(texts: Iterable[str], most: int, *, empty: str) -> str:
    """The first of some texts, and how many more there are."""
    found = list(texts)
    shown = ",".join(found[:most])
    return f"{shown} + {len(found) - most} more..." if len(found) > most else shown or empty
