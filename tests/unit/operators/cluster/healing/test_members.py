"""A dead member of etcd: replaced when both signals agree for long and nothing else is wrong, else left and told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.support.ailing import DEAD, HOSTS, NAMES, ailing, healing, host_of, member, member_pod, members, replacing
from tests.support.clusters import NOW, cluster, running

from homeostat.api.cluster.healing import ClusterHealingStatus
from homeostat.operators.cluster import words
from homeostat.operators.cluster.actions import AddMember, AskEtcd, Discard, Heal, PromoteMember, RemoveMember, Verdict
from homeostat.operators.cluster.healing.cell import CellSeen
from homeostat.operators.cluster.healing.members import back_off, begun, heal, unsafe_without
from homeostat.operators.cluster.healing.policy import Policy
from homeostat.operators.cluster.healing.seen import EtcdSeen, HostSeen
from homeostat.operators.cluster.observe import Observed
from homeostat.operators.cluster.ports import MemberSeen

POLICY = Policy()
LATER = NOW + timedelta(minutes=31)


def look(seen: Observed) -> Heal:
    return heal(seen, NOW, POLICY)


def reason(seen: Observed) -> str:
    told = look(seen)
    assert told.begins is None
    assert told.verdict is not None
    return told.verdict.reason


def without(seen: Observed, *names: str) -> Observed:
    return replace(seen, claims=tuple(each for each in seen.claims if each.metadata.name not in names))


def reborn(seen: Observed) -> Observed:
    """The dead member's Pod is another one."""
    fresh = (
        replace(pod, metadata=replace(pod.metadata, uid="uid-new")) if pod.metadata.name == DEAD else pod
        for pod in seen.pods
    )
    return replace(seen, pods=tuple(fresh))


def test_a_member_that_is_dead_by_both_signals_for_long_is_replaced_and_that_is_told_first() -> None:
    told = look(ailing(DEAD))
    assert told.actions == ()
    assert told.begins is not None
    assert (told.begins.member, told.begins.member_id, told.begins.claim_uid) == (DEAD, "b", f"uid-data-{DEAD}")


def test_where_all_are_ready_nobody_asks_anything() -> None:
    assert look(ailing(known=None)) == Heal()


def test_one_member_alone_is_not_replaced() -> None:
    seen = running(cluster())
    assert look(replace(seen, pods=())) == Heal()


def test_a_member_may_come_back_within_its_time() -> None:
    told = look(ailing(DEAD, known=None, since=NOW - timedelta(seconds=100)))
    assert (told.verdict, told.actions) == (None, ())
    assert told.wait is not None
    assert told.wait.until == NOW + timedelta(seconds=200)


def test_etcd_is_asked_before_anything_is_believed_and_again_when_its_answer_is_old() -> None:
    assert look(ailing(DEAD, known=None)).actions == (AskEtcd(),)
    old = replace(ailing(DEAD), members=EtcdSeen(NOW - timedelta(seconds=6), members(DEAD)))
    assert look(old).actions == (AskEtcd(),)


def test_until_the_next_answer_what_the_old_one_showed_is_told_and_not_done() -> None:
    old = NOW - timedelta(seconds=6)
    well = replace(ailing(DEAD), members=EtcdSeen(old, members()))
    assert (look(well).actions, reason(well)) == ((AskEtcd(),), words.MEMBER_UNREADY)
    paused = replace(ailing(DEAD, healing={"paused": True}), members=EtcdSeen(old, members(DEAD)))
    assert (look(paused).actions, reason(paused)) == ((AskEtcd(),), words.HEALING_PAUSED)
    under_way = replace(replacing(ailing(DEAD)), members=EtcdSeen(old, members(DEAD)))
    assert (look(under_way).actions, reason(under_way)) == ((AskEtcd(),), words.REPLACING_MEMBER)


def changed(**changes: Any) -> Observed:
    return replace(ailing(DEAD), **changes)


@pytest.mark.parametrize(
    ("seen", "why"),
    [
        (ailing(DEAD, known=members()), words.MEMBER_UNREADY),
        (ailing(DEAD, NAMES[2]), words.QUORUM_AT_RISK),
        (ailing(DEAD, known=members(DEAD, NAMES[2])), words.QUORUM_AT_RISK),
        (ailing(DEAD, known=(member(0), member(1, is_well=False), member(2, is_learner=True))), words.QUORUM_AT_RISK),
        (ailing(DEAD, known=(member(0), member(2, is_well=False))), words.QUORUM_AT_RISK),
        (changed(members=EtcdSeen(NOW, failure="no route")), words.ETCD_UNREACHABLE),
        (ailing(DEAD, healing={"paused": True}), words.HEALING_PAUSED),
        (changed(cell=CellSeen(clusters=10, sick=3)), words.HEALING_FROZEN),
        (changed(cell=CellSeen(clusters=10, sick=1, recent=5)), words.HEALING_BUDGET_SPENT),
        (changed(hosts={name: HOSTS[name] for name in ("h0", "h2", "h3", "h5")}), words.NO_ROOM),
        (changed(hosts=HOSTS | {name: HostSeen("z1", True, False) for name in ("h1", "h4")}), words.NO_ROOM),
    ],
)
def test_a_dead_member_is_left_and_the_reason_told(seen: Observed, why: str) -> None:
    assert reason(seen) == why
    assert look(seen).actions == ()


