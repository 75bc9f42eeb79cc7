"""Restores from snapshots on a real API server: of new Clusters, and of a lost quorum after an approval."""

from __future__ import annotations

import asyncio
import os
import sys
from base64 import b64decode
from typing import Any

from tests.support.apiserver import ApiServer
from tests.support.cells import Cell
from tests.support.kubelet import KINDS
from tests.support.restoring import FORMER, manifest

from homeostat.operators.cluster.backup.errors import SnapshotDamaged
from homeostat.operators.cluster.backup.manifest import ClusterRef
from homeostat.operators.cluster.pki.material import name_of

ID = manifest().id
WISH: dict[str, Any] = {
    "snapshot": ID,
    "cluster": {"namespace": FORMER.namespace, "name": FORMER.name, "uid": FORMER.uid},
}
MEMBERS = ("demo-etcd-0", "demo-etcd-1", "demo-etcd-2")
HASTE = 30.0  # so that half a minute is a second
STAGES = [f"from {ID}: {stage}" for stage in ("fetching", "stopping", "restoring", "starting")]


def restore_pods(cell: Cell) -> list[dict[str, Any]]:
    return [pod for pod in cell.all("Pod") if pod["metadata"]["name"].endswith("-restore")]


def uids(cell: Cell) -> set[str]:
    return {pod["metadata"]["uid"] for pod in restore_pods(cell)}


def masters(cell: Cell) -> list[str]:
    return [pod["metadata"]["name"] for pod in cell.all("Pod") if not pod["metadata"]["name"].endswith("-restore")]


async def until_stage(cell: Cell, stage: str) -> None:
    await cell.kubelet.until(lambda: cell.status().get("restore", {}).get("stage") == stage, f"it is {stage}")


async def until_restored(cell: Cell) -> dict[str, Any]:
    def is_done() -> dict[str, Any] | None:
        restore: dict[str, Any] = cell.status().get("restore", {})
        return restore if restore.get("stage") == "Done" else None

    return await cell.kubelet.until(is_done, "the restore is done")


async def lose(cell: Cell, *, approved: str = "") -> None:
    """A cluster with three members whose etcd has no leader any more; it has one snapshot."""
    healing = {"replaceMemberAfterSeconds": 30, **({"approveRestore": approved} if approved else {})}
    found = await cell.declare(topology="ha", healing=healing)
    await cell.until_ready()
    cell.store.manifests.append(manifest(ClusterRef(cell.namespace, "demo", found["metadata"]["uid"])))
    cell.etcd.failure = "no member answers"
    cell.kubelet.behave("crash", *MEMBERS)


async def until_it_is_told(cell: Cell) -> None:
    """An approval counts from then on; the condition comes a moment earlier, while etcd is still being asked."""
    await cell.kubelet.until(lambda: "quorumLoss" in cell.status(), "the loss is told")


async def come_back(cell: Cell) -> None:
    """Whatever starts from now on is well."""
    cell.etcd.failure = ""
    cell.kubelet.behave("run", *MEMBERS)


async def test_a_new_cluster_begins_with_the_data_of_its_snapshot(cell: Cell) -> None:
    cell.store.manifests.append(manifest(FORMER))
    cell.kubelet.behave("hold", "demo-etcd-0-restore")
    async with cell.operator(haste=HASTE):
        await cell.declare(restoreFrom=WISH)
        await cell.kubelet.until(lambda: restore_pods(cell), "the Pod that restores is there")
        assert masters(cell) == []
        cell.kubelet.behave("end", "demo-etcd-0-restore")
        await cell.until_ready()
        restore = await until_restored(cell)
    assert (restore["snapshot"], restore["number"]) == (ID, 1)
    assert restore_pods(cell) == []
    assert cell.find("Secret", "demo-etcd-restore") is None
    assert cell.kubelet.started[0] == (cell.namespace, "demo-etcd-0")


async def test_a_snapshot_that_is_not_there_is_refused_until_it_is(cell: Cell) -> None:
    async with cell.operator(haste=HASTE):
        await cell.declare(restoreFrom=WISH)
        told = await cell.until_condition("Accepted", "RestoreRefused")
        assert "it is not there; list the snapshots of the cluster and choose one of them" in told["message"]
        assert cell.all("StatefulSet") + cell.all("PersistentVolumeClaim") + cell.all("Pod") == []
        cell.store.manifests.append(manifest(FORMER))
        await cell.until_ready()


