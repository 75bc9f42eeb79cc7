"""A line of those who wait and a number of places for those who are under way. Pure: time is an argument.

Whose turn it is follows from the order: the first who wait have it, as many as places are free, and they keep it when
somebody older comes late. So nobody has to reserve anything, and two looks at the same moment never give one place to
two: whoever begins leaves the line in the same step in which the place is taken.

A question costs what has changed since the last one, and not how many are in line or under way: every look at a
Cluster asks, and every change of one.
"""

from __future__ import annotations

import heapq
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
        self._counting: set[str] = set()  # of those, who took a place that is not counted as free
        self._ends: list[tuple[datetime, str]] = []  # a heap, of whoever is or was under way
        self._called: dict[str, datetime] = {}  # in the order of their turns, and so of their times

    def wait(self, uid: str, since: datetime) -> None:
        """Be in line; whoever is there already keeps its place."""
        self._end(uid)
        if uid not in self._since:
            self._since[uid] = since
            insort(self._waiting, (since, uid))

    def go(self, uid: str, until: datetime) -> None:
        """Be under way. What is so for very long is stuck, and does not count any more."""
        self._leave_line(uid)
        if self._under_way.get(uid) != until:
            self._under_way[uid] = until
            self._counting.add(uid)
            heapq.heappush(self._ends, (until, uid))

    def leave(self, uid: str) -> None:
        """Neither wait nor be under way."""
        self._leave_line(uid)
        self._end(uid)

    def first(self, now: datetime) -> list[str]:
        """Those whose turn it is, the oldest first but for those who had it before they came."""
        self._call(now)
        return list(self._called)

    def place(self, uid: str, now: datetime) -> Place:
        """Whether it is the turn of one that waits; whoever is not in line is told as if it came now."""
        self._call(now)
        if uid in self._called:
            return FREE
        since = self._since.get(uid)
        ahead = len(self._waiting) if since is None else bisect_left(self._waiting, (since, uid))
        return Place(may_begin=False, before=max(ahead - self._free(now), 0), at_once=self._places)

    def _call(self, now: datetime) -> None:
        """Let as many have their turn as places are free, and no more."""
        while self._called and now - next(iter(self._called.values())) > self._patience:
            late = next(iter(self._called))
            self._leave_line(late)
            self.wait(late, now)
        free = self._free(now)
        while len(self._called) > free:
            self._called.popitem()
        if len(self._called) < min(free, len(self._waiting)):
            for _, uid in self._waiting[:free]:
                if len(self._called) < free and uid not in self._called:
                    self._called[uid] = now

    def _free(self, now: datetime) -> int:
        """How many places nobody is counted for. Who was stuck for too long once is not counted again for the same."""
        while self._ends and self._ends[0][0] <= now:
            until, uid = heapq.heappop(self._ends)
            if self._under_way.get(uid) == until:
                self._counting.discard(uid)
        return max(self._places - len(self._counting), 0)

    def _end(self, uid: str) -> None:
        self._under_way.pop(uid, None)
        self._counting.discard(uid)

    def _leave_line(self, uid: str) -> None:
        since = self._since.pop(uid, None)
        self._called.pop(uid, None)
        if since is not None:
            del self._waiting[bisect_left(self._waiting, (since, uid))]