def test_few_sick_clusters_are_no_mass_failure_and_in_a_large_cell_a_fifth_is() -> None:
    assert look(changed(cell=CellSeen(clusters=2, sick=2))).begins is not None
    assert look(changed(cell=CellSeen(clusters=1000, sick=200))).begins is not None
    assert reason(changed(cell=CellSeen(clusters=1000, sick=201))) == words.HEALING_FROZEN


def test_the_next_attempt_waits_longer_and_longer_but_calm_makes_it_forget() -> None:
    replacement = look(ailing(DEAD)).begins
    assert replacement is not None
    first = begun(None, replacement)
    assert (first.attempts, first.last_started_at) == (1, NOW)
    second = begun(replace(first, replacement=None), replace(replacement, started_at=NOW + timedelta(hours=1)))
    assert second.attempts == 2
    much_later = NOW + timedelta(days=2)
    assert begun(second, replace(replacement, started_at=much_later)).attempts == 1
    assert [back_off(number) for number in (0, 1, 2, 3, 50)] == [
        timedelta(0),
        timedelta(minutes=5),
        timedelta(minutes=10),
        timedelta(minutes=20),
        timedelta(hours=6),
    ]
    again = ClusterHealingStatus(last_started_at=NOW - timedelta(minutes=9), attempts=2)
    assert reason(healing(ailing(DEAD), again)) == words.HEALING_BACKED_OFF


def test_the_steps_of_a_replacement_follow_from_what_there_is() -> None:
    seen = replacing(ailing(DEAD))
    assert look(seen).actions == (RemoveMember(DEAD, 11),)

    removed = replace(seen, members=EtcdSeen(NOW, (member(0), member(2))))
    claim, pod = look(removed).actions
    assert isinstance(claim, Discard)
    assert (claim.kind.resource.kind, claim.uid) == ("PersistentVolumeClaim", f"uid-data-{DEAD}")
    assert isinstance(pod, Discard)
    assert (pod.kind.resource.kind, pod.uid, pod.force) == ("Pod", f"uid-{DEAD}", False)

    wiped = without(removed, f"data-{DEAD}")
    assert look(wiped).actions == (pod,), "whoever died between the two goes on with the second"
    wiped = reborn(wiped)
    assert look(wiped).actions == (AddMember(DEAD),)

    new = MemberSeen(99, "", host_of(DEAD), is_learner=True)
    wiped = replace(wiped, members=EtcdSeen(NOW, (member(0), member(2), new)))
    assert look(wiped).actions == ()

    started = replace(new, name=DEAD, is_well=True)
    behind = replace(wiped, members=EtcdSeen(NOW, (member(0), member(2), started)))
    assert look(behind).actions == ()

    level = replace(behind, members=EtcdSeen(NOW, (member(0), member(2), replace(started, is_level=True))))
    assert look(level).actions == (PromoteMember(DEAD, 99),)

    votes = replace(started, is_level=True, is_learner=False)
    waiting = replace(level, members=EtcdSeen(NOW, (member(0), member(2), votes)))
    assert (look(waiting).actions, look(waiting).ends) == ((), False)

    done = reborn(replace(waiting, pods=ailing().pods, unready={}))
    assert look(done) == Heal(ends=True)


def test_nobody_takes_the_place_of_a_dead_member_before_its_pod_and_its_volume_are_gone() -> None:
    """Its Pod, restarted on a volume that lost all, would be the new member, and go with what it was sent."""
    seen = replacing(ailing(DEAD, known=(member(0), member(2))))
    going = {"deletion_timestamp": NOW}
    pods = tuple(
        replace(each, metadata=replace(each.metadata, **going)) if each.metadata.name == DEAD else each
        for each in seen.pods
    )
    for rest in (
        replace(without(seen, f"data-{DEAD}"), pods=pods),
        replace(
            reborn(seen), claims=tuple(replace(each, metadata=replace(each.metadata, **going)) for each in seen.claims)
        ),
    ):
        assert AddMember(DEAD) not in look(rest).actions
        assert look(rest).verdict == Verdict(words.REPLACING_MEMBER, f"the volume of the dead {DEAD} goes")
    assert look(reborn(without(seen, f"data-{DEAD}"))).actions == (AddMember(DEAD),)


