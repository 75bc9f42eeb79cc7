"""Members of etcd get a new template from the last to the first, one at a time, and never while they lead."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace
from tests.support.ailing import NAMES, ailing, member
from tests.support.clusters import NOW, cluster, running

from homeostat.api.apps import RollingUpdate, StatefulSet, StatefulSetStatus, UpdateStrategy
from homeostat.operators.cluster.actions import AskEtcd, MoveLeader
from homeostat.operators.cluster.healing.seen import EtcdSeen
from homeostat.operators.cluster.names import REVISION_LABEL
from homeostat.operators.cluster.observe import Observed
from homeostat.operators.cluster.rollout.members import Roll, behind, roll

OLD, NEW = "old", "new"


def rolling(*behind: int, away: tuple[int, ...] = (), leader: int = 0, partition: int = 3) -> Observed:
    """Three members, some of an older revision than is declared, some not ready; etcd was asked just now."""
    seen = ailing(*(NAMES[number] for number in away), known=[member(n, is_leader=n == leader) for n in range(3)])
    workload = seen.workloads["demo-etcd"]
    assert isinstance(workload, StatefulSet)
    strategy = UpdateStrategy(RollingUpdate(partition))
    status = StatefulSetStatus(observed_generation=1, replicas=3, update_revision=NEW)
    workload = replace(workload, spec=replace(workload.spec, update_strategy=strategy), status=status)
    revisions = {name: OLD if number in behind else NEW for number, name in enumerate(NAMES)}
    pods = tuple(
        replace(pod, metadata=replace(pod.metadata, labels={**pod.metadata.labels, REVISION_LABEL: revisions[name]}))
        if (name := pod.metadata.name) in revisions
        else pod
        for pod in seen.pods
    )
    return replace(seen, pods=pods, workloads={**seen.workloads, "demo-etcd": workload})


def look(seen: Observed) -> tuple[int, str]:
    """How far the StatefulSet may go, and who is to lead before."""
    found = roll(seen, NOW)
    return found.partition, next((each.member for each in found.actions if isinstance(each, MoveLeader)), "")


def test_where_all_are_as_declared_the_partition_rests_above_all() -> None:
    assert roll(rolling(), NOW) == Roll(3)
    assert roll(rolling(partition=0), NOW) == Roll(3)


@pytest.mark.parametrize(
    ("seen", "partition", "heir"),
    [
        (rolling(0, 1, 2, leader=2), 3, NAMES[0]),  # nobody was replaced yet: who is replaced last
        (rolling(0, 1, 2, leader=0), 2, ""),
        (rolling(0, 1, leader=0, partition=2), 1, ""),
        (rolling(0, 1, leader=1, partition=2), 2, NAMES[2]),  # who was replaced already leads on to the end
        (rolling(0, leader=0, partition=1), 1, NAMES[2]),
        (rolling(0, leader=1, partition=1), 0, ""),
    ],
)
def test_the_last_one_goes_first_and_gives_its_office_away_before(seen: Observed, partition: int, heir: str) -> None:
    assert look(seen) == (partition, heir)


def test_what_was_let_go_stays_so_until_it_is_replaced() -> None:
    seen = replace(rolling(0, 1, 2, leader=2, partition=2), members=None)
    assert roll(seen, NOW) == Roll(2)


def test_a_member_is_not_replaced_while_another_one_is_away() -> None:
    held = roll(rolling(0, 1, 2, away=(1,)), NOW)
    assert (held.partition, held.actions) == (3, ())
    assert held.wait is not None
    assert held.wait.reason == f"{NAMES[2]} is not replaced while {NAMES[1]} is away"
    gone = rolling(0, 1, 2)
    gone = replace(gone, pods=tuple(pod for pod in gone.pods if pod.metadata.name != NAMES[0]))
    assert look(gone) == (3, "")


def without(seen: Observed, number: int, current: str = NEW) -> Observed:
    workload = seen.workloads["demo-etcd"]
    assert isinstance(workload, StatefulSet)
    workload = replace(workload, status=replace(workload.status, current_revision=current))
    pods = tuple(pod for pod in seen.pods if pod.metadata.name != NAMES[number])
    return replace(seen, pods=pods, workloads={**seen.workloads, "demo-etcd": workload})


def test_one_that_was_let_go_is_awaited_or_it_would_come_back_as_it_was() -> None:
    assert behind(without(rolling(partition=1), 1, OLD)) is None
    assert roll(without(rolling(partition=1), 1, OLD), NOW) == Roll(1)


def test_one_that_is_gone_for_other_reasons_comes_of_the_newest_revision_there_is() -> None:
    assert roll(without(rolling(), 1), NOW) == Roll(3)
    assert look(without(rolling(), 1, OLD)) == (1, "")


def test_one_that_is_not_ready_has_nothing_to_lose() -> None:
    assert look(rolling(0, 1, 2, away=(2,), leader=2)) == (2, "")


def test_etcd_is_asked_who_leads_and_where_it_does_not_answer_members_go_all_the_same() -> None:
    seen = rolling(0, 1, 2, leader=2)
    for unknown in (None, EtcdSeen(NOW - timedelta(seconds=6), seen.members.members if seen.members else ())):
        asked = roll(replace(seen, members=unknown), NOW)
        assert (asked.partition, asked.actions) == (3, (AskEtcd(),))
    assert look(replace(seen, members=EtcdSeen(NOW, failure="no route"))) == (2, "")


def test_only_a_member_with_a_vote_that_is_well_can_lead() -> None:
    others = (member(0, is_learner=True), member(1, is_well=False), member(2, is_leader=True))
    assert look(replace(rolling(0, 1, 2), members=EtcdSeen(NOW, others))) == (2, "")


def test_while_the_newest_declaration_was_not_seen_nothing_changes() -> None:
    seen = rolling(0, 1, 2, partition=2)
    workload = seen.workloads["demo-etcd"]
    newer = replace(workload, metadata=replace(workload.metadata, generation=2))
    seen = replace(seen, workloads={**seen.workloads, "demo-etcd": newer})
    assert behind(seen) is None
    assert roll(seen, NOW) == Roll(2)


def test_a_single_member_and_one_of_a_cluster_that_has_no_clients_yet_are_not_held_back() -> None:
    assert roll(running(cluster()), NOW) == Roll(0)
    seen = rolling(0, 1, 2, away=(0, 1, 2))
    young = replace(seen.cluster, status=replace(seen.cluster.status, ready_at=None))
    assert roll(replace(seen, cluster=young), NOW) == Roll(0)
