"""Bad input on real hosts: refused by the Deployment's own webhook, or told, with field and remedy."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from tests.support.business import create, declared, homeostat
from tests.support.datacentre import Centre, eventually
from tests.support.kinds import bent, example
from tests.support.masters import Masters

from homeostat.cli.exits import Exit

pytestmark = pytest.mark.real

NAMESPACE, OLD = "real-refusals", "v1.34.4"
BROKEN, FAR, LONG_AGO = "v1.35.99", "v1.36.99", "v1.32.99"  # package versions of nobody's images
Whole = dict[str, Any]


@pytest.fixture(scope="module")
def fed(centre: Centre) -> Iterator[Centre]:
    """A data centre with a Cluster that is well, and package versions that nobody can follow."""
    centre.kubectl("create", "namespace", NAMESPACE)
    new = example("packageversions/v1.35.4.yaml")
    components = new["spec"]["components"]
    hungry = [{**each, "image": each["image"].rpartition(":")[0] + ":v9.9.9"} for each in components]
    for name, changes in (
        (BROKEN, {"spec.components": hungry}),
        (FAR, of(components, "1.36.4")),
        (LONG_AGO, of(components, "1.32.4")),
    ):
        centre.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(bent(new, {"metadata.name": name, **changes})))
    try:
        create(centre, NAMESPACE, "fed", packageVersion=OLD)
        yield centre
    finally:
        centre.kubectl("delete", "clusters", "--all", "-n", NAMESPACE, "--timeout=120s")
        centre.kubectl("delete", "cpv", BROKEN, FAR, LONG_AGO)
        centre.kubectl("delete", "namespace", NAMESPACE, "--timeout=60s")


@pytest.fixture(autouse=True)
def no_master_of_another_cluster_is_touched(fed: Centre) -> Iterator[None]:
    """Whatever is refused or told: the Pods that ran before run on, and were not started again."""
    lives = Masters(fed, NAMESPACE, "fed").lives
    before = lives()
    yield
    assert lives() == before


def of(components: list[Whole], version: str) -> Whole:
    """What a package version of another Kubernetes says otherwise; nothing is ever made of it."""
    moved = [{**each, "version": each["version"].replace("1.35.4", version)} for each in components]
    return {"spec.components": moved, "spec.kubernetesVersion": f"v{version}"}


def condition(centre: Centre, name: str, type_: str) -> Whole:
    found = centre.get("cluster", name, "-n", NAMESPACE).get("status", {}).get("conditions", [])
    return next((one for one in found if one["type"] == type_), {})


REFUSED: dict[str, tuple[Whole, str]] = {
    "an argument that homeostat owns": (
        {"overrides": [{"name": "kube-apiserver", "args": {"etcd-servers": "https://elsewhere"}}]},
        "spec.overrides[kube-apiserver].args[etcd-servers]",
    ),
    "a field that does not exist": ({"replicas": 3}, ".spec.replicas"),
    "a value of another type": ({"paused": "yes"}, ".spec.paused"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_declaration_is_refused_for(fed: Centre, what: str) -> None:
    spec, told = REFUSED[what]
    done = homeostat(fed, "apply", "-n", NAMESPACE, "-f", "-", stdin=declared("bad", **spec), check=False)
    assert (done.returncode, told in done.stderr) == (Exit.REFUSED, True), done.stderr
    assert fed.kubectl("get", "cluster", "bad", "-n", NAMESPACE, "--ignore-not-found") == ""


def test_an_endpoint_address_that_another_cluster_asked_for_is_refused_with_its_name(fed: Centre) -> None:
    address = {"address": fed.get("cluster", "fed", "-n", NAMESPACE)["status"]["endpoint"]["host"]}
    first = declared("first", endpoint=address, packageVersion="v0.0.0")  # nothing is made of it
    homeostat(fed, "apply", "-n", NAMESPACE, "-f", "-", stdin=first)

    def refused() -> bool:
        second = declared("second", endpoint=address)
        done = homeostat(fed, "apply", "-n", NAMESPACE, "-f", "-", "--dry-run=server", stdin=second, check=False)
        return f"{address['address']} is the address of Cluster {NAMESPACE}/first" in done.stderr

    eventually(refused, within_s=20)  # the webhook's cache has the first one
    homeostat(fed, "delete", "cluster", "first", "-n", NAMESPACE, "--wait")


def test_a_package_version_in_use_cannot_be_deleted_and_its_users_are_named(fed: Centre) -> None:
    done = homeostat(fed, "delete", "packageversion", OLD, check=False)
    assert done.returncode != Exit.OK
    assert f"ClusterPackageVersion {OLD} is used by " in done.stderr
    assert f"{NAMESPACE}/fed" in done.stderr


def test_a_package_version_is_neither_edited_nor_replaced_by_force(fed: Centre) -> None:
    before = fed.get("cpv", OLD)
    edited = bent(before, {"spec.components.1.args.profiling": "true"})
    for force in ((), ("--force", "--grace-period=0")):
        with pytest.raises(AssertionError, match=f"cannot be changed|{OLD} is used by"):
            fed.kubectl("replace", *force, "-f", "-", stdin=json.dumps(edited))
    assert fed.get("cpv", OLD)["spec"] == before["spec"]


@pytest.mark.parametrize(("to", "path"), [(FAR, "1.34 -> 1.35 -> 1.36"), (LONG_AGO, "1.34 -> 1.33 -> 1.32")])
def test_a_skipped_minor_is_refused_with_the_path_up_and_down(fed: Centre, to: str, path: str) -> None:
    done = homeostat(fed, "upgrade", "cluster", "fed", "-n", NAMESPACE, "--to", to, check=False)
    assert (done.returncode, path in done.stderr) == (Exit.REFUSED, True), done.stderr
    patch = json.dumps({"spec": {"packageVersion": to}})
    fed.kubectl("patch", "cluster", "fed", "-n", NAMESPACE, "--type=merge", "-p", patch)
    try:
        eventually(lambda: condition(fed, "fed", "Accepted")["reason"] == "UpgradeRefused", within_s=30)
        assert path in condition(fed, "fed", "Accepted")["message"]
    finally:
        back = json.dumps({"spec": {"packageVersion": OLD}})
        fed.kubectl("patch", "cluster", "fed", "-n", NAMESPACE, "--type=merge", "-p", back)
    eventually(lambda: condition(fed, "fed", "Ready")["status"] == "True", within_s=30)


def test_a_snapshot_that_is_not_of_the_cluster_that_is_named_begins_nothing(fed: Centre) -> None:
    homeostat(fed, "backup", "cluster", "fed", "-n", NAMESPACE, "--wait")
    taken = fed.get("cluster", "fed", "-n", NAMESPACE)["status"]["backup"]["last"]["id"]
    stranger = {"namespace": NAMESPACE, "name": "stranger", "uid": "0c7f6ad2-5b1c-4f0e-9d3a-2f4f6a1f7b11"}
    wish = declared("thief", restoreFrom={"snapshot": taken, "cluster": stranger}, packageVersion=OLD)
    homeostat(fed, "apply", "-n", NAMESPACE, "-f", "-", stdin=wish)
    eventually(lambda: condition(fed, "thief", "Accepted").get("reason") == "RestoreRefused", within_s=60)
    assert taken in condition(fed, "thief", "Accepted")["message"]
    assert fed.get("pods", "-n", NAMESPACE, "-l", "cluster.homeostat.dev/name=thief")["items"] == []
    homeostat(fed, "delete", "cluster", "thief", "-n", NAMESPACE, "--wait")


def test_a_version_whose_images_nobody_has_is_told_with_image_and_host(fed: Centre) -> None:
    homeostat(fed, "apply", "-n", NAMESPACE, "-f", "-", stdin=declared("hungry", packageVersion=BROKEN))
    eventually(lambda: condition(fed, "hungry", "Ready").get("reason") == "ImageUnavailable", within_s=60)
    message = condition(fed, "hungry", "Ready")["message"]
    host = fed.get("pod", "hungry-etcd-0", "-n", NAMESPACE)["spec"]["nodeName"]
    assert "homeostat.local/etcd:v9.9.9" in message
    assert host in message
    homeostat(fed, "delete", "cluster", "hungry", "-n", NAMESPACE, "--wait")