def test_nothing_goes_by_an_answer_that_does_not_know_the_two_others() -> None:
    told = look(replacing(ailing(DEAD, known=(member(0),))))
    assert (told.actions, told.ends) == ((), False)
    assert told.verdict == Verdict(words.ETCD_UNREACHABLE, f"{DEAD} is being replaced, and etcd knows of 1 others only")


def test_what_is_left_of_the_dead_goes_also_where_a_learner_was_added_before() -> None:
    """As an older release of homeostat did it."""
    new = MemberSeen(99, "", host_of(DEAD), is_learner=True)
    seen = replacing(ailing(DEAD, known=(member(0), member(2), new)))
    assert [each.uid for each in look(seen).actions if isinstance(each, Discard)] == [f"uid-data-{DEAD}", f"uid-{DEAD}"]


def test_a_new_member_gets_its_vote_when_the_dead_ones_volume_is_seen_to_be_gone() -> None:
    level = MemberSeen(99, DEAD, host_of(DEAD), is_learner=True, is_well=True, is_level=True)
    seen = reborn(replacing(ailing(DEAD, known=(member(0), member(2), level))))
    going = tuple(replace(each, metadata=replace(each.metadata, deletion_timestamp=NOW)) for each in seen.claims)
    without_pod = tuple(pod for pod in seen.pods if pod.metadata.name != DEAD)
    told = look(replace(seen, claims=going, pods=without_pod))
    assert told.actions == ()
    assert told.verdict is not None
    assert told.verdict.message == f"the volume of the dead {DEAD} goes"
    assert look(without(seen, f"data-{DEAD}")).actions == (PromoteMember(DEAD, 99),)


def test_a_new_member_that_never_starts_is_replaced_itself_as_another_attempt() -> None:
    new = MemberSeen(99, "", host_of(DEAD), is_learner=True)
    seen = reborn(without(replacing(ailing(DEAD, known=(member(0), member(2), new))), f"data-{DEAD}"))
    assert look(seen).begins is None
    late = heal(replace(seen, members=EtcdSeen(LATER, (member(0), member(2), new))), LATER, POLICY)
    assert late.begins is not None
    assert late.begins.member_id == "63"


def test_a_pod_on_a_host_that_is_gone_is_let_go_without_its_kubelet() -> None:
    new = MemberSeen(99, "", host_of(DEAD), is_learner=True)
    seen = replacing(ailing(DEAD, known=(member(0), member(2), new)))
    seen = replace(seen, hosts=HOSTS | {"h1": HostSeen("z1", False, False)})
    assert [action.force for action in look(seen).actions if isinstance(action, Discard)] == [False, True]


def forgotten(*known: MemberSeen) -> Observed:
    """The same after the status was lost and what is found was told anew."""
    seen = ailing(DEAD, known=(member(0), member(2), *known))
    begins = look(seen).begins
    assert begins is not None
    assert begins.member_id == "", "there is nobody to remove"
    return healing(seen, begun(None, begins))


def test_a_member_that_the_others_forgot_is_added_again_though_no_status_tells_of_it() -> None:
    seen = forgotten()
    assert [type(each) for each in look(seen).actions] == [Discard, Discard]
    assert look(reborn(without(seen, f"data-{DEAD}"))).actions == (AddMember(DEAD),)


def test_a_learner_that_no_status_tells_of_begins_on_an_empty_volume() -> None:
    seen = forgotten(MemberSeen(99, "", host_of(DEAD), is_learner=True))
    assert [each.uid for each in look(seen).actions if isinstance(each, Discard)] == [f"uid-data-{DEAD}", f"uid-{DEAD}"]


@pytest.mark.parametrize(("is_level", "actions"), [(True, (PromoteMember(DEAD, 99),)), (False, ())])
def test_a_learner_that_has_started_and_no_status_tells_of_gets_its_vote(
    is_level: bool, actions: tuple[Any, ...]
) -> None:
    seen = forgotten(MemberSeen(99, DEAD, host_of(DEAD), is_learner=True, is_well=True, is_level=is_level))
    assert look(seen).actions == actions


def test_a_member_with_a_vote_that_took_the_place_by_other_hands_keeps_its_volume() -> None:
    restored = tuple(member(number, id=100 + number) for number in range(3))
    told = look(replacing(ailing(known=restored)))
    assert (told.actions, told.ends) == ((), True)
    assert told.verdict is not None
    assert (
        told.verdict.message
        == f"{DEAD} has a vote by other hands, so its volume is no leftover, and it is replaced no more"
    )


def test_a_member_that_comes_back_before_it_is_removed_stays() -> None:
    assert look(replacing(ailing(known=members()))) == Heal(ends=True)


