"""The latest changes of one collection, by their numbers: what watches follow, and what older lists are made of."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from homeostat.sim.apiserver.store.record import Record

# Forgotten changes at the front are dropped together, so that forgetting one costs a bounded share of dropping all.
_SLACK = 1024

EventType = Literal["ADDED", "MODIFIED", "DELETED"]


class TooOld(Exception):
    """What was asked for is forgotten."""

    def __init__(self, revision: int, oldest: int) -> None:
        super().__init__(f"too old resource version: {revision} ({oldest})")


class Change(Struct, frozen=True):
    """One object, before and after: made (no `old`), changed, or gone (no `new`)."""

    revision: int
    old: Record | None
    new: Record | None


class History:
    """Changes in the order of their revisions, all of those after `forgotten`; some before may be kept for owners."""

    def __init__(self, forgotten: int) -> None:
        self.forgotten = forgotten
        self.newest = 0  # the revision of the latest change, also when that is forgotten; 0 without one
        self._dropped = forgotten
        self._changes: list[Change] = []
        self._revisions: list[int] = []
        self._first = 0

    def add(self, change: Change) -> None:
        """Remember what has just happened."""
        self._changes.append(change)
        self._revisions.append(change.revision)
        self.newest = change.revision

    def after(self, revision: int, limit: int | None = None) -> Sequence[Change]:
        """All changes after a revision, or the first of them. Raises TooOld when some of them are forgotten."""
        if revision < self.forgotten:
            raise TooOld(revision, self.forgotten)
        start = bisect_right(self._revisions, revision, self._first)
        return self._changes[start : None if limit is None else start + limit]

    def kept_after(self, revision: int) -> Sequence[Change]:
        """All changes after a revision, for who owns the data: also those that readers are refused. Raises TooOld."""
        if revision < self._dropped:
            raise TooOld(revision, self._dropped)
        return self._changes[bisect_right(self._revisions, revision, self._first) :]

    def forget(self, revision: int, kept_from: int | None = None) -> None:
        """Let readers ask for no changes up to a revision any more, nor owners for those before `kept_from`."""
        self.forgotten = max(self.forgotten, revision)
        last = self.forgotten if kept_from is None else min(self.forgotten, kept_from)
        if last <= self._dropped:
            return
        self._dropped = last
        self._first = bisect_right(self._revisions, last, self._first)
        if self._first > max(_SLACK, len(self._changes) // 2):
            del self._changes[: self._first], self._revisions[: self._first]
            self._first = 0
