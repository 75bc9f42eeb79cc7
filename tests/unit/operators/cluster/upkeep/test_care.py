"""The stores of etcd: looked at seldom, given room one member at a time, and cleared when they were full."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from tests.support.ailing import healing, host_of, replacing
from tests.support.clusters import NOW, cluster, running, settled, workload
from tests.support.stores import MIB, QUOTA
from tests.support.unwell import silent

from homeostat.api.cluster.etcd import ClusterEtcdStatus
from homeostat.operators.cluster import metrics, words
from homeostat.operators.cluster.actions import Action, Care, Mend, MoveLeader
from homeostat.operators.cluster.decide import Policy, decide
from homeostat.operators.cluster.observe import Memory, Observed, ProbeSeen
from homeostat.operators.cluster.report import report
from homeostat.operators.cluster.upkeep.actions import (
    AskStores,
    Compact,
    CompareStores,
    Defragment,
    Disarm,
    ForbidDowngrade,
)
from homeostat.operators.cluster.upkeep.observe import observe_stores, spread
from homeostat.operators.cluster.upkeep.seen import UpkeepSeen
from homeostat.operators.cluster.upkeep.stores import CORRUPT, NO_SPACE, Alarm, Stores, StoreSeen
from homeostat.runtime.conditions import find_condition
from homeostat.runtime.loop import Result
from homeostat.runtime.outcome import DONE
from homeostat.telemetry.metrics import Measure

EVERY = timedelta(minutes=5)
THREE = tuple(host_of(f"demo-etcd-{number}") for number in range(3))
FULL = Alarm(NO_SPACE, 11)
LATELY = NOW - timedelta(minutes=2)


def store(number: int, size: int = 10, in_use: int = 10, **changes: Any) -> StoreSeen:
    """One member's store, sizes in MiB; the first leads."""
    made = StoreSeen(number + 10, THREE[number], "3.6.16", size * MIB, in_use * MIB, QUOTA, number == 0, revision=7)
    return replace(made, **changes)


def seen(
    *stores: StoreSeen,
    alarms: tuple[Alarm, ...] = (),
    silent: tuple[str, ...] = (),
    topology: str = "ha",
    spec: Mapping[str, Any] = {},
    **known: Any,
) -> Observed:
    """A cluster that is well, about whose stores etcd answered just now; they were compared lately."""
    members = 3 if topology == "ha" else 1
    answer = Stores(stores or tuple(store(number) for number in range(members)), alarms, silent)
    upkeep = replace(UpkeepSeen(NOW, NOW, answer, compared_at=LATELY, hashes=dict.fromkeys(THREE, 1)), **known)
    return settled(replace(running(cluster(topology=topology, **spec)), upkeep=upkeep))


def care(found: Observed, now: datetime = NOW) -> Care:
    return decide(found, now, Policy()).care


def done(found: Observed, now: datetime = NOW) -> tuple[Action, ...]:
    """What is done, without the look that follows everything."""
    actions = care(found, now).actions
    assert not actions or actions[-1] == AskStores()
    return actions[:-1]


def etcd_ready(found: Observed) -> tuple[str, str, str]:
    status = report(found, decide(found, NOW, Policy()), (), NOW).status
    assert status is not None
    condition = find_condition(status.conditions, words.ETCD_READY)
    assert condition is not None
    return condition.status, condition.reason, condition.message


def test_stores_that_are_well_are_looked_at_again_after_minutes() -> None:
    found = care(seen())
    assert found.actions == ()
    assert found.wait is not None
    assert found.wait.until == NOW + EVERY
    assert care(seen(), NOW + EVERY).actions == (AskStores(),)
    assert etcd_ready(seen())[:2] == ("True", words.COMPONENTS_READY)


def test_stores_are_looked_at_soon_when_clients_fail() -> None:
    now = NOW + timedelta(seconds=20)
    failing = replace(seen(), probed=ProbeSeen(NOW + timedelta(seconds=1), "", "a write failed"))
    assert care(failing, now).actions == (AskStores(),)
    assert care(failing, NOW + timedelta(seconds=5)).actions == ()
    assert care(seen(), now).actions == ()


def without_members(found: Observed) -> Observed:
    """None of them is ready."""
    lame = workload("etcd", found.names.etcd, ready=0, replicas=3)
    return replace(found, workloads={**found.workloads, found.names.etcd: lame})


def test_stores_are_looked_at_soon_when_members_say_that_they_are_not_ready() -> None:
    unready = without_members(seen())
    assert care(unready, NOW + timedelta(seconds=61)).actions == (AskStores(),)
    assert care(unready, NOW + timedelta(seconds=30)).actions == ()


