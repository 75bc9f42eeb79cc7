"""Shares of a span are even over many names, and always the same for one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from homeostat.kit.spreading import share_of, turn_after

NOW, MINUTE = datetime(2026, 1, 1, tzinfo=UTC), timedelta(minutes=1)


def test_many_names_are_spread_evenly_and_one_is_always_the_same() -> None:
    shares = sorted(share_of(f"cluster-{number}") for number in range(1000))
    assert all(abs(share - number / 1000) < 0.05 for number, share in enumerate(shares))
    assert share_of("cluster-1") == share_of("cluster-1") != share_of("cluster-2")


def test_turns_are_a_whole_period_apart_however_late_one_is_taken() -> None:
    first = turn_after(NOW, MINUTE, "cluster-1")
    assert NOW < first <= NOW + MINUTE
    for late in (0.0, 0.1, 59.9):
        assert turn_after(first + timedelta(seconds=late), MINUTE, "cluster-1") == first + MINUTE


def test_turns_of_many_names_are_spread_over_the_period() -> None:
    turns = sorted((turn_after(NOW, MINUTE, f"cluster-{number}") - NOW) / MINUTE for number in range(1000))
    assert all(abs(turn - number / 1000) < 0.05 for number, turn in enumerate(turns))
