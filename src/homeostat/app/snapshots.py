"""The backup loop's means, from what a process was told: the store, the source, and room for snapshots on their way."""

from __future__ import annotations

import asyncio
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from importlib import metadata
from pathlib import Path

from homeostat.app.options import CellOptions
from homeostat.kit.clock import Clock
from homeostat.kit.random import Random
from homeostat.operators.cluster.restore.ports import RestoreTools
from homeostat.operators.cluster.snapshots.act import SCRATCH_PREFIX
from homeostat.operators.cluster.snapshots.controller import Means
from homeostat.providers.etcd.drawing import EtcdSnapshots
from homeostat.providers.snapshots.handout import Place, SnapshotHandout
from homeostat.providers.snapshots.mounted import MountedStore, open_place
from homeostat.runtime.manager import Manager


@asynccontextmanager
async def snapshot_means(options: CellOptions, *, clock: Clock, random: Random) -> AsyncIterator[Means | None]:
    """All that snapshots are taken with, until the block ends; None where no store is configured. Raises BadAddress."""
    if not options.snapshot_store:
        yield None
        return
    place, version = open_place(options.snapshot_store, random=random), metadata.version("homeostat")
    store = MountedStore(place, Path(options.snapshot_keys), homeostat_version=version, clock=clock, random=random)
    source = EtcdSnapshots(clock=clock)
    with _scratch(options.snapshot_scratch) as scratch:
        try:
            yield Means(source, store, scratch)
        finally:
            source.close()
            await store.close()


@contextmanager
def _scratch(directory: str) -> Iterator[Path]:
    """A directory with nothing of a former process in it: what that left holds secrets."""
    if not directory:
        with tempfile.TemporaryDirectory(prefix="homeostat-snapshots-") as made:
            yield Path(made)
        return
    for pattern in (f"{SCRATCH_PREFIX}*.db", f".{SCRATCH_PREFIX}*.db.partial"):
        for left in Path(directory).glob(pattern):
            left.unlink(missing_ok=True)
    yield Path(directory)


async def add_restoring(options: CellOptions, manager: Manager, means: Means | None) -> RestoreTools | None:
    """What restores need, served by this process; None where there is no store, or no image for their Pods."""
    if means is None or not options.image:
        return None
    name = options.handout_address or socket.gethostname()
    found = await asyncio.get_running_loop().getaddrinfo(name, None, type=socket.SOCK_STREAM)
    place = Place(means.scratch, str(found[0][4][0]), options.handout_port)
    handout = SnapshotHandout(means.store, place, clock=manager.clock)
    manager.add_server(handout)
    return RestoreTools(means.store, handout, options.image)
