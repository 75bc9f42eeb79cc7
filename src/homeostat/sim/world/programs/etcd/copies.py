"""Copies of a cluster's data, outside of it: what snapshots are made of here, and what restores put back.

A copy has no bytes. Where one lies, its name and its checksum stand for it: on a disk, in a file of the operator's, in
a store, and on the way to a Pod that has the token for it.
"""

from __future__ import annotations

import hashlib

from msgspec import Struct

from homeostat.sim.apiserver.store.store import Store
from homeostat.sim.world.programs.etcd.data import copied, needed_bytes
from homeostat.sim.world.programs.etcd.member import Member


class Copy(Struct, frozen=True, eq=False):
    """The data of one cluster at one revision."""

    store: Store
    revision: int
    etcd_version: str
    size: int
    sha256: str


class Copies:
    """Those that lie in files of this process, and those that are handed out."""

    def __init__(self) -> None:
        self.files: dict[str, Copy] = {}
        self.offered: dict[str, Copy] = {}  # by token


def copy_of(member: Member) -> Copy:
    """What a member holds now."""
    assert member.running is not None  # noqa: S101  (it answered)
    store = copied(member.quorum.store)
    told = f"{member.quorum.id}:{store.revision}:{id_of(store)}"
    digest = hashlib.sha256(told.encode()).hexdigest()
    return Copy(store, store.revision, member.running.version, needed_bytes(store), digest)


def id_of(store: Store) -> str:
    """Tells the content of a store, without its past."""
    digest = hashlib.sha256()
    for collection, shelf in sorted(store.shelves.items()):
        for record in shelf.within(""):
            digest.update(f"{collection}{record.key}{record.revision}".encode())
    return digest.hexdigest()