def test_the_first_look_waits_for_its_place_in_the_round_only_while_all_is_well() -> None:
    new = replace(seen(), upkeep=UpkeepSeen(first=NOW + timedelta(minutes=4)))
    assert care(new).actions == ()
    assert care(without_members(new)).actions == (AskStores(),)
    assert care(replace(new, probed=ProbeSeen(NOW, "", "a write failed"))).actions == (AskStores(),)


def test_api_servers_are_not_blamed_for_an_etcd_that_is_full() -> None:
    full = replace(seen(alarms=(FULL,)), servers={"uid": silent()})
    assert decide(full, NOW, Policy()).mend == Mend()


def test_first_looks_are_spread_over_the_clusters_of_a_cell() -> None:
    shares = [spread(f"uid-{number}") for number in range(400)]
    assert all(0 <= share < 1 for share in shares)
    assert all(20 < sum(low / 8 <= share < (low + 1) / 8 for share in shares) < 90 for low in range(8))
    memory = Memory()
    first = observe_stores(running(), memory, NOW, EVERY).upkeep.first
    assert first == NOW + EVERY * spread("uid-demo")
    assert observe_stores(running(), memory, NOW + EVERY, EVERY).upkeep.first == first


def test_a_cluster_that_was_full_is_looked_at_as_soon_as_a_process_begins() -> None:
    told = running()
    status = replace(told.cluster.status, etcd=ClusterEtcdStatus(alarms=(NO_SPACE,)))
    told = replace(told, cluster=replace(told.cluster, status=status))
    found = observe_stores(told, Memory(), NOW, EVERY)
    assert care(found).actions == (AskStores(),)
    assert etcd_ready(found)[:2] == ("False", words.ETCD_NO_SPACE)


def test_a_store_with_much_free_room_inside_is_defragmented_followers_first() -> None:
    loose = [store(number, 400, 100) for number in range(3)]
    assert done(seen(*loose)) == (Defragment("demo-etcd-1", THREE[1]),)
    assert done(seen(loose[0], store(1), loose[2])) == (Defragment("demo-etcd-2", THREE[2]),)


def test_a_leader_gives_its_office_away_before_it_is_defragmented() -> None:
    assert done(seen(store(0, 400, 100), store(1), store(2))) == (MoveLeader("demo-etcd-1", 11),)


def test_little_room_is_left_where_it_is() -> None:
    assert done(seen(store(0), store(1, 60, 10), store(2))) == ()
    assert done(seen(store(0), store(1, 400, 300), store(2))) == ()


def test_one_member_is_not_defragmented_twice_within_an_hour() -> None:
    loose = [store(0), store(1, 400, 100), store(2)]
    assert done(seen(*loose, defragmented={THREE[1]: LATELY})) == ()
    assert done(seen(*loose, defragmented={THREE[1]: NOW - timedelta(hours=2)})) != ()


def test_a_member_that_is_alone_is_defragmented_only_when_it_would_be_full_soon() -> None:
    assert done(seen(store(0, 700, 100), topology="single")) == ()
    assert done(seen(store(0, 900, 100), topology="single")) == (Defragment("demo-etcd-0", THREE[0]),)


def test_a_store_near_its_quota_is_told_and_looked_at_more_often() -> None:
    near = seen(store(0, 900, 890), store(1, 900, 890), store(2, 900, 890))
    assert done(near) == ()
    found = care(near)
    assert found.wait is not None
    assert found.wait.until == NOW + timedelta(minutes=1)
    assert etcd_ready(near) == (
        "True",
        words.ETCD_NEAR_QUOTA,
        "a store of etcd has more than 85 % of its quota of 1024.0 MiB",
    )


@pytest.mark.parametrize(
    "held",
    [
        seen(store(0), store(1, 400, 100), silent=(THREE[2],)),
        seen(store(0), store(1, 400, 100), store(2), spec={"healing": {"paused": True}}),
        replacing(seen(store(0), store(1, 400, 100), store(2))),
        seen(store(0), store(1, 400, 100), store(2), is_stale=True),
        seen(store(0), store(1, 400, 100), store(2), failure="no quorum"),
    ],
    ids=["a member is away", "healing is paused", "a member is replaced", "something changed", "etcd is silent"],
)
def test_nothing_is_done_to_stores_while(held: Observed) -> None:
    assert not any(isinstance(action, Defragment) for action in care(held).actions)


def test_nothing_is_defragmented_while_masters_move() -> None:
    found = seen(store(0), store(1, 400, 100), store(2), spec={"packageVersion": "v1.34.4"})
    status = replace(found.cluster.status, package_version="v1.35.4")
    moving = replace(found, cluster=replace(found.cluster, status=status), kubelets=frozenset())
    assert not any(isinstance(action, Defragment) for action in care(moving).actions)


