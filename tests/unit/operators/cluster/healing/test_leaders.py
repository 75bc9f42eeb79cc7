"""How old a leader's Lease is says who hangs only while leaders can renew."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.support.clusters import NOW

from homeostat.api.cluster.masters import CONTROLLER_MANAGER, SCHEDULER
from homeostat.operators.cluster.healing.restart import note_leaders
from homeostat.operators.cluster.observe import Memory
from homeostat.operators.cluster.ports import LeaderSeen, Refusal, Served

MINUTE = timedelta(minutes=1)
HANGS = Refusal("a write hangs", is_by_policy=True)


def served(renewed: datetime, refused: Refusal | None = None, *, scheduled: datetime | None = None) -> Served:
    """What is told of the two leaders: both renewed at the same moment, unless the scheduler did at its own."""
    leaders = {
        CONTROLLER_MANAGER: LeaderSeen("m_1", renewed),
        SCHEDULER: LeaderSeen("s_1", scheduled or renewed),
    }
    return Served("v1.35.4", leaders, refused)


def noted(*looks: Served) -> Memory:
    """What is remembered after looks a minute apart."""
    known = Memory()
    for number, told in enumerate(looks):
        note_leaders(known, told, NOW + number * MINUTE)
    return known


def test_a_lease_that_nobody_renews_ages_from_when_it_was_first_seen_so() -> None:
    known = noted(served(NOW), served(NOW), served(NOW))
    assert {component: leader.stale_for for component, leader in known.leaders.items()} == {
        CONTROLLER_MANAGER: 2 * MINUTE,
        SCHEDULER: 2 * MINUTE,
    }


def test_while_writes_wait_no_lease_ages_however_long_they_do() -> None:
    known = noted(served(NOW), *(served(NOW, HANGS) for _ in range(5)))
    assert all(not leader.is_stale for leader in known.leaders.values())


def test_the_first_look_after_writes_have_waited_accuses_nobody() -> None:
    known = noted(served(NOW), served(NOW, HANGS), served(NOW, HANGS), served(NOW))
    assert all(leader.stale_for == timedelta(0) for leader in known.leaders.values())


def test_a_leader_that_hangs_is_told_though_some_writes_are_refused_as_long_as_another_one_renews() -> None:
    looks = (served(NOW, HANGS, scheduled=NOW + number * MINUTE) for number in range(4))
    known = noted(*looks)
    assert known.leaders[CONTROLLER_MANAGER].stale_for == 2 * MINUTE
    assert not known.leaders[SCHEDULER].is_stale
