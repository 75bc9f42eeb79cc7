"""A line of those who wait and a number of places for those who are under way. Pure: time is an argument.

Whose turn it is follows from the order: the first who wait have it, as many as places are free, and they keep it when
somebody older comes late. So nobody has to reserve anything, and two looks at the same moment never give one place to
two: whoever begins leaves the line in the same step in which the place is taken.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from datetime import datetime, timedelta

from homeostat.operators.cluster.pacing.place import FREE, Place


class Line:
    """Who waits since when, and who is under way until when that counts."""

    def __init__(self, places: int, patience: timedelta) -> None:
        """Who has had its turn for longer than `patience` and did not begin goes behind all others."""
        self._places = places
        self._patience = patience
        self._waiting: list[tuple[datetime, str]] = []
        self._since: dict[str, datetime] = {}
        self._under_way: dict[str, datetime] = {}
        self._called: dict[str, datetime] = {}

    def wait(self, uid: str, since: datetime) -> None:
        """Be in line; whoever is there already keeps its place."""
        self._under_way.pop(uid, None)
        if uid not in self._since:
            self._since[uid] = since
            insort(self._waiting, (since, uid))

    def go(self, uid: str, until: datetime) -> None:
        """Be under way. What is so for very long is stuck, and does not count any more."""
        self._leave_line(uid)
        self._under_way[uid] = until

    def leave(self, uid: str) -> None:
        """Neither wait nor be under way."""
        self._leave_line(uid)
        self._under_way.pop(uid, None)

    def first(self, now: datetime) -> list[str]:
        """Those whose turn it is, the oldest first but for those who had it before they came."""
        for uid in [uid for uid, at in self._called.items() if now - at > self._patience]:
            self._leave_line(uid)
            self.wait(uid, now)
        free = self._free(now)
        found = list(self._called)[:free]
        for _, uid in self._waiting[:free]:
            if len(found) < free and uid not in self._called:
                found.append(uid)
        self._called = {uid: self._called.get(uid, now) for uid in found}
        return found

    def place(self, uid: str, now: datetime) -> Place:
        """Whether it is the turn of one that waits; whoever is not in line is told as if it came now."""
        if uid in self.first(now):
            return FREE
        since = self._since.get(uid)
        ahead = len(self._waiting) if since is None else bisect_left(self._waiting, (since, uid))
        return Place(may_begin=False, before=max(ahead - self._free(now), 0), at_once=self._places)

    def _free(self, now: datetime) -> int:
        return max(self._places - sum(until > now for until in self._under_way.values()), 0)

    def _leave_line(self, uid: str) -> None:
        since = self._since.pop(uid, None)
        self._called.pop(uid, None)
        if since is not None:
            del self._waiting[bisect_left(self._waiting, (since, uid))]
