"""The store of snapshots that a process was told of."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import metadata
from pathlib import Path

from homeostat.app.options import CellOptions
from homeostat.kit.clock import Clock
from homeostat.kit.random import Random
from homeostat.providers.snapshots.mounted import MountedStore, open_place


@asynccontextmanager
async def snapshot_store(options: CellOptions, *, clock: Clock, random: Random) -> AsyncIterator[MountedStore | None]:
    """The store until the block ends; None where none is configured. Raises BadAddress."""
    if not options.snapshot_store:
        yield None
        return
    place, version = open_place(options.snapshot_store, random=random), metadata.version("homeostat")
    store = MountedStore(place, Path(options.snapshot_keys), homeostat_version=version, clock=clock, random=random)
    try:
        yield store
    finally:
        await store.close()
