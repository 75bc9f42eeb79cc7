"""When a schedule of cron comes next, and what is none."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeostat.kit.cron import BadSchedule, read_schedule

MOMENT = datetime(2026, 1, 1, 10, 7, 30, tzinfo=UTC)  # a Thursday


def moments(text: str, number: int = 3, moment: datetime = MOMENT, zone: str = "UTC") -> list[str]:
    found = []
    for _ in range(number):
        following = read_schedule(text).after(moment, ZoneInfo(zone))
        assert following is not None
        moment = following
        found.append(moment.strftime("%m-%d %H:%M:%S"))
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("* * * * *", ["01-01 10:08:00", "01-01 10:09:00", "01-01 10:10:00"]),
        ("*/20 * * * *", ["01-01 10:20:00", "01-01 10:40:00", "01-01 11:00:00"]),
        ("5/20 9-10 * * *", ["01-01 10:25:00", "01-01 10:45:00", "01-02 09:05:00"]),
        ("0 0 1 * *", ["02-01 00:00:00", "03-01 00:00:00", "04-01 00:00:00"]),
        ("30 4 * * mon,Wed", ["01-05 04:30:00", "01-07 04:30:00", "01-12 04:30:00"]),
        ("0 0 31 feb-apr ?", ["03-31 00:00:00", "03-31 00:00:00", "03-31 00:00:00"]),
        ("0 0 3 * fri", ["01-02 00:00:00", "01-03 00:00:00", "01-09 00:00:00"]),
        ("@weekly", ["01-04 00:00:00", "01-11 00:00:00", "01-18 00:00:00"]),
        ("@every 90s", ["01-01 10:09:00", "01-01 10:10:30", "01-01 10:12:00"]),
        ("@every 1h30m", ["01-01 11:37:30", "01-01 13:07:30", "01-01 14:37:30"]),
    ],
)
def test_the_next_moments_of_a_schedule(text: str, expected: list[str]) -> None:
    assert moments(text) == expected


def test_an_hour_that_is_left_out_has_no_moments_and_one_that_comes_twice_has_them_twice() -> None:
    spring = datetime(2026, 3, 7, 12, tzinfo=UTC)
    assert moments("30 2 * * *", 2, spring, "America/New_York") == ["03-09 06:30:00", "03-10 06:30:00"]
    autumn = datetime(2026, 11, 1, 4, 30, tzinfo=UTC)
    assert moments("30 1 * * *", 3, autumn, "America/New_York") == [
        "11-01 05:30:00",
        "11-01 06:30:00",
        "11-02 06:30:00",
    ]


def test_what_never_comes_has_no_next_moment() -> None:
    assert read_schedule("0 0 30 2 *").after(MOMENT) is None
    assert read_schedule(", * * * *").after(MOMENT) is None


@pytest.mark.parametrize(
    ("text", "since", "expected"),
    [
        ("*/10 * * * *", "2026-01-01T10:00:00Z", None),
        ("*/10 * * * *", "2026-01-01T09:59:00Z", "2026-01-01T10:00:00Z"),
        ("*/10 * * * *", "2020-01-01T00:00:00Z", "2026-01-01T10:00:00Z"),
        ("0 0 29 2 *", "2020-01-01T00:00:00Z", "2024-02-29T00:00:00Z"),
        ("0 0 29 2 *", "2025-01-01T00:00:00Z", None),
        ("@every 1h", "2025-12-31T00:00:30Z", "2026-01-01T10:00:30Z"),
        ("@every 1h", "2026-01-01T09:30:00Z", None),
    ],
)
def test_the_last_moment_that_has_come(text: str, since: str, expected: str | None) -> None:
    found = read_schedule(text).latest(datetime.fromisoformat(since), MOMENT)
    assert found == (None if expected is None else datetime.fromisoformat(expected))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("* * * *", "expected exactly 5 fields, found 4: [* * * *]"),
        ("60 * * * *", "end of range (60) above maximum (59): 60"),
        ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
        ("* * * * 7", "end of range (7) above maximum (6): 7"),
        ("9-3 * * * *", "beginning of range (9) beyond end of range (3): 9-3"),
        ("*/0 * * * *", "step of range should be a positive number: */0"),
        ("1-2-3 * * * *", "too many hyphens: 1-2-3"),
        ("1/2/3 * * * *", "too many slashes: 1/2/3"),
        ("x * * * *", 'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax'),
        ("@often", "unrecognized descriptor: @often"),
        ("@every x", 'failed to parse duration @every x: time: invalid duration "x"'),
    ],
)
def test_what_is_no_schedule_is_told_of(text: str, why: str) -> None:
    with pytest.raises(BadSchedule) as raised:
        read_schedule(text)
    assert str(raised.value) == why


@given(
    st.integers(0, 59),
    st.integers(0, 23),
    st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)),  # noqa: DTZ001
)
def test_the_next_moment_is_the_first_of_all_minutes_that_suit(minute: int, hour: int, naive: datetime) -> None:
    moment = naive.replace(tzinfo=UTC)
    found = read_schedule(f"{minute} {hour} * * *").after(moment)
    assert found is not None
    assert found > moment
    assert (found - moment).days == 0 or (found - moment).total_seconds() == 86400
    assert (found.hour, found.minute, found.second) == (hour, minute, 0)
