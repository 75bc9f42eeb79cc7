"""From a cluster as it was seen to what is known of its stores. Nothing is asked of anybody here."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from msgspec.structs import replace

from homeostat.operators.cluster.observe import Memory, Observed
from homeostat.operators.cluster.restore.beginning import RESTORING
from homeostat.operators.cluster.upkeep.seen import UpkeepSeen


def observe_stores(seen: Observed, known: Memory, now: datetime, every: timedelta) -> Observed:
    """The same, with what is known of the stores; whoever is seen for the first time gets a place in the round.

    Of members whose data is being exchanged nothing is known that holds afterwards.
    """
    restore = seen.cluster.status.restore
    if restore is not None and restore.stage == RESTORING:
        known.upkeep = UpkeepSeen(first=now)
    if known.upkeep.first is None:
        told = seen.cluster.status.etcd
        is_urgent = told is not None and bool(told.alarms or told.deviating)
        first = now if is_urgent else now + every * spread(seen.cluster.metadata.uid)
        known.upkeep = replace(known.upkeep, first=first)
    return replace(seen, upkeep=known.upkeep)


def spread(uid: str) -> float:
    """A share of the round, always the same for one Cluster, and even over many."""
    return int.from_bytes(hashlib.sha256(uid.encode()).digest()[:4], "big") / 2**32
