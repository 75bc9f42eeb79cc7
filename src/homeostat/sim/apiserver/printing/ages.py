"""Times as people read them: `5m12s`, `3d4h`, in two figures at most, as `kubectl get` shows ages."""

from __future__ import annotations

from datetime import UTC, datetime

UNKNOWN, INVALID = "<unknown>", "<invalid>"
_MINUTE, _HOUR, _DAY, _YEAR = 60, 3600, 86400, 365 * 86400
# Up to this many seconds a time is told in which unit, and in which smaller one what is left; coarser with age.
_STEPS = (
    (10 * _MINUTE, (_MINUTE, "m"), (1, "s")),
    (3 * _HOUR, (_MINUTE, "m"), None),
    (8 * _HOUR, (_HOUR, "h"), (_MINUTE, "m")),
    (2 * _DAY, (_HOUR, "h"), None),
    (8 * _DAY, (_DAY, "d"), (_HOUR, "h")),
    (2 * _YEAR, (_DAY, "d"), None),
    (8 * _YEAR, (_YEAR, "y"), (_DAY, "d")),
)


def moment(text: str) -> datetime:
    """A time as objects carry it. Raises ValueError."""
    return datetime.fromisoformat(text).astimezone(UTC)


def age(text: str | None, now: datetime) -> str:
    """How long ago something was; no time is unknown."""
    if not text:
        return UNKNOWN
    try:
        return span((now - moment(text)).total_seconds())
    except ValueError:
        return INVALID


def span(seconds: float) -> str:
    """A length of time; clocks may differ by a second."""
    whole = int(seconds)
    if whole < -1:
        return INVALID
    if whole < 2 * _MINUTE:
        return f"{max(0, whole)}s"
    for limit, (size, unit), smaller in _STEPS:
        if whole < limit:
            rest = whole % size
            few = rest // smaller[0] if smaller else 0
            return f"{whole // size}{unit}" + (f"{few}{smaller[1]}" if smaller and few else "")
    return f"{whole // _YEAR}y"
