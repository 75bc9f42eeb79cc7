"""The operator's ports for snapshots over a world: `SnapshotSource`, `SnapshotStore` in memory, and `Handout`."""

from __future__ import annotations

import hashlib
from pathlib import Path

from homeostat.operators.cluster.backup.errors import AlreadyExists, LocalFileFailed, SnapshotNotFound, StoreUnreachable
from homeostat.operators.cluster.backup.listing import Entry, newest_first
from homeostat.operators.cluster.backup.manifest import ClusterRef, Encryption, Manifest, Taken, describe
from homeostat.operators.cluster.backup.ports import Progress, Room, unheard
from homeostat.operators.cluster.ports import Drawn, EtcdAccess, Unreachable
from homeostat.operators.cluster.restore.ports import Offer
from homeostat.sim.world.ports.etcd import Reaching
from homeostat.sim.world.programs.etcd.copies import Copies, Copy, copy_of

_WHERE = "the memory of the simulation"
_ENCRYPTION = Encryption("simulated", "simulated", "simulated")


class WorldSnapshots:
    """Satisfies the operator's port `SnapshotSource`."""

    def __init__(self, reaching: Reaching, copies: Copies) -> None:
        self._reaching, self._copies = reaching, copies

    async def draw(self, access: EtcdAccess, target: Path) -> Drawn:
        """A follower is asked where there is one."""
        found = {host: each for host, each in (await self._reaching.members(access)).items() if each.is_led}
        if not found:
            raise Unreachable(f"etcd: no member of {', '.join(sorted(access.hosts.values()))} is well")
        host = min(found, key=lambda each: (found[each].running_id == found[each].quorum.leader, each))
        made = self._copies.files[str(target)] = copy_of(found[host])
        return Drawn(host, made.etcd_version, made.revision, made.size)


class WorldStore:
    """Satisfies the operator's port `SnapshotStore`; lives as long as the world, not as an operator."""

    def __init__(self, copies: Copies) -> None:
        self._copies = copies
        self._kept: dict[ClusterRef, dict[str, tuple[Manifest, Copy]]] = {}
        self.is_down = False  # a fault

    @property
    def where(self) -> str:
        """For people."""
        return _WHERE

    async def put(self, file: Path, taken: Taken, progress: Progress = unheard) -> Manifest:
        """Keep a local file."""
        self._check("putting a snapshot")
        copy = self._copies.files.get(str(file))
        if copy is None:
            raise LocalFileFailed("putting a snapshot", str(file), "it is not there")
        mine = self._kept.setdefault(taken.cluster, {})
        if taken.id in mine:
            raise AlreadyExists("putting a snapshot", _WHERE, f"{taken.id} is there")
        size = (copy.size, copy.sha256)
        manifest = describe(taken, plain=size, stored=size, encryption=_ENCRYPTION, homeostat_version="simulated")
        mine[taken.id] = manifest, copy
        progress(copy.size, copy.size)
        return manifest

    async def list(self, cluster: ClusterRef) -> tuple[Entry, ...]:
        """All of one cluster."""
        self._check("listing snapshots")
        kept = self._kept.get(cluster, {}).values()
        return newest_first(Entry(each.id, each.taken_at, each.revision, each.stored_bytes) for each, _ in kept)

    async def manifest(self, cluster: ClusterRef, snapshot: str) -> Manifest:
        """Of one."""
        return self._find(cluster, snapshot)[0]

    async def fetch(self, cluster: ClusterRef, snapshot: str, target: Path, progress: Progress = unheard) -> Manifest:
        """Into a local file."""
        manifest, copy = self._find(cluster, snapshot)
        self._copies.files[str(target)] = copy
        progress(copy.size, copy.size)
        return manifest

    async def delete(self, cluster: ClusterRef, snapshot: str) -> None:
        """Have no such snapshot."""
        self._check("deleting a snapshot")
        self._kept.get(cluster, {}).pop(snapshot, None)

    async def probe(self) -> Room:
        """There is always room."""
        self._check("trying the store out")
        return Room(_WHERE, None)

    def content(self, cluster: ClusterRef, snapshot: str) -> Copy:
        """The data of one. Raises as `manifest` does."""
        return self._find(cluster, snapshot)[1]

    def _find(self, cluster: ClusterRef, snapshot: str) -> tuple[Manifest, Copy]:
        self._check("reading a snapshot")
        found = self._kept.get(cluster, {}).get(snapshot)
        if found is None:
            raise SnapshotNotFound(f"reading snapshot {snapshot} of {cluster}", _WHERE, "it is not there")
        return found

    def _check(self, doing: str) -> None:
        if self.is_down:
            raise StoreUnreachable(doing, _WHERE, "it does not answer")


class WorldHandout:
    """Satisfies the operator's port `Handout`; its offers end with the process that made it (`close`)."""

    def __init__(self, store: WorldStore, copies: Copies, process: str) -> None:
        self._store, self._copies, self._process = store, copies, process
        self._offers: dict[str, tuple[ClusterRef, str, Offer]] = {}

    def offered(self, taker: str, owner: ClusterRef, snapshot: str) -> Offer | None:
        """What is on offer for a taker."""
        found = self._offers.get(taker)
        return found[2] if found is not None and found[:2] == (owner, snapshot) else None

    async def offer(self, taker: str, owner: ClusterRef, snapshot: str) -> Offer:
        """Have a snapshot ready."""
        copy = self._store.content(owner, snapshot)
        await self.withdraw(taker)
        token = hashlib.sha256(f"{self._process}:{taker}:{snapshot}".encode()).hexdigest()
        made = Offer("https://operator.simulated:9444/snapshots", b"simulated", token, copy.sha256)
        self._offers[taker] = owner, snapshot, made
        self._copies.offered[token] = copy
        return made

    async def withdraw(self, taker: str) -> None:
        """Forget what is on offer for a taker."""
        found = self._offers.pop(taker, None)
        if found is not None:
            self._copies.offered.pop(found[2].token, None)

    def close(self) -> None:
        """Offer nothing any more."""
        for _, _, offer in self._offers.values():
            self._copies.offered.pop(offer.token, None)
        self._offers.clear()
