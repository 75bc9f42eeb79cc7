"""What restoring looks at beside the rest: what the store said, and what this process has ready to hand out."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from homeostat.operators.cluster.backup.listing import Entry
from homeostat.operators.cluster.backup.manifest import ClusterRef, Manifest


class SnapshotsSeen(Struct, frozen=True):
    """What the store last said of one cluster's snapshots."""

    at: datetime
    owner: ClusterRef
    snapshot: str = ""  # whose manifest was asked for
    sound: tuple[Entry, ...] = ()  # those that are, the newest first
    manifest: Manifest | None = None
    secrets_key: str = ""  # the name of the key of Secrets among the keys that were to be looked at
    failure: str = ""  # why there is no manifest, or no list

    @property
    def newest(self) -> Entry | None:
        """The newest sound one."""
        return next(iter(self.sound), None)

    def is_about(self, owner: ClusterRef, snapshot: str) -> bool:
        """Whether it answers the question."""
        return (self.owner, self.snapshot) == (owner, snapshot)


class HandedSeen(Struct, frozen=True):
    """A snapshot that this process hands out, plain and verified, to the Pods that restore one cluster's members."""

    owner: ClusterRef
    snapshot: str
    digest: str  # of where and how it is handed out: another process hands it out otherwise