async def test_a_new_cluster_has_the_keys_of_the_former_one_if_they_were_kept(cell: Cell) -> None:
    async with cell.operator(haste=HASTE):
        await cell.declare("old")
        await cell.until_ready("old")
        kept = cell.get("Secret", "old-pki")
        key = name_of(b64decode(kept["data"]["encryption.key"]))
        cell.store.manifests.append(manifest(FORMER, secrets_key=key))
        await cell.declare(restoreFrom={**WISH, "keysFrom": "kept"})
        told = await cell.until_condition("Accepted", "RestoreRefused")
        assert "there is no Secret kept" in told["message"]
        assert cell.find("Secret", "demo-pki") is None
        await cell.client.create(KINDS["Secret"], {"metadata": {"name": "kept"}, "data": kept["data"]}, cell.namespace)
        await cell.until_ready()
    assert cell.get("Secret", "demo-pki")["data"] == kept["data"]


async def test_a_lost_quorum_is_told_with_its_price_and_nothing_is_done_before_the_approval(tall: Cell) -> None:
    cell = tall
    async with cell.operator(haste=HASTE):
        await lose(cell)
        volumes = [claim["metadata"]["uid"] for claim in cell.all("PersistentVolumeClaim")]
        await cell.kubelet.until(lambda: ID in cell.condition("EtcdReady").get("message", ""), "the price is told")
        assert cell.condition("EtcdReady")["reason"] == "QuorumLost"
        assert restore_pods(cell) == []
        assert "restore" not in cell.status()
        await cell.set_spec(healing={"approveRestore": ID})
        await until_stage(cell, "Starting")
        await come_back(cell)
        restore = await until_restored(cell)
        notes = await cell.until_told("Restoring", STAGES[-1])
        await cell.until_ready()
    assert notes == STAGES
    assert restore["finishedAt"]
    assert "quorumLoss" not in cell.status()
    assert [claim["metadata"]["uid"] for claim in cell.all("PersistentVolumeClaim")] == volumes


async def test_the_command_approves_what_was_told_and_waits_until_clients_are_served(
    tall: Cell, server: ApiServer
) -> None:
    cell = tall
    async with cell.operator(haste=HASTE):
        await lose(cell)
        await cell.kubelet.until(lambda: ID in cell.condition("EtcdReady").get("message", ""), "the price is told")
        words = ("restore", "cluster", "demo", "-n", cell.namespace, "--snapshot", ID, "--wait", "--timeout", "1m")
        call = [sys.executable, "-c", "from homeostat.cli.main import main; main()", *words]
        environment = {**os.environ, "KUBECONFIG": str(server.kubeconfig)}
        command = await asyncio.create_subprocess_exec(*call, env=environment, stdout=asyncio.subprocess.PIPE)
        await until_stage(cell, "Starting")
        assert command.returncode is None
        await come_back(cell)
        said, _ = await command.communicate()
        await cell.until_ready()
    approved, served = said.decode().splitlines()
    assert approved.startswith(f"cluster demo: approved the restore from {ID}; what was written ")
    assert (await command.wait(), served) == (0, f"cluster demo: serves the data of {ID}")


async def test_no_master_runs_while_members_are_restored(tall: Cell) -> None:
    cell = tall
    cell.kubelet.behave("hold", *(f"{member}-restore" for member in MEMBERS))
    async with cell.operator(haste=HASTE):
        await lose(cell)
        await until_it_is_told(cell)
        await cell.set_spec(healing={"approveRestore": ID})
        await cell.kubelet.until(lambda: len(restore_pods(cell)) == 3, "all members are being restored")
        assert masters(cell) == []
        await cell.delete()
        await cell.until_gone()
    assert restore_pods(cell) == []


async def test_an_approval_from_before_the_loss_begins_nothing(tall: Cell) -> None:
    cell = tall
    async with cell.operator(haste=HASTE):
        await lose(cell, approved=ID)
        await cell.kubelet.until(lambda: ID in cell.condition("EtcdReady").get("message", ""), "the price is told")
        assert cell.status()["quorumLoss"]["spentApproval"] == ID
    assert restore_pods(cell) == []


