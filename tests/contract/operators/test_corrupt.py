"""Corrupt data that no majority agrees on, on a real API server: told, approved by the command, restored."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any

from tests.contract.operators.test_restore import (
    HASTE,
    ID,
    MEMBERS,
    STAGES,
    masters,
    restore_pods,
    until_restored,
    until_stage,
)
from tests.support.apiserver import ApiServer
from tests.support.cells import Cell
from tests.support.restoring import manifest

from homeostat.operators.cluster.backup.manifest import ClusterRef

PODS = [f"{member}-restore" for member in MEMBERS]


async def corrupt(cell: Cell) -> str:
    """Two of three members get other data, each its own, after all agreed; there is a snapshot from before. When."""
    async with cell.operator(haste=HASTE):
        found = await cell.declare(topology="ha")
        await cell.until_ready()
        agreed = await cell.kubelet.until(
            lambda: cell.status().get("etcd", {}).get("agreedAt"), "members agree", within_s=30
        )
    cell.store.manifests.append(manifest(ClusterRef(cell.namespace, "demo", found["metadata"]["uid"])))
    cell.stores.corrupt = {f"{member}.demo-etcd.{cell.namespace}.svc" for member in MEMBERS[1:]}
    return str(agreed)


async def until_priced(cell: Cell) -> dict[str, Any]:
    """The operator that looks now is another one, which compares the members anew."""

    def told() -> dict[str, Any] | None:
        found = cell.condition("EtcdReady")
        return found if ID in found.get("message", "") else None

    return await cell.kubelet.until(told, "the price is told", within_s=30)


async def exchanged(cell: Cell) -> None:
    """The Pods that put the snapshot's data in the place of the old one end well."""
    await cell.kubelet.until(lambda: len(restore_pods(cell)) == 3, "all members are being restored")
    assert masters(cell) == []
    cell.stores.corrupt = set()
    cell.kubelet.behave("end", *PODS)


async def test_corrupt_data_is_told_with_its_price_and_restored_when_the_command_approves(
    tall: Cell, server: ApiServer
) -> None:
    cell = tall
    cell.kubelet.behave("hold", *PODS)
    agreed = await corrupt(cell)
    async with cell.operator(haste=HASTE):
        told, before = await until_priced(cell), masters(cell)
        assert told["reason"] == "EtcdCorrupt"
        assert (
            f"set spec.healing.approveRestore to {ID}, the newest snapshot from before {agreed}, when all"
            in (told["message"])
        )
        assert (cell.status()["quorumLoss"]["corrupt"], restore_pods(cell)) == (True, [])
        words = ("restore", "cluster", "demo", "-n", cell.namespace, "--snapshot", ID, "--wait", "--timeout", "1m")
        call = [sys.executable, "-c", "from homeostat.cli.main import main; main()", *words]
        environment = {**os.environ, "KUBECONFIG": str(server.kubeconfig)}
        assert masters(cell) == before
        command = await asyncio.create_subprocess_exec(*call, env=environment, stdout=asyncio.subprocess.PIPE)
        await exchanged(cell)
        said, _ = await command.communicate()
        notes = await cell.until_told("Restoring", STAGES[-1])
        await cell.until_ready()
    approved, served = said.decode().splitlines()
    assert approved.startswith(f"cluster demo: approved the restore from {ID}; what was written in the ")
    assert approved.endswith(" before that was found, and since, is gone for good")
    assert (await command.wait(), served) == (0, f"cluster demo: serves the data of {ID}")
    assert notes == STAGES
    assert "quorumLoss" not in cell.status()
    assert "deviating" not in cell.status()["etcd"]
    assert cell.etcd.story == []


async def test_an_operator_that_dies_at_every_stage_of_it_goes_on_where_it_was(tall: Cell) -> None:
    cell = tall
    cell.kubelet.behave("hold", *PODS)
    await corrupt(cell)
    async with cell.operator(haste=HASTE):
        await until_priced(cell)
        await cell.set_spec(healing={"approveRestore": ID})
        await cell.kubelet.until(lambda: "restore" in cell.status(), "it is written down")
    for stage in ("Stopping", "Restoring"):
        async with cell.operator(haste=HASTE):
            await until_stage(cell, stage)
    async with cell.operator(haste=HASTE):
        await exchanged(cell)
        await until_stage(cell, "Starting")

    async with cell.operator(haste=HASTE):
        restore = await until_restored(cell)
        await cell.until_ready()
    assert (restore["number"], restore["corrupt"]) == (1, True)
    assert "quorumLoss" not in cell.status()
