"""Cells of custom objects: what stands where the columns of their definition say, in the type that a column has."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from homeostat.sim.apiserver.printing.ages import INVALID, UNKNOWN, age
from homeostat.sim.apiserver.printing.cells.parts import Cells, name_of
from homeostat.sim.apiserver.printing.columns import Column
from homeostat.sim.apiserver.printing.json_paths import found
from homeostat.sim.apiserver.schemas.causes import go_json, go_number
from homeostat.sim.apiserver.types.type import Value


def cells(value: Value, columns: Sequence[Column], now: datetime) -> Cells:
    """Its name, and then column by column."""
    return [name_of(value), *(_cell(value, column, now) for column in columns[1:])]


def _cell(value: Value, column: Column, now: datetime) -> Any:
    values = found(column.path, value)
    if not values or values[0] is None:
        return None
    first = values[0]
    is_number = isinstance(first, (int, float)) and not isinstance(first, bool)
    match column.type:
        case "string":
            return _text(first)
        case "integer":
            return int(first) if is_number else None
        case "number":
            return first if is_number else None
        case "boolean":
            return first if isinstance(first, bool) else None
        case "date" if isinstance(first, str):
            told = age(first, now)
            return INVALID if told == UNKNOWN else told
    return None


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return go_number(value)
    return value if isinstance(value, str) else go_json(value)
