"""A change of the overrides: only the masters that it is about, one after the other, each proven, and back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec.structs import replace
from tests.support.clusters import NOW, cluster, new, planned, pod, running, settled, waiting, workload
from tests.support.rollouts import tried

from homeostat.api.cluster.masters import API_SERVER, COMPONENTS, SCHEDULER
from homeostat.api.cluster.v1alpha1 import ClusterSpec, ClusterStatus
from homeostat.operators.cluster import words
from homeostat.operators.cluster.actions import AddFinalizer, Plan
from homeostat.operators.cluster.components import workload_names
from homeostat.operators.cluster.decide import Policy, decide
from homeostat.operators.cluster.observe import Observed, ProbeSeen
from homeostat.operators.cluster.report import report
from homeostat.operators.cluster.rollout.standing import complete, declared, made
from homeostat.runtime.conditions import find_condition
from homeostat.runtime.loop import Result
from homeostat.runtime.outcome import DONE

QUIET = [{"name": API_SERVER, "args": {"v": "1"}}]
LOUD: list[dict[str, Any]] = [
    {"name": API_SERVER, "args": {"v": "4"}},
    {"name": SCHEDULER, "removeArgs": ["profiling"]},
]
FORBIDDEN = [{"name": API_SERVER, "args": {"etcd-servers": "https://elsewhere"}}]
NEW = "v1.35.4"


def look(seen: Observed, now: datetime = NOW) -> tuple[Plan, ClusterStatus]:
    """What is planned, and the status after it went well."""
    seen = tried(seen, now)
    plan = decide(seen, now, Policy())
    results = tuple(Result[Any](action, DONE) for action in plan.actions)
    status = report(seen, plan, results, now).status
    assert status is not None
    return plan, status


def with_status(seen: Observed, status: ClusterStatus) -> Observed:
    return replace(seen, cluster=replace(seen.cluster, status=status))


def after(seen: Observed, now: datetime = NOW) -> Observed:
    """The same cluster once the status is written and what it says is declared, with every master well."""
    seen = with_status(seen, look(seen, now)[1])
    return settled(replace(seen, probed=ProbeSeen(now, NEW), ready_since=now))


def wishing(overrides: list[dict[str, Any]], seen: Observed | None = None, **spec: Any) -> Observed:
    """A cluster that is well, whose owner declares overrides."""
    seen = seen or after(running(cluster(topology="ha", **spec), kubelets=frozenset(), ready_since=NOW))
    whole = msgspec.to_builtins(seen.cluster.spec) | {"overrides": overrides}
    return replace(seen, cluster=replace(seen.cluster, spec=msgspec.convert(whole, ClusterSpec)))


def followed(seen: Observed, now: datetime = NOW) -> tuple[Observed, list[str]]:
    """The cluster when nothing is left to do, and what moved on the way."""
    moves: list[str] = []
    for _ in range(12):
        plan, _ = look(seen, now)
        assert plan.step is not None
        moves += plan.step.moves
        seen = after(seen, now)
        if plan.step.verdict is None or plan.step.verdict.reason == words.ROLLED_BACK:
            break
    return seen, moves


def broken(seen: Observed, component: str) -> Observed:
    """One master does not come up after its move."""
    name = workload_names(seen.names)[component]
    pods = tuple(each for each in seen.pods if component not in each.metadata.name)
    bad = pod(component, f"demo-{component}-bad", **waiting("CrashLoopBackOff", "bad flag", restarts=4))
    return replace(
        seen, workloads={**seen.workloads, name: workload(component, name, ready=1, replicas=2)}, pods=(*pods, bad)
    )


def told(seen: Observed, type_: str = words.UP_TO_DATE, now: datetime = NOW) -> tuple[str, str]:
    found = find_condition(look(seen, now)[1].conditions, type_)
    assert found is not None
    return found.reason, found.message


def commands(seen: Observed) -> dict[str, list[str]]:
    """The command line of every workload, were it declared anew."""
    bodies = [desired.body for desired in planned(decide(replace(seen, applied={}), NOW, Policy()))]
    return {
        body["metadata"]["name"]: body["spec"]["template"]["spec"]["containers"][0]["command"]
        for body in bodies
        if body["kind"] in ("Deployment", "StatefulSet")
    }


def test_only_the_masters_that_differ_move_one_after_the_other() -> None:
    seen, moves = followed(wishing(LOUD))
    assert moves == [API_SERVER, SCHEDULER]
    assert complete(seen.cluster) == declared(seen.cluster)
    assert (seen.cluster.status.upgrade, seen.cluster.status.previous_package_version) == (None, "")
    assert told(seen) == (words.AS_DECLARED, "")
    assert "--v=4" in commands(seen)["demo-apiserver"]
    assert "--profiling=false" not in commands(seen)["demo-scheduler"]
    assert "--profiling=false" in commands(seen)["demo-controller-manager"]


def test_a_change_is_told_before_it_is_made() -> None:
    seen = wishing(LOUD)
    plan, status = look(seen)
    assert plan.actions == ()
    assert told(seen) == (words.UPGRADING, f"to {NEW}: {API_SERVER} with other overrides, 2 of 4 are left")
    found = {each.name: each.override for each in status.components}
    assert {name for name, override in found.items() if override is not None} == {API_SERVER}
    assert "--v=4" not in commands(seen)["demo-apiserver"]
    assert "--v=4" in commands(with_status(seen, status))["demo-apiserver"]


def test_the_next_master_waits_until_the_last_one_is_ready_and_proven() -> None:
    seen = after(wishing(LOUD))
    for each in (broken(seen, API_SERVER), replace(seen, ready_since=NOW + timedelta(seconds=1))):
        plan, _ = look(each)
        assert plan.step is not None
        assert plan.step.moves == ()
    assert "--profiling=false" in commands(seen)["demo-scheduler"]


def test_overrides_that_are_taken_away_move_the_masters_back() -> None:
    seen, _ = followed(wishing(LOUD))
    seen, moves = followed(wishing([], seen))
    assert moves == [API_SERVER, SCHEDULER]
    assert {part.override for part in made(seen.cluster, seen.packages).values()} == {None}
    assert seen.cluster.status.overrides == ()


def test_an_override_that_says_nothing_moves_nothing() -> None:
    assert followed(wishing([{"name": SCHEDULER}]))[1] == []


def test_a_package_version_and_overrides_move_together() -> None:
    seen = wishing(LOUD)
    seen = replace(seen, cluster=replace(seen.cluster, spec=replace(seen.cluster.spec, package_version="v1.34.4")))
    seen, moves = followed(seen)
    assert moves == ["kube-controller-manager", SCHEDULER, API_SERVER, "etcd"]
    assert complete(seen.cluster) == declared(seen.cluster)
    assert seen.cluster.status.previous_package_version == NEW


def test_what_fails_is_left_for_a_person_who_takes_it_back_at_once() -> None:
    seen = broken(after(wishing(LOUD)), API_SERVER)
    later = NOW + timedelta(seconds=61)
    reason, message = told(seen, now=later)
    assert reason == words.UPGRADE_FAILED
    assert message.endswith("; set spec.overrides back, or to some that work")
    back = wishing([], seen)
    plan, status = look(back, later)
    assert plan.step is not None
    assert plan.step.moves == (API_SERVER,)
    assert "--v=4" not in commands(with_status(back, status))["demo-apiserver"]


def test_or_goes_back_by_itself_to_the_overrides_before_and_is_not_tried_again() -> None:
    well, _ = followed(wishing(QUIET, upgradePolicy={"onFailure": "Rollback"}))
    later = NOW + timedelta(seconds=61)
    seen = broken(after(wishing(LOUD, well)), API_SERVER)
    plan, status = look(seen, later)
    assert plan.step is not None
    assert plan.step.failed is not None
    seen = with_status(seen, status)
    assert told(seen, now=later)[0] == words.ROLLING_BACK
    plan, status = look(seen, later)
    assert plan.step is not None
    assert plan.step.moves == (API_SERVER,)
    rested, moves = followed(
        settled(replace(with_status(well, status), cluster=replace(seen.cluster, status=status))), later
    )
    assert moves == []
    assert "--v=1" in commands(rested)["demo-apiserver"]
    reason, message = told(rested, now=later)
    assert reason == words.ROLLED_BACK
    assert message.startswith(
        "the declared overrides failed, so the masters went back to those before: kube-apiserver: "
    )
    assert followed(rested, later)[1] == [], "it is not tried again"
    assert followed(wishing([{"name": SCHEDULER, "args": {"v": "3"}}], rested), later)[1] == [API_SERVER, SCHEDULER]


def test_overrides_that_fight_are_refused_and_the_masters_are_kept_and_mended_as_they_are() -> None:
    well, _ = followed(wishing(QUIET))
    seen = wishing(FORBIDDEN, well)
    plan, status = look(seen)
    assert plan.actions == ()
    reason, message = told(seen, words.ACCEPTED)
    assert reason == words.OVERRIDE_REFUSED
    assert message.startswith("spec.overrides[kube-apiserver].args[etcd-servers]: the flag is homeostat's own: ")
    assert told(seen) == (reason, message)
    assert made(replace(seen.cluster, status=status), well.packages) == made(well.cluster, well.packages)
    assert commands(seen) == commands(well)
    assert followed(wishing(QUIET, with_status(seen, status)))[1] == []


def test_a_new_cluster_with_overrides_that_fight_is_not_begun() -> None:
    seen = new(cluster(begun=False, overrides=FORBIDDEN))
    plan, status = look(seen)
    assert plan.actions == ()
    assert plan.stop is not None
    assert told(seen, words.ACCEPTED)[0] == words.OVERRIDE_REFUSED
    assert {each.override for each in status.components} == {None}
    assert status.package_version == ""
    mended = wishing(QUIET, with_status(seen, status))
    plan, status = look(mended)
    assert plan.actions == (AddFinalizer(),)
    assert {each.name: each.override for each in status.components if each.override} == dict(
        declared(mended.cluster).overrides
    )


def test_an_override_of_a_component_that_there_is_not_is_refused() -> None:
    reason, message = told(wishing([{"name": "redis", "args": {"v": "1"}}]), words.ACCEPTED)
    assert reason == words.OVERRIDE_REFUSED
    assert "has no component redis" in message


def test_a_new_cluster_begins_with_its_overrides() -> None:
    seen = new(cluster(begun=False, overrides=LOUD))
    plan, status = look(seen)
    assert plan.actions == (AddFinalizer(),)
    assert (status.package_version, complete(replace(seen.cluster, status=status))) == (NEW, declared(seen.cluster))
    seen = running(replace(cluster(overrides=LOUD), status=status))
    assert followed(seen)[1] == []
    assert "--v=4" in commands(seen)["demo-apiserver"]


def test_a_cluster_that_was_never_ready_takes_other_overrides_at_once() -> None:
    seen = wishing(LOUD)
    seen = with_status(seen, replace(seen.cluster.status, ready_at=None))
    plan, status = look(seen)
    assert plan.step is not None
    assert plan.step.moves == COMPONENTS
    assert complete(replace(seen.cluster, status=status)) == declared(seen.cluster)
