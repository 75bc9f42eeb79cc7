"""An operator that a package version hosts comes, moves and goes with it, and whoever dies in between finishes it."""

from __future__ import annotations

from base64 import b64decode
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from tests.support.cells import Cell
from tests.support.kinds import bent, example
from tests.support.kubelet import KINDS, Whole

from homeostat.api.cluster.v1alpha1 import CLUSTER_PACKAGE_VERSION
from homeostat.api.kind import unstructured
from homeostat.kit.pki.authority import LEAF_LIFE
from homeostat.kube.target import Config
from homeostat.operators.cluster.pki.kubeconfig import read_kubeconfig

PLAIN, HOSTED = "v1.35.4", "v1.35.4-hosted"
OPERATOR, NAME = "homeostat", "demo-op-homeostat"
PACKAGE_VERSION = unstructured(CLUSTER_PACKAGE_VERSION.resource)


@pytest.fixture(autouse=True)
def collecting(cell: Cell) -> None:
    """Pods go with what they belong to, as in a real cell."""
    cell.kubelet.collects_pods = True


def component(cell: Cell) -> Whole:
    return next((each for each in cell.status().get("components", ()) if each["name"] == OPERATOR), {})


def kubeconfig(cell: Cell) -> Config:
    """What it knows the business cluster by."""
    return read_kubeconfig(b64decode(cell.get("Secret", NAME)["data"]["kubeconfig"]))


def runs_out(config: Config) -> datetime:
    return x509.load_pem_x509_certificate(config.client_certificate).not_valid_after_utc


async def until_at(cell: Cell, version: str) -> None:
    def there() -> bool:
        return cell.status().get("packageVersion") == version and "upgrade" not in cell.status()

    await cell.kubelet.until(there, f"all are of {version}", within_s=60)
    await cell.until_ready(within_s=60)


def left(cell: Cell) -> list[str]:
    return [kind for kind in ("Deployment", "Secret") if cell.find(kind, NAME)]


async def test_a_cluster_is_made_with_it_and_removed_with_it(cell: Cell) -> None:
    async with cell.operator():
        await cell.declare(packageVersion=HOSTED)
        await cell.until_ready()
        assert (component(cell)["state"], component(cell)["ready"]) == ("Ready", 1)
        assert cell.rights.story == [f"granted {OPERATOR}"]
        assert set(cell.get("Secret", NAME)["data"]) == {"kubeconfig"}
        await cell.delete()
        await cell.until_gone()
    assert left(cell) == []


async def test_it_comes_and_goes_with_the_package_version_and_masters_stay(cell: Cell) -> None:
    async with cell.operator():
        await cell.declare(packageVersion=PLAIN)
        await cell.until_ready()
        masters = {each["metadata"]["uid"] for each in cell.all("Pod")}
        await cell.set_spec(packageVersion=HOSTED)
        await until_at(cell, HOSTED)
        assert component(cell)["packageVersion"] == HOSTED
        await cell.set_spec(packageVersion=PLAIN)
        await until_at(cell, PLAIN)
        await cell.kubelet.until(lambda: not left(cell) and not component(cell), "nothing is left of it")
    assert cell.rights.story == [f"granted {OPERATOR}", f"took back {OPERATOR}"]
    assert {each["metadata"]["uid"] for each in cell.all("Pod")} == masters


async def test_a_highly_available_cluster_has_two_of_it_in_two_zones_and_a_single_one_has_one_again(
    tall: Cell,
) -> None:
    cell = tall

    def replicas() -> list[int]:
        deployment = cell.find("Deployment", NAME)
        return [deployment["spec"]["replicas"], component(cell).get("ready", 0)] if deployment else []

    async with cell.operator(haste=5):
        await cell.declare(topology="ha", packageVersion=HOSTED)
        await cell.until_ready(within_s=60)
        assert replicas() == [2, 2]
        spread = cell.get("Deployment", NAME)["spec"]["template"]["spec"]["topologySpreadConstraints"]
        assert "topology.kubernetes.io/zone" in [each["topologyKey"] for each in spread]
        await cell.set_spec(topology="single")
        await cell.kubelet.until(lambda: replicas() == [1, 1], "one of it is left", within_s=60)
        await cell.until_ready(within_s=60)


async def test_its_kubeconfig_is_renewed_before_it_runs_out_and_read_anew(cell: Cell) -> None:
    def pods() -> set[str]:
        return {each["metadata"]["uid"] for each in cell.all("Pod") if each["metadata"]["name"].startswith(NAME)}

    async with cell.operator():
        await cell.declare(packageVersion=HOSTED)
        await cell.until_ready()
    before, until = pods(), runs_out(kubeconfig(cell))
    async with cell.operator(ahead=LEAF_LIFE - timedelta(days=1)):
        await cell.kubelet.until(lambda: runs_out(kubeconfig(cell)) > until + timedelta(days=300), "it is renewed")
        await cell.kubelet.until(lambda: pods() and not before & pods(), "it has read it anew")
        await cell.until_ready()


