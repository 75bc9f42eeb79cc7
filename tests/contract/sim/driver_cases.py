"""Drivers of storage, and which of them hosts have: sound ones, wrong ones, and changes that nobody may make."""

from __future__ import annotations

from typing import Any

from tests.contract.sim.bodies import Body, of


def driver(**spec: Any) -> Body:
    return of("CSIDriver", "storage.k8s.io/v1", spec=spec)


def host_drivers(*drivers: Body) -> Body:
    return of("CSINode", "storage.k8s.io/v1", spec={"drivers": list(drivers) or None})


GOOD: dict[str, Body] = {
    "smallest CSIDriver": driver(),
    "CSIDriver of its own mind": driver(
        attachRequired=False,
        podInfoOnMount=True,
        fsGroupPolicy="File",
        volumeLifecycleModes=["Ephemeral", "Persistent"],
        tokenRequests=[{"audience": "a"}, {"audience": "b", "expirationSeconds": 3600}],
        nodeAllocatableUpdatePeriodSeconds=10,
    ),
    "empty CSINode": host_drivers(),
    "CSINode with drivers": host_drivers(
        {"name": "a.example.com", "nodeID": "1", "topologyKeys": ["example.com/zone"], "allocatable": {"count": 3}},
        {"name": "B.example.com", "nodeID": "1"},
    ),
}
WRONG: dict[str, Body] = {
    "CSIDriver wrong all over": driver(
        fsGroupPolicy="Foo",
        volumeLifecycleModes=["Foo"],
        tokenRequests=[{"audience": "a", "expirationSeconds": 1}, {"audience": "a"}, {"expirationSeconds": 2**33}],
        nodeAllocatableUpdatePeriodSeconds=9,
    ),
    "CSIDriver with tokens nowhere": driver(serviceAccountTokenInSecrets=True),
    "CSINode wrong all over": host_drivers(
        {"name": "", "nodeID": "", "topologyKeys": ["", "a", "a", "A B"]},
        {"name": "a_b", "nodeID": "x" * 257, "allocatable": {"count": -1}},
        {"name": "a_b", "nodeID": "x"},
        {"name": "x" * 64, "nodeID": "x"},
    ),
}
CHANGES: dict[str, tuple[Body, Body]] = {
    "what a CSIDriver attaches": (driver(), {"spec": {"attachRequired": False, "volumeLifecycleModes": ["Ephemeral"]}}),
    "who a host is to a driver": (
        host_drivers({"name": "a", "nodeID": "1", "allocatable": {"count": 3}}, {"name": "b", "nodeID": "1"}),
        {"spec": {"drivers": [{"name": "a", "nodeID": "2", "topologyKeys": ["x"], "allocatable": {"count": 4}}]}},
    ),
    "wrong identity of a host to a driver": (
        host_drivers({"name": "a", "nodeID": "1"}),
        {"spec": {"drivers": [{"name": "a", "nodeID": ""}]}},
    ),
}
