"""One collection: its objects in the order of their keys, its history, and who waits for the next change.

Watches have no queues. Each knows how far it has read and sleeps until something happened; a slow one costs nothing,
and finds out that it was too slow when what it has not read is forgotten.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping, Sequence

from homeostat.sim.apiserver.store.history import Change, History
from homeostat.sim.apiserver.store.record import Record


class Shelf:
    """The objects of one collection, whatever version they are served in."""

    def __init__(self, revision: int) -> None:
        self.history = History(revision)
        self._records: dict[str, Record] = {}
        self._keys: list[str] = []
        self._waiting: dict[asyncio.Future[None], None] = {}  # in the order of their coming

    def __len__(self) -> int:
        return len(self._records)

    def get(self, key: str) -> Record | None:
        """What is under a key."""
        return self._records.get(key)

    def put(self, record: Record) -> None:
        """Keep an object, in place of the one that has its key."""
        old = self._records.get(record.key)
        if old is None:
            insort(self._keys, record.key)
        self._records[record.key] = record
        self._tell(Change(record.revision, old, record))

    def correct(self, record: Record) -> None:
        """Keep an object otherwise under its own revision: what every reader would make of it, made once."""
        self._records[record.key] = record

    def drop(self, key: str, revision: int) -> None:
        """Let an object go."""
        old = self._records.pop(key)
        del self._keys[bisect_left(self._keys, key)]
        self._tell(Change(revision, old, None))

    def within(self, namespace: str, after: str = "") -> Iterator[Record]:
        """The objects of a namespace (empty: of all) in order, from behind a key on."""
        return _within(self._keys, self._records, namespace, after)

    def within_at(self, revision: int, namespace: str, after: str = "") -> Iterator[Record]:
        """As they were at a revision. Raises TooOld."""
        changes = self.history.after(revision)
        if not changes:
            return self.within(namespace, after)
        records = _undone(self._records, changes)
        return _within(sorted(records), records, namespace, after)

    async def wait(self, revision: int) -> None:
        """Sleep until there is a change after a revision."""
        if self.history.newest > revision:
            return
        waiter = self.next_change()
        try:
            await waiter
        finally:
            self.forget(waiter)

    def next_change(self) -> asyncio.Future[None]:
        """Done with the next change; to be forgotten by who waits for it no longer."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiting[waiter] = None
        return waiter

    def forget(self, waiter: asyncio.Future[None]) -> None:
        """Nobody waits for it."""
        self._waiting.pop(waiter, None)

    def _tell(self, change: Change) -> None:
        self.history.add(change)
        waiting, self._waiting = self._waiting, {}
        for waiter in waiting:
            if not waiter.done():
                waiter.set_result(None)


def _within(keys: list[str], records: Mapping[str, Record], namespace: str, after: str) -> Iterator[Record]:
    prefix = f"{namespace}/" if namespace else ""
    start = bisect_left(keys, max(prefix, f"{after}\0" if after else ""))
    for at in range(start, len(keys)):
        key = keys[at]
        if not key.startswith(prefix):
            return
        yield records[key]


def _undone(records: Mapping[str, Record], changes: Sequence[Change]) -> dict[str, Record]:
    before = dict(records)
    for change in reversed(changes):
        if change.old is not None:
            before[change.old.key] = change.old
        elif change.new is not None:
            del before[change.new.key]
    return before
