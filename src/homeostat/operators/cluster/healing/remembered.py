"""What statuses remember of healing, by a clock that may have run ahead since. Pure.

A leader whose clock was hasty leaves times of the future behind. Trusted, they would hold back-offs, and the budget of
the whole cell, for as long as that clock was ahead. What was done is done, so such a time is read as now, and written
so: from then on it ages as every other.
"""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from homeostat.api.cluster.healing import ClusterHealingStatus, MasterRestartStatus


def remembered(known: ClusterHealingStatus | None, now: datetime) -> ClusterHealingStatus | None:
    """The same, without times of the future."""
    if known is None:
        return None
    replacement = known.replacement
    if replacement is not None:
        replacement = replace(replacement, started_at=not_after(replacement.started_at, now))
    last = known.last_started_at
    return replace(
        known,
        replacement=replacement,
        last_started_at=not_after(last, now) if last is not None else None,
        restarts=tuple(_restart(each, now) for each in known.restarts),
    )


def not_after(at: datetime, now: datetime) -> datetime:
    """A time of the past as it is, one of the future as now, in whole seconds as statuses have them."""
    return at if at <= now else now.replace(microsecond=0)


def _restart(entry: MasterRestartStatus, now: datetime) -> MasterRestartStatus:
    return replace(
        entry,
        started_at=not_after(entry.started_at, now),
        ended_at=not_after(entry.ended_at, now) if entry.ended_at is not None else None,
        earlier=tuple(not_after(each, now) for each in entry.earlier),
    )
