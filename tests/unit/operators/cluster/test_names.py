"""Names of derived objects fit everywhere and never meet, whatever Clusters are called."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.support.clusters import cluster

from homeostat.api.cluster.v1alpha1 import MAX_CLUSTER_NAME
from homeostat.operators.cluster.names import Names, is_address, labels, names_of, owner

DNS_LABEL = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?")
REVISION = 11  # a StatefulSet's name and this many characters are a label of its Pods

names = st.from_regex(r"[a-z]([-a-z0-9]{0,38}[a-z0-9])?", fullmatch=True)


def derived(of: Names) -> list[str]:
    return [of.authority, of.etcd, of.apiserver, of.controllers, of.scheduler, of.admin]


@given(names)
def test_every_name_is_a_dns_label_with_room_for_what_kubernetes_adds(name: str) -> None:
    assert len(name) <= MAX_CLUSTER_NAME
    of = Names(name, "default")
    for each in derived(of):
        assert DNS_LABEL.fullmatch(each)
        assert len(each) <= 63
    assert len(of.etcd) + REVISION <= 63
    assert len(f"data-{of.etcd}-0") <= 63


@given(names, names)
def test_two_clusters_of_a_namespace_never_share_a_name(one: str, other: str) -> None:
    assert len(set(derived(Names(one, "default")))) == 6
    if one != other:
        assert not set(derived(Names(one, "default"))) & set(derived(Names(other, "default")))


@given(names, st.sampled_from(["etcd", "apiserver", "scheduler", "controller-manager", "pki", "admin-kubeconfig"]))
def test_a_cluster_called_like_a_part_of_another_meets_nothing_of_it(name: str, part: str) -> None:
    inner, outer = Names(name, "default"), Names(f"{name}-{part}", "default")
    assert not set(derived(inner)) & set(derived(outer))


@given(names)
def test_labels_are_valid_and_tell_a_cluster_from_its_successor_of_the_same_name(name: str) -> None:
    first = cluster(name)
    second = replace(first, metadata=replace(first.metadata, uid="another"))
    for value in labels(first, "etcd").values():
        assert len(value) <= 63
        assert LABEL_VALUE.fullmatch(value)
    assert labels(first, "etcd") != labels(second, "etcd")
    assert owner(first)["uid"] != owner(second)["uid"]


def test_the_owner_is_the_cluster_and_holds_its_own_deletion_back() -> None:
    assert owner(cluster()) == {
        "apiVersion": "cluster.homeostat.dev/v1alpha1",
        "kind": "Cluster",
        "name": "demo",
        "uid": "uid-demo",
        "controller": True,
        "blockOwnerDeletion": True,
    }


def test_the_services_have_names_inside_the_cell() -> None:
    of = names_of(cluster())
    assert of.etcd_host("demo-etcd-0") == "demo-etcd-0.demo-etcd.default.svc"
    assert of.apiserver_service == "demo-apiserver.default.svc"


@given(st.text(max_size=20))
def test_any_text_is_an_address_or_not(host: str) -> None:
    assert is_address(host) in (True, False)


def test_addresses_are_told_from_names() -> None:
    assert is_address("10.100.1.1")
    assert is_address("fd00::1")
    assert not is_address("999.1.1.1")
    assert not is_address("api.example.org")
