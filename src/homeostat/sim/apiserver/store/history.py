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
    """Changes in the order of their revisions, all of those after `forgotten`."""

    def __init__(self, forgotten: int) -> None:
        self.forgotten = forgotten
        self._changes: list[Change] = []
        self._revisions: list[int] = []
        self._first = 0

    @property
    def newest(self) -> int:
        """The revision of the latest change that is remembered; 0 without one."""
        return self._revisions[-1] if self._revisions else 0

    def add(self, change: Change) -> None:
        """Remember what has just happened."""
        self._changes.append(change)
        self._revisions.append(change.revision)

    def after(self, revision: int, limit: int | None = None) -> Sequence[Change]:
        """All changes after a revision, or the first of them. Raises TooOld when some of them are forgotten."""
        if revision < self.forgotten:
            raise TooOld(revision, self.forgotten)
        start = bisect_right(self._revisions, revision, self._first)
        return self._changes[start : None if limit is None else start + limit]

    def forget(self, revision: int) -> None:
        """Forget all changes up to a revision; they can no longer be asked for."""
        if revision <= self.forgotten:
            return
        self.forgotten = revision
        self._first = bisect_right(self._revisions, revision, self._first)
        if self._first > max(_SLACK, len(self._changes) // 2):
            del self._changes[: self._first], self._revisions[: self._first]
            self._first = 0
