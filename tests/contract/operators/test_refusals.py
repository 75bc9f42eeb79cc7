"""What the operator does not do, and how it says so: foreign objects, unknown packages, upgrades, taken addresses."""

from __future__ import annotations

import re

import pytest
from tests.support.cells import PACKAGE, Cell
from tests.support.kinds import bent, example
from tests.support.kubelet import KINDS, Whole

from homeostat.api.cluster.v1alpha1 import CLUSTER_PACKAGE_VERSION
from homeostat.api.kind import unstructured

PACKAGE_VERSION = unstructured(CLUSTER_PACKAGE_VERSION.resource)


def foreign(kind: str, name: str, namespace: str) -> Whole:
    """An object of somebody else's that bears a name that a Cluster `demo` needs."""
    labels = {"app": "other"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    workload = {"replicas": 0, "selector": {"matchLabels": labels}, "template": template}
    specs: dict[str, Whole] = {
        "Secret": {"data": {"a": "Yg=="}},
        "Service": {"spec": {"ports": [{"port": 80}]}},
        "Deployment": {"spec": workload},
        "StatefulSet": {"spec": {**workload, "serviceName": "other"}},
    }
    return {"metadata": {"name": name, "namespace": namespace}, **specs[kind]}


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("Secret", "demo-pki"),
        ("Secret", "demo-admin-kubeconfig"),
        ("Service", "demo-etcd"),
        ("StatefulSet", "demo-etcd"),
        ("Deployment", "demo-scheduler"),
    ],
)
async def test_a_foreign_object_of_a_name_we_need_is_named_and_not_touched(cell: Cell, kind: str, name: str) -> None:
    stranger = await cell.client.create(KINDS[kind], foreign(kind, name, cell.namespace))
    async with cell.operator(haste=40):
        await cell.declare()
        told = await cell.until_condition("Accepted", "NameConflict")
        assert told["message"].startswith(f"{kind} {cell.namespace}/{name} is not of this Cluster and is not touched")
        assert cell.condition("Ready")["status"] == "False"
        now = cell.get(kind, name)
        for part in ("spec", "data"):
            assert now.get(part) == stranger.get(part)
        assert now["metadata"].get("labels") == stranger["metadata"].get("labels")
        assert "ownerReferences" not in now["metadata"]
        await cell.client.delete(KINDS[kind], name, cell.namespace)
        await cell.until_ready()


async def test_a_package_version_that_does_not_exist_is_told_until_it_appears(cell: Cell) -> None:
    name = f"late-{cell.namespace}"
    async with cell.operator() as operator:
        await cell.declare(packageVersion=name)
        told = await cell.until_condition("Accepted", "PackageVersionNotFound")
        missing = f"spec.packageVersion: there is no ClusterPackageVersion '{name}'"
        assert told["message"] == f"{missing}; create it, or name another one"
        assert cell.status()["phase"] == "Pending"
        assert {sent.path.rpartition("/")[2] for sent in operator.faults.writes} == {"status"}
        await cell.client.create(PACKAGE_VERSION, package(name))
        assert (await cell.until_ready())["packageVersion"] == name
    await cell.client.delete(PACKAGE_VERSION, name)


async def test_another_package_version_may_be_named_before_the_first_was_found(cell: Cell) -> None:
    async with cell.operator():
        await cell.declare(packageVersion="mistyped")
        await cell.until_condition("Accepted", "PackageVersionNotFound")
        await cell.set_spec(packageVersion=PACKAGE)
        await cell.until_ready()


async def test_without_its_package_version_a_cluster_runs_on_and_says_so(cell: Cell) -> None:
    name = f"gone-{cell.namespace}"
    await cell.client.create(PACKAGE_VERSION, package(name))
    async with cell.operator():
        await cell.declare(packageVersion=name)
        await cell.until_ready()
        pods = [pod["metadata"]["uid"] for pod in cell.all("Pod")]
        await cell.client.delete(PACKAGE_VERSION, name)
        told = await cell.until_condition("Accepted", "PackageVersionNotFound")
        assert told["message"].endswith("the masters run on, but are not repaired")
        assert cell.condition("Ready")["status"] == "True"
        await cell.client.create(PACKAGE_VERSION, package(name))
        await cell.until_condition("Accepted", "AsDeclared")
    assert [pod["metadata"]["uid"] for pod in cell.all("Pod")] == pods
    await cell.client.delete(PACKAGE_VERSION, name)


