"""What a topology means, and which zones of a cell count."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from homeostat.api.cluster.scaling import MemberChangeStatus
from homeostat.api.core import Node
from homeostat.operators.cluster.topology import HA, JOIN, LEAVE, SINGLE, Topology, open_zones, takes_pods, topology_of


def node(zone: str = "a", *, ready: str = "True", **spec: Any) -> Node:
    labels = {"topology.kubernetes.io/zone": zone} if zone else {}
    body = {
        "metadata": {"name": f"host-{zone}", "labels": labels},
        "spec": spec,
        "status": {"conditions": [{"type": "Ready", "status": ready}]},
    }
    return msgspec.convert(body, Node)


def test_a_highly_available_cluster_survives_the_loss_of_any_one_zone() -> None:
    assert (HA.members - HA.quorum, HA.zones, HA.replicas("etcd"), HA.replicas("kube-apiserver")) == (1, 3, 3, 2)
    assert topology_of("ha") == HA


def test_a_single_one_asks_for_nothing() -> None:
    assert (SINGLE.quorum, SINGLE.zones, SINGLE.replicas("etcd"), SINGLE.replicas("kube-scheduler")) == (1, 0, 1, 1)
    assert topology_of("single") == SINGLE


@pytest.mark.parametrize(
    ("members", "action", "quorum"),
    [(3, JOIN, 2), (2, JOIN, 2), (2, LEAVE, 2), (3, LEAVE, 2)],
    ids=["the third joins", "the third is to come", "the third has left", "the third leaves"],
)
def test_of_the_members_that_make_a_quorum_only_one_that_is_there_is_not_counted_on(
    members: int, action: str, quorum: int
) -> None:
    third = MemberChangeStatus(member="demo-etcd-2", action=action, started_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert Topology(members, 2, change=third).quorum == quorum


def test_zones_are_counted_once_and_hosts_without_one_not_at_all() -> None:
    assert open_zones([node("a"), node("a"), node("b"), node("")]) == {"a", "b"}
    assert open_zones([]) == frozenset()


@pytest.mark.parametrize(
    "barred",
    [
        node(ready="False"),
        node(ready="Unknown"),
        node(unschedulable=True),
        node(taints=[{"key": "k", "effect": "NoSchedule"}]),
        node(taints=[{"key": "k", "effect": "NoExecute"}]),
    ],
    ids=["not ready", "not heard of", "cordoned", "tainted", "being emptied"],
)
def test_a_host_that_takes_no_pods_opens_no_zone(barred: Node) -> None:
    assert not takes_pods(barred)
    assert open_zones([barred]) == frozenset()


def test_a_host_that_is_only_avoided_counts() -> None:
    assert takes_pods(node(taints=[{"key": "k", "effect": "PreferNoSchedule"}]))
