"""The page of figures: medians and ranges, ratios to homeostat's peers, and whether the goals are met."""

from __future__ import annotations

from pathlib import Path


def write(results: Path, page: Path) -> None:
    """Write the page from the raw figures."""
