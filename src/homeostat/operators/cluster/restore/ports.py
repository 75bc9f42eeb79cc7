"""What restoring needs from outside: somebody who hands a verified snapshot out to Pods."""

from __future__ import annotations

import hashlib
from typing import Protocol

from msgspec import Struct

from homeostat.operators.cluster.backup.manifest import ClusterRef
from homeostat.operators.cluster.backup.ports import SnapshotStore


class Offer(Struct, frozen=True):
    """How a Pod gets a snapshot: by HTTPS, from whoever has a certificate of this authority, for this token."""

    url: str
    authority: bytes  # PEM
    token: str
    sha256: str  # of the plain bytes

    @property
    def digest(self) -> str:
        """Tells this offer from every other one, and gives nothing away."""
        parts = (self.url.encode(), self.authority, self.token.encode(), self.sha256.encode())
        return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]

    def __repr__(self) -> str:
        """Never the token."""
        return f"Offer({self.url})"


class Handout(Protocol):
    """Hands plain snapshots out to the Pods of this cell, each to whoever has its token, as long as the process lives.

    Safe to call from many tasks at once, one call per taker.
    """

    def offered(self, taker: str, owner: ClusterRef, snapshot: str) -> Offer | None:
        """What is on offer for a taker, the uid of a Cluster; None: nothing, or something else."""
        ...

    async def offer(self, taker: str, owner: ClusterRef, snapshot: str) -> Offer:
        """Fetch and verify a snapshot, and have it ready; it takes as long as `SnapshotStore.fetch`, and raises alike.

        Raises Busy when too many are being fetched at once.
        """
        ...

    async def withdraw(self, taker: str) -> None:
        """Forget what is on offer for a taker, and its bytes."""
        ...


class Busy(Exception):
    """Too many snapshots are being fetched; try again."""


class RestoreTools(Struct, frozen=True):
    """What a process must have to restore clusters."""

    store: SnapshotStore
    handout: Handout
    image: str  # homeostat's own, for the Pods that fetch and place