def test_nothing_is_defragmented_while_a_member_is_not_ready() -> None:
    found = seen(store(0), store(1, 400, 100), store(2))
    lame = workload("etcd", found.names.etcd, ready=2, replicas=3)
    found = replace(found, workloads={**found.workloads, found.names.etcd: lame})
    assert not any(isinstance(action, Defragment) for action in care(found).actions)


def test_a_full_store_is_compacted_then_defragmented_then_cleared() -> None:
    big = [store(number, 1030, 1000) for number in range(3)]
    assert done(seen(*big, alarms=(FULL,))) == (Compact(),)
    compacted: dict[str, Any] = {"compacted": 7, "compacted_at": NOW}
    assert done(seen(*big, alarms=(FULL,), **compacted)) == (Defragment("demo-etcd-1", THREE[1]),)
    later = NOW + timedelta(seconds=1)
    half: dict[str, Any] = {**compacted, "defragmented": {THREE[1]: later}}
    assert done(seen(big[0], store(1), big[2], alarms=(FULL,), **half)) == (Defragment("demo-etcd-2", THREE[2]),)
    assert done(seen(big[0], store(1), store(2), alarms=(FULL,), **half)) == (MoveLeader("demo-etcd-1", 11),)
    assert done(seen(alarms=(FULL,), **compacted)) == (Disarm(FULL),)


def test_a_store_that_is_full_of_data_is_told_and_tried_again_when_something_was_deleted() -> None:
    big = [store(number, 1030, 1000) for number in range(3)]
    after: dict[str, Any] = {"compacted": 7, "compacted_at": LATELY, "defragmented": dict.fromkeys(THREE, NOW)}
    stuck = seen(*big, alarms=(FULL,), **after)
    assert done(stuck) == ()
    assert etcd_ready(stuck) == (
        "False",
        words.ETCD_NO_SPACE,
        "etcd takes no writes: its largest store has 1030.0 MiB of 1024.0 MiB; 1000.0 MiB hold data",
    )
    deleted = [replace(each, revision=9) for each in big]
    assert done(seen(*deleted, alarms=(FULL,), **after)) == (Compact(),)
    assert done(seen(*deleted, alarms=(FULL,), **{**after, "compacted_at": NOW})) == ()


def test_a_member_that_had_not_compacted_when_it_was_defragmented_gets_another_turn() -> None:
    after: dict[str, Any] = {"compacted": 7, "compacted_at": LATELY, "defragmented": dict.fromkeys(THREE, NOW)}
    late = seen(store(0), store(1, 1030, 100), store(2), alarms=(FULL,), **after)
    assert done(late) == (Defragment("demo-etcd-1", THREE[1]),)


def test_the_status_says_how_full_etcd_is_and_hardly_ever_changes() -> None:
    found = seen(store(0, 100, 80), store(1, 300, 80), store(2))
    status = report(found, decide(found, NOW, Policy()), (), NOW).status
    assert status is not None
    assert status.etcd == ClusterEtcdStatus(
        size_bytes=300 * MIB,
        in_use_bytes=80 * MIB,
        quota_bytes=QUOTA,
        used_percent=29,
        agreed_at=found.upkeep.compared_at,
    )
    grown = seen(store(0, 100, 80), store(1, 320, 80), store(2))
    grown = replace(grown, cluster=replace(grown.cluster, status=status))
    again = report(grown, decide(grown, NOW, Policy()), (), NOW).status
    assert again is not None
    assert again.etcd == status.etcd


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        (NOW - timedelta(minutes=1), NOW - timedelta(minutes=1)),
        (NOW - timedelta(minutes=3), LATELY),
        (NOW + timedelta(hours=1), LATELY),
    ],
)
def test_when_all_agreed_is_never_taken_back_but_from_a_clock_that_was_ahead(told: datetime, kept: datetime) -> None:
    """Two that lead for a moment would write it in turn, each as it knows it, for as long as both do."""
    found = seen()
    status = replace(found.cluster.status, etcd=ClusterEtcdStatus(agreed_at=told))
    found = replace(found, cluster=replace(found.cluster, status=status))
    after = report(found, decide(found, NOW, Policy()), (), NOW).status
    assert after is not None
    assert after.etcd is not None
    assert after.etcd.agreed_at == kept


def test_a_clearing_is_told_with_the_size_before_and_after() -> None:
    big = seen(*(store(number, 1030, 1000) for number in range(3)), alarms=(FULL,))
    status = report(big, decide(big, NOW, Policy()), (), NOW).status
    assert status is not None
    assert status.etcd is not None
    assert (status.etcd.full_size_bytes, status.etcd.alarms) == (1030 * MIB, (NO_SPACE,))
    found = seen(alarms=(FULL,), compacted=7, compacted_at=LATELY)
    found = replace(found, cluster=replace(found.cluster, status=status))
    plan = decide(found, NOW, Policy())
    notes = report(found, plan, tuple(Result[Any](action, DONE) for action in plan.actions), NOW).notes
    assert [note.note for note in notes if note.reason == words.ETCD_CLEARED] == [
        "the alarm NOSPACE was taken back: the largest store had 1030.0 MiB, and has 10.0 MiB of 1024.0 MiB"
    ]


