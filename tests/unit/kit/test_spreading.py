"""Shares of a span are even over many names, and always the same for one."""

from __future__ import annotations

from homeostat.kit.spreading import share_of


def test_many_names_are_spread_evenly_and_one_is_always_the_same() -> None:
    shares = sorted(share_of(f"cluster-{number}") for number in range(1000))
    assert all(abs(share - number / 1000) < 0.05 for number, share in enumerate(shares))
    assert share_of("cluster-1") == share_of("cluster-1") != share_of("cluster-2")
