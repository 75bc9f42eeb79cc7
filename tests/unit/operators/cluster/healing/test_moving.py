"""A member that a bad version of etcd keeps from coming up keeps its volume: the move judges, and is taken back."""

from __future__ import annotations

import pytest
from msgspec import convert
from msgspec.structs import replace
from tests.support.ailing import HOSTS, ailing
from tests.support.clusters import NOW

from homeostat.api.apps import StatefulSet
from homeostat.api.cluster.masters import API_SERVER, ETCD
from homeostat.api.cluster.upgrades import ClusterUpgradeStatus
from homeostat.operators.cluster import words
from homeostat.operators.cluster.healing.members import heal
from homeostat.operators.cluster.healing.policy import Policy
from homeostat.operators.cluster.names import REVISION_LABEL
from homeostat.operators.cluster.observe import Observed

LAST = "demo-etcd-2"


def moving(component: str = ETCD, revision: str = "new", *, host_is_well: bool = True) -> Observed:
    """A cluster whose last member of etcd is not ready for an hour, in the middle of a move."""
    seen = ailing(LAST)
    upgrade = ClusterUpgradeStatus(from_version="old", to_version="new", started_at=NOW, component=component)
    status = {"updateRevision": "new", "currentRevision": "old"}
    etcd = convert({"metadata": {"name": seen.names.etcd}, "status": status}, StatefulSet)
    pods = tuple(
        replace(pod, metadata=replace(pod.metadata, labels={**pod.metadata.labels, REVISION_LABEL: revision}))
        for pod in seen.pods
    )
    return replace(
        seen,
        cluster=replace(seen.cluster, status=replace(seen.cluster.status, upgrade=upgrade)),
        workloads={**seen.workloads, seen.names.etcd: etcd},
        pods=pods,
        hosts={**HOSTS, "h2": replace(HOSTS["h2"], is_ready=host_is_well, takes_pods=host_is_well)},
    )


def test_a_member_that_does_not_come_up_where_it_moved_is_not_replaced() -> None:
    found = heal(moving(), NOW, Policy())
    assert found.begins is None
    assert found.verdict is not None
    assert found.verdict.reason == words.MEMBER_UNREADY
    assert f"{LAST} did not come up where it moved" in found.verdict.message


@pytest.mark.parametrize(
    "seen",
    [moving(API_SERVER), moving(revision="old"), moving(host_is_well=False)],
    ids=["another component moves", "it has not moved yet", "its host is away"],
)
def test_one_that_is_dead_of_something_else_is_replaced(seen: Observed) -> None:
    begins = heal(seen, NOW, Policy()).begins
    assert begins is not None
    assert begins.member == LAST
