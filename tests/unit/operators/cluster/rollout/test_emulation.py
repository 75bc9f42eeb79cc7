"""A newer minor version first serves what the older one did; when that ends, and what going back means meanwhile."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from tests.support.clusters import NOW, planned, settled
from tests.support.rollouts import NEW, OLD, after, broken, look, step_of, up_to_date, wishing

from homeostat.api.cluster.masters import API_SERVER, ETCD
from homeostat.api.cluster.upgrades import ClusterEmulationStatus, ClusterRollbackStatus
from homeostat.operators.cluster import words
from homeostat.operators.cluster.decide import Policy, decide
from homeostat.operators.cluster.observe import Observed
from homeostat.operators.cluster.report import report
from homeostat.operators.cluster.rollout.emulation import EMULATING, flags
from homeostat.operators.cluster.rollout.versions import version_of
from homeostat.runtime.events import Note

DAY = timedelta(days=1)


def until(seen: Observed, reason: str | None, now: datetime = NOW) -> Observed:
    """Look by look, until a step says so."""
    for _ in range(20):
        verdict = step_of(seen, now).verdict
        if (verdict.reason if verdict else None) == reason:
            return seen
        seen = after(seen, now)
    raise AssertionError(f"it never says {reason}: {step_of(seen, now)}")


def with_policy(seen: Observed, **policy: Any) -> Observed:
    spec = replace(seen.cluster.spec, upgrade_policy=replace(seen.cluster.spec.upgrade_policy, **policy))
    return replace(seen, cluster=replace(seen.cluster, spec=spec))


def arrived(finish: str = "Manual", **policy: Any) -> Observed:
    """All masters are of the newer package version, and it is told so."""
    return after(until(with_policy(wishing(), finish_emulation=finish, **policy), None))


def way_back(seen: Observed, now: datetime = NOW) -> ClusterRollbackStatus:
    (way,) = look(seen, now)[1].rollback
    assert way.package_version == OLD
    return way


def commands(seen: Observed) -> dict[str, list[str]]:
    """What each master is started with."""
    declared = planned(decide(replace(seen, applied={}), NOW, Policy()))
    templates = {each.component: each.body.get("spec", {}).get("template") for each in declared}
    return {name: pod["spec"]["containers"][0]["command"] for name, pod in templates.items() if pod}


@pytest.mark.parametrize(
    ("emulates", "binary", "expected"),
    [
        ("", "v1.35.4", {}),
        ("1.34", "v1.35.4", {"emulated-version": "1.34", "min-compatibility-version": "1.33"}),
        ("1.33", "v1.34.4", {"emulated-version": "1.33"}),
    ],
)
def test_flags_are_those_that_the_program_knows(emulates: str, binary: str, expected: dict[str, str]) -> None:
    assert flags(emulates, version_of(binary)) == expected


def test_masters_of_a_newer_minor_begin_as_the_older_one() -> None:
    seen = arrived()
    emulating = {name for name, command in commands(seen).items() if "--emulated-version=1.34" in command}
    assert emulating == set(EMULATING)
    assert "--min-compatibility-version=1.33" in commands(seen)[API_SERVER]
    status = look(seen)[1]
    assert (status.package_version, status.previous_package_version) == (NEW, OLD)
    assert status.emulation == ClusterEmulationStatus(version="1.34", since=NOW)
    assert up_to_date(seen) == (
        words.AS_DECLARED,
        "masters of 1.35.4 serve 1.34 as before until spec.upgradePolicy.finishEmulation is no longer Manual",
    )


def test_another_patch_and_other_overrides_emulate_nothing() -> None:
    status = look(until(with_policy(wishing(to=OLD, at=OLD), finish_emulation="Manual"), None))[1]
    assert status.emulation is None


def test_emulation_ends_when_the_policy_says_so() -> None:
    seen = arrived("AfterDelay", emulation_delay_seconds=3600)
    assert step_of(seen, NOW + timedelta(seconds=3599)).verdict is None
    assert up_to_date(seen)[1].endswith("serve 1.34 as before until 2026-01-01T01:00:00Z")
    later = NOW + timedelta(seconds=3600)
    assert step_of(seen, later).moves == (API_SERVER,)
    assert step_of(with_policy(arrived(), finish_emulation="Immediately")).moves == (API_SERVER,)
    assert step_of(arrived(), NOW + 365 * DAY).verdict is None


def test_it_ends_master_by_master_and_is_remembered() -> None:
    seen, moves = with_policy(arrived(), finish_emulation="Immediately"), list[str]()
    while step_of(seen).verdict is not None:
        moves += step_of(seen).moves
        seen = after(seen)
    assert tuple(moves) == EMULATING
    plan = decide(seen, NOW, Policy())
    assert (
        Note(words.EMULATION_ENDED, f"all masters of {NEW} serve their own version")
        in report(seen, plan, (), NOW).notes
    )
    status = look(seen)[1]
    assert (status.upgrade, status.package_version) == (None, NEW)
    assert status.emulation == ClusterEmulationStatus(version="1.34", since=NOW, left_at=NOW, ended_at=NOW)
    assert not any("--emulated-version" in argument for command in commands(seen).values() for argument in command)
    assert status.previous_package_version == OLD


def test_at_once_means_in_one_story_without_a_moment_of_rest() -> None:
    seen = until(wishing(), words.ENDING_EMULATION)
    plan, status = look(seen)
    assert status.package_version == NEW
    assert plan.wait is not None
    assert plan.wait.until == NOW, "the end begins at the next look"
    assert status.phase == "Upgrading"
    assert step_of(after(seen)).moves == (API_SERVER,)


def test_going_back_keeps_all_data_until_the_first_api_server_serves_its_own_version() -> None:
    seen = until(wishing(), words.ENDING_EMULATION)
    assert way_back(seen) == ClusterRollbackStatus(
        package_version=OLD,
        possible=True,
        keeps_data=True,
        reason="until kubelets are newer than 1.34; all data is kept: 1.34 is what is served and stored, still",
    )
    seen = after(seen)
    assert way_back(seen).reason.endswith(
        "1.35 stores its own version since 2026-01-01T00:00:00Z: what only it knows of an object is not"
        " served by 1.34, and is lost when the object is written there"
    ), "told before it is made"
    status = seen.cluster.status
    assert status.emulation is not None
    known = replace(status, emulation=replace(status.emulation, snapshot="20260101"))
    saved = replace(seen, cluster=replace(seen.cluster, status=known))
    assert way_back(saved).reason.endswith("; snapshot 20260101 is from before")
    done = until(after(seen), None)
    assert (way_back(done).possible, way_back(done).keeps_data) == (True, False)


def test_going_back_keeps_all_data_at_any_moment_of_the_way_there() -> None:
    seen = wishing()
    while step_of(seen).moves:
        assert way_back(seen).keeps_data
        seen = after(seen)


def test_what_was_left_once_does_not_become_safe_again() -> None:
    ending = after(with_policy(arrived(), finish_emulation="Immediately"))
    again = with_policy(ending, finish_emulation="Manual")
    assert step_of(again).moves == (API_SERVER,), "it emulates again"
    assert not way_back(until(again, None)).keeps_data


def test_going_back_needs_no_end_of_emulation() -> None:
    seen = arrived()
    seen = replace(seen, cluster=replace(seen.cluster, spec=replace(seen.cluster.spec, package_version=OLD)))
    assert way_back(seen).keeps_data
    moves = list[str]()
    while step_of(seen).verdict is not None:
        moves += step_of(seen).moves
        seen = after(seen)
    assert tuple(moves) == ("kube-controller-manager", "kube-scheduler", API_SERVER, ETCD)
    assert look(seen)[1].emulation is None


@pytest.mark.parametrize("policy", ["Pause", "Rollback"])
def test_an_end_that_fails_is_left_or_taken_back_and_not_tried_again(policy: str) -> None:
    seen = with_policy(arrived(), finish_emulation="Immediately", on_failure=policy)
    sick = broken(after(seen), API_SERVER)
    later = NOW + timedelta(seconds=61)
    found = step_of(sick, later)
    assert found.verdict is not None
    if policy == "Pause":
        assert found.verdict.reason == words.UPGRADE_FAILED
        assert "set spec.upgradePolicy.finishEmulation to Manual" in found.verdict.message
        return
    assert found.verdict.reason == words.ROLLING_BACK
    told = replace(sick, cluster=replace(sick.cluster, status=look(sick, later)[1]))
    assert step_of(settled(told), later).moves == (API_SERVER,)
    back = until(after(replace(told, workloads=seen.workloads), later), words.ROLLED_BACK, later)
    assert "ending that failed: kube-apiserver: " in up_to_date(back, later)[1]
    assert step_of(after(back, later), later + DAY).moves == ()
    forgiven = after(with_policy(back, finish_emulation="Manual"), later)
    assert step_of(with_policy(forgiven, finish_emulation="Immediately"), later).moves == (API_SERVER,)