async def test_one_made_anew_with_other_content_is_refused_and_no_master_is_touched(cell: Cell) -> None:
    name = f"forged-{cell.namespace}"
    await cell.client.create(PACKAGE_VERSION, package(name))
    async with cell.operator():
        await cell.declare(packageVersion=name)
        await cell.until_ready()
        before = workloads(cell)
        await cell.client.delete(PACKAGE_VERSION, name)
        await cell.until_condition("Accepted", "PackageVersionNotFound")
        forged = bent(package(name), {"spec.components.1.args.profiling": "true"})
        await cell.client.create(PACKAGE_VERSION, forged)
        told = await cell.until_condition("Accepted", "PackageVersionChanged")
        assert f"'{name}' was made anew with other content" in told["message"]
    async with cell.operator():  # one that never saw the other content knows as well
        await cell.until_condition("UpToDate", "AsDeclared")
        assert cell.condition("Accepted")["reason"] == "PackageVersionChanged"
        assert workloads(cell) == before
        await cell.client.delete(PACKAGE_VERSION, name)
        await cell.client.create(PACKAGE_VERSION, package(name))
        await cell.until_condition("Accepted", "AsDeclared")
    assert workloads(cell) == before
    await cell.client.delete(PACKAGE_VERSION, name)


async def test_one_that_nobody_has_as_it_was_is_taken_when_its_digest_is_approved(cell: Cell) -> None:
    name = f"approved-{cell.namespace}"
    await cell.client.create(PACKAGE_VERSION, package(name))
    async with cell.operator():
        await cell.declare(packageVersion=name)
        await cell.until_ready()
        await cell.client.delete(PACKAGE_VERSION, name)
        await cell.until_condition("Accepted", "PackageVersionNotFound")
        other = bent(package(name), {"spec.components.1.args.goaway-chance": "0.002"})
        await cell.client.create(PACKAGE_VERSION, other)
        told = await cell.until_condition("Accepted", "PackageVersionChanged")
        (found,) = re.findall(r"approveContent to ([0-9a-f]+)", told["message"])
        await cell.set_spec(upgradePolicy={"approveContent": found})
        await cell.kubelet.until(lambda: "--goaway-chance=0.002" in str(cell.get("Deployment", "demo-apiserver")), name)
        await cell.until_ready()
        await cell.set_spec(upgradePolicy={"approveContent": ""})
        await cell.until_condition("Accepted", "AsDeclared")
    await cell.client.delete(PACKAGE_VERSION, name)


def workloads(cell: Cell) -> dict[str, int]:
    """How often each was changed."""
    found = [*cell.all("Deployment"), *cell.all("StatefulSet")]
    return {each["metadata"]["name"]: each["metadata"]["generation"] for each in found}


def package(name: str) -> Whole:
    return bent(example(f"packageversions/{PACKAGE}.yaml"), {"metadata.name": name})


async def test_an_unknown_package_version_is_told_and_the_masters_run_on_and_are_mended(cell: Cell) -> None:
    cell.kubelet.collects_pods = True
    async with cell.operator():
        await cell.declare()
        await cell.until_ready()
        await cell.set_spec(packageVersion="v1.36.0")
        told = await cell.until_condition("Accepted", "PackageVersionNotFound")
        assert "there is no ClusterPackageVersion 'v1.36.0'" in told["message"]
        assert cell.condition("Available")["status"] == "True"
        assert cell.status()["packageVersion"] == PACKAGE
        uid = cell.get("Deployment", "demo-scheduler")["metadata"]["uid"]
        await cell.client.delete(KINDS["Deployment"], "demo-scheduler", cell.namespace)
        await cell.kubelet.until(
            lambda: (found := cell.find("Deployment", "demo-scheduler")) and found["metadata"]["uid"] != uid, "mended"
        )
        await cell.set_spec(packageVersion=PACKAGE)
        await cell.until_condition("Accepted", "AsDeclared")
        await cell.until_ready()


async def test_an_address_belongs_to_the_older_cluster_until_that_is_gone(cell: Cell) -> None:
    cell.kubelet.collects_pods = True
    async with cell.operator():
        await cell.declare("older", endpoint__address="10.9.9.9")
        await cell.until_ready("older")
        await cell.declare("younger", endpoint__address="10.9.9.9")
        told = await cell.until_condition("Accepted", "AddressTaken", "younger")
        assert f"10.9.9.9 is asked for by the older Cluster {cell.namespace}/older" in told["message"]
        assert not cell.find("Service", "younger-apiserver")
        await cell.delete("older")
        await cell.until_gone("older")
        await cell.until_ready("younger")
