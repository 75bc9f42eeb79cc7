"""Which snapshots may go: examples of each rule, and what holds whatever is there."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.support.snapshots import NOW, entry

from homeostat.operators.cluster.backup.listing import Entry
from homeostat.operators.cluster.backup.retention import Policy, Retention, retain

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(weeks=1)
NOTHING = Policy(last=0, hourly=0, daily=0, weekly=0)


def kept(found: Retention) -> list[str]:
    return [one.id for one in found.keep]


def gone(found: Retention) -> list[str]:
    return [one.id for one in found.go]


def ids(*snapshots: Entry) -> list[str]:
    return [one.id for one in snapshots]


def test_the_newest_stays_even_when_nothing_is_wanted() -> None:
    new, old = entry(HOUR), entry(DAY)
    found = retain([old, new], NOTHING, NOW)
    assert (kept(found), gone(found)) == (ids(new), ids(old))


def test_the_last_ones_stay() -> None:
    all_of_them = [entry(number * HOUR) for number in range(5)]
    assert kept(retain(all_of_them, replace(NOTHING, last=3), NOW)) == ids(*all_of_them[:3])


def test_of_each_hour_day_and_week_the_newest_stays() -> None:
    in_the_hour, an_hour_ago, yesterday, last_week = entry(), entry(HOUR), entry(DAY), entry(WEEK)
    older = [entry(timedelta(minutes=2)), entry(HOUR + timedelta(minutes=2)), entry(DAY + HOUR), entry(WEEK + DAY)]
    everything = [in_the_hour, an_hour_ago, yesterday, last_week, *older]
    assert kept(retain(everything, replace(NOTHING, hourly=2), NOW)) == ids(in_the_hour, an_hour_ago)
    assert kept(retain(everything, replace(NOTHING, daily=2), NOW)) == ids(in_the_hour, yesterday)
    assert kept(retain(everything, replace(NOTHING, weekly=2), NOW)) == ids(in_the_hour, last_week)


def test_hours_and_days_without_snapshots_do_not_count() -> None:
    new, months_ago = entry(), entry(26 * WEEK)
    assert kept(retain([new, months_ago], replace(NOTHING, daily=2), NOW)) == ids(new, months_ago)


def test_every_verdict_says_why() -> None:
    new, old = entry(), entry(DAY)
    found = retain([new, old], replace(NOTHING, last=1), NOW)
    assert found.keep[0].reasons == ("the newest", "one of the last 1")
    assert found.go[0].reasons == ("no rule of the policy keeps it",)


def test_what_is_pinned_stays() -> None:
    new, old = entry(), entry(52 * WEEK)
    assert kept(retain([new, old], NOTHING, NOW, frozenset([old.id]))) == ids(new, old)


def test_a_damaged_one_counts_for_nothing_and_goes_after_a_while() -> None:
    broken, sound, older = entry(damaged="no manifest"), entry(HOUR), entry(2 * HOUR)
    long_broken = entry(8 * DAY, damaged="no manifest")
    found = retain([broken, sound, older, long_broken], replace(NOTHING, last=2), NOW)
    assert (kept(found), gone(found)) == (ids(broken, sound, older), ids(long_broken))
    assert "no manifest" in found.go[0].reasons[0]


def test_damaged_ones_stay_while_nothing_sound_is_there() -> None:
    assert gone(retain([entry(52 * WEEK, damaged="cut off")], NOTHING, NOW)) == []


def test_what_homeostat_did_not_name_is_not_deleted() -> None:
    stranger = Entry("lost+found", None, 0, 0, "its name is none that homeostat gives")
    assert gone(retain([stranger, entry()], NOTHING, NOW)) == []


def test_one_from_the_future_stays_and_pushes_nothing_out() -> None:
    future, present = entry(-DAY), entry(HOUR)
    assert gone(retain([future, present], replace(NOTHING, last=1), NOW)) == []


@pytest.mark.parametrize("field", ["last", "hourly", "daily", "weekly"])
def test_a_policy_of_less_than_none_is_refused(field: str) -> None:
    with pytest.raises(ValueError, match=f"{field}: expected 0 or more"):
        replace(Policy(), **{field: -1})


def test_damaged_ones_have_at_least_a_day() -> None:
    with pytest.raises(ValueError, match="damaged: expected a day or more"):
        Policy(damaged=HOUR)


policies = st.builds(
    Policy, last=st.integers(0, 4), hourly=st.integers(0, 4), daily=st.integers(0, 4), weekly=st.integers(0, 4)
)
some = st.lists(
    st.builds(
        entry,
        st.integers(-2 * 86400, 60 * 86400).map(lambda seconds: timedelta(seconds=seconds)),
        revision=st.integers(1, 3),
        damaged=st.sampled_from(["", "", "", "cut off"]),
    ),
    max_size=30,
    unique_by=lambda one: one.id,
)


@given(some, policies, st.data())
def test_whatever_is_there_no_rule_is_broken(snapshots: list[Entry], policy: Policy, data: st.DataObject) -> None:
    pinned = frozenset(one.id for one in snapshots if data.draw(st.booleans()))
    found = retain(snapshots, policy, NOW, pinned)
    leaving = set(gone(found))
    sound = [one for one in snapshots if one.is_sound]
    assert sorted(kept(found) + gone(found)) == sorted(ids(*snapshots))
    assert not leaving & pinned
    if sound:
        newest = max(sound, key=lambda one: (one.taken_at or NOW, one.revision))
        assert newest.id not in leaving
    else:
        assert not leaving
    assert all(one.reasons for one in (*found.keep, *found.go))
    staying = [one for one in sound if one.id not in leaving]
    assert len(staying) >= min(len(sound), policy.last)


@given(some, policies)
def test_damaged_ones_change_nothing_for_sound_ones(snapshots: list[Entry], policy: Policy) -> None:
    sound = [one for one in snapshots if one.is_sound]
    among = [one for one in gone(retain(snapshots, policy, NOW)) if one in ids(*sound)]
    assert among == gone(retain(sound, policy, NOW))


@given(some, policies, st.randoms(use_true_random=False))
def test_deciding_again_deletes_nothing_more_and_order_is_no_matter(
    snapshots: list[Entry], policy: Policy, chance: object
) -> None:
    found = retain(snapshots, policy, NOW)
    staying = [one for one in snapshots if one.id in kept(found)]
    assert gone(retain(staying, policy, NOW)) == []
    shuffled = list(snapshots)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert retain(shuffled, policy, NOW) == found


@given(some, policies, st.sampled_from(["last", "hourly", "daily", "weekly"]))
def test_wanting_more_never_deletes_more(snapshots: list[Entry], policy: Policy, field: str) -> None:
    more = replace(policy, **{field: getattr(policy, field) + 1})
    assert set(gone(retain(snapshots, more, NOW))) <= set(gone(retain(snapshots, policy, NOW)))
