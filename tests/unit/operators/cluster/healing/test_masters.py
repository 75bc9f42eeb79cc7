"""What is done about ill masters: one at a time, told first, held back by what protects the cell, and not for ever."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from tests.support.clusters import NOW, planned, settled
from tests.support.unwell import (
    HOSTS,
    LATELY,
    LONG_AGO,
    MANAGER,
    SERVER,
    leading,
    master,
    name_of,
    restart,
    silent,
    sound,
    told,
    uid_of,
    unwell,
)

from homeostat.api.cluster.upgrades import ClusterUpgradeStatus
from homeostat.api.cluster.v1alpha1 import ClusterStatus
from homeostat.operators.cluster import words
from homeostat.operators.cluster.actions import CheckServers, Isolate, LetGo, Mend, Plan, RestartMaster, Server, Step
from homeostat.operators.cluster.decide import Policy as Decisions
from homeostat.operators.cluster.decide import decide
from homeostat.operators.cluster.healing.cell import CellSeen
from homeostat.operators.cluster.healing.ladder import back_off
from homeostat.operators.cluster.healing.masters import mend
from homeostat.operators.cluster.healing.policy import Policy
from homeostat.operators.cluster.observe import Observed
from homeostat.operators.cluster.report import report
from homeostat.runtime.loop import Result
from homeostat.runtime.outcome import DONE

POLICY = Policy()
SICK = unwell(master(SERVER, 0, ready=False), servers={0: silent(), 1: sound()})
FIRST = name_of(SERVER, 0)


def look(seen: Observed) -> Mend:
    return mend(seen, NOW, POLICY)


def reason(seen: Observed, component: str = SERVER) -> str:
    return look(seen).verdicts[component].reason


def restarts_of(seen: Observed) -> list[str]:
    return [action.pod for action in look(seen).actions if isinstance(action, RestartMaster)]


def test_where_all_is_well_nothing_is_done_told_or_written() -> None:
    plan = look(unwell())
    assert (plan.actions, plan.verdicts, plan.restarts) == ((), {}, None)


def test_a_cluster_that_was_never_ready_is_left_to_its_creation() -> None:
    new = replace(SICK, cluster=replace(SICK.cluster, status=replace(SICK.cluster.status, ready_at=None)))
    assert look(new) == Mend()


def test_what_is_going_to_be_restarted_is_told_first_and_kept_from_clients_at_once() -> None:
    plan = look(SICK)
    assert plan.restarts is not None
    (begun,) = plan.restarts
    assert (begun.component, begun.step, begun.pod, begun.host, begun.attempts) == (SERVER, "Recreate", FIRST, "h0", 1)
    assert Isolate(FIRST, uid_of(SERVER, 0), out=True) in plan.actions
    assert restarts_of(SICK) == []


def test_what_was_told_is_done_at_the_next_look() -> None:
    server = Server(FIRST, uid_of(SERVER, 0), "https://10.0.0.0:6443")
    expected = RestartMaster(SERVER, FIRST, uid_of(SERVER, 0), words.UNREADY, server=server)
    assert expected in look(told(SICK, restart())).actions


def test_one_that_recovered_meanwhile_is_not_restarted_and_its_story_ends() -> None:
    plan = look(told(unwell(), restart()))
    assert restarts_of(told(unwell(), restart())) == []
    assert plan.restarts is not None
    assert plan.restarts[0].ended_at == NOW


def test_while_the_successor_starts_nothing_else_of_the_cluster_is_touched() -> None:
    managers = replace(unwell(master(MANAGER, 1, ready=False)), leaders={MANAGER: leading(MANAGER, 0)})
    waiting = told(managers, restart(pod_uid="uid-gone"))
    short = dict(waiting.workloads)
    short["demo-apiserver"] = SICK.workloads["demo-apiserver"]
    plan = look(replace(waiting, workloads=short))
    assert plan.restarts is None
    assert plan.verdicts[SERVER].reason == words.RESTARTING_MASTER


def test_the_next_try_waits_for_its_back_off_and_is_counted() -> None:
    early = told(SICK, restart(pod_uid="uid-gone", started_at=NOW - timedelta(minutes=1)))
    assert reason(early) == words.HEALING_BACKED_OFF
    late = look(told(SICK, restart(pod_uid="uid-gone", started_at=NOW - back_off(1))))
    assert late.restarts is not None
    assert late.restarts[0].attempts == 2


def with_hung_manager(seen: Observed) -> Observed:
    """The same, and a controller manager that has its Lease and does not renew it."""
    return replace(seen, leaders={**seen.leaders, MANAGER: leading(MANAGER, 0, since=NOW - timedelta(minutes=5))})


def test_a_controller_that_hangs_though_it_is_ready_is_restarted_as_it_was_told() -> None:
    begun = look(with_hung_manager(unwell())).restarts
    assert begun is not None
    plan = look(with_hung_manager(told(unwell(), *begun)))
    assert [action.is_hung for action in plan.actions if isinstance(action, RestartMaster)] == [True]
    assert plan.restarts is None


NO_HOST = master(SERVER, 0, ready=False, host="", address="", container={"state": {}})


@pytest.mark.parametrize(
    ("seen", "why"),
    [
        (told(SICK, restart(step="HandOver", attempts=4, started_at=LONG_AGO, pod_uid="gone")), words.HANDED_OVER),
        (told(SICK, restart(attempts=3, started_at=LATELY, ended_at=NOW, pod_uid="gone")), words.HEALING_BACKED_OFF),
        (
            told(unwell(NO_HOST, servers={1: sound()}), restart(started_at=LONG_AGO, pod_uid="gone")),
            words.RESTARTING_MASTER,
        ),
    ],
    ids=["handed_over", "backs_off", "its_successor_finds_no_host"],
)
def test_one_that_cannot_be_helped_now_holds_no_other_component(seen: Observed, why: str) -> None:
    plan = look(with_hung_manager(seen))
    assert plan.restarts is not None
    begun = {each.component: each for each in plan.restarts}
    assert (begun[MANAGER].step, begun[MANAGER].attempts) == ("Recreate", 1)
    assert {name: each.reason for name, each in plan.verdicts.items()} == {
        SERVER: why,
        MANAGER: words.RESTARTING_MASTER,
    }
    again = with_hung_manager(told(seen, *plan.restarts))
    assert restarts_of(again) == [name_of(MANAGER, 0)]


def test_a_host_that_makes_it_ill_twice_is_avoided_and_no_pod_is_deleted_by_hand() -> None:
    again = told(SICK, restart(pod_uid="uid-gone", started_at=LONG_AGO))
    begun = look(again).restarts
    assert begun is not None
    assert (begun[0].step, begun[0].avoided_hosts) == ("Move", ("h0",))
    assert restarts_of(told(SICK, *begun)) == []
    alone = replace(again, hosts={"h0": HOSTS["h0"]})
    only = look(alone).restarts
    assert only is not None
    assert only[0].step == "Recreate"


def test_after_four_tries_a_person_is_told_and_nothing_is_tried_any_more() -> None:
    tired = told(SICK, restart(pod_uid="uid-gone", attempts=4, started_at=LONG_AGO))
    plan = look(tired)
    assert plan.restarts is not None
    assert plan.restarts[0].step == "HandOver"
    assert reason(tired) == words.HANDED_OVER
    after = told(SICK, *plan.restarts)
    assert (reason(after), restarts_of(after), look(after).restarts) == (words.HANDED_OVER, [], None)


def test_what_was_handed_over_and_is_well_again_ends() -> None:
    plan = look(told(unwell(), restart(step="HandOver")))
    assert plan.restarts is not None
    assert plan.restarts[0].ended_at == NOW


def test_what_was_well_for_half_a_day_is_forgotten() -> None:
    assert look(told(unwell(), CALM)).restarts == ()


CALM = restart(started_at=LONG_AGO, ended_at=NOW - timedelta(hours=13))
MOVED = replace(CALM, step="Move", attempts=2, avoided_hosts=("h0",))


def written(seen: Observed, plan: Plan) -> ClusterStatus:
    results = tuple(Result[Any](each, DONE) for each in plan.actions)
    status = report(seen, plan, results, NOW).status
    assert status is not None
    return status


@pytest.mark.parametrize("spec", [{}, {"healing": {"paused": True}}])
def test_but_no_master_is_made_anew_for_that_though_it_moved_away_from_a_host(spec: dict[str, Any]) -> None:
    seen = settled(told(unwell(**spec), MOVED))
    status = written(seen, decide(seen, NOW, Decisions()))
    assert status.healing is not None
    assert status.healing.restarts == (MOVED,)
    again = replace(seen, cluster=replace(seen.cluster, status=status))
    assert planned(decide(again, NOW + timedelta(seconds=1), Decisions())) == []


def test_the_next_illness_after_a_calm_is_a_first_one_and_the_host_is_avoided_still() -> None:
    begun = look(told(SICK, MOVED)).restarts
    assert begun is not None
    assert (begun[0].step, begun[0].attempts, begun[0].avoided_hosts) == ("Recreate", 1, ("h0",))


def test_what_moves_to_another_version_no_longer_avoids_a_host_where_it_was_ill_before_a_calm() -> None:
    told_of = told(unwell(), MOVED, replace(MOVED, component=MANAGER, ended_at=LONG_AGO))
    plan = Plan(step=Step("v1.35.4", moves=(SERVER, MANAGER)))
    status = written(told_of, plan)
    assert status.healing is not None
    assert [each.component for each in status.healing.restarts] == [MANAGER]


HELD = [
    (
        replace(unwell(master(SERVER, 0, ready=False), servers={0: silent(), 1: sound()}, healing={"paused": True})),
        words.HEALING_PAUSED,
    ),
    (replace(SICK, cell=CellSeen(clusters=4, sick=3)), words.HEALING_FROZEN),
    (replace(SICK, cell=CellSeen(is_slow=True)), words.HEALING_FROZEN),
    (replace(SICK, cell=CellSeen(recent=5, ahead=5)), words.HEALING_BUDGET_SPENT),
]


@pytest.mark.parametrize(("seen", "why"), HELD)
def test_nothing_begins_or_goes_on_while_something_forbids_it_and_that_is_told(seen: Observed, why: str) -> None:
    assert (reason(seen), look(seen).restarts) == (why, None)
    begun = told(seen, restart(started_at=LATELY))
    assert (reason(begun), restarts_of(begun)) == (why, [])


@pytest.mark.parametrize("cell", [CellSeen(clusters=4, sick=3), CellSeen(recent=5, ahead=5)], ids=["frozen", "spent"])
def test_clients_are_kept_away_from_one_that_is_silent_also_while_nothing_may_be_restarted(cell: CellSeen) -> None:
    assert isolated(replace(SICK, cell=cell)) == [Isolate(FIRST, uid_of(SERVER, 0), out=True)]


@pytest.mark.parametrize("seen", [HELD[0][0], HELD[2][0]], ids=["paused", "slow"])
def test_nobody_is_taken_out_by_the_word_of_a_slow_cell_or_while_healing_is_paused(seen: Observed) -> None:
    assert isolated(seen) == []


def test_the_last_api_server_that_is_in_the_endpoint_stays_there_in_a_freeze_too() -> None:
    both = unwell(*(master(SERVER, number, ready=False) for number in range(2)), servers={0: silent(), 1: silent()})
    assert isolated(replace(both, cell=CellSeen(clusters=4, sick=3))) == []


def isolated(seen: Observed) -> list[Isolate]:
    return [action for action in look(seen).actions if isinstance(action, Isolate)]


def test_after_a_freeze_the_next_one_waits_a_minute_after_the_last() -> None:
    paced = replace(SICK, cell=CellSeen(last=LATELY + timedelta(seconds=30), thawed=LATELY))
    assert (reason(paced), look(paced).restarts) == (words.HEALING_BUDGET_SPENT, None)


def test_what_is_begun_after_a_freeze_waits_for_its_turn_but_clients_are_kept_away_from_it() -> None:
    turn = NOW + timedelta(seconds=40)
    paced = replace(SICK, cell=CellSeen(recent=2, ahead=1, turn=turn, thawed=LATELY))
    plan = look(told(paced, restart(started_at=LATELY + timedelta(seconds=30))))
    assert (plan.verdicts[SERVER].reason, plan.restarts) == (words.HEALING_BUDGET_SPENT, None)
    assert [type(action) for action in plan.actions if isinstance(action, Isolate | RestartMaster)] == [Isolate]
    due = replace(paced, cell=replace(paced.cell, turn=NOW))
    assert len(restarts_of(told(due, restart(started_at=LATELY)))) == 1


def test_while_others_look_sick_what_is_decided_for_them_at_the_same_moment_is_heard_of_first() -> None:
    alone, beside = replace(SICK, cell=CellSeen(sick=1)), replace(SICK, cell=CellSeen(clusters=20, sick=2))
    assert len(restarts_of(told(alone, restart(started_at=NOW)))) == 1
    assert restarts_of(told(beside, restart(started_at=NOW))) == []
    assert len(restarts_of(told(beside, restart(started_at=NOW - timedelta(seconds=3))))) == 1


def test_what_is_decided_is_told_before_a_server_that_hangs_is_asked_once_more() -> None:
    asked = {0: replace(silent(), at=LATELY), 1: replace(sound(), at=LATELY)}
    due = unwell(master(SERVER, 0, ready=False), servers=asked)
    assert look(due).restarts is not None
    assert not [action for action in look(due).actions if isinstance(action, CheckServers)]
    assert [action for action in look(told(due, restart())).actions if isinstance(action, CheckServers)]


def test_what_had_no_turn_for_long_counts_from_when_it_has() -> None:
    waits = told(replace(SICK, cell=CellSeen(recent=6, ahead=5)), restart(started_at=LONG_AGO))
    plan = look(waits)
    assert plan.restarts is not None
    assert (plan.restarts[0].started_at, plan.restarts[0].attempts) == (NOW, 1)


def test_a_component_that_moves_to_another_version_is_the_rollouts_business() -> None:
    move = ClusterUpgradeStatus(from_version="a", to_version="b", started_at=NOW, component=SERVER)
    moving = replace(SICK, cluster=replace(SICK.cluster, status=replace(SICK.cluster.status, upgrade=move)))
    assert look(moving).restarts is None


def test_one_that_hangs_is_told_before_it_is_ill() -> None:
    hung = unwell(servers={0: silent(NOW - timedelta(seconds=5)), 1: sound()})
    plan = look(hung)
    assert (plan.verdicts[SERVER].reason, plan.restarts) == (words.UNRESPONSIVE, None)
    assert FIRST in plan.verdicts[SERVER].message


def test_while_a_master_is_not_ready_it_is_looked_at_again_although_nothing_changes() -> None:
    waits = unwell(master(MANAGER, 0, ready=False, container={"state": {"waiting": {"reason": "ErrImagePull"}}}))
    wait = look(
        replace(waits, servers={}, pods=tuple(pod for pod in waits.pods if SERVER not in pod.metadata.name))
    ).wait
    assert wait is not None
    assert wait.until <= NOW + timedelta(seconds=30)


def going(minutes: int = 6, *, cell: CellSeen = CellSeen(), **healing: bool) -> list[LetGo]:  # noqa: B008  (frozen)
    """What is let go when a Pod was deleted so long ago on a host that is away."""
    deleted = {"deletionTimestamp": (NOW - timedelta(minutes=minutes)).isoformat()}
    seen = unwell(master(SERVER, 0, ready=False, metadata=deleted), healing=healing)
    away = {**HOSTS, "h0": replace(HOSTS["h0"], is_ready=False)}
    return [action for action in look(replace(seen, hosts=away, cell=cell)).actions if isinstance(action, LetGo)]


def test_a_pod_is_not_let_go_by_force_while_healing_is_paused_or_the_cell_is_frozen() -> None:
    assert going(paused=True) == []
    assert going(cell=CellSeen(is_slow=True)) == []
    assert going(cell=CellSeen(clusters=4, sick=4)) == []
    assert going(cell=CellSeen(recent=9, ahead=9)) != []  # it takes nobody's turn


def test_a_pod_that_cannot_go_because_its_host_is_away_is_let_go_after_minutes() -> None:
    assert going(4) == []
    assert going(6) == [LetGo(FIRST, uid_of(SERVER, 0), "h0")]