async def test_an_approval_of_a_snapshot_that_turns_out_damaged_touches_nothing(tall: Cell) -> None:
    cell = tall
    async with cell.operator(haste=HASTE):
        await lose(cell)
        await until_it_is_told(cell)
        cell.store.failure = SnapshotDamaged("reading its manifest", "a test's memory", "its seal is wrong")
        before = masters(cell)
        await cell.set_spec(healing={"approveRestore": ID})
        told = await cell.until_condition("EtcdReady", "RestoreRefused")
        assert "its seal is wrong; use another snapshot" in told["message"]
    assert masters(cell) == before


async def test_an_approved_snapshot_of_another_cluster_touches_nothing(tall: Cell) -> None:
    cell = tall
    async with cell.operator(haste=HASTE):
        await lose(cell)
        cell.store.manifests[:] = [manifest(FORMER)]
        await until_it_is_told(cell)
        before = [(each["metadata"]["name"], each["metadata"]["generation"]) for each in cell.all("StatefulSet")]
        await cell.set_spec(healing={"approveRestore": ID})
        told = await cell.until_condition("EtcdReady", "RestoreRefused")
        assert "it is not there; list the snapshots of the cluster and choose one of them" in told["message"]
    assert [(each["metadata"]["name"], each["metadata"]["generation"]) for each in cell.all("StatefulSet")] == before
    assert restore_pods(cell) == []
    assert "restore" not in cell.status()


async def test_a_new_cluster_does_not_begin_with_the_snapshot_of_an_earlier_one_of_that_name(cell: Cell) -> None:
    cell.store.manifests.append(manifest(FORMER))
    other = {**WISH, "cluster": {**WISH["cluster"], "uid": "uid-of-a-third"}}
    async with cell.operator(haste=HASTE):
        await cell.declare(restoreFrom=other)
        told = await cell.until_condition("Accepted", "RestoreRefused")
        assert f"snapshot {ID}" in told["message"]
        assert "it is not there" in told["message"]
    assert cell.all("StatefulSet") + cell.all("PersistentVolumeClaim") + cell.all("Pod") == []


async def test_an_operator_that_dies_at_every_stage_goes_on_where_it_was(tall: Cell) -> None:
    cell = tall
    pods = [f"{member}-restore" for member in MEMBERS]
    cell.kubelet.behave("hold", *pods)
    async with cell.operator(haste=HASTE):
        await lose(cell)
        await until_it_is_told(cell)
        await cell.set_spec(healing={"approveRestore": ID})
        await cell.kubelet.until(lambda: "restore" in cell.status(), "it is written down")
    for stage in ("Stopping", "Restoring"):
        async with cell.operator(haste=HASTE):
            await until_stage(cell, stage)
    async with cell.operator(haste=HASTE):
        await cell.kubelet.until(lambda: len(restore_pods(cell)) == 3, "the Pods are there")
    old = uids(cell)
    async with cell.operator(haste=HASTE):
        # Another process hands the snapshot out otherwise, so its Pods are other ones.
        await cell.kubelet.until(lambda: len(uids(cell)) == 3 and not uids(cell) & old, "the Pods are new ones")
    cell.kubelet.behave("end", *pods)
    async with cell.operator(haste=HASTE):
        await until_stage(cell, "Starting")
    await come_back(cell)
    async with cell.operator(haste=HASTE):
        restore = await until_restored(cell)
    assert restore["number"] == 1
    assert "attempts" not in restore


async def test_a_member_that_fails_is_tried_again_and_says_why(cell: Cell) -> None:
    cell.store.manifests.append(manifest(FORMER))
    cell.kubelet.behave("fail", "demo-etcd-0-restore")
    async with cell.operator(haste=HASTE):
        await cell.declare(restoreFrom=WISH)
        await cell.kubelet.until(lambda: cell.status().get("restore", {}).get("attempts", 0) > 1, "it is tried again")
        assert cell.condition("EtcdReady")["reason"] == "Restoring"
        cell.kubelet.behave("end", "demo-etcd-0-restore")
        await cell.until_ready()
