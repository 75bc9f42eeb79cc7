"""A more important Pod sends away as few as it must, the least important, and nobody whose budget forbids it."""

from __future__ import annotations

from tests.support.placing import Cluster, away_from, node, pod

from homeostat.sim.world.scheduler.preempting import NEVER, NO_VICTIMS, NOT_HELPFUL, Budget, Futile, Preemption
from homeostat.sim.world.scheduler.terms import requirements

WEB = {"app": "web"}


def _victims(found: Preemption | Futile) -> tuple[str, list[str]]:
    assert isinstance(found, Preemption), found
    return found.node, sorted(each.key for each in found.victims)


def test_only_as_many_go_as_must() -> None:
    cluster = Cluster(node("n1", cpu="4"))
    for name, priority in (("low", 1), ("mid", 5), ("high", 8)):
        cluster.place(pod(name, cpu="1", priority=priority), on="n1")
    assert _victims(cluster.preempt(pod("boss", cpu="2", priority=10))) == ("n1", ["default/low"])
    assert set(cluster.estate.homes) == {"default/low", "default/mid", "default/high"}


def test_the_node_whose_victims_matter_least_is_cleared() -> None:
    cluster = Cluster(node("n1", cpu="1"), node("n2", cpu="1"))
    cluster.place(pod("mid", cpu="1", priority=5), on="n1")
    cluster.place(pod("low", cpu="1", priority=1), on="n2")
    assert _victims(cluster.preempt(pod("boss", cpu="1", priority=10))) == ("n2", ["default/low"])


def test_a_budget_that_allows_nobody_is_broken_only_when_nothing_else_helps() -> None:
    cluster = Cluster(node("n1", cpu="1"), node("n2", cpu="1"))
    cluster.place(pod("guarded", cpu="1", priority=1, labels=WEB), on="n1")
    cluster.place(pod("free", cpu="1", priority=5), on="n2")
    budget = Budget("default", requirements({"matchLabels": WEB}), 0)
    assert _victims(cluster.preempt(pod("boss", cpu="1", priority=10), budget)) == ("n2", ["default/free"])
    cluster.estate.let_go("default/free")
    cluster.place(pod("peer", cpu="1", priority=10), on="n2")
    assert _victims(cluster.preempt(pod("boss", cpu="1", priority=10), budget)) == ("n1", ["default/guarded"])


def test_who_keeps_others_away_goes_too_and_is_not_put_back_by_mistake() -> None:
    cluster = Cluster(node("n1"))
    cluster.place(pod("guard", priority=1, affinity=away_from(WEB)), on="n1")
    cluster.place(pod("other", priority=1), on="n1")
    assert _victims(cluster.preempt(pod("boss", priority=10, labels=WEB))) == ("n1", ["default/guard"])


def test_nobody_is_sent_away_in_vain() -> None:
    cluster = Cluster(node("n1", cpu="1"), node("n2", unschedulable=True))
    cluster.place(pod("peer", cpu="1", priority=10), on="n1")
    found = cluster.preempt(pod("boss", cpu="1", priority=10))
    assert isinstance(found, Futile)
    assert found.counts == {NO_VICTIMS: 1, NOT_HELPFUL: 1}
    found = cluster.preempt(pod("huge", cpu="9", priority=20))
    assert isinstance(found, Futile)
    assert found.counts == {NOT_HELPFUL: 2}


def test_a_class_that_never_preempts_waits() -> None:
    cluster = Cluster(node("n1", cpu="1"))
    cluster.place(pod("low", cpu="1", priority=1), on="n1")
    assert cluster.preempt(pod("meek", cpu="1", priority=10, preemptionPolicy="Never")) == Futile(NEVER)


def test_what_was_cleared_for_one_is_not_given_to_a_lesser() -> None:
    cluster = Cluster(node("n1", cpu="1"))
    boss, lesser, equal = (pod(name, cpu="1", priority=value) for name, value in (("b", 10), ("l", 1), ("k", 11)))
    cluster.nominate(boss, "n1")
    assert cluster.reasons(lesser) == {"Insufficient cpu": 1}
    assert cluster.place(equal) == "n1"
