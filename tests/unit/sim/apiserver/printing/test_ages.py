"""Times as tables show them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from homeostat.sim.apiserver.printing.ages import age, span

MINUTE, HOUR, DAY, YEAR = 60, 3600, 86400, 365 * 86400


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-5, "<invalid>"),
        (-1, "0s"),
        (0.9, "0s"),
        (119, "119s"),
        (2 * MINUTE, "2m"),
        (2 * MINUTE + 5, "2m5s"),
        (10 * MINUTE + 5, "10m"),
        (3 * HOUR - 1, "179m"),
        (3 * HOUR + MINUTE, "3h1m"),
        (8 * HOUR + MINUTE, "8h"),
        (2 * DAY, "2d"),
        (7 * DAY + 3 * HOUR, "7d3h"),
        (9 * DAY + 3 * HOUR, "9d"),
        (2 * YEAR, "2y"),
        (3 * YEAR + 4 * DAY, "3y4d"),
        (9 * YEAR, "9y"),
    ],
)
def test_a_span_is_told_in_two_figures_at_most(seconds: float, shown: str) -> None:
    assert span(seconds) == shown


def test_an_age_that_nobody_knows_is_said_to_be_unknown() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)

    assert [age(text, now) for text in (None, "2025-12-31T23:59:00Z", "soon")] == ["<unknown>", "60s", "<invalid>"]
