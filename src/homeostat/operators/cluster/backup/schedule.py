"""When the next snapshot of a cluster is due, as a pure decision.

Each cluster has slots of its own: every period, shifted by a hash of its uid, so that hundreds of clusters spread
evenly over the period and stay where they are over restarts. Whoever has missed its slot, or has no snapshot at all,
comes back at a minute of its own within the next hour, so that the end of an outage is no rush either.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

from msgspec import Struct

SHORTEST = timedelta(minutes=1)
CATCH_UP = timedelta(hours=1)  # within this time all that was missed is made up for
ON_TIME = timedelta(minutes=5)  # a slot or a minute of catching up is open for this long

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Due(Struct, frozen=True):
    """Whether to take one now, and when to look again."""

    is_due: bool
    next_at: datetime  # after now; until then the answer changes only by a snapshot or by the end of ON_TIME
    reason: str


def due(last: datetime | None, every: timedelta, seed: str, now: datetime) -> Due:
    """Whether a snapshot is due, when the last sound one is from `last`. `seed` is the cluster's uid.

    Raises ValueError for a period below one minute.
    """
    if every < SHORTEST:
        raise ValueError(f"every: expected {SHORTEST} or more, found {every}")
    slot = _last_point(every, seed, now)
    # A date from the far future is no date: trusting it would stop the snapshots until then.
    if last is not None and slot <= last <= now + every:
        return Due(is_due=False, next_at=slot + every, reason="the snapshot of this period is there")
    catch_up = min(every, CATCH_UP)
    point = max(slot, _last_point(catch_up, seed, now))
    next_at = min(slot + every, _last_point(catch_up, seed, now) + catch_up)
    if now - point < min(ON_TIME, catch_up / 2):
        return Due(is_due=True, next_at=next_at, reason="its time has come")
    return Due(is_due=False, next_at=next_at, reason="its time was missed, and it makes up for it at its minute")


def _last_point(period: timedelta, seed: str, now: datetime) -> datetime:
    """The last time, not after now, of those that this seed has in every period."""
    shift = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8]) % (period // timedelta(microseconds=1))
    offset = timedelta(microseconds=shift)
    return now - (now - _EPOCH - offset) % period
