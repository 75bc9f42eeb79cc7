"""A Cluster that is deleted takes everything of its own along, in order, and nothing else."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from tests.support.cells import Cell
from tests.support.kubelet import KINDS, Whole

from homeostat.api.core import NODE
from homeostat.kube.client import Client
from homeostat.kube.errors import Invalid, NotFound

FIRST = {"deployments/demo-controller-manager", "deployments/demo-scheduler"}
ORDER = (
    FIRST,
    {"deployments/demo-apiserver"},
    {"statefulsets/demo-etcd"},
    {"persistentvolumeclaims/data-demo-etcd-0"},
    {
        "services/demo-etcd",
        "services/demo-etcd-client",
        "services/demo-apiserver",
        "configmaps/demo-etcd",
        "configmaps/demo-apiserver",
        "poddisruptionbudgets/demo-etcd",
        "poddisruptionbudgets/demo-apiserver",
        *(f"secrets/demo-{name}" for name in ("pki", "etcd", "apiserver", "controller-manager", "scheduler")),
        "secrets/demo-admin-kubeconfig",
    },
    {"clusters/demo"},
)


async def bystander(cell: Cell, name: str, **labels: str) -> Whole:
    """A Secret of somebody else's."""
    body = {"metadata": {"name": name, "namespace": cell.namespace, "labels": labels}, "data": {}}
    return await cell.client.create(KINDS["Secret"], body)


def left_of(cell: Cell, name: str) -> list[str]:
    """What still bears a Cluster's label."""
    kinds = [kind for kind in KINDS if kind not in ("Cluster", "Event")]
    found = [obj for kind in kinds for obj in cell.all(kind)]
    ours = [obj for obj in found if obj["metadata"].get("labels", {}).get("cluster.homeostat.dev/name") == name]
    return [obj["metadata"]["name"] for obj in ours if "cluster.homeostat.dev/uid" in obj["metadata"]["labels"]]


async def test_deletion_removes_everything_in_order_and_nothing_else(cell: Cell) -> None:
    cell.kubelet.collects_pods = True
    async with cell.operator() as operator:
        await cell.declare()
        await cell.declare("demo-2")
        await cell.until_ready()
        await cell.until_ready("demo-2")
        mark = {"cluster.homeostat.dev/name": "demo"}
        strangers = [await bystander(cell, "demo"), await bystander(cell, "marked", **mark)]
        before = {kind: [obj["metadata"]["name"] for obj in cell.all(kind)] for kind in KINDS}
        begun = len(operator.faults.writes)
        await cell.delete()
        await cell.until_gone()
        await cell.until_told("Deleted", "everything that was made for it is gone")
        # The last write is refused where the status was written at the same moment, and done again; and a look that
        # came before the news that the Cluster is gone asks for it once more, which may still be without its 404 here.
        writes = [sent for sent in operator.faults.writes[begun:] if 200 <= sent.status < 300]
    removed = ["/".join(sent.path.split("/")[-2:]) for sent in writes if sent.method == "DELETE"]
    removed += ["/".join(sent.path.split("/")[-2:]) for sent in writes if sent.path.endswith("/clusters/demo")]
    for stage in ORDER:
        assert set(removed[: len(stage)]) == stage
        removed = removed[len(stage) :]
    assert not removed
    assert not left_of(cell, "demo")
    assert {"demo", "marked"} <= {secret["metadata"]["name"] for secret in cell.all("Secret")}
    for stranger in strangers:
        assert cell.get("Secret", stranger["metadata"]["name"]) == stranger
    for kind in ("Deployment", "StatefulSet", "Service", "PersistentVolumeClaim"):
        kept = [name for name in before[kind] if "demo-2" in name]
        assert kept
        assert [obj["metadata"]["name"] for obj in cell.all(kind)] == kept
    assert cell.condition("Ready", "demo-2")["status"] == "True"


async def test_a_stage_begins_when_nothing_of_the_one_before_is_left(cell: Cell) -> None:
    cell.kubelet.collects_pods = True
    async with cell.operator():
        await cell.declare()
        await cell.until_ready()
        cell.kubelet.kills_pods = False
        await cell.delete()
        told = await cell.kubelet.until(
            lambda: found if "demo-scheduler" in (found := cell.condition("Accepted")).get("message", "") else None,
            "the condition names what it waits for",
        )
        assert told["reason"] == "Deleting"
        assert told["message"].startswith("removing controllers: demo-controller-manager-")
        assert cell.status()["phase"] == "Deleting"
        assert [obj["metadata"]["name"] for obj in cell.all("Deployment")] == ["demo-apiserver"]
        assert cell.find("StatefulSet", "demo-etcd")
        cell.kubelet.kills_pods = True
        cell.kubelet.look_again()
        await cell.until_gone()
    assert not left_of(cell, "demo")


async def test_a_pod_on_a_host_that_is_away_does_not_hold_the_deletion_for_ever(cell: Cell, client: Client) -> None:
    cell.kubelet.collects_pods = True
    async with cell.operator(haste=60):
        await cell.declare()
        await cell.until_ready()
        host = cell.all("Pod")[0]["spec"]["nodeName"]
        await client.create(NODE, {"metadata": {"name": host}})  # nobody says that it is ready
        try:
            cell.kubelet.kills_pods = False
            await cell.delete()
            told = await cell.kubelet.until(
                lambda: found if "which is away" in (found := cell.condition("Accepted")).get("message", "") else None,
                "the condition names the host",
            )
            assert f"on {host}, which is away" in told["message"]
            await cell.until_gone()
        finally:
            await client.delete(NODE, host)
    assert not left_of(cell, "demo")


