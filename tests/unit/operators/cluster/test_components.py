"""Which components there are to be, whether they are ready, and whether clients can be served."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from tests.support.clusters import cluster, new, pod, running, workload

from homeostat.api.cluster.masters import API_SERVER, CONTROLLER_MANAGER, ETCD, SCHEDULER
from homeostat.api.core import Pod
from homeostat.operators.cluster.components import can_serve, has_ready_quorum, workload_names


def etcd_of(count: int, *, ready: bool = True) -> tuple[Pod, ...]:
    told = {"conditions": [{"type": "Ready", "status": "True" if ready else "False"}]}
    return tuple(pod(ETCD, f"demo-etcd-{number}", **told) for number in range(count))


@pytest.mark.parametrize(
    ("topology", "members", "enough"),
    [("single", 0, False), ("single", 1, True), ("ha", 1, False), ("ha", 2, True), ("ha", 3, True)],
)
def test_api_servers_can_begin_when_a_quorum_of_etcd_answers(topology: str, members: int, enough: bool) -> None:
    seen = running(cluster(topology=topology))
    assert has_ready_quorum(replace(seen, pods=etcd_of(members))) is enough
    assert not has_ready_quorum(replace(seen, pods=etcd_of(members, ready=False)))


@pytest.mark.parametrize(("members", "servers", "serves"), [(3, 2, True), (2, 1, True), (1, 2, False), (3, 0, False)])
def test_a_quorum_and_one_api_server_can_serve(members: int, servers: int, serves: bool) -> None:
    seen = running(cluster(topology="ha"))
    fewer = {
        "demo-etcd": workload(ETCD, "demo-etcd", ready=members, replicas=3),
        "demo-apiserver": workload(API_SERVER, "demo-apiserver", ready=servers, replicas=2),
    }
    assert can_serve(replace(seen, workloads={**seen.workloads, **fewer})) is serves


def test_workloads_are_named_in_the_order_of_their_start() -> None:
    assert list(workload_names(running().names)) == [
        ETCD,
        API_SERVER,
        CONTROLLER_MANAGER,
        SCHEDULER,
    ]


def test_a_cluster_without_data_has_nothing_that_answers() -> None:
    assert not has_ready_quorum(new(cluster()))
    assert not can_serve(new(cluster()))
