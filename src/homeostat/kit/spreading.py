"""Shares of a span for many of a kind, so that what they do from time to time does not come in waves."""

from __future__ import annotations

import hashlib
from datetime import timedelta

_SPREAD = 0.25  # of a period


def share_of(name: str) -> float:
    """Evenly from 0 to 1, by the name, and always the same for it."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) / (1 << 32)


def apart(every: timedelta, name: str) -> timedelta:
    """A period, or up to a quarter less, by the name: those who began at once drift apart."""
    return every * (1 - _SPREAD * share_of(name))
