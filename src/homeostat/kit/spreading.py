"""Shares of a span for many of a kind, so that what they do from time to time does not come in waves."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

_SPREAD = 0.25  # of a period
_BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)


def share_of(name: str) -> float:
    """Evenly from 0 to 1, by the name, and always the same for it."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) / (1 << 32)


def apart(every: timedelta, name: str) -> timedelta:
    """A period, or up to a quarter less, by the name: those who began at once drift apart."""
    return every * (1 - _SPREAD * share_of(name))


def turn_after(last: datetime, every: timedelta, name: str) -> datetime:
    """The first of its turns after a time: they lie a whole period apart, at the place in it that the name says.

    Counted from the turn and not from when it was taken, turns of one name that have the same period come together.
    """
    return last + every - (last - _BEGINNING - every * share_of(name)) % every
