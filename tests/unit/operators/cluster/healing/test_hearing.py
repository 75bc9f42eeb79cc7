"""When what kubelets tell happened: as it was heard, and by their clocks only where nobody listened before."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec.structs import replace
from tests.support.ailing import DEAD, LONG_AGO, NAMES, ailing, member_pod
from tests.support.clusters import NOW
from tests.support.unwell import SERVER, master, silent, sound, uid_of, unwell

from homeostat.api.pods import Pod
from homeostat.operators.cluster.healing.hearing import hear
from homeostat.operators.cluster.healing.illness import ill_masters
from homeostat.operators.cluster.healing.members import heal, unready_since
from homeostat.operators.cluster.healing.policy import Policy
from homeostat.operators.cluster.observe import Observed
from homeostat.operators.cluster.restore.lost import quorum_lost

BEHIND = timedelta(minutes=10)
A_MOMENT_AGO = NOW - timedelta(seconds=1)
POLICY = Policy()


def made(pod: Pod, at: datetime) -> Pod:
    return replace(pod, metadata=replace(pod.metadata, creation_timestamp=at))


def heard_at(at: datetime, seen: Observed) -> Observed:
    """The same, by a process that has looked for long and heard of all this just then."""
    return replace(seen, heard=hear({}, seen.pods, at))


def test_what_is_told_while_somebody_looks_counts_from_when_it_was_heard_and_is_remembered() -> None:
    pod = made(member_pod(DEAD, ready=False, since=NOW - BEHIND), LONG_AGO)
    first = hear({}, (pod,), A_MOMENT_AGO)
    assert list(first.values()) == [A_MOMENT_AGO]
    assert hear(first, (pod,), NOW) == first
    assert hear(first, (), NOW) == {}


def test_at_the_first_look_the_kubelets_time_counts_as_far_as_it_can_be() -> None:
    for told, created, expected in (
        (NOW - BEHIND, LONG_AGO, NOW - BEHIND),
        (NOW - BEHIND, A_MOMENT_AGO, A_MOMENT_AGO),  # before its Pod was made
        (NOW + BEHIND, LONG_AGO, NOW),
    ):
        pod = made(member_pod(DEAD, ready=False, since=told), created)
        assert list(hear(None, (pod,), NOW).values()) == [expected]


def test_a_member_on_a_host_whose_clock_is_behind_has_its_time_to_come_back() -> None:
    late = replace(ailing(DEAD, since=NOW - BEHIND), unready={DEAD: A_MOMENT_AGO})
    assert heal(late, NOW, POLICY).begins is not None
    seen = heard_at(A_MOMENT_AGO, late)
    assert heal(seen, NOW, POLICY).begins is None
    assert unready_since(seen, DEAD, NOW) == A_MOMENT_AGO


def test_a_quorum_is_not_lost_the_moment_that_two_such_members_are_unready() -> None:
    both = (DEAD, NAMES[2])
    seen = replace(ailing(*both, since=NOW - BEHIND), unready=dict.fromkeys(both, A_MOMENT_AGO))
    assert quorum_lost(seen, NOW) is not None
    assert quorum_lost(heard_at(A_MOMENT_AGO, seen), NOW) is None


def test_an_api_server_that_starts_on_such_a_host_is_not_ill() -> None:
    began = NOW - timedelta(seconds=12) - BEHIND
    container = {"state": {"running": {"startedAt": began.isoformat()}}}
    pod = master(SERVER, 0, ready=False, since=began, container=container)
    pod = made(replace(pod, status=replace(pod.status, start_time=began)), NOW - timedelta(hours=2))
    seen = unwell(pod, servers={0: silent(), 1: sound()})
    assert [each.pod.metadata.uid for each in ill_masters(seen, NOW, POLICY)] == [uid_of(SERVER, 0)]
    assert list(ill_masters(heard_at(NOW - timedelta(seconds=12), seen), NOW, POLICY)) == []
