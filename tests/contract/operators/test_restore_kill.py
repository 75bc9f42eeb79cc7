"""A restore that is cut right before or after any of the operator's writes ends as if it had not been cut."""

from __future__ import annotations

import asyncio

import pytest
from tests.contract.operators.test_restore import WISH
from tests.support.cells import Cell
from tests.support.comparing import normal
from tests.support.cutting import AT_ONCE, WITHIN_S, Change, Yard, cut_at_every_write
from tests.support.restoring import FORMER, manifest

pytestmark = pytest.mark.soak


async def declare(cell: Cell) -> None:
    cell.store.manifests = [manifest(FORMER)]
    await cell.declare(restoreFrom=WISH)


async def restored(cell: Cell) -> None:
    await cell.until_ready(within_s=WITHIN_S)

    def is_settled() -> bool:
        status, membership = cell.status(), cell.find("ConfigMap", "demo-etcd") or {"data": {}}
        is_done = status.get("restore", {}).get("stage") == "Done" and "rollback" in status
        return is_done and membership["data"].get("initial-cluster-state") == "existing"

    await cell.kubelet.until(is_settled, "it is settled", within_s=WITHIN_S)


async def test_a_restore_that_is_cut_at_any_write_ends_as_if_it_had_not_been(yard: Yard) -> None:
    cut = await cut_at_every_write(yard, Change(declare, restored), 1)
    room = asyncio.Semaphore(AT_ONCE)

    async def finish(cell: Cell) -> None:
        async with room, cell.operator():
            await restored(cell)

    await asyncio.gather(*(finish(cell) for cell in cut.cells))
    wanted = normal(cut.undisturbed)
    for cell, death in zip(cut.cells, cut.deaths, strict=True):
        assert normal(cell) == wanted, f"killed {death}"
