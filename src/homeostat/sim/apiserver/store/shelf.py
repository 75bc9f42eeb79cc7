"""One collection: its objects in the order of their keys, its history, and who waits for the next change.

Watches have no queues. Each knows how far it has read and sleeps until something happened; a slow one costs nothing,
and finds out that it was too slow when what it has not read is forgotten.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left, insort
from collections.abc import Iterator

from homeostat.sim.apiserver.store.history import Change, History
from homeostat.sim.apiserver.store.record import Record
from homeostat.sim.apiserver.store.state import State


class Shelf:
    """The objects of one collection, whatever version they are served in."""

    def __init__(self, revision: int) -> None:
        self.history = History(revision)
        self._records: dict[str, Record] = {}
        self._keys: list[str] = []
        self._waiting: dict[asyncio.Future[int], None] = {}  # in the order of their coming

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
        return self.state().within(namespace, after)

    def state(self, revision: int | None = None) -> State:
        """The newest state, or that of a revision. Raises TooOld."""
        return State(self._keys, self._records, () if revision is None else self.history.after(revision))

    def before(self, revision: int) -> State:
        """That of a revision, for who owns the data (see History). Raises TooOld."""
        return State(self._keys, self._records, self.history.kept_after(revision))

    async def wait(self, revision: int) -> int:
        """Sleep until there is a change after a revision; up to which revision nothing has happened here.

        Who slept has missed nothing, however much was forgotten meanwhile.
        """
        if self.history.newest > revision:
            return revision
        waiter = self.next_change()
        try:
            return await waiter - 1
        finally:
            self.forget(waiter)

    def next_change(self) -> asyncio.Future[int]:
        """Done with the next change, by its revision; to be forgotten by who waits for it no longer."""
        waiter: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting[waiter] = None
        return waiter

    def forget(self, waiter: asyncio.Future[int]) -> None:
        """Nobody waits for it."""
        self._waiting.pop(waiter, None)

    def _tell(self, change: Change) -> None:
        self.history.add(change)
        waiting, self._waiting = self._waiting, {}
        for waiter in waiting:
            if not waiter.done():
                waiter.set_result(change.revision)
