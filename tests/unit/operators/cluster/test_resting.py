"""A cluster of which nothing is due is asked as ever, and looked at otherwise only when something is not as before."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from tests.support.clusters import NOW, cluster, running
from tests.support.unwell import LONG_AGO, MANAGER, SERVER, leading, master, name_of, restart, sound, told, unwell

from homeostat.api.cluster.etcd import ClusterEtcdStatus
from homeostat.kit.spreading import turn_after
from homeostat.operators.cluster.actions import (
    Action,
    AskKubelets,
    CheckServers,
    Plan,
    Probed,
    ProbeEndpoint,
    ProbeFailed,
    Server,
    Wait,
)
from homeostat.operators.cluster.decide import Policy, decide
from homeostat.operators.cluster.observe import Observed, ProbeSeen
from homeostat.operators.cluster.ports import Refusal
from homeostat.operators.cluster.report import report
from homeostat.operators.cluster.resting import AT_MOST, Rest, is_as_ever, keep_watch, rest_after
from homeostat.operators.cluster.upkeep.actions import AskStores
from homeostat.operators.cluster.upkeep.seen import UpkeepSeen
from homeostat.operators.cluster.upkeep.stores import Alarm, Stores, StoreSeen
from homeostat.runtime.loop import Result
from homeostat.runtime.outcome import DONE, Outcome, Progress

POLICY, VERSION = Policy(), "v1.35.4"
PROBED = Result[Action](ProbeEndpoint(), Probed(version=VERSION))
CHECKED = Result[Action](CheckServers((Server("a", "uid-a", "https://10.0.0.1:6443"),)), DONE)
LATER = NOW + POLICY.probe_every
TURN = turn_after(NOW, POLICY.probe_every, running().cluster.metadata.uid)
SIZE = 1 << 20
STORE = StoreSeen(1, running().names.etcd_host("demo-etcd-0"), "3.6.16", SIZE, SIZE, quota=100 * SIZE, is_leader=True)


def after(seen: Observed, *results: Result[Action], **changes: Any) -> Rest | None:
    """The rest that a whole look leaves."""
    plan = replace(decide(seen, NOW, POLICY), **changes)
    said = report(seen, plan, results, NOW)
    assert said.status is not None
    return rest_after(seen, plan, results, said.status, NOW)


def resting(seen: Observed | None = None, **changes: Any) -> Rest:
    found = after(seen or running(), PROBED, **changes)
    assert found is not None
    return found


def watch(rest: Rest, now: datetime) -> tuple[list[type], datetime | None] | None:
    """Who is asked, and when it comes back."""
    plan = keep_watch(rest, now, POLICY)
    if plan is None:
        return None
    return [type(each) for each in plan.actions], plan.wait.until if plan.wait is not None else None


def test_all_being_well_and_nothing_to_do_is_a_rest() -> None:
    assert after(running(), PROBED) is not None
    assert after(running()) is not None
    assert after(unwell(), PROBED, CHECKED) is not None


@pytest.mark.parametrize(
    "outcome",
    [
        Probed(version="v1.34.4"),
        Probed(version=VERSION, refused=Refusal("a webhook says no", is_by_policy=True)),
        ProbeFailed(1.0, "no answer"),
        Progress(1.0, "it does not answer"),
    ],
)
def test_an_answer_that_is_another_one_is_none(outcome: Outcome) -> None:
    assert after(running(), Result[Action](ProbeEndpoint(), outcome)) is None
    assert not is_as_ever(resting(), [outcome], NOW, POLICY)
    assert is_as_ever(resting(), [DONE, Probed(version=VERSION)], NOW, POLICY)


def test_who_did_anything_but_ask_api_servers_does_not_rest_after_it() -> None:
    assert after(running(), Result[Action](AskKubelets(), DONE)) is None


@pytest.mark.parametrize(
    "seen",
    [
        running(probed=None),
        running(kubelets_due=True),
        running(probed=ProbeSeen(NOW, "")),
        running(probed=ProbeSeen(NOW, VERSION, refused=Refusal("no quota", is_by_policy=True))),
        unwell(master(SERVER, 1, ready=False)),
        told(unwell(master(SERVER, 0, ready=False)), restart()),
    ],
    ids=["not probed", "kubelets not asked for long", "probed in vain", "refused", "not ready", "being healed"],
)
def test_what_is_not_well_or_not_known_to_be_does_not_rest(seen: Observed) -> None:
    assert after(seen) is None


def test_nor_does_what_is_paused_or_moves_or_waits_for_a_person() -> None:
    seen = running()
    for spec in ({"paused": True}, {"package_version": "v1.34.4"}, {"package_version": "v9"}):
        cluster = replace(seen.cluster, spec=replace(seen.cluster.spec, **spec))
        assert after(replace(seen, cluster=cluster), PROBED) is None, spec


def test_at_rest_the_endpoint_is_asked_at_its_own_pace() -> None:
    rest = resting()
    soon = watch(rest, NOW)
    assert soon is not None
    asked, at = soon
    assert asked == []
    assert at is not None
    assert NOW < at <= LATER
    again = watch(rest, at)
    assert again is not None
    assert again[0] == [ProbeEndpoint]


def test_and_one_of_several_api_servers_in_its_turn() -> None:
    rest = resting(unwell(servers={0: sound(), 1: replace(sound(), at=LONG_AGO)}))
    plan = keep_watch(rest, TURN, POLICY)
    assert plan is not None
    assert next(each for each in plan.actions if isinstance(each, CheckServers)).servers[0].pod == name_of(SERVER, 1)


def test_in_the_same_wake_in_which_the_endpoint_is_asked() -> None:
    rest = resting(unwell())
    assert watch(rest, NOW) == ([], TURN)
    assert watch(rest, TURN) == ([CheckServers, ProbeEndpoint], TURN + POLICY.probe_every)


def test_the_pace_is_that_of_whole_looks() -> None:
    for seen in (running(), unwell(), unwell(servers={0: replace(sound(), at=LONG_AGO)})):
        for now in (NOW, NOW + timedelta(seconds=30), LATER):
            whole, light = decide(seen, now, POLICY), keep_watch(resting(seen), now, POLICY)
            assert light is not None
            asked = [each for each in whole.actions if isinstance(each, ProbeEndpoint | CheckServers)]
            assert list(light.actions) == sorted(asked, key=lambda each: isinstance(each, ProbeEndpoint))
            assert light.wait == whole.wait


def test_what_is_due_for_another_reason_ends_the_rest_on_time() -> None:
    due = NOW + timedelta(seconds=7)
    rest = resting(due=Wait(due, "a certificate that is to be renewed"))
    assert watch(rest, NOW) == ([], due)
    assert watch(rest, due) is None


def stores(rest: Rest, *stores: StoreSeen, at: datetime = NOW, **answer: Any) -> Rest:
    """The same, when the stores of its etcd were looked at; the status tells of an etcd that is well."""
    cluster = rest.seen.cluster
    told = ClusterEtcdStatus(size_bytes=SIZE, in_use_bytes=SIZE, quota_bytes=100 * SIZE, used_percent=1)
    cluster = replace(cluster, status=replace(cluster.status, etcd=told))
    upkeep = UpkeepSeen(first=NOW, at=at, answer=Stores(stores or (STORE,), **answer))
    return replace(rest, seen=replace(rest.seen, cluster=cluster, upkeep=upkeep))


def test_the_stores_of_etcd_are_looked_at_when_it_is_time_and_nobody_comes_back_for_the_answer() -> None:
    rest = stores(resting(), at=TURN - POLICY.upkeep.every)
    assert watch(rest, TURN - timedelta(seconds=1)) == ([], TURN)
    assert watch(rest, TURN) == ([AskStores, ProbeEndpoint], TURN + POLICY.probe_every)
    assert is_as_ever(stores(rest), [DONE, Probed(version=VERSION)], NOW, POLICY)


@pytest.mark.parametrize(
    ("store", "answer"),
    [
        (STORE, {"alarms": (Alarm("NOSPACE", 1),)}),
        (STORE, {"silent": ("demo-etcd-1",)}),
        (replace(STORE, size=90 * SIZE), {}),
        (replace(STORE, size=10 * SIZE, in_use=10 * SIZE), {}),
        (replace(STORE, going_back_to="3.5"), {}),
    ],
    ids=["an alarm", "a member that is silent", "nearly full", "to be told anew", "a way back that is left over"],
)
def test_an_answer_of_etcds_by_which_there_is_anything_to_do_or_to_tell_ends_the_rest(
    store: StoreSeen, answer: dict[str, Any]
) -> None:
    assert not is_as_ever(stores(resting(), store, **answer), [DONE], NOW, POLICY)


def test_nor_is_an_etcd_that_did_not_answer_as_ever() -> None:
    assert not is_as_ever(resting(), [Progress(5.0, "no member answers")], NOW, POLICY)


def test_no_rest_is_longer_than_some_minutes() -> None:
    assert watch(resting(), NOW + AT_MOST) is None


def test_rests_that_begin_at_one_instant_do_not_end_at_one() -> None:
    ends = {resting(running(cluster(f"demo-{number}"))).until for number in range(20)}
    assert len(ends) == 20
    assert NOW < min(ends) < max(ends) <= NOW + AT_MOST


def test_a_leader_that_does_not_renew_its_lease_ends_it() -> None:
    rest = resting(unwell())
    stale = replace(leading(MANAGER, 0, since=LONG_AGO), at=NOW)
    rest = replace(rest, seen=replace(rest.seen, leaders={**rest.seen.leaders, MANAGER: stale}))
    assert watch(rest, NOW) is None
    assert not is_as_ever(rest, [Probed(version=VERSION)], NOW, POLICY)


def test_a_plan_without_a_step_leaves_none() -> None:
    seen = running()
    said = report(seen, Plan(), (), NOW)
    assert said.status is not None
    assert rest_after(seen, Plan(), (), said.status, NOW) is None
