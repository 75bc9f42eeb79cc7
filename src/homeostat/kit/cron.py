"""Schedules as cron writes them: five fields, or a word such as `@daily`; and when one comes next. Pure.

Fields are minutes, hours, days of the month, months and days of the week: numbers, names, ranges, lists and steps. A
day must suit both fields of days when one of them is `*`, and else either. What is no schedule is told of in the words
of the library that Kubernetes reads them with.

Times are those of a clock on the wall: in a zone that changes its time, an hour that is left out has no moments, and
one that comes twice has them twice.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo

from msgspec import Struct

_WORDS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_EVERY = "@every "
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_LONGEST_YEARS = 5  # what does not come by then (a 30th of February) never comes
_MINUTE = timedelta(minutes=1)
_PART = re.compile(r"(?P<number>\d+\.?\d*|\.\d+)(?P<unit>ns|us|µs|μs|ms|s|m|h)")
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


class BadSchedule(ValueError):
    """It is none; the message says why."""


class _Bounds(Struct, frozen=True):
    """Which numbers a field has, and names for them from the least on."""

    least: int
    most: int
    names: tuple[str, ...] = ()


_FIELDS = (_Bounds(0, 59), _Bounds(0, 23), _Bounds(1, 31), _Bounds(1, 12, _MONTHS), _Bounds(0, 6, _DAYS))


class _Field(Struct, frozen=True):
    """Which numbers suit, and whether all of them do because nobody asked."""

    numbers: frozenset[int]
    is_open: bool


class Schedule(Struct, frozen=True):
    """Either fields, or the time between two moments."""

    fields: tuple[_Field, ...] = ()
    every: timedelta = timedelta()

    def after(self, moment: datetime, zone: tzinfo = UTC) -> datetime | None:
        """The first moment after another one, in UTC; None when there is none within years."""
        if self.every:
            return (moment + self.every).replace(microsecond=0).astimezone(UTC)
        if not all(each.numbers for each in self.fields):
            return None
        minutes, hours, _, months, _ = self.fields
        found = moment.astimezone(UTC).replace(second=0, microsecond=0) + _MINUTE
        last_year = found.year + _LONGEST_YEARS
        while (local := found.astimezone(zone)).year <= last_year:
            if local.month not in months.numbers:
                first = (local.replace(day=1, hour=0, minute=0) + timedelta(days=31)).replace(day=1)
                found = first.astimezone(UTC)
            elif not self._has_day(local):
                found = _midnight_after(local).astimezone(UTC)
            elif local.hour not in hours.numbers:
                found += timedelta(minutes=60 - local.minute)
            elif local.minute not in minutes.numbers:
                found += _MINUTE
            else:
                return found
        return None

    def latest(self, since: datetime, until: datetime, zone: tzinfo = UTC) -> datetime | None:
        """The last moment after one and not after another; None when there is none. The way back doubles."""
        if self.every:
            times = (until - since) // self.every
            return since + times * self.every if times > 0 else None
        back, found = _MINUTE, None
        while found is None:
            start = max(since, until - back)
            following = self.after(start, zone)
            while following is not None and following <= until:
                found, following = following, self.after(following, zone)
            if start == since:
                break
            back *= 2
        return found

    def _has_day(self, local: datetime) -> bool:
        _, _, of_month, _, of_week = self.fields
        suits = (local.day in of_month.numbers, local.isoweekday() % 7 in of_week.numbers)
        return all(suits) if of_month.is_open or of_week.is_open else any(suits)


def read_schedule(text: str) -> Schedule:
    """What a text says. Raises BadSchedule."""
    if text.startswith(_EVERY):
        return Schedule(every=_every(text.removeprefix(_EVERY), text))
    if text.startswith("@") and text not in _WORDS:
        raise BadSchedule(f"unrecognized descriptor: {text}")
    parts = _WORDS.get(text, text).split()
    if len(parts) != len(_FIELDS):
        raise BadSchedule(f"expected exactly {len(_FIELDS)} fields, found {len(parts)}: [{' '.join(parts)}]")
    return Schedule(tuple(_field(part, bounds) for part, bounds in zip(parts, _FIELDS, strict=True)))


def _midnight_after(local: datetime) -> datetime:
    return local.replace(hour=0, minute=0, fold=0) + timedelta(days=1)


def _field(text: str, bounds: _Bounds) -> _Field:
    ranges = [_range(each, bounds) for each in text.split(",") if each]
    numbers = frozenset(number for each, _ in ranges for number in each)
    return _Field(numbers, any(is_open for _, is_open in ranges))


def _range(text: str, bounds: _Bounds) -> tuple[range, bool]:
    """The numbers of one part of a list."""
    said, *steps = text.split("/")
    low, *highs = said.split("-")
    is_open = low in ("*", "?")
    if is_open:
        least, most = bounds.least, bounds.most
    elif len(highs) > 1:
        raise BadSchedule(f"too many hyphens: {text}")
    else:
        least = _number(low, bounds)
        most = _number(highs[0], bounds) if highs else least
    if len(steps) > 1:
        raise BadSchedule(f"too many slashes: {text}")
    step = _whole(steps[0]) if steps else 1
    if steps and not highs:
        most = bounds.most
    _check(text, least, most, step, bounds)
    return range(least, most + 1, step), is_open and step == 1


def _check(text: str, least: int, most: int, step: int, bounds: _Bounds) -> None:
    if least < bounds.least:
        raise BadSchedule(f"beginning of range ({least}) below minimum ({bounds.least}): {text}")
    if most > bounds.most:
        raise BadSchedule(f"end of range ({most}) above maximum ({bounds.most}): {text}")
    if least > most:
        raise BadSchedule(f"beginning of range ({least}) beyond end of range ({most}): {text}")
    if step == 0:
        raise BadSchedule(f"step of range should be a positive number: {text}")


def _number(text: str, bounds: _Bounds) -> int:
    name = text.lower()
    return bounds.names.index(name) + bounds.least if name in bounds.names else _whole(text)


def _whole(text: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]+", text):
        raise BadSchedule(f'failed to parse int from {text}: strconv.Atoi: parsing "{text}": invalid syntax')
    if int(text) < 0:
        raise BadSchedule(f"negative number ({int(text)}) not allowed: {text}")
    return int(text)


def _every(text: str, whole: str) -> timedelta:
    parts = list(_PART.finditer(text))
    if not parts or "".join(each.group() for each in parts) != text:
        raise BadSchedule(f'failed to parse duration {whole}: time: invalid duration "{text}"')
    seconds = sum(float(each["number"]) * _UNITS[each["unit"]] for each in parts)
    return timedelta(seconds=max(int(seconds), 1))
