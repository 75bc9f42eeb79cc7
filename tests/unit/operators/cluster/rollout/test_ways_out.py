"""Out of every version that is broken leads a way to one that is sound, and no step of it breaks version skew."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.support.clusters import planned
from tests.support.living import FAR, OTHER_NEW, OTHER_OLD, Fault, Faults, World, world
from tests.support.rollouts import NEW, OLD

from homeostat.api.cluster.masters import API_SERVER, COMPONENTS, CONTROLLERS, ETCD
from homeostat.operators.cluster import words
from homeostat.operators.cluster.decide import Policy, decide
from homeostat.operators.cluster.rollout.versions import version_of
from homeostat.runtime.conditions import find_condition, is_true

_LOOKS = 120
_AT = (OLD, NEW)
_POLICIES = {
    "onFailure": st.sampled_from(("Pause", "Rollback")),
    "finishEmulation": st.sampled_from(("Immediately", "Manual")),
}
_FAULTS = st.dictionaries(
    st.tuples(st.sampled_from((OLD, NEW, OTHER_OLD, OTHER_NEW)), st.sampled_from(COMPONENTS)),
    st.sampled_from(("crash", "hang", "dumb", "poison")),
    max_size=5,
)


def is_there(living: World, to: str) -> bool:
    return (
        {each.package for pods in living.pods.values() for each in pods} == {to}
        and living.status.package_version == to
        and living.status.upgrade is None
        and is_true(living.status.conditions, words.READY)
    )


def assert_skew(living: World) -> None:
    servers, controllers = living.versions(API_SERVER), living.versions(*CONTROLLERS)
    told = {component: [str(each) for each in living.versions(component)] for component in COMPONENTS}
    assert max(servers).minors_above(min(servers)) <= 1, f"API servers are too far apart: {told}"
    newest = max(map(version_of, living.kubelets), default=min(servers))
    assert newest.minors_above(min(servers)) <= 0, f"a kubelet is newer than an API server: {told}"
    assert max(controllers).minors_above(min(servers)) <= 0, f"a controller is newer than an API server: {told}"


def told(living: World) -> str:
    found = find_condition(living.status.conditions, words.UP_TO_DATE)
    pods = {component: [(each.package, each.ready) for each in pods] for component, pods in living.pods.items()}
    return f"{found.reason}: {found.message}; {pods}; {living.status.upgrade}" if found is not None else str(pods)


def walk(living: World, to: str, looks: int = _LOOKS) -> None:
    """Look until it is there, or for so long."""
    living.wish(to)
    for _ in range(looks):
        living.look()
        assert_skew(living)
        if is_there(living, to):
            return


def complete(at: str, faults: Faults, on_failure: str = "Pause", kubelets: frozenset[str] = frozenset()) -> World:
    """One that came there without any trouble, and is in trouble since."""
    living = world(at, kubelets, upgradePolicy={"snapshot": "BestEffort", "onFailure": on_failure})
    living.look()
    living.faults = faults
    return living


def moved_and_then(component: str, fault: Fault) -> World:
    """One whose component moved, and broke before it was ready there."""
    living = complete(OLD, {})
    living.wish(NEW)
    while all(each.package == OLD for each in living.pods[component]):
        living.look()
    living.faults = {(NEW, component): fault}
    return living


@pytest.mark.parametrize("policy", ["Pause", "Rollback"])
@pytest.mark.parametrize("fault", ["crash", "hang", "dumb", "poison"])
@pytest.mark.parametrize("to", [OLD, OTHER_OLD, OTHER_NEW])
def test_an_api_server_that_breaks_after_all_moved_can_be_left(policy: str, fault: Fault, to: str) -> None:
    living = complete(NEW, {(NEW, API_SERVER): fault}, on_failure=policy)
    walk(living, to)
    assert is_there(living, to), told(living)


@pytest.mark.parametrize("fault", ["crash", "hang", "dumb"])
def test_one_that_breaks_when_controllers_moved_too_goes_back(fault: Fault) -> None:
    living = complete(OLD, {})
    living.wish(NEW)
    while len({each.package for each in living.pods["kube-controller-manager"]}) == 1:
        living.look()
    living.faults = {(NEW, API_SERVER): fault}
    walk(living, OLD)
    assert is_there(living, OLD), told(living)


def test_api_servers_that_fail_for_what_etcd_became_do_not_keep_it_from_going_back() -> None:
    living = complete(OLD, {(NEW, ETCD): "poison", (NEW, API_SERVER): "crash"})
    walk(living, NEW, looks=40)
    assert "UpgradeFailed" in told(living)
    walk(living, OLD)
    assert is_there(living, OLD), told(living)


@pytest.mark.parametrize("to", [OTHER_OLD, OTHER_NEW])
def test_a_third_version_mends_an_api_server_that_hangs_where_it_moved(to: str) -> None:
    living = moved_and_then(API_SERVER, "hang")
    walk(living, NEW, looks=40)
    assert "UpgradeFailed" in told(living)
    walk(living, to)
    assert is_there(living, to), told(living)


def test_a_third_version_that_is_broken_as_well_can_be_left_for_a_fourth() -> None:
    living = moved_and_then(API_SERVER, "hang")
    living.faults = {**living.faults, (OTHER_NEW, ETCD): "hang", (OTHER_NEW, API_SERVER): "hang"}
    for wish in (NEW, OTHER_NEW):
        walk(living, wish, looks=30)
        assert "UpgradeFailed" in told(living)
    walk(living, OTHER_OLD)
    assert is_there(living, OTHER_OLD), told(living)


def test_what_failed_upwards_holds_everything_that_comes_after_it() -> None:
    for component in COMPONENTS:
        living = complete(OLD, {(NEW, component): "crash"})
        walk(living, NEW, looks=30)
        at = {each for each in COMPONENTS if any(pod.package == NEW for pod in living.pods[each])}
        moved = COMPONENTS[: COMPONENTS.index(component) + 1]
        # An API server that fails did so before clients met it.
        assert at == {each for each in moved if not each == component == API_SERVER}
        assert "UpgradeFailed" in told(living)


def test_an_older_version_that_is_broken_itself_is_not_gone_into_while_the_newer_one_serves() -> None:
    living = complete(NEW, {(OLD, "kube-controller-manager"): "crash"})
    walk(living, OLD, looks=30)
    assert "UpgradeFailed: kube-controller-manager: " in told(living)
    assert living.answers
    assert {each.package for each in living.pods[API_SERVER]} == {NEW}


def test_what_was_excused_is_judged_when_what_it_needs_serves() -> None:
    living = complete(NEW, {(NEW, API_SERVER): "crash", (OLD, "kube-controller-manager"): "crash"})
    walk(living, OLD, looks=30)
    assert {each.package for each in living.pods[API_SERVER]} == {OLD}
    assert "UpgradeFailed: kube-controller-manager: " in told(living)


def test_an_older_api_server_waits_until_newer_controllers_are_gone() -> None:
    living = complete(NEW, {(NEW, API_SERVER): "crash"})
    living.lingers = ("kube-scheduler",)
    walk(living, OLD, looks=30)
    assert f"kube-scheduler 1.35.4 still runs, and {API_SERVER} 1.34.4 must not run beside it" in told(living)
    living.lingers = ()
    walk(living, OLD)
    assert is_there(living, OLD), told(living)


def test_api_servers_of_a_third_minor_do_not_come_beside_those_of_the_first() -> None:
    living = moved_and_then(API_SERVER, "hang")
    walk(living, FAR, looks=30)
    assert f"{API_SERVER} 1.34.4 still runs, and {API_SERVER} 1.36.0 must not run beside it" in told(living)


def test_kubelets_are_taken_as_last_known_when_no_api_server_can_be_asked() -> None:
    living = complete(NEW, {(NEW, API_SERVER): "crash"}, kubelets=frozenset({NEW}))
    walk(living, OLD, looks=30)
    assert "UpgradeRefused: spec.packageVersion: there are kubelets of 1.35" in told(living)
    walk(living, OTHER_NEW)
    assert is_there(living, OTHER_NEW), told(living)


def test_pods_of_idle_controllers_need_not_stay_for_those_that_come() -> None:
    def spare(living: World) -> Any:
        wanted = planned(decide(replace(living.seen, applied={}), living.now, Policy()))
        (found,) = [each for each in wanted if each.component == "kube-scheduler"]
        return found.body["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"]

    living = complete(NEW, {(NEW, API_SERVER): "crash"})
    walk(living, NEW, looks=4)
    assert spare(living) == 0, "nothing moves, so nothing is changed"
    walk(living, OLD, looks=3)
    assert spare(living) == "100%"


def test_kubelets_are_asked_now_and_then_while_all_is_well() -> None:
    living = complete(NEW, {})
    living.kubelets = frozenset({NEW})
    living.seen = replace(living.seen, kubelets_due=True)
    walk(living, NEW, looks=4)
    for _ in range(4):
        living.look()
    assert living.status.kubelets == (NEW,)


@settings(max_examples=25, deadline=None)
@given(
    at=st.sampled_from(_AT),
    before=st.lists(st.tuples(st.sampled_from((OLD, NEW, OTHER_OLD, OTHER_NEW, FAR)), st.integers(1, 40)), max_size=3),
    to=st.sampled_from((OLD, NEW, OTHER_OLD, OTHER_NEW)),
    faults=_FAULTS,
    breaks_after=st.integers(0, 3),
    policy=st.fixed_dictionaries(_POLICIES),
    topology=st.sampled_from(("single", "ha")),
    has_kubelets=st.booleans(),
)
def test_whatever_broke_on_whatever_way_a_sound_version_is_reached_without_breaking_version_skew(
    at: str,
    before: list[tuple[str, int]],
    to: str,
    faults: dict[tuple[str, str], Fault],
    breaks_after: int,
    policy: dict[str, Any],
    topology: str,
    has_kubelets: bool,
) -> None:
    faults = {place: fault for place, fault in faults.items() if place[0] != to}
    living = world(
        at,
        frozenset({at} if has_kubelets else ()),
        topology=topology,
        upgradePolicy={"snapshot": "BestEffort", **policy},
    )
    for number, (wish, looks) in enumerate(before):
        if number >= breaks_after:
            living.faults = faults
        walk(living, wish, looks)
    living.faults = faults
    walk(living, to)
    found = find_condition(living.status.conditions, words.UP_TO_DATE)
    assert found is not None
    if found.reason == words.UPGRADE_REFUSED:
        assert "one minor version at a time" in found.message or "there are kubelets of" in found.message
        return
    assert is_there(living, to), told(living)
