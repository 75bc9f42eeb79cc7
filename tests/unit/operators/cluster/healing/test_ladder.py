"""What is tried about an ill master: cheap things first, ever more seldom, and not for ever."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.clusters import NOW
from tests.support.unwell import restart

from homeostat.operators.cluster.healing.ladder import (
    FORGOTTEN_AFTER,
    HAND_OVER,
    LAST_ATTEMPT,
    MOVE,
    RECREATE,
    STEPS,
    attempts_so_far,
    back_off,
    next_attempt,
)

ILL = restart(pod="another", pod_uid="uid-another")


@pytest.mark.parametrize(("attempts", "is_same_host"), list(STEPS))
def test_every_line_of_the_table_is_followed(attempts: int, is_same_host: bool) -> None:
    before = restart(attempts=attempts) if attempts else None
    begun = next_attempt(before, ILL, NOW, has_room=is_same_host)
    assert begun.step == STEPS[attempts, is_same_host]


def test_it_moves_only_away_from_a_host_that_made_it_ill_before() -> None:
    elsewhere = restart(host="h9", attempts=1)
    assert next_attempt(elsewhere, ILL, NOW, has_room=True).step == RECREATE
    assert next_attempt(restart(attempts=1), ILL, NOW, has_room=False).step == RECREATE


def test_hosts_that_made_it_ill_are_remembered() -> None:
    first = next_attempt(restart(attempts=1), ILL, NOW, has_room=True)
    again = next_attempt(restart(attempts=2, host="h2", avoided_hosts=("h0",)), restart(host="h2"), NOW, has_room=True)
    assert (first.step, first.avoided_hosts) == (MOVE, ("h0",))
    assert again.avoided_hosts == ("h0", "h2")


def test_when_it_is_handed_over_what_was_tried_stays_told_and_no_attempt_is_counted() -> None:
    before = restart(attempts=LAST_ATTEMPT, started_at=NOW - timedelta(hours=1))
    handed = next_attempt(before, ILL, NOW, has_room=True)
    assert (handed.step, handed.attempts, handed.started_at) == (HAND_OVER, LAST_ATTEMPT, before.started_at)


def test_what_was_well_for_long_begins_anew() -> None:
    calm = restart(attempts=3, ended_at=NOW - FORGOTTEN_AFTER, avoided_hosts=("h0",))
    begun = next_attempt(calm, ILL, NOW, has_room=True)
    assert (begun.step, begun.attempts, begun.avoided_hosts) == (RECREATE, 1, ("h0",))


def test_a_short_recovery_forgets_nothing() -> None:
    assert attempts_so_far(restart(attempts=2, ended_at=NOW - timedelta(minutes=1)), NOW) == 2


@given(st.integers(0, 10_000))
def test_each_attempt_waits_longer_up_to_six_hours(attempts: int) -> None:
    assert back_off(attempts) <= back_off(attempts + 1) <= timedelta(hours=6)
