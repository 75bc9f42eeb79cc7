"""A change of the package version: one master after the other, each proven, and back when one fails."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace
from tests.support.clusters import NOW, settled
from tests.support.rollouts import NEW, OLD, ORDER, after, broken, look, moved, step_of, up_to_date, wishing

from homeostat.api.cluster.masters import API_SERVER, COMPONENTS, ETCD
from homeostat.api.cluster.parameters import ComponentChecks
from homeostat.api.cluster.upgrades import ClusterUpgradeStatus
from homeostat.operators.cluster import words
from homeostat.operators.cluster.actions import Apply, AskKubelets, ProbeEndpoint
from homeostat.operators.cluster.observe import Observed, ProbeSeen
from homeostat.operators.cluster.ports import Refusal
from homeostat.operators.cluster.rollout.emulation import EMULATING
from homeostat.operators.cluster.rollout.standing import placed
from homeostat.runtime.conditions import find_condition


def test_masters_move_one_after_the_other_and_then_it_is_done() -> None:
    seen = wishing()
    moves: list[str] = []
    for _ in range(20):
        found = step_of(seen)
        moves += found.moves
        if found.verdict is None:
            break
        seen = after(seen)
    assert tuple(moves) == (*ORDER, *EMULATING), "all of them, and then all that emulated the older version"
    status = look(seen)[1]
    assert (status.package_version, status.previous_package_version, status.upgrade) == (NEW, OLD, None)
    assert find_condition(status.conditions, words.READY).status == "True"  # type: ignore[union-attr]


def test_a_move_is_told_before_it_is_made() -> None:
    seen = wishing()
    plan, status = look(seen)
    assert plan.actions == ()
    assert plan.wait is not None
    assert plan.wait.until == NOW
    assert {each.name: each.package_version for each in status.components} == {
        **dict.fromkeys(COMPONENTS, OLD),
        ETCD: NEW,
    }
    assert status.upgrade == ClusterUpgradeStatus(
        from_version=OLD, to_version=NEW, started_at=NOW, component=ETCD, component_started_at=NOW
    )
    assert status.phase == "Upgrading"
    assert up_to_date(seen) == (words.UPGRADING, f"to {NEW}: etcd from {OLD}, 4 of 4 are left")


def test_nothing_moves_beside_a_master_that_is_not_well() -> None:
    seen = broken(wishing(), "kube-scheduler", phase="Pending")
    assert step_of(seen).moves == ()
    assert up_to_date(seen)[0] == words.AWAITING_HEALTH
    assert "before etcd moves: kube-scheduler: starting" in up_to_date(seen)[1]


def test_what_is_hopeless_where_it_is_may_be_mended_by_the_move() -> None:
    assert step_of(broken(wishing(), "kube-scheduler")).moves == (ETCD,)


def test_nothing_moves_without_a_read_since_all_are_ready() -> None:
    for probed in (None, ProbeSeen(NOW - timedelta(seconds=1), OLD), ProbeSeen(NOW, "", "timed out")):
        seen = replace(wishing(), probed=probed)
        plan, _ = look(seen)
        assert plan.step is not None
        assert plan.step.moves == ()
        assert ProbeEndpoint() in plan.actions


def test_the_next_master_waits_until_the_last_one_is_ready_and_proven() -> None:
    seen = moved(wishing(), ETCD)
    assert step_of(broken(seen, ETCD, phase="Pending")).moves == ()
    assert step_of(replace(seen, ready_since=NOW + timedelta(seconds=1))).probes
    assert step_of(seen).moves == (API_SERVER,)


@pytest.mark.parametrize("is_by_policy", [True, False])
def test_writes_that_people_s_own_policy_refuses_hold_no_move_and_others_do(is_by_policy: bool) -> None:
    refused = ProbeSeen(NOW, OLD, refused=Refusal("no writes today", is_by_policy))
    for seen, follows in ((wishing(), ETCD), (moved(wishing(), ETCD), API_SERVER)):
        found = step_of(settled(replace(seen, probed=refused)))
        assert found.moves == ((follows,) if is_by_policy else ())
        assert found.verdict is not None
        assert ("no writes today" in found.verdict.message) is not is_by_policy


def test_nothing_follows_before_what_was_moved_is_declared() -> None:
    seen = wishing()
    status = look(seen)[1]
    told = replace(seen, cluster=replace(seen.cluster, status=status))
    status = replace(status, components=tuple(replace(each, package_version=NEW) for each in status.components))
    all_told = replace(seen, cluster=replace(seen.cluster, status=status))
    for each in (replace(told, applied={}), replace(all_told, applied={})):
        plan, after_it = look(each)
        assert any(isinstance(action, Apply) for action in plan.actions)
        assert plan.step is not None
        assert plan.step.moves == ()
        assert after_it.package_version == OLD


def test_kubelets_are_asked_before_another_minor_version() -> None:
    seen = replace(wishing(), kubelets=None)
    plan, _ = look(seen)
    assert plan.actions == (AskKubelets(),)
    told = up_to_date(replace(wishing(to=OLD, at=NEW), kubelets=frozenset({"v1.35.4"})))
    assert told[0] == words.UPGRADE_REFUSED
    assert "kubelets of 1.35" in told[1]


@pytest.mark.parametrize(("policy", "seconds"), [("Pause", 61), ("Rollback", 61)])
def test_a_master_that_stays_hopeless_fails_the_move(policy: str, seconds: int) -> None:
    seen = broken(moved(wishing(upgradePolicy={"onFailure": policy}), API_SERVER), API_SERVER)
    assert step_of(seen).failed is None, "a restart may help"
    later = NOW + timedelta(seconds=seconds)
    found = step_of(seen, later)
    assert found.moves == ()
    assert found.verdict is not None
    if policy == "Pause":
        assert found.failed is None
        assert found.verdict.reason == words.UPGRADE_FAILED
        assert f"set spec.packageVersion back to {OLD}" in found.verdict.message
        return
    assert found.failed is not None
    status = look(seen, later)[1]
    assert status.upgrade is not None
    assert status.upgrade.failed_version == NEW
    back = step_of(replace(seen, cluster=replace(seen.cluster, status=status)), later)
    assert (back.to, back.moves) == (OLD, (API_SERVER,))


def test_a_master_that_is_only_slow_has_until_its_time_is_up() -> None:
    seen = broken(moved(wishing(), API_SERVER), API_SERVER, phase="Pending")
    assert up_to_date(seen, NOW + timedelta(seconds=299))[0] == words.UPGRADING
    assert up_to_date(seen, NOW + timedelta(seconds=301))[0] == words.UPGRADE_FAILED


def test_what_went_back_by_itself_stays_back_and_says_why() -> None:
    seen = broken(moved(wishing(upgradePolicy={"onFailure": "Rollback"}), API_SERVER), API_SERVER)
    now = NOW + timedelta(seconds=61)
    moves: list[str] = []
    for _ in range(10):
        found = step_of(seen, now)
        moves += found.moves
        if found.verdict is not None and found.verdict.reason == words.ROLLED_BACK:
            break
        seen = after(replace(seen, workloads=wishing().workloads) if moves else seen, now)
    assert moves == [API_SERVER]
    assert placed(seen.cluster, seen.packages) == {OLD}
    reason, message = up_to_date(seen, now)
    assert reason == words.ROLLED_BACK
    assert f"{NEW} failed, so the masters went back to {OLD}: kube-apiserver: " in message
    rested = after(seen, now)
    assert look(rested, now)[1].upgrade is not None
    again = replace(rested, cluster=replace(rested.cluster, spec=replace(rested.cluster.spec, package_version=OLD)))
    assert step_of(again, now).verdict is None
    assert look(again, now)[1].upgrade is None


def test_a_wish_taken_back_moves_only_what_had_moved() -> None:
    seen = broken(moved(wishing(), API_SERVER), API_SERVER)
    seen = replace(seen, cluster=replace(seen.cluster, spec=replace(seen.cluster.spec, package_version=OLD)))
    assert step_of(seen).moves == (API_SERVER,)


def test_a_cluster_that_was_never_ready_goes_where_it_is_told_at_once() -> None:
    seen = wishing()
    seen = replace(seen, cluster=replace(seen.cluster, status=replace(seen.cluster.status, ready_at=None)))
    plan, status = look(seen)
    assert plan.step is not None
    assert plan.step.moves == COMPONENTS
    assert status.package_version == NEW
    assert {each.package_version for each in status.components} == {NEW}


def test_the_status_tells_which_older_versions_can_be_gone_back_to() -> None:
    seen = wishing(at=NEW)
    (way,) = look(seen)[1].rollback
    assert (way.package_version, way.possible) == (OLD, True)
    assert "until kubelets are newer than 1.34" in way.reason
    (no,) = look(replace(seen, kubelets=frozenset({"v1.35.4"})))[1].rollback
    assert (no.possible, "kubelets of 1.35" in no.reason) == (False, True)


def with_checks(seen: Observed, component: str, checks: ComponentChecks) -> Observed:
    """The same, where the newer package version says what must hold around a component's moves."""
    newer = seen.packages[NEW]
    parts = (replace(each, checks=checks) if each.name == component else each for each in newer.spec.components)
    changed = replace(newer, spec=replace(newer.spec, components=tuple(parts)))
    return replace(seen, packages={**seen.packages, NEW: changed})


def test_what_must_hold_around_a_move_is_data() -> None:
    sick = broken(wishing(), "kube-scheduler", phase="Pending")
    assert step_of(with_checks(sick, ETCD, ComponentChecks(before=("Endpoint",)))).moves == (ETCD,)
    unproven = replace(wishing(), probed=None)
    assert step_of(with_checks(unproven, ETCD, ComponentChecks(before=("OthersReady",)))).moves == (ETCD,)
    after_it = replace(moved(wishing(), ETCD), ready_since=NOW + timedelta(seconds=1))
    assert step_of(after_it).moves == ()
    unasked = with_checks(after_it, ETCD, ComponentChecks(after=()))
    assert step_of(with_checks(unasked, API_SERVER, ComponentChecks(before=()))).moves == (API_SERVER,)
