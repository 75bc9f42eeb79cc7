"""How long to wait after failures."""

from __future__ import annotations

from datetime import timedelta

from homeostat.kit.backoff import doubled


def test_it_doubles_with_each_failure_up_to_the_longest_however_many_there_were() -> None:
    first, longest = timedelta(seconds=5), timedelta(minutes=5)
    waits = [doubled(first, failures, longest).total_seconds() for failures in (0, 1, 2, 3, 6, 7, 10**9)]
    assert waits == [0, 5, 10, 20, 160, 300, 300]
