"""What a page of figures is made of: columns of tables, and goals."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """One figure of a table."""

    key: str
    title: str
    form: str = "{:.0f}"


@dataclass(frozen=True)
class Goal:
    """A wish about a ratio to one peer, or about homeostat's own figure where no peer is named."""

    what: str
    scenario: str
    key: str
    limit: float
    peer: str = ""
    unit: str = ""
    why: str = ""  # where a miss comes from
    of: str = "homeostat"  # whose figure it is


Tables = dict[str, tuple[str, tuple[Column, ...]]]
"""By scenario: the words above a table, and its columns."""
