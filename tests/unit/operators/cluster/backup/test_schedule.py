"""When a snapshot is due: in slots of each cluster's own, without a rush at any time."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.snapshots import NOW

from homeostat.operators.cluster.backup.schedule import ON_TIME, due

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
EVERY = timedelta(hours=6)
UIDS = [f"uid-{number}" for number in range(600)]


def busiest(counted: Counter[datetime]) -> int:
    return max(counted.values())


def test_after_a_snapshot_the_next_is_due_in_the_next_slot_and_no_sooner() -> None:
    slot = due(NOW, EVERY, "uid", NOW).next_at
    found = due(slot, EVERY, "uid", slot)
    assert not found.is_due
    assert found.next_at == slot + EVERY
    assert due(slot, EVERY, "uid", found.next_at).is_due


def test_slots_stay_where_they_are_whenever_one_looks_and_however_late_a_snapshot_was() -> None:
    slot = due(NOW, EVERY, "uid", NOW).next_at
    for late in (timedelta(0), MINUTE, 5 * HOUR):
        assert due(slot + late, EVERY, "uid", slot + late).next_at == slot + EVERY


def test_hundreds_of_clusters_spread_over_the_period() -> None:
    minutes = Counter(due(NOW, EVERY, uid, NOW).next_at.replace(second=0, microsecond=0) for uid in UIDS)
    assert busiest(minutes) <= 10  # 600 in 360 minutes: 1.7 on average


def test_hundreds_of_new_clusters_do_not_all_begin_at_once_and_all_begin_within_an_hour() -> None:
    now = [uid for uid in UIDS if due(None, EVERY, uid, NOW).is_due]
    assert len(now) <= len(UIDS) / 6
    later = Counter(due(None, EVERY, uid, NOW).next_at.replace(second=0, microsecond=0) for uid in UIDS)
    assert busiest(later) <= 30  # 10 on average
    assert max(later) <= NOW + HOUR


def test_after_an_outage_of_days_nobody_waits_longer_than_an_hour() -> None:
    for uid in UIDS[:50]:
        found = due(NOW - 3 * DAY, EVERY, uid, NOW)
        assert found.is_due or due(NOW - 3 * DAY, EVERY, uid, found.next_at).is_due
        assert found.next_at <= NOW + HOUR


def test_a_failed_attempt_is_tried_again_within_the_hour() -> None:
    slot = due(NOW, EVERY, "uid", NOW).next_at
    after = due(slot - EVERY, EVERY, "uid", slot + ON_TIME)
    assert not after.is_due
    assert after.next_at <= slot + ON_TIME + HOUR


def test_a_snapshot_from_the_far_future_is_not_believed() -> None:
    assert due(NOW + 365 * DAY, EVERY, "uid", due(None, EVERY, "uid", NOW).next_at).is_due


def test_a_period_below_a_minute_is_refused() -> None:
    with pytest.raises(ValueError, match="every: expected"):
        due(None, timedelta(seconds=59), "uid", NOW)


@given(
    st.integers(60, 14 * 86400).map(lambda seconds: timedelta(seconds=seconds)),
    st.text(max_size=20),
    st.none() | st.integers(-90 * 86400, 90 * 86400),
)
def test_whoever_looks_when_told_takes_one_snapshot_in_every_period(
    every: timedelta, uid: str, ago: int | None
) -> None:
    last = None if ago is None else NOW - timedelta(seconds=ago)
    now = NOW
    done: list[datetime] = []
    while len(done) < 4 and now < NOW + 8 * every + 4 * HOUR:
        found = due(last, every, uid, now)
        assert found.next_at > now
        if found.is_due:
            last = now
            done.append(now)
            assert not due(last, every, uid, now).is_due
        now = found.next_at
    assert len(done) == 4
    apart = [later - sooner for sooner, later in pairwise(done[1:])]
    assert all(every <= one <= every + HOUR for one in apart)
