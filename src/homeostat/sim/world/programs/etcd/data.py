"""The data of a cluster beside its objects: alarms and sizes; and the data as it was before."""

from __future__ import annotations

from msgspec import Struct

from homeostat.sim.apiserver.store.store import Store

NO_SPACE, CORRUPT = "NOSPACE", "CORRUPT"
EMPTY_BYTES = 24 << 10  # of a file with nothing in it
_OVERHEAD_BYTES = 256  # of a revision: its key, and what bbolt needs to find it


class Alarm(Struct, frozen=True, order=True):
    """What a member has found wrong."""

    kind: str
    member_id: int


class Alarms:
    """Which alarms are raised, and how much there is to store."""

    def __init__(self, quota: int) -> None:
        self.quota = quota
        self.raised: set[Alarm] = set()

    def has(self, kind: str) -> bool:
        """Whether anybody has raised it."""
        return any(each.kind == kind for each in self.raised)

    @property
    def forbid_writes(self) -> str:
        """Why nothing may be written, in etcd's words; empty: it may."""
        if self.has(CORRUPT):
            return "etcdserver: corrupt cluster"
        return "etcdserver: mvcc: database space exceeded" if self.has(NO_SPACE) else ""


def needed_bytes(store: Store) -> int:
    """How much the objects that there are need in a file, as far as histories are remembered."""
    total = EMPTY_BYTES
    for shelf in store.shelves.values():
        total += sum(len(each.rest) + _OVERHEAD_BYTES for each in shelf.within(""))
        for change in shelf.history.after(shelf.history.forgotten):
            total += _OVERHEAD_BYTES + (len(change.old.rest) if change.old is not None else 0)
    return total


def copied(store: Store) -> Store:
    """The same objects at the same revision, without their past."""
    return rolled_back(store, store.revision)


def rolled_back(store: Store, revision: int) -> Store:
    """The objects as they were at a revision, none before the first. Raises TooOld where that is forgotten."""
    made = Store()
    wanted = max(revision, made.revision)
    for collection, shelf in store.shelves.items():
        kept = made.shelf(collection)
        before = shelf.before(wanted).within("") if revision >= made.revision else ()
        for record in sorted(before, key=lambda each: each.revision):
            kept.put(record)
    made.revision = wanted
    made.forget(wanted)
    return made
