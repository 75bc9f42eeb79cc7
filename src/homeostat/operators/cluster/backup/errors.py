"""What can go wrong with snapshots, as types: each names what was done, where, what was found, and what to do.

Whether trying again can help is a type as well: `StoreUnreachable` may pass by itself; everything else waits for a
person or for another call. No message holds a credential, a key, or what a server said word for word.
"""

from __future__ import annotations


class SnapshotError(Exception):
    """Anything that goes wrong with snapshots. `doing` and `where` are for people, `remedy` says what to do next."""

    REMEDY = "read the operator's log"

    def __init__(self, doing: str, where: str, found: str, remedy: str = "") -> None:
        self.doing = doing
        self.where = where
        self.found = found
        self.remedy = remedy or self.REMEDY
        super().__init__(f"{doing} in {where}: {found}; {self.remedy}")


class StoreError(SnapshotError):
    """The store, not one snapshot, is the matter."""


class StoreFull(StoreError):
    """No room, or a quota is used up. What was begun is gone again."""

    REMEDY = "make room, raise the quota or keep fewer snapshots; the next snapshot that is due tries again"


class StoreRefused(StoreError):
    """The store knows us not, or does not let us do this."""

    REMEDY = "mend the credentials, or the rights to list, read, write and delete"


class StoreUnreachable(StoreError):
    """No answer, or none in time, or the store cannot serve now. The only error that may pass by itself."""

    REMEDY = "look at the store and at the network to it; it is tried again"


class StoreWrong(StoreError):
    """There is no such bucket or directory, or what is there is something else: a setting is wrong."""

    REMEDY = "mend the address of the store, or make the bucket or directory"


class KeysUnusable(StoreError):
    """There is no key ring to encrypt and decrypt with, or something in it is no key."""

    REMEDY = "mount the Secret with the keys; each file is named by its id and holds what `age-keygen` prints"


class SnapshotDamaged(SnapshotError):
    """Its manifest is missing or unsound, or its bytes are not those that were put. It is never restored."""

    REMEDY = "use another snapshot; look at who changes the store beside homeostat"


class SnapshotNotFound(SnapshotError):
    """There is no snapshot of that id."""

    REMEDY = "list the snapshots of the cluster and choose one of them"


class AlreadyExists(SnapshotError):
    """Something of that id is there, sound or damaged; it was left as it is."""

    REMEDY = "if it is listed as sound, it is this very snapshot; if as damaged, delete it before the next try"


class KeyMissing(SnapshotError):
    """The key that a snapshot was encrypted with is not in the key ring, or another is there under its id."""

    REMEDY = "put the key of that id back into the key ring; keys stay there as long as snapshots need them"


class LocalFileFailed(SnapshotError):
    """The file on our own side cannot be read or written."""

    REMEDY = "look at the room and rights of that directory"
