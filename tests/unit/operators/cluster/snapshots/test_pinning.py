"""Snapshots that stay whatever their cluster's policy says."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace
from tests.support.backups import backed_up, seen, taking
from tests.support.clusters import NOW, cluster
from tests.support.restoring import ID

from homeostat.api.cluster.backup import SnapshotStatus
from homeostat.api.cluster.etcd import ClusterEtcdStatus
from homeostat.api.cluster.upgrades import ClusterEmulationStatus
from homeostat.api.cluster.v1alpha1 import Cluster
from homeostat.operators.cluster.snapshots.decide import TakeSnapshot, decide
from homeostat.operators.cluster.snapshots.pinning import Wished, pinned, wished


def beginning_with(owner: Cluster, name: str = "clone", *, deleted: bool = False) -> Cluster:
    """A new Cluster that is to begin with a snapshot of another one."""
    meta = owner.metadata
    named = {"namespace": meta.namespace, "name": meta.name, "uid": meta.uid}
    return cluster(name, deleted=deleted, restoreFrom={"snapshot": ID, "cluster": named})


def test_what_a_new_cluster_is_to_begin_with_stays_until_it_has_it() -> None:
    owner = cluster("owner")
    clone = beginning_with(owner)
    ready = replace(clone, status=replace(clone.status, ready_at=NOW))
    assert wished(owner, [owner, clone]) == (Wished(ID, "default/clone", None),)
    assert wished(owner, [owner, ready, beginning_with(owner, deleted=True)]) == ()


def test_a_wish_for_a_snapshot_of_a_former_cluster_of_the_same_name_keeps_nothing_of_this_one() -> None:
    owner = cluster("owner")
    former = replace(owner, metadata=replace(owner.metadata, uid="uid-former"))
    assert wished(owner, [owner, beginning_with(former)]) == ()


def test_what_is_wished_stays_when_a_snapshot_is_taken() -> None:
    looked = replace(seen(backed_up(taking=taking()), is_ours=True), wished=(Wished(ID, "default/clone", NOW),))
    assert decide(looked, NOW).actions == (TakeSnapshot("Schedule", frozenset({ID})),)


def test_the_snapshot_from_before_a_minor_stays_as_long_as_the_status_names_it_for_the_way_back() -> None:
    owner = cluster("owner")
    ended = ClusterEmulationStatus(version="1.34", since=NOW, ended_at=NOW, snapshot=ID)
    assert pinned(replace(owner, status=replace(owner.status, emulation=ended))) == {ID}
    assert pinned(owner) == frozenset()


def test_the_newest_from_when_all_members_agreed_stays_because_later_ones_may_be_corrupt() -> None:
    hours = [SnapshotStatus(id=f"at-{hour}", taken_at=NOW + timedelta(hours=hour)) for hour in range(4)]
    damaged = replace(hours[2], id="at-2-damaged", damaged="its seal is wrong")
    owner = backed_up(snapshots=(*hours, damaged))
    agreed = ClusterEtcdStatus(agreed_at=NOW + timedelta(hours=2, minutes=30))
    assert pinned(replace(owner, status=replace(owner.status, etcd=agreed))) == {"at-2"}
    assert pinned(replace(owner, status=replace(owner.status, etcd=ClusterEtcdStatus()))) == frozenset()
