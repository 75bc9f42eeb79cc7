"""What restoring can do, as data."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from homeostat.api.cluster.restoring import ClusterRestoreStatus, QuorumLossStatus
from homeostat.api.kind import Kind
from homeostat.operators.cluster.backup.manifest import ClusterRef


class AskSnapshots(Struct, frozen=True, tag=True):
    """Ask the store for a cluster's snapshots, and for the manifest of one; an empty id asks for no manifest.

    With the name of a Secret of keys, these are looked at too.
    """

    owner: ClusterRef
    snapshot: str
    keys: str = ""


class FetchSnapshot(Struct, frozen=True, tag=True):
    """Fetch a snapshot, verify every byte, and have it ready for the Pods that restore members."""

    owner: ClusterRef
    snapshot: str


class RestoreMember(Struct, frozen=True, tag=True):
    """Make the volume claim of a member, if there is none, and the Pod that puts the snapshot's data there."""

    member: str


class Clear(Struct, frozen=True, tag=True):
    """Destructive: delete what is in a restore's way, by uid, as long as the restore is where it was.

    With the name of a host that is away, only as long as it is; nobody waits for its kubelet then.
    """

    kind: Kind[Any]
    name: str
    uid: str
    away: str = ""


RestoreAction = AskSnapshots | FetchSnapshot | RestoreMember | Clear


class Restoring(Struct, frozen=True):
    """What is told about a restore. Whatever it becomes is told first, and done at the next look."""

    becomes: ClusterRestoreStatus | None = None  # None: as it was
    has_looked: bool = False  # whether losses were looked for; only then `loss` counts
    loss: QuorumLossStatus | None = None
