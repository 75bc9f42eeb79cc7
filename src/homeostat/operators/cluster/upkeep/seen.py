"""What one process knows of the stores of one cluster's etcd. Losing it costs one more look."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta

from msgspec import Struct

from homeostat.operators.cluster.upkeep.stores import Alarm, Stores, StoreSeen

FRESH = timedelta(seconds=5)  # how long an answer of etcd's is acted on


class UpkeepSeen(Struct, frozen=True):
    """Answers of etcd's, and what was done since this process looks after the cluster."""

    first: datetime | None = None  # when the first look is due; looks at different clusters are spread by it
    at: datetime | None = None  # of the last look
    answer: Stores | None = None  # the last one that came
    failure: str = ""  # why the last look failed
    is_stale: bool = False  # something was changed since
    compacted: int = 0  # up to which revision
    compacted_at: datetime | None = None
    defragmented: Mapping[str, datetime] = {}  # by host
    compared_at: datetime | None = None
    hashes: Mapping[str, int] = {}  # by host, of the last comparison; empty: nothing could be compared
    compared_under: tuple[Alarm, ...] = ()  # the alarms that stood then

    def is_fresh(self, now: datetime) -> bool:
        """Whether the last answer can be acted on."""
        return self.at is not None and now < self.at + FRESH and not self.is_stale

    @property
    def stores(self) -> tuple[StoreSeen, ...]:
        """Those of the last answer."""
        return self.answer.stores if self.answer is not None else ()

    @property
    def deviating(self) -> tuple[str, ...]:
        """Hosts whose data is not what the others agree on; all of them where no majority agrees."""
        if len(set(self.hashes.values())) < 2:
            return ()
        common, times = Counter(self.hashes.values()).most_common(1)[0]
        is_agreed = 2 * times > len(self.hashes)
        return tuple(sorted(host for host, one in self.hashes.items() if one != common or not is_agreed))

    @property
    def is_undecided(self) -> bool:
        """Whether members have different data, and no majority agrees."""
        return bool(self.hashes) and len(self.deviating) == len(self.hashes)

    @property
    def is_agreed(self) -> bool:
        """Whether all members that were compared have the same data."""
        return len(self.hashes) > 1 and not self.deviating
