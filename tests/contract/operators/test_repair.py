"""What people change by hand comes back, and what is theirs stays."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest
from tests.support.cells import Cell
from tests.support.kubelet import KINDS, Whole

SERVICES = ("demo-etcd", "demo-etcd-client", "demo-apiserver")
DEPLOYMENTS = ("demo-apiserver", "demo-controller-manager", "demo-scheduler")
LEAVES = ("demo-etcd", "demo-apiserver", "demo-controller-manager", "demo-scheduler", "demo-admin-kubeconfig")
DERIVED = (
    *(("Service", name) for name in SERVICES),
    *(("Deployment", name) for name in DEPLOYMENTS),
    ("StatefulSet", "demo-etcd"),
    ("ConfigMap", "demo-etcd"),
    ("ConfigMap", "demo-apiserver"),
    ("PodDisruptionBudget", "demo-etcd"),
    ("PodDisruptionBudget", "demo-apiserver"),
    *(("Secret", name) for name in LEAVES),
)
GARBAGE = b64encode(b"garbage").decode()


async def patch(cell: Cell, kind: str, name: str, change: dict[str, Any]) -> None:
    """Edit as a person does, and wait until the edit shows, or what came after it."""
    done = await cell.client.merge_patch(KINDS[kind], name, change, cell.namespace, field_manager="kubectl-edit")
    await cell.kubelet.until(lambda: version(cell.find(kind, name)) >= version(done), "the edit shows")


def version(obj: Whole | None) -> int:
    return int((obj or {"metadata": {}})["metadata"].get("resourceVersion", "0"))


def spec_of(obj: Whole | None) -> Any:
    return (obj or {}).get("spec")


def note_of(obj: Whole, note: str) -> Any:
    return obj["metadata"].get("annotations", {}).get(note)


async def test_whatever_is_deleted_by_hand_is_made_again(cell: Cell) -> None:
    cell.kubelet.collects_pods = True
    async with cell.operator():
        await cell.declare()
        before = await cell.until_ready()
        claim = cell.get("PersistentVolumeClaim", "data-demo-etcd-0")
        authority = cell.get("Secret", "demo-pki")
        for kind, name in DERIVED:
            uid = cell.get(kind, name)["metadata"]["uid"]
            await cell.client.delete(KINDS[kind], name, cell.namespace)
            await cell.kubelet.until(
                lambda: (found := cell.find(kind, name)) and found["metadata"]["uid"] != uid,  # noqa: B023
                f"{kind} {name} is back",
            )
        await cell.kubelet.until(lambda: is_settled(cell), "all is ready again")
    assert cell.status()["endpoint"] == before["endpoint"]
    assert cell.status()["readyAt"] == before["readyAt"]
    assert cell.get("Secret", "demo-pki") == authority
    assert cell.get("PersistentVolumeClaim", "data-demo-etcd-0")["metadata"]["uid"] == claim["metadata"]["uid"]


async def test_a_service_that_is_made_again_has_the_address_that_clients_know(cell: Cell) -> None:
    async with cell.operator():
        await cell.declare()
        endpoint = (await cell.until_ready())["endpoint"]["host"]
        await cell.client.delete(KINDS["Service"], "demo-apiserver", cell.namespace)
        given = await cell.kubelet.until(
            lambda: (cell.find("Service", "demo-apiserver") or {}).get("status", {}).get("loadBalancer"),
            "the new Service has an address",
        )
    assert given == {"ingress": [{"ip": endpoint, "ipMode": "VIP"}]}


@pytest.mark.parametrize(
    ("kind", "name", "change"),
    [
        ("Service", "demo-etcd", {"publishNotReadyAddresses": False}),
        ("Service", "demo-apiserver", {"selector": {"app": "other"}}),
        ("Service", "demo-apiserver", {"ports": [{"name": "https", "port": 7443, "targetPort": 6443}]}),
        ("Service", "demo-etcd-client", {"trafficDistribution": None}),
        ("PodDisruptionBudget", "demo-etcd", {"maxUnavailable": 3}),
        ("PodDisruptionBudget", "demo-apiserver", {"selector": {"matchLabels": {"app": "other"}}}),
        ("Deployment", "demo-apiserver", {"replicas": 0}),
        ("Deployment", "demo-scheduler", {"template": {"spec": {"terminationGracePeriodSeconds": 1}}}),
        ("StatefulSet", "demo-etcd", {"template": {"metadata": {"annotations": {"cluster.homeostat.dev/x": "y"}}}}),
    ],
)
async def test_an_edited_field_of_ours_is_put_back(cell: Cell, kind: str, name: str, change: dict[str, Any]) -> None:
    async with cell.operator():
        await cell.declare()
        await cell.until_ready()
        before = spec_of(cell.get(kind, name))
        await patch(cell, kind, name, {"spec": change})
        await cell.kubelet.until(lambda: is_ours(spec_of(cell.find(kind, name)), before), "the edit is undone")


async def test_an_edited_membership_is_put_back(cell: Cell) -> None:
    async with cell.operator():
        await cell.declare()
        await cell.until_ready()

        def told() -> Whole:
            return dict(cell.get("ConfigMap", "demo-etcd")["data"])

        await cell.kubelet.until(lambda: told()["initial-cluster-state"] == "existing", "it is said to be formed")
        before = told()
        await patch(cell, "ConfigMap", "demo-etcd", {"data": {"initial-cluster": "x=y"}})
        await cell.kubelet.until(lambda: told() == before, "the edit is undone")


def is_ours(spec: Any, before: Any) -> bool:
    """Whether a spec is as before, but for what others added to it."""
    if isinstance(before, dict):
        return isinstance(spec, dict) and all(is_ours(spec.get(key), value) for key, value in before.items())
    return bool(spec == before)


def is_settled(cell: Cell) -> bool:
    """Whether the cluster is Ready, and every workload is rolled out."""
    workloads = [*cell.all("Deployment"), *cell.all("StatefulSet")]
    return (
        len(workloads) == 4
        and all(each["status"].get("readyReplicas") == each["status"].get("replicas") == 1 for each in workloads)
        and all(each["status"]["observedGeneration"] == each["metadata"]["generation"] for each in workloads)
        and cell.condition("Ready").get("status") == "True"
    )


async def test_labels_and_owners_of_ours_come_back_without_a_restart(cell: Cell) -> None:
    names = (("Deployment", "demo-apiserver"), ("Service", "demo-etcd"), ("Secret", "demo-etcd"))
    async with cell.operator():
        await cell.declare()
        await cell.until_ready()
        pods = {pod["metadata"]["uid"] for pod in cell.all("Pod")}
        for kind, name in names:
            wanted = cell.get(kind, name)["metadata"]["labels"]
            await patch(cell, kind, name, {"metadata": {"labels": {"cluster.homeostat.dev/name": None}}})
            await cell.kubelet.until(
                lambda: cell.get(kind, name)["metadata"].get("labels") == wanted,  # noqa: B023
                f"the label of {kind} {name} is back",
            )
        await cell.kubelet.until(lambda: is_settled(cell), "all is ready again")
    assert {pod["metadata"]["uid"] for pod in cell.all("Pod")} == pods


async def test_what_others_add_stays_and_is_no_repair(cell: Cell) -> None:
    theirs = {"metadata": {"annotations": {"example.org/team": "red"}, "labels": {"example.org/team": "red"}}}
    async with cell.operator():
        await cell.declare()
        await cell.until_ready()
        for kind, name in DERIVED:
            await patch(cell, kind, name, theirs)
        await cell.kubelet.until(
            lambda: all(note_of(cell.get(kind, name), "example.org/team") for kind, name in DERIVED), "all are edited"
        )
        # Something of ours is mended after all of these edits, so each has been looked at.
        await patch(cell, "Deployment", "demo-scheduler", {"spec": {"replicas": 3}})
        await cell.kubelet.until(
            lambda: cell.get("Deployment", "demo-scheduler")["spec"]["replicas"] == 1, "the edit is undone"
        )
        told = await cell.until_told("Repaired", "put back Deployment demo-scheduler")
    for kind, name in DERIVED:
        metadata = cell.get(kind, name)["metadata"]
        assert metadata["annotations"]["example.org/team"] == metadata["labels"]["example.org/team"] == "red"
    assert told == ["put back Deployment demo-scheduler"]


async def test_every_entry_of_every_leaf_secret_edited_to_garbage_is_made_anew(cell: Cell) -> None:
    async with cell.operator():
        await cell.declare()
        await cell.until_ready()
        for name in LEAVES:
            content = cell.get("Secret", name)["data"]
            await patch(cell, "Secret", name, {"data": dict.fromkeys(content, GARBAGE)})
            await cell.kubelet.until(
                lambda: GARBAGE not in cell.get("Secret", name)["data"].values(),  # noqa: B023
                f"Secret {name} is whole again",
            )
        await cell.kubelet.until(lambda: is_settled(cell), "all is ready again")


async def test_a_leaf_secret_edited_to_garbage_is_issued_anew_under_who_reads_it(cell: Cell) -> None:
    async with cell.operator():
        await cell.declare()
        await cell.until_ready()
        old = cell.get("Secret", "demo-etcd")["data"]
        pod = cell.get("Pod", "demo-etcd-0")["metadata"]["uid"]
        await patch(cell, "Secret", "demo-etcd", {"data": {"server.crt": GARBAGE, "theirs": GARBAGE}})
        await cell.until_told("Repaired", "made Secret demo-etcd anew: server.crt is not a certificate in PEM")
        await cell.kubelet.until(lambda: is_settled(cell), "all is ready again")
    assert cell.get("Pod", "demo-etcd-0")["metadata"]["uid"] == pod
    new = cell.get("Secret", "demo-etcd")["data"]
    assert new["theirs"] == GARBAGE
    assert new["server.crt"] not in (GARBAGE, old["server.crt"])
    assert new["etcd-ca.crt"] == old["etcd-ca.crt"]


@pytest.mark.parametrize("how", ["garbage", "deleted"])
async def test_an_authority_that_is_damaged_or_lost_is_told_and_never_made_anew(cell: Cell, how: str) -> None:
    async with cell.operator() as operator:
        await cell.declare()
        await cell.until_ready()
        whole = cell.get("Secret", "demo-pki")
        leaves = {name: cell.get("Secret", name)["data"] for name in LEAVES}
        pods = {pod["metadata"]["uid"] for pod in cell.all("Pod")}
        if how == "garbage":
            await patch(cell, "Secret", "demo-pki", {"data": {"ca.key": GARBAGE}})
            told = await cell.until_condition("PKIReady", "AuthorityDamaged")
            assert "ca.key is not a private key in PEM" in told["message"]
        else:
            await cell.client.delete(KINDS["Secret"], "demo-pki", cell.namespace)
            told = await cell.until_condition("PKIReady", "AuthorityLost")
        assert told["status"] == "False"
        assert "demo-pki" in told["message"]
        assert "restore it from a backup" in told["message"]
        assert cell.condition("Ready")["reason"] == told["reason"]
        begun = len(operator.faults.writes)
        # Another change makes it look again; it must not begin to issue.
        await patch(cell, "Secret", "demo-etcd", {"data": {"server.crt": GARBAGE}})
        await restore(cell, whole)
        await cell.until_told("Repaired", "made Secret demo-etcd anew: server.crt is not a certificate in PEM")
        await cell.kubelet.until(lambda: is_settled(cell), "all is ready again")
        assert not [sent for sent in operator.faults.writes[begun:] if sent.path.endswith("/secrets/demo-pki")]
    assert cell.get("Secret", "demo-pki")["data"] == whole["data"]
    assert {name: cell.get("Secret", name)["data"] for name in LEAVES if name != "demo-etcd"} == {
        name: data for name, data in leaves.items() if name != "demo-etcd"
    }
    assert {pod["metadata"]["uid"] for pod in cell.all("Pod")} == pods


async def restore(cell: Cell, backup: Whole) -> None:
    """Put a Secret back as a backup tool does."""
    kept = {key: backup["metadata"][key] for key in ("name", "namespace", "labels", "ownerReferences")}
    body = {"metadata": kept, "data": backup["data"], "type": backup["type"]}
    await cell.client.apply(KINDS["Secret"], body, force=True, field_manager="backup")


async def test_a_status_edited_by_hand_is_put_back(cell: Cell) -> None:
    async with cell.operator():
        await cell.declare()
        before = await cell.until_ready()
        await cell.client.merge_patch(
            KINDS["Cluster"], "demo", {"status": {"phase": "Perfect"}}, cell.namespace, subresource="status"
        )
        await cell.kubelet.until(lambda: cell.status().get("phase") == "Perfect", "the edit is there")
        await cell.kubelet.until(lambda: cell.status() == before, "the edit is undone")
