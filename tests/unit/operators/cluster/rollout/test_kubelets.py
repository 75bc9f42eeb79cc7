"""What Nodes of a business cluster say of their kubelets: versions count, and nothing else can do harm."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from tests.support.rollouts import NEW, OLD, look, wishing

from homeostat.api.cluster.masters import ETCD
from homeostat.operators.cluster.observe import Observed
from homeostat.operators.cluster.rollout.kubelets import legible, shown

ODD = ("fargate", "fake", "kwok-v0.5", "v1", "1.34", "v1.34.x", "", "v" + "9" * 5000 + ".1.1", "v1.34.4-" + "x" * 500)


def telling(seen: Observed, *kubelets: str) -> Observed:
    return replace(seen, kubelets=frozenset(kubelets))


def test_versions_are_read_and_what_is_none_is_left_out() -> None:
    assert shown(ODD) == ("v1.34.4",)
    assert shown(("v1.35.4+k3s1", "v1.34.10", "v1.34.9")) == ("v1.34.9", "v1.34.10", "v1.35.4")
    assert legible(("kwok",)) == []


def test_a_status_that_has_room_for_few_keeps_the_oldest_and_the_newest() -> None:
    told = shown(f"v1.{minor}.0" for minor in range(200))
    assert (len(told), told[0], told[-1]) == (64, "v1.0.0", "v1.199.0")


@pytest.mark.parametrize("odd", ODD)
def test_no_node_stops_the_operator_of_its_cluster_nor_a_move(odd: str) -> None:
    plan, status = look(telling(wishing(to=NEW, at=NEW), NEW, odd))
    assert plan.step is not None
    assert plan.step.verdict is None
    assert NEW in status.kubelets
    assert [(each.package_version, each.possible) for each in status.rollback] == [(OLD, False)]  # for the other one
    plan, _ = look(telling(wishing(), OLD, odd))
    assert plan.step is not None
    assert plan.step.moves == (ETCD,)


def test_but_beside_it_a_kubelet_that_would_be_left_out_still_forbids_the_move() -> None:
    plan, _ = look(telling(wishing(), "v1.31.2", "fargate"))
    assert plan.step is not None
    assert plan.step.verdict is not None
    assert "kubelets of 1.31" in plan.step.verdict.message
