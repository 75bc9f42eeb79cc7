"""Writes that would hurt a cluster are refused before they are stored, by the name of whom they would hurt."""

from __future__ import annotations

from msgspec.structs import replace
from tests.support.clusters import cluster, package

from homeostat.api.admission import Operation
from homeostat.api.cluster.v1alpha1 import Cluster, ClusterPackageVersion, ClusterStatus
from homeostat.operators.cluster.admission import cluster_validator, package_validator
from homeostat.operators.cluster.informers import INDEXES
from homeostat.runtime.store import Store
from homeostat.runtime.webhook.asking import ALLOWED, Request, Verdict

ADDRESS = {"address": "10.100.1.7"}
MISSING = ("spec.packageVersion: there is no ClusterPackageVersion v9.9.9 yet; the Cluster waits until there is",)


def caches(*clusters: Cluster) -> Store[Cluster]:
    """The Clusters there are."""
    store: Store[Cluster] = Store(INDEXES)
    for each in clusters:
        store.put(each.metadata.key, each)
    return store


def packages() -> Store[ClusterPackageVersion]:
    """The one package version that there is."""
    store: Store[ClusterPackageVersion] = Store()
    store.put("v1.35.4", package())
    return store


def deleting(*clusters: Cluster) -> Verdict:
    """What is said of the deletion of v1.35.4."""
    request = Request(operation="DELETE", name="v1.35.4", old=package())
    return package_validator([caches(*clusters)])(request)


def declaring(new: Cluster, *others: Cluster, old: Cluster | None = None) -> Verdict:
    """What is said of a Cluster as it would be."""
    operation: Operation = "CREATE" if old is None else "UPDATE"
    meta = new.metadata
    request = Request(operation=operation, name=meta.name, namespace=meta.namespace, object=new, old=old)
    return cluster_validator([caches(*others)], packages())(request)


def test_a_package_version_that_nobody_uses_may_go() -> None:
    assert deleting() == ALLOWED
    assert deleting(cluster(packageVersion="v1.34.4")) == ALLOWED


def test_a_package_version_in_use_stays_and_its_users_are_named() -> None:
    (cause,) = deleting(cluster("shop"), cluster("bank")).causes
    assert cause.message == "ClusterPackageVersion v1.35.4 is used by 2 Clusters: default/bank, default/shop"
    assert cause.remedy == "delete these first, or keep it"
    assert cause.field == ""


def test_of_many_users_five_are_named_and_the_rest_is_counted() -> None:
    (cause,) = deleting(*(cluster(f"c-{number}") for number in range(12))).causes
    assert cause.message.count("default/c-") == 5
    assert cause.message.endswith("and 7 more")


def test_masters_that_run_on_a_package_version_need_it_whatever_is_declared() -> None:
    moved = replace(cluster("shop", packageVersion="v1.34.4"), status=ClusterStatus(package_version="v1.35.4"))
    (cause,) = deleting(moved).causes
    assert "used by 1 Cluster: default/shop" in cause.message


def test_users_are_found_in_every_namespace_that_is_watched() -> None:
    request = Request(operation="DELETE", name="v1.35.4", old=package())
    (cause,) = package_validator([caches(cluster("shop")), caches(cluster("bank"))])(request).causes
    assert "2 Clusters: default/bank, default/shop" in cause.message


def test_a_cluster_may_come_before_its_package_version_with_a_warning() -> None:
    assert declaring(cluster()) == ALLOWED
    assert declaring(cluster(packageVersion="v9.9.9")) == Verdict(warnings=MISSING)


def test_a_change_of_spec_warns_again_and_other_changes_do_not() -> None:
    old = cluster(packageVersion="v9.9.9")
    assert declaring(cluster(packageVersion="v9.9.9", paused=True), old=old) == Verdict(warnings=MISSING)
    assert declaring(old, old=old) == ALLOWED


def test_an_address_that_another_cluster_asks_for_is_refused_by_its_name() -> None:
    (cause,) = declaring(cluster("new", endpoint=ADDRESS), cluster("shop", endpoint=ADDRESS)).causes
    assert cause.field == "spec.endpoint.address"
    assert cause.message == "10.100.1.7 is the address of Cluster default/shop"


def test_a_cluster_that_is_declared_again_is_not_its_own_rival() -> None:
    shop = cluster("shop", endpoint=ADDRESS)
    assert declaring(shop, shop) == ALLOWED


def test_a_cluster_that_has_a_rival_already_may_still_be_changed() -> None:
    old, rival = cluster("new", endpoint=ADDRESS), cluster("shop", endpoint=ADDRESS)
    assert declaring(cluster("new", endpoint=ADDRESS, deletionProtection=False), rival, old=old) == ALLOWED


def test_clusters_that_leave_the_address_to_the_load_balancer_are_nobodys_rivals() -> None:
    assert declaring(cluster("new"), cluster("shop")) == ALLOWED


def test_an_override_of_what_homeostat_owns_is_refused_with_its_path_and_the_remedy() -> None:
    overrides = [
        {"name": "kube-apiserver", "args": {"etcd-servers": "https://elsewhere", "v": "4"}},
        {"name": "redis", "args": {"v": "4"}},
    ]
    owned, unknown = declaring(cluster(overrides=overrides)).causes
    assert owned.field == "spec.overrides[kube-apiserver].args[etcd-servers]"
    assert owned.text.startswith("the flag is homeostat's own: homeostat leads API servers to the etcd of the cluster;")
    assert owned.remedy == "remove it from the override"
    assert unknown.field == "spec.overrides[redis]"


def test_overrides_of_a_missing_package_version_are_judged_as_far_as_they_can_be() -> None:
    unknown = [{"name": "redis", "args": {"v": "4"}}]
    verdict = declaring(cluster(packageVersion="v9.9.9", overrides=unknown))
    assert verdict.is_allowed
    assert [warning.partition(":")[0] for warning in verdict.warnings] == ["spec.packageVersion", "spec.overrides"]
    assert all(len(warning) < 256 for warning in verdict.warnings)
    owned = [{"name": "etcd", "args": {"data-dir": "/tmp"}}]
    assert not declaring(cluster(packageVersion="v9.9.9", overrides=owned)).is_allowed


def test_a_cluster_whose_override_got_by_may_still_be_changed_in_other_ways() -> None:
    overrides = [{"name": "etcd", "args": {"data-dir": "/elsewhere"}}]
    old = cluster(overrides=overrides)
    assert declaring(cluster(overrides=overrides, paused=True), old=old) == ALLOWED
    assert declaring(cluster(), old=old) == ALLOWED
    assert not declaring(cluster(overrides=[*overrides, {"name": "kube-scheduler"}]), old=old).is_allowed