async def test_a_protected_cluster_cannot_be_deleted_until_the_protection_goes(cell: Cell) -> None:
    cell.kubelet.collects_pods = True
    async with cell.operator():
        await cell.declare(deletionProtection=True)
        await cell.until_ready()
        with pytest.raises(Invalid, match="cluster demo is protected from deletion; set spec"):
            await cell.delete()
        assert "deletionTimestamp" not in cell.get("Cluster", "demo")["metadata"]
        await cell.set_spec(deletionProtection=False)
        await cell.delete()
        await cell.until_gone()


async def test_protection_that_comes_after_the_deletion_keeps_the_masters_and_all_care_until_it_goes(
    cell: Cell, client: Client
) -> None:
    cell.kubelet.collects_pods = True
    async with cell.operator():
        await cell.declare()
        await cell.until_ready()
    pods = [pod["metadata"]["uid"] for pod in cell.all("Pod")]
    await cell.delete()
    await cell.set_spec(deletionProtection=True)
    async with cell.operator():
        told = await cell.until_condition("Accepted", "DeletionProtected")
        assert "set it to false to let the deletion go on" in told["message"]
        assert [pod["metadata"]["uid"] for pod in cell.all("Pod")] == pods
        await client.delete(KINDS["Service"], "demo-etcd", cell.namespace)
        await cell.until_told("Repaired", "put back Service demo-etcd")
        assert cell.condition("Accepted")["reason"] == "DeletionProtected"
        await cell.set_spec(deletionProtection=False)
        await cell.until_gone()
    assert not left_of(cell, "demo")


@pytest.mark.parametrize("spec", [{"packageVersion": "none"}, {"paused": True}])
async def test_a_cluster_that_never_began_is_deleted_at_once(cell: Cell, spec: dict[str, Any]) -> None:
    async with cell.operator():
        await cell.declare(**spec)
        await cell.kubelet.until(lambda: cell.condition("Accepted"), "it is looked at")
        await cell.delete()
        await cell.until_gone()


async def test_a_cluster_is_deleted_in_the_middle_of_its_creation_also_while_paused(cell: Cell) -> None:
    cell.kubelet.collects_pods = True
    cell.kubelet.behave("hold", "etcd")
    async with cell.operator():
        await cell.declare()
        await cell.until_condition("EtcdReady", "Progressing")
        await cell.set_spec(paused=True)
        await cell.until_condition("Accepted", "Paused")
        await cell.delete()
        await cell.until_gone()
    assert not left_of(cell, "demo")


async def test_a_cluster_is_deleted_in_the_middle_of_an_upgrade(cell: Cell) -> None:
    cell.kubelet.collects_pods = True
    cell.kubelet.behave("start", "homeostat.local/kube-apiserver:v1.35.4")
    async with cell.operator():
        await cell.declare(packageVersion="v1.34.4")
        await cell.until_ready()
        await cell.set_spec(packageVersion="v1.35.4")
        await cell.kubelet.until(
            lambda: any(_image(pod).endswith("kube-apiserver:v1.35.4") for pod in cell.all("Pod")), "one is tried"
        )
        assert cell.status()["upgrade"]["to"] == "v1.35.4"
        await cell.delete()
        await cell.until_gone()
    assert not left_of(cell, "demo")


def _image(pod: Whole) -> str:
    return str(pod["spec"]["containers"][0]["image"])


async def test_a_successor_of_the_same_name_is_another_cluster(cell: Cell) -> None:
    cell.kubelet.collects_pods = True
    async with cell.operator():
        await cell.declare()
        await cell.until_ready()
        old = cell.get("Secret", "demo-pki")["data"]["ca.crt"]
        await cell.delete()
        await cell.until_gone()
        made = await cell.declare()
        await cell.kubelet.until(
            lambda: (
                cell.condition("Ready").get("status") == "True"
                and cell.get("Cluster", "demo")["metadata"]["uid"] == made["metadata"]["uid"]
            ),
            "the successor is Ready",
        )
    assert cell.get("Secret", "demo-pki")["data"]["ca.crt"] != old


async def test_a_successor_of_one_that_was_forgotten_by_force_does_not_begin_on_its_volumes(cell: Cell) -> None:
    async with cell.operator():
        await cell.declare()
        await cell.until_ready()
        (volume,) = cell.all("PersistentVolumeClaim")
    await cell.client.merge_patch(KINDS["Cluster"], "demo", {"metadata": {"finalizers": None}}, cell.namespace)
    await cell.delete()
    for kind in ("StatefulSet", "Deployment", "Pod", "Service", "Secret", "ConfigMap", "PodDisruptionBudget"):
        for obj in cell.all(kind):  # what Kubernetes does to objects without their owner; claims have none
            with suppress(NotFound):
                await cell.client.delete(KINDS[kind], obj["metadata"]["name"], cell.namespace, grace_s=0)
    async with cell.operator():
        await cell.declare()
        told = await cell.until_condition("Accepted", "NameConflict")
        assert "PersistentVolumeClaim data-demo-etcd-0 is not of this Cluster and is not touched" in told["message"]
        assert cell.all("StatefulSet") == []
        assert cell.get("PersistentVolumeClaim", "data-demo-etcd-0")["metadata"]["uid"] == volume["metadata"]["uid"]
        await cell.client.delete(KINDS["PersistentVolumeClaim"], "data-demo-etcd-0", cell.namespace)
        await cell.until_ready()
    assert cell.get("PersistentVolumeClaim", "data-demo-etcd-0")["metadata"]["uid"] != volume["metadata"]["uid"]
