"""Which API servers are asked, and whom clients are kept away from: rarely while all is well, and never from all."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.support.clusters import NOW
from tests.support.unwell import LONG_AGO, SERVER, master, name_of, silent, sound, unwell

from homeostat.kit.spreading import turn_after
from homeostat.operators.cluster.actions import CheckServers, Isolate
from homeostat.operators.cluster.healing.cell import CellSeen
from homeostat.operators.cluster.healing.policy import Policy
from homeostat.operators.cluster.healing.seen import ServerSeen
from homeostat.operators.cluster.healing.servers import checks, isolations, server_of
from homeostat.operators.cluster.observe import Observed, ProbeSeen

POLICY = Policy()
OLD = replace(sound(), at=LONG_AGO)
TURN = turn_after(NOW, POLICY.turn, unwell().cluster.metadata.uid)


def asked(seen: Observed, now: datetime = NOW) -> list[str]:
    action, _ = checks(seen, now, POLICY)
    return [] if action is None else [server.pod for server in action.servers]


def moved(seen: Observed, *, may_isolate: bool = True) -> list[tuple[str, bool]]:
    return [(each.pod, each.out) for each in isolations(seen, may_isolate=may_isolate)]


FIRST, SECOND = name_of(SERVER, 0), name_of(SERVER, 1)


def test_while_all_is_well_the_one_that_was_asked_longest_ago_is_asked_when_its_turn_comes() -> None:
    assert asked(unwell()) == []
    assert asked(unwell(servers={0: sound(), 1: OLD}), TURN) == [SECOND]
    assert asked(unwell(servers={0: replace(OLD, at=LONG_AGO - timedelta(hours=1)), 1: OLD})) == [FIRST]


def test_one_that_was_never_asked_comes_first_and_not_all_at_once() -> None:
    assert asked(unwell(servers={1: OLD})) == [FIRST]
    lately = unwell(servers={1: sound()})
    assert asked(lately) == []
    _, at = checks(lately, NOW, POLICY)
    assert at is not None
    assert at <= NOW + timedelta(seconds=30)
    assert asked(lately, at) == [FIRST]


def test_it_looks_again_when_the_next_one_is_due() -> None:
    assert checks(unwell(), NOW, POLICY) == (None, TURN)
    _, at = checks(unwell(), TURN, POLICY)
    assert at == TURN + POLICY.turn


def test_of_two_each_is_asked_every_second_minute_and_so_one_of_them_every_minute() -> None:
    known, told = {0: OLD, 1: OLD}, list[str]()
    for turn in range(6):
        now = TURN + turn * POLICY.turn
        (pod,) = asked(unwell(servers=known), now)
        known[(FIRST, SECOND).index(pod)] = replace(sound(), at=now + timedelta(seconds=1))
        assert asked(unwell(servers=known), now + timedelta(seconds=59)) == []
        told.append(pod)
    assert told == [FIRST, SECOND] * 3


def test_the_only_one_is_asked_when_the_endpoint_that_it_serves_fails() -> None:
    seen = unwell(servers={0: OLD})
    lone = replace(seen, pods=tuple(pod for pod in seen.pods if pod.metadata.name != SECOND))
    assert checks(lone, NOW, POLICY) == (None, None)
    assert asked(replace(lone, probed=ProbeSeen(NOW, ""))) == [FIRST]


def test_when_one_is_not_ready_or_the_endpoint_fails_all_are_asked() -> None:
    known = {0: OLD, 1: OLD}
    assert asked(unwell(master(SERVER, 1, ready=False), servers=known)) == [FIRST, SECOND]
    assert asked(replace(unwell(servers=known), probed=ProbeSeen(NOW, ""))) == [FIRST, SECOND]


def test_what_goes_on_for_long_or_in_a_frozen_cell_is_asked_less_often() -> None:
    lately = NOW - timedelta(seconds=3)
    fresh = unwell(servers={0: ServerSeen(lately, "no", since=lately), 1: sound()})
    assert asked(fresh) == [FIRST]
    assert asked(replace(fresh, cell=CellSeen(is_slow=True))) == []
    assert asked(unwell(servers={0: ServerSeen(lately, "no", 9, lately), 1: sound()})) == []


def test_one_that_starts_is_not_asked_yet() -> None:
    began = NOW - timedelta(seconds=5)
    starting = {"state": {"running": {"startedAt": began.isoformat()}}}
    new = master(SERVER, 0, ready=False, since=began, container=starting)
    assert asked(unwell(new, servers={1: sound()})) == []


def test_it_is_reached_at_its_own_address() -> None:
    assert server_of(master(SERVER, 0)).address == "https://10.0.0.0:6443"
    assert server_of(master(SERVER, 0, address="fd00::1")).address == "https://[fd00::1]:6443"
    assert isinstance(checks(unwell(servers={0: OLD}), NOW, POLICY)[0], CheckServers)


def test_one_that_does_not_answer_twice_leaves_the_endpoint_while_another_one_answers() -> None:
    assert moved(unwell(servers={0: silent(), 1: sound()})) == [(FIRST, True)]
    assert moved(unwell(servers={0: ServerSeen(NOW, "once"), 1: sound()})) == []
    assert moved(unwell(servers={0: silent(), 1: silent()})) == []
    assert moved(unwell(servers={0: silent(), 1: sound()}), may_isolate=False) == []


def test_one_that_has_no_address_yet_is_not_taken_out() -> None:
    new = master(SERVER, 0, ready=False, address="")
    assert moved(unwell(new, servers={1: sound()})) == []


def test_one_that_answers_twice_again_comes_back_whatever_is_held_otherwise() -> None:
    out = master(SERVER, 0, label="out")
    assert moved(unwell(out), may_isolate=False) == [(FIRST, False)]
    assert moved(unwell(out, servers={0: ServerSeen(NOW), 1: sound()})) == []


def test_a_poor_api_server_is_better_than_none() -> None:
    seen = unwell(master(SERVER, 0, label="out"), master(SERVER, 1, ready=False), servers={0: silent(), 1: silent()})
    assert moved(seen) == [(FIRST, False)]


LABELS = st.sampled_from(["in", "out"])
ANSWERS = st.sampled_from([None, sound(), silent(), ServerSeen(NOW, "once"), ServerSeen(NOW)])


@given(st.tuples(LABELS, LABELS), st.tuples(st.booleans(), st.booleans()), st.tuples(ANSWERS, ANSWERS), st.booleans())
def test_an_endpoint_with_a_ready_server_never_loses_its_last_one(
    labels: tuple[str, str],
    ready: tuple[bool, bool],
    answers: tuple[ServerSeen | None, ServerSeen | None],
    may_isolate: bool,
) -> None:
    pods = [master(SERVER, number, label=labels[number], ready=ready[number]) for number in range(2)]
    known = {number: answer for number, answer in enumerate(answers) if answer is not None}
    seen = replace(unwell(*pods), servers={pods[number].metadata.uid: told for number, told in known.items()})
    after = dict(zip((FIRST, SECOND), labels, strict=True))
    for each in isolations(seen, may_isolate=may_isolate):
        assert isinstance(each, Isolate)
        after[each.pod] = "out" if each.out else "in"
    serving = [label for (_, label), is_ready in zip(after.items(), ready, strict=True) if is_ready]
    assert "in" in serving or not any(ready)
