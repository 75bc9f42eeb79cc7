"""The counts over all clusters of a cell: kept by changes, the same after a restart."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from msgspec.structs import replace
from tests.support.clusters import NOW, cluster, running

from homeostat.api.cluster.v1alpha1 import Cluster, ClusterHealingStatus
from homeostat.api.meta import Condition
from homeostat.operators.cluster import words
from homeostat.operators.cluster.healing.cell import CellHealth, CellPolicy, CellSeen


def formed(name: str, *, sick: bool = False, began: timedelta | None = None, **spec: Any) -> Cluster:
    made = running(cluster(name, **spec)).cluster
    status = made.status
    if sick:
        worse = Condition(type=words.ETCD_READY, status="False", reason="Crashing", last_transition_time=NOW)
        status = replace(status, conditions=(worse, *(c for c in status.conditions if c.type != worse.type)))
    if began is not None:
        status = replace(status, healing=ClusterHealingStatus(last_started_at=NOW - began, attempts=1))
    return replace(made, status=status)


def counted(*clusters: Cluster) -> CellHealth:
    health = CellHealth(CellPolicy())
    for one in clusters:
        health.note(None, one)
    return health


def test_those_that_were_ready_once_count_and_those_that_are_not_well_are_sick() -> None:
    health = counted(formed("a"), formed("b", sick=True), cluster("new"))
    assert health.look(NOW) == CellSeen(clusters=2, sick=1)


def test_a_paused_cluster_is_not_sick() -> None:
    assert counted(formed("a", sick=True, paused=True)).look(NOW).sick == 0


def test_a_cluster_that_recovers_or_goes_is_counted_no_more() -> None:
    health = counted(formed("a", sick=True), formed("b", sick=True))
    health.note(formed("a", sick=True), formed("a"))
    health.note(formed("b", sick=True), None)
    assert health.look(NOW) == CellSeen(clusters=1, sick=0)


def test_a_successor_of_the_same_name_is_another_cluster() -> None:
    old = formed("a", sick=True)
    new = cluster("a")
    new = replace(new, metadata=replace(new.metadata, uid="another"))
    health = counted(old)
    health.note(old, new)
    assert health.look(NOW) == CellSeen(clusters=0, sick=0)


def test_replacements_of_the_window_count_also_when_their_cluster_is_gone() -> None:
    recent, old = formed("a", began=timedelta(minutes=9)), formed("b", began=timedelta(minutes=11))
    health = counted(recent, old)
    health.note(recent, None)
    assert health.look(NOW).recent == 1
    assert health.look(NOW + timedelta(minutes=2)).recent == 0
