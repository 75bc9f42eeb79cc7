"""Backups in tests: Clusters with a past, a scripted source of snapshots, and a store in a directory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyrage
from msgspec.structs import replace
from tests.support.clusters import NOW, cluster

from homeostat.api.cluster.backup import (
    ClusterBackupStatus,
    LastSnapshotStatus,
    SnapshotFailureStatus,
    SnapshotUnderWayStatus,
)
from homeostat.api.cluster.upgrades import ClusterUpgradeStatus
from homeostat.api.cluster.v1alpha1 import Cluster
from homeostat.api.meta import Condition
from homeostat.kit.clock import SystemClock
from homeostat.kit.random import system_random
from homeostat.operators.cluster.ports import Drawn, EtcdAccess
from homeostat.operators.cluster.snapshots.controller import Means
from homeostat.operators.cluster.snapshots.decide import Seen
from homeostat.providers.snapshots.mounted import MountedStore, open_place

STORE = "directory /snapshots"


def last(age: timedelta = timedelta(0), *, generation: int = 1, now: datetime = NOW) -> LastSnapshotStatus:
    """The last snapshot, of some age."""
    return LastSnapshotStatus(id="s-1", taken_at=now - age, revision=7, bytes=20512, generation=generation)


def failure(because: str = "Schedule", *, retry_in: timedelta = timedelta(minutes=1), **changes: Any) -> Any:
    """A failed attempt of just now."""
    made = SnapshotFailureStatus(
        because=because, reason="StoreFull", message="no room", at=NOW, attempts=1, retry_at=NOW + retry_in
    )
    return replace(made, **changes)


def taking(because: str = "Schedule", **changes: Any) -> Any:
    """A snapshot under way."""
    return replace(SnapshotUnderWayStatus(because=because, started_at=NOW, generation=1), **changes)


def backed_up(*, told: str = "", upgrade: ClusterUpgradeStatus | None = None, **known: Any) -> Cluster:
    """A Cluster that was Ready once; `told` is what UpToDate says, the rest is in its status.backup or spec.backup."""
    spec = {name: known.pop(name) for name in ("everySeconds", "paused", "request") if name in known}
    declared = cluster(backup=spec)
    conditions = (Condition(type="UpToDate", status="False", reason=told, last_transition_time=NOW),) if told else ()
    status = replace(
        declared.status,
        ready_at=NOW,
        conditions=conditions,
        upgrade=upgrade,
        backup=ClusterBackupStatus(store=STORE, **known),
    )
    return replace(declared, status=status)


def seen(declared: Cluster, *, is_ours: bool = False, store: str = STORE) -> Seen:
    """As the loop looks at it."""
    return Seen(declared, store, is_ours=is_ours)


class FakeSource:
    """Satisfies `SnapshotSource`: each snapshot is some bytes, of a higher revision than the one before."""

    def __init__(self) -> None:
        self.failure: Exception | None = None
        self.drawn = 0
        self.asked: tuple[str, ...] = ()  # members that could be drawn from, at last
        self.busy = 0  # being drawn now
        self.most = 0  # that were drawn at once
        self.held: asyncio.Event | None = None  # when there is one, drawing waits for it
        self.reached = asyncio.Event()  # drawing has begun

    async def draw(self, access: EtcdAccess, target: Path) -> Drawn:
        assert access.key, "the key to reach etcd with"
        self.asked = tuple(access.hosts)
        self.busy += 1
        self.most = max(self.most, self.busy)
        self.reached.set()
        try:
            if self.held is not None:
                await self.held.wait()
        finally:
            self.busy -= 1
        if self.failure is not None:
            raise self.failure
        self.drawn += 1
        target.write_bytes(b"etcd" * 5000)
        return Drawn("m-0", "3.6.16", self.drawn, target.stat().st_size)


@asynccontextmanager
async def means_in(place: Path, source: FakeSource) -> AsyncIterator[Means]:
    """All that a backup loop needs, below a directory that is empty or was used by another one before."""
    for name in ("store", "keys", "scratch"):
        (place / name).mkdir(exist_ok=True)
    if not list((place / "keys").iterdir()):
        (place / "keys" / "2026-01-01").write_text(f"{pyrage.x25519.Identity.generate()}\n")
    random = system_random()
    opened = open_place(f"file://{place}/store", random=random)
    store = MountedStore(opened, place / "keys", homeostat_version="0.1.0", clock=SystemClock(), random=random)
    try:
        yield Means(source, store, place / "scratch")
    finally:
        await store.close()


def stored(place: Path) -> list[Path]:
    """The directories of all snapshots below such a place."""
    return sorted(each.parent for each in (place / "store").rglob("manifest-*.json"))
