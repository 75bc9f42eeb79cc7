"""All that one API server remembers: its shelves, and the count of its changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from homeostat.sim.apiserver.store.record import Record
from homeostat.sim.apiserver.store.shelf import Shelf

Collection = tuple[str, str]
"""A group and a plural: objects that are served in several versions are kept once."""


class Store:
    """Shelves that share one count. A change is numbered and told of within one call, so nobody sees half of it."""

    def __init__(self) -> None:
        # etcd begins at 1, and a resourceVersion of "0" is a word of its own: whatever there is.
        self.revision = 1
        self._shelves: dict[Collection, Shelf] = {}
        self.kept_from: Callable[[], int | None] = _nothing_kept
        """From which revision on the owner of the data needs all changes, whatever readers are refused; None: none."""

    @property
    def shelves(self) -> Mapping[Collection, Shelf]:
        """All that were asked for."""
        return self._shelves

    def shelf(self, collection: Collection) -> Shelf:
        """The shelf of a collection, empty at first, and without a past from before it was asked for."""
        shelf = self._shelves.get(collection)
        if shelf is None:
            shelf = self._shelves[collection] = Shelf(self.revision)
        return shelf

    def put(self, collection: Collection, record: Record) -> Record:
        """Keep an object under the next revision; the record as it is kept."""
        self.revision += 1
        kept = record.at(self.revision)
        self.shelf(collection).put(kept)
        return kept

    def drop(self, collection: Collection, key: str) -> int:
        """Let an object go; the revision of its end."""
        self.revision += 1
        self.shelf(collection).drop(key, self.revision)
        return self.revision

    def forget(self, revision: int) -> None:
        """Forget all changes up to a revision, as a compaction of etcd does."""
        kept_from = self.kept_from()
        for shelf in self._shelves.values():
            shelf.history.forget(min(revision, self.revision), kept_from)


def _nothing_kept() -> None:
    """Nobody needs what is forgotten."""