def test_a_member_is_not_removed_when_another_one_ails_meanwhile_but_one_that_was_removed_is_made_whole() -> None:
    assert reason(replacing(ailing(DEAD, NAMES[2]))) == words.QUORUM_AT_RISK
    removed = replacing(ailing(DEAD, NAMES[2], known=(member(0), member(2, is_well=False))))
    assert is_made_whole(removed)


def test_a_pause_stops_before_the_removal_and_not_after_it() -> None:
    assert reason(replacing(ailing(DEAD, healing={"paused": True}))) == words.HEALING_PAUSED
    assert is_made_whole(replacing(ailing(DEAD, known=(member(0), member(2)), healing={"paused": True})))


def is_made_whole(removed: Observed) -> bool:
    """Whether what is left of a removed member goes, and another one takes its place."""
    gone = reborn(without(removed, f"data-{DEAD}"))
    return [type(each) for each in look(removed).actions] == [Discard, Discard] and look(gone).actions == (
        AddMember(DEAD),
    )


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        (CellSeen(clusters=3, sick=3), words.HEALING_FROZEN),
        (CellSeen(is_slow=True), words.HEALING_FROZEN),
        (CellSeen(ahead=POLICY.cell.acts), words.HEALING_BUDGET_SPENT),
    ],
)
def test_a_freeze_or_those_who_decided_before_hold_a_removal_that_was_told_already(cell: CellSeen, why: str) -> None:
    assert reason(replace(replacing(ailing(DEAD)), cell=cell)) == why
    removed = replace(replacing(ailing(DEAD, known=(member(0), member(2)))), cell=cell)
    assert is_made_whole(removed)


def test_after_a_freeze_a_removal_that_was_told_already_has_its_turn_among_others_of_the_same_moment() -> None:
    turn = CellSeen(clusters=20, sick=2, turn=NOW + timedelta(seconds=30), thawed=NOW)
    long_told = replacing(ailing(DEAD))
    assert reason(replace(long_told, cell=turn)) == words.HEALING_BUDGET_SPENT
    assert look(replace(long_told, cell=replace(turn, turn=NOW))).actions == (RemoveMember(DEAD, 11),)
    just_told = replacing(ailing(DEAD), ago=timedelta(0))
    assert look(replace(just_told, cell=replace(turn, turn=None))).actions == ()


def test_what_was_told_needs_no_second_place_in_the_budget() -> None:
    full = CellSeen(recent=POLICY.cell.acts, ahead=POLICY.cell.acts - 1, last=NOW, thawed=NOW)
    assert look(replace(replacing(ailing(DEAD)), cell=full)).actions == (RemoveMember(DEAD, 11),)


ANYBODY = st.builds(
    MemberSeen,
    id=st.integers(1, 5),
    name=st.sampled_from(("", *NAMES)),
    host=st.sampled_from([host_of(name) for name in NAMES]),
    is_learner=st.booleans(),
    is_well=st.booleans(),
    is_level=st.booleans(),
)


@given(known=st.lists(ANYBODY, max_size=5), name=st.sampled_from(NAMES))
def test_whatever_etcd_says_two_that_are_well_and_vote_stay(known: list[MemberSeen], name: str) -> None:
    if unsafe_without(known, host_of(name)) == "":
        stay = [each for each in known if each.host != host_of(name)]
        assert len(stay) >= 2
        assert all(each.is_well and not each.is_learner for each in stay)


@given(
    known=st.none() | st.lists(ANYBODY, max_size=5),
    dead=st.sets(st.sampled_from(NAMES)),
    is_begun=st.booleans(),
    gone=st.booleans(),
)
def test_nothing_is_discarded_while_the_old_member_still_counts(
    known: list[MemberSeen] | None, dead: set[str], is_begun: bool, gone: bool
) -> None:
    seen = ailing(*dead, known=known)
    if known == []:
        seen = replace(seen, members=EtcdSeen(NOW))
    seen = replacing(seen) if is_begun else seen
    seen = without(seen, f"data-{DEAD}") if gone else seen
    told = look(seen)
    for action in told.actions:
        if isinstance(action, Discard | RemoveMember | AddMember | PromoteMember):
            assert is_begun
        if isinstance(action, Discard):
            assert known is not None
            assert all(each.id != 11 for each in known)
            assert next((each.is_learner for each in known if each.host == host_of(DEAD)), True)
            assert {host_of(name) for name in NAMES if name != DEAD} <= {each.host for each in known}
        if isinstance(action, RemoveMember):
            assert known is not None
            assert unsafe_without(known, host_of(DEAD)) == ""


def test_since_when_a_pod_is_not_ready_is_asked_of_its_kubelet_first() -> None:
    young = replace(ailing(DEAD), unready={DEAD: NOW})
    assert look(young).begins is not None
    gone = replace(young, pods=tuple(member_pod(name) for name in NAMES if name != DEAD))
    assert look(gone).begins is None