def test_what_was_done_is_counted() -> None:
    found = seen(*(store(number, 1030, 1000) for number in range(3)), alarms=(FULL,))
    plan = decide(found, NOW, Policy())
    measures = report(found, plan, tuple(Result[Any](action, DONE) for action in plan.actions), NOW).measures
    assert Measure(metrics.ETCD_REPAIRS, ("compact",)) in measures


def test_members_are_compared_now_and_then() -> None:
    assert done(seen(compared_at=None)) == (CompareStores(),)
    assert done(seen(compared_at=NOW - timedelta(hours=7))) == (CompareStores(),)
    mixed = [store(0, version="3.5.35"), store(1), store(2)]
    assert done(seen(*mixed, compared_at=None)) == ()


def test_a_member_with_other_data_is_told_by_name() -> None:
    other = seen(hashes={THREE[0]: 1, THREE[1]: 2, THREE[2]: 1})
    assert etcd_ready(other) == (
        "False",
        words.ETCD_CORRUPT,
        "the data of demo-etcd-1 is not what the other members agree on",
    )
    torn = seen(hashes={THREE[0]: 1, THREE[1]: 2, THREE[2]: 3})
    assert "no majority agrees: demo-etcd-0, demo-etcd-1, demo-etcd-2" in etcd_ready(torn)[2]


def test_an_alarm_of_corrupt_data_makes_members_be_compared_and_is_not_simply_taken_back() -> None:
    alarm = Alarm(CORRUPT, 11)
    found = seen(alarms=(alarm,), compared_at=NOW - timedelta(minutes=2))
    assert done(found) == (CompareStores(),)
    assert etcd_ready(found)[:2] == ("False", words.ETCD_CORRUPT)
    torn = {THREE[0]: 1, THREE[1]: 2, THREE[2]: 1}
    assert done(seen(alarms=(alarm,), compared_at=NOW, compared_under=(alarm,), hashes=torn)) == ()


def test_what_was_compared_before_an_alarm_or_could_not_be_is_compared_at_once() -> None:
    alarm, moments = Alarm(CORRUPT, 11), timedelta(seconds=20)
    assert done(seen(alarms=(alarm,), compared_at=NOW)) == (CompareStores(),)
    under: dict[str, Any] = {"alarms": (alarm,), "compared_under": (alarm,), "compared_at": NOW - moments}
    assert done(seen(**under, hashes={})) == (CompareStores(),)
    assert done(seen(**under, hashes={THREE[0]: 1, THREE[1]: 2, THREE[2]: 1})) == ()


def test_an_alarm_of_a_member_that_is_gone_is_taken_back_when_the_others_agree() -> None:
    alarm = Alarm(CORRUPT, 99)
    two = (store(0), store(2))
    assert done(seen(*two, alarms=(alarm,), silent=(THREE[1],))) == (Disarm(alarm),)
    torn = {THREE[0]: 1, THREE[2]: 2}
    assert not any(isinstance(each, Disarm) for each in care(seen(*two, alarms=(alarm,), hashes=torn)).actions)


def test_an_alarm_of_a_member_that_agrees_with_all_others_is_taken_back() -> None:
    alarm = Alarm(CORRUPT, 11)
    assert done(seen(alarms=(alarm,), compared_under=(alarm,))) == (Disarm(alarm),)
    for hashes in ({THREE[0]: 1, THREE[1]: 1}, {THREE[0]: 2, THREE[1]: 1, THREE[2]: 1}):
        found = seen(alarms=(alarm,), compared_at=NOW, hashes=hashes, compared_under=(alarm,))
        assert done(found) == (), "one was not compared, or deviates"


def test_an_unjust_alarm_is_taken_back_when_the_one_that_was_wrong_is_gone() -> None:
    alarm, two = Alarm(CORRUPT, 12), {THREE[1]: 1, THREE[2]: 1}
    found = seen(alarms=(alarm,), hashes=two, compared_under=(alarm,), compared_at=NOW)
    told = replacing(found, "demo-etcd-0").cluster.status.healing
    assert told is not None
    assert told.replacement is not None
    assert done(healing(found, replace(told, replacement=replace(told.replacement, corrupt=True)))) == (Disarm(alarm),)
    assert done(found) == ()


def test_a_permission_to_go_back_that_nobody_wishes_is_taken_back() -> None:
    assert done(seen(*(store(number, going_back_to="3.5") for number in range(3)))) == (ForbidDowngrade(),)
