"""In which order one look acts: what serves clients, and heals, is held up by nothing that waits for a person."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from tests.support.ailing import DEAD, ailing, host_of, member, members, replacing
from tests.support.clusters import NOW, cluster, settled
from tests.support.unwell import SERVER, master, name_of, silent, sound, uid_of, unwell

from homeostat.operators.cluster import words
from homeostat.operators.cluster.actions import Action, Apply, CheckServers, Discard, Isolate, ProbeEndpoint
from homeostat.operators.cluster.decide import Policy, decide
from homeostat.operators.cluster.healing.seen import EtcdSeen
from homeostat.operators.cluster.observe import Live, Observed
from homeostat.operators.cluster.pki.judging import AuthoritySeen
from homeostat.operators.cluster.ports import MemberSeen
from homeostat.operators.cluster.report import report
from homeostat.runtime.conditions import find_condition

LATER = NOW + timedelta(minutes=10)
BACK = Isolate(name_of(SERVER, 0), uid_of(SERVER, 0), out=False)
FIRST_IS_OUT = master(SERVER, 0, label="out")


def actions(seen: Observed) -> tuple[Action, ...]:
    return decide(seen, NOW, Policy()).actions


def edited(seen: Observed, kind: str, name: str) -> Observed:
    """The same, with an object that is not as it is declared."""
    return replace(seen, live={**seen.live, (kind, name): Live("uid", "edited", False)})


def test_clients_are_looked_after_before_anything_is_applied_and_the_endpoint_is_asked_last() -> None:
    seen = settled(unwell(servers={0: silent(NOW - timedelta(minutes=10)), 1: sound()}))
    plan = decide(edited(replace(seen, probed=None), "PodDisruptionBudget", "demo-etcd"), NOW, Policy())
    kinds = [type(action) for action in plan.actions]
    assert kinds.index(Isolate) < kinds.index(Apply) < kinds.index(ProbeEndpoint)


def test_a_member_begins_empty_only_after_its_config_map_says_who_the_others_are() -> None:
    known = (member(0), member(2), MemberSeen(99, "", host_of(DEAD), is_learner=True))
    seen = settled(replacing(ailing(DEAD, known=known)))
    assert any(isinstance(action, Discard) for action in actions(seen))
    refused = edited(seen, "ConfigMap", "demo-etcd")
    assert not any(isinstance(action, Discard) for action in actions(refused))
    assert any(isinstance(action, Discard) for action in actions(edited(seen, "PodDisruptionBudget", "demo-etcd")))


def out(other: str = "sound", **spec: Any) -> Observed:
    """One API server is out of the endpoint, and well again; the other is, too, or dead."""
    second = master(SERVER, 1, ready=other == "sound")
    return unwell(FIRST_IS_OUT, second, servers={0: sound(), 1: sound() if other == "sound" else silent()}, **spec)


def paused(seen: Observed) -> Observed:
    return replace(seen, cluster=replace(seen.cluster, spec=replace(seen.cluster.spec, paused=True)))


def without_packages(seen: Observed) -> Observed:
    return replace(seen, packages={})


def without_authority(seen: Observed) -> Observed:
    return replace(seen, authority=AuthoritySeen(exists=False))


HOLDING = (paused, without_packages, without_authority)


@pytest.mark.parametrize("hold", HOLDING)
@pytest.mark.parametrize("other", ["sound", "dead"])
def test_what_was_taken_out_is_put_back_whatever_holds_all_else(hold: Any, other: str) -> None:
    plan = decide(hold(out(other)), NOW, Policy())
    assert plan.actions[0] == BACK
    assert not [action for action in plan.actions if isinstance(action, Apply)]


@pytest.mark.parametrize("hold", HOLDING)
def test_one_that_is_out_is_asked_on_whatever_holds_all_else_and_nobody_else_is_taken_out(hold: Any) -> None:
    seen = hold(unwell(FIRST_IS_OUT, servers={0: silent(), 1: silent()}))
    later = replace(seen, servers={uid: replace(each, at=NOW) for uid, each in seen.servers.items()})
    plan = decide(later, LATER, Policy())
    assert plan.stop is None
    assert plan.wait is not None
    assert [type(action) for action in plan.actions] == [CheckServers]
    status = report(later, plan, (), LATER).status
    assert status is not None
    told = find_condition(status.conditions, words.API_SERVER_READY)
    assert told is not None
    assert "is out of the endpoint" in told.message


@pytest.mark.parametrize("hold", HOLDING)
def test_where_nobody_is_out_what_holds_all_else_holds_questions_too(hold: Any) -> None:
    assert decide(hold(unwell(servers={0: silent(), 1: sound()})), LATER, Policy()).actions == ()


def test_masters_that_are_torn_down_are_put_back_nowhere() -> None:
    gone = unwell(FIRST_IS_OUT)
    deleted = cluster(topology="ha", deleted=True).metadata
    assert BACK not in actions(replace(gone, cluster=replace(gone.cluster, metadata=deleted)))


def test_a_lost_quorum_keeps_no_api_server_out_either() -> None:
    lost = replace(ailing("demo-etcd-1", "demo-etcd-2"), members=EtcdSeen(NOW, members("demo-etcd-1", "demo-etcd-2")))
    seen = replace(lost, pods=(*lost.pods, FIRST_IS_OUT), servers={uid_of(SERVER, 0): sound()})
    assert BACK in actions(seen)