async def test_while_authorities_are_rotated_it_trusts_both_and_in_the_end_only_the_new_one(cell: Cell) -> None:
    def trusted() -> bytes:
        return kubeconfig(cell).ca

    async with cell.operator(haste=20):
        await cell.declare(packageVersion=HOSTED)
        await cell.until_ready()
        old, first = trusted(), kubeconfig(cell).client_certificate
        await cell.set_spec(keys={"rotations": {"authorities": 1}})
        await cell.until_condition("PKIReady", "RotationHeld")
        assert trusted().count(b"BEGIN CERTIFICATE") == 2
        await cell.set_spec(keys={"released": {"authorities": 1}})
        await cell.kubelet.until(lambda: "rotation" not in cell.status(), "it is over", within_s=90)
        await cell.until_ready()
    assert trusted().count(b"BEGIN CERTIFICATE") == 1
    assert trusted() != old
    assert kubeconfig(cell).client_certificate != first


async def test_it_does_not_begin_before_its_rights_are_granted_and_the_reason_is_told(cell: Cell) -> None:
    cell.rights.refused = {OPERATOR: 'namespaces "storage" not found'}
    async with cell.operator(haste=5):
        await cell.declare(packageVersion=HOSTED)
        told = await cell.until_condition("ControllersReady", "RightsRefused")
        assert 'homeostat: its rights in the business cluster are refused: namespaces "storage"' in told["message"]
        assert cell.find("Deployment", NAME) is None
        cell.rights.refused = {}
        await cell.until_ready()


async def test_a_move_to_rights_that_are_refused_fails_and_goes_back_by_itself(cell: Cell) -> None:
    cell.rights.refused = {OPERATOR: 'namespaces "storage" not found'}
    async with cell.operator(haste=30):
        await cell.declare(packageVersion=PLAIN, upgradePolicy={"onFailure": "Rollback"})
        await cell.until_ready()
        await cell.set_spec(packageVersion=HOSTED)
        told = await cell.until_condition("UpToDate", "RolledBack")
        assert 'refused: namespaces "storage" not found' in told["message"]
        await cell.kubelet.until(lambda: not left(cell), "nothing is left of it")


async def test_rights_that_are_lost_later_are_told_and_hold_up_no_move(cell: Cell) -> None:
    async with cell.operator():
        await cell.declare(packageVersion=HOSTED)
        await cell.until_ready()
    cell.rights.refused = {OPERATOR: 'namespaces "kube-system" not found'}
    async with cell.operator(haste=5):
        await cell.until_condition("ControllersReady", "RightsRefused")
        await cell.set_spec(packageVersion=PLAIN)
        await until_at(cell, PLAIN)


async def test_one_that_crashes_goes_back_by_itself_and_leaves_nothing(cell: Cell) -> None:
    cell.kubelet.behaviour[OPERATOR] = "crash"
    async with cell.operator(haste=30):
        await cell.declare(packageVersion=PLAIN, upgradePolicy={"onFailure": "Rollback"})
        await cell.until_ready()
        await cell.set_spec(packageVersion=HOSTED)
        told = await cell.until_condition("UpToDate", "RolledBack")
        assert f"{HOSTED} failed, so the masters went back to {PLAIN}: {OPERATOR}: " in told["message"]
        await cell.kubelet.until(lambda: not left(cell), "nothing is left of it")
    assert cell.rights.story[-1] == f"took back {OPERATOR}"


async def test_other_rights_reach_one_that_runs(cell: Cell) -> None:
    more = bent(example(f"packageversions/{HOSTED}.yaml"), {"metadata.name": "more-rights"})
    more["spec"]["components"][-1]["hosted"]["grants"][0]["resources"] = ["nodes", "pods"]
    await cell.client.apply(PACKAGE_VERSION, more, force=True)
    async with cell.operator():
        await cell.declare(packageVersion=HOSTED)
        await cell.until_ready()
        (pod,) = (each for each in cell.all("Pod") if each["metadata"]["name"].startswith(NAME))
        await cell.set_spec(packageVersion="more-rights")
        await until_at(cell, "more-rights")
        rules = cell.rights.granted[OPERATOR][0].body["rules"]
    assert ["nodes", "pods"] in [rule["resources"] for rule in rules]
    assert cell.find("Pod", pod["metadata"]["name"]) is not None, "the same program needs no restart for that"


async def test_a_deleted_secret_or_deployment_of_it_comes_back(cell: Cell) -> None:
    async with cell.operator():
        await cell.declare(packageVersion=HOSTED)
        await cell.until_ready()
        for kind in ("Deployment", "Secret"):
            uid = cell.get(kind, NAME)["metadata"]["uid"]
            await cell.client.delete(KINDS[kind], NAME, cell.namespace)

            def is_anew(kind: str = kind, uid: str = uid) -> bool:
                found = cell.find(kind, NAME)
                return found is not None and found["metadata"]["uid"] != uid

            await cell.kubelet.until(is_anew, f"the {kind} is back")
        await cell.until_ready()
