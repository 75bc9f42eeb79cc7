"""Which reasons the reference explains under which condition, and what a test made operators say that it does not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from homeostat.api.meta import Condition
from homeostat.operators.cluster import report, words
from homeostat.operators.cluster.meanings import tables
from homeostat.operators.cluster.snapshots import report as snapshots
from homeostat.operators.cluster.snapshots import words as backups
from homeostat.runtime.conditions import set_condition

_SAYING: tuple[ModuleType, ...] = (report, snapshots)


def reasons(condition: str) -> frozenset[str]:
    """All reasons in the tables whose titles name a condition; what keeps any other from being true keeps Ready."""
    titled = (*tables.TABLES, *backups.TABLES)
    of_it = [table for table in titled if re.search(rf"\b{condition}\b", table.title.partition(":")[0])]
    own = frozenset(word.name for table in of_it for word in table.words)
    others = (reasons(each) for each in words.CONDITIONS if each != words.READY)
    return own.union(*others) if condition == words.READY else own


def all_explained(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """While a test runs, note every condition that an operator in this process sets; then look it up."""
    said: set[tuple[str, str]] = set()

    def noted(conditions: Any, type_: str, status: Any, reason: str, *rest: Any, **more: Any) -> tuple[Condition, ...]:
        said.add((type_, reason))
        return set_condition(conditions, type_, status, reason, *rest, **more)

    for module in _SAYING:
        monkeypatch.setattr(module, "set_condition", noted)
    yield
    unexplained = sorted(f"{type_}={reason}" for type_, reason in said if reason not in reasons(type_))
    assert unexplained == [], "meanings/ says nothing of it under that condition"
