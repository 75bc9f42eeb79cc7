"""The membership of a real etcd of three members: a dead one is seen, removed, and replaced by a learner."""

from __future__ import annotations

import signal
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.certificates import Authority
from tests.support.etcds import HOSTS, NAMES, Etcds, etcdctl, running

from homeostat.kit.clock import SystemClock
from homeostat.operators.cluster.ports import EtcdRefused, MemberSeen, Unreachable
from homeostat.providers.etcd.gateway import Gateway
from homeostat.providers.etcd.membership import EtcdMembership

pytestmark = pytest.mark.real

CLOCK = SystemClock()
DEAD = "m-1"


@pytest.fixture
def etcds(tmp_path: Path) -> Iterator[Etcds]:
    with running(tmp_path) as found:
        yield found


@pytest.fixture
def membership(etcds: Etcds) -> EtcdMembership:
    return EtcdMembership(clock=CLOCK, client_port=etcds.client_port, peer_port=etcds.peer_port)


async def until(membership: EtcdMembership, etcds: Etcds, **wanted: bool) -> dict[str, MemberSeen]:
    """The members by host, once those that are named by number are as wanted."""
    async with CLOCK.timeout(60):
        while True:
            try:
                found = {each.host: each for each in await membership.members(etcds.access())}
            except Unreachable:
                found = {}
            if found and all(found[HOSTS[f"m-{name[1:]}"]].is_well is is_so for name, is_so in wanted.items()):
                return found
            await CLOCK.sleep(0.1)


async def until_unknown(membership: EtcdMembership, etcds: Etcds) -> None:
    """Ask on until nobody can say who the members are."""
    async with CLOCK.timeout(30):
        while True:
            await membership.members(etcds.access())


async def until_done(change: Callable[[], Awaitable[None]]) -> None:
    """Try until it is done: etcd changes nothing within five seconds of a member's coming or going."""
    async with CLOCK.timeout(60):
        while True:
            try:
                return await change()
            except (Unreachable, EtcdRefused):
                await CLOCK.sleep(0.2)


async def test_a_dead_member_is_replaced_by_a_learner_that_gets_its_vote(
    membership: EtcdMembership, etcds: Etcds
) -> None:
    found = await until(membership, etcds, m0=True, m1=True, m2=True)
    assert {each.name for each in found.values()} == set(HOSTS)
    etcds.kill(DEAD)
    etcds.wipe(DEAD)
    found = await until(membership, etcds, m0=True, m1=False, m2=True)
    old = found[HOSTS[DEAD]].id

    await until_done(lambda: membership.remove(etcds.access(), old))
    await membership.remove(etcds.access(), old)  # again, as after an answer that was lost
    await until_done(lambda: membership.add_learner(etcds.access(), HOSTS[DEAD]))
    await membership.add_learner(etcds.access(), HOSTS[DEAD])
    new = (await until(membership, etcds, m0=True, m2=True))[HOSTS[DEAD]]
    assert (new.name, new.is_learner, new.is_well, new.id == old) == ("", True, False, False)
    with pytest.raises(EtcdRefused, match="learner"):
        await membership.promote(etcds.access(), new.id)

    etcds.start(DEAD, state="existing")
    found = await until(membership, etcds, m0=True, m1=True, m2=True)
    assert (found[HOSTS[DEAD]].name, found[HOSTS[DEAD]].is_level) == (DEAD, True)
    await until_done(lambda: membership.promote(etcds.access(), new.id))
    found = await until(membership, etcds, m0=True, m1=True, m2=True)
    assert not found[HOSTS[DEAD]].is_learner
    assert len(found) == 3


async def test_a_member_that_believes_its_peers_away_though_they_are_there_is_passed_over(
    membership: EtcdMembership, etcds: Etcds, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it takes for that is seen now and then where three members start: a request that is late and fails."""
    found = await until(membership, etcds, m0=True, m1=True, m2=True)
    etcds.kill(DEAD)
    await until(membership, etcds, m0=True, m1=False, m2=True)
    await until_done(lambda: membership.remove(etcds.access(), found[HOSTS[DEAD]].id))
    call, asked = Gateway.call, []

    async def called(gateway: Gateway, host: str, method: str, *words: Any, within_s: float) -> Any:
        if method == "cluster/member/add":
            asked.append(host)
            if host == HOSTS["m-0"]:
                raise Unreachable(f"etcd at {host}: {method}: etcdserver: unhealthy cluster")
        return await call(gateway, host, method, *words, within_s=within_s)

    monkeypatch.setattr(Gateway, "call", called)
    await until_done(lambda: membership.add_learner(etcds.access(), HOSTS[DEAD]))
    assert asked[-2:] == [HOSTS["m-0"], HOSTS["m-2"]]
    new = (await until(membership, etcds, m0=True, m2=True))[HOSTS[DEAD]]
    assert new.is_learner


async def test_without_a_quorum_nothing_is_known_and_nothing_changed(membership: EtcdMembership, etcds: Etcds) -> None:
    found = await until(membership, etcds, m0=True, m1=True, m2=True)
    etcds.kill("m-1")
    etcds.kill("m-2")
    with pytest.raises(Unreachable):
        await membership.remove(etcds.access(), found[HOSTS["m-1"]].id)
    with pytest.raises(Unreachable):
        await until_unknown(membership, etcds)
    etcds.start("m-1")
    assert len(await until(membership, etcds, m0=True, m1=True)) == 3


async def test_another_member_leads_when_it_is_told_to_and_nobody_loses_sight_of_the_leader(
    membership: EtcdMembership, etcds: Etcds
) -> None:
    await until(membership, etcds, m0=True, m1=True, m2=True)
    for name, host in HOSTS.items():
        target = next(each for each in await membership.members(etcds.access()) if each.name == name)
        await membership.move_leader(etcds.access(), target.id)
        await membership.move_leader(etcds.access(), target.id)  # again, as after an answer that was lost
        found = await until(membership, etcds, m0=True, m1=True, m2=True)
        assert [each.host for each in found.values() if each.is_leader] == [host]


async def test_who_is_no_member_cannot_lead_and_the_leader_stays(membership: EtcdMembership, etcds: Etcds) -> None:
    found = await until(membership, etcds, m0=True, m1=True, m2=True)
    with pytest.raises((EtcdRefused, Unreachable), match="bad leader transferee"):
        await membership.move_leader(etcds.access(), 0xBAD)
    leader = next(each for each in (await membership.members(etcds.access())) if each.is_leader)
    assert leader.host in found


async def test_a_member_that_hangs_behind_its_open_port_is_not_well(membership: EtcdMembership, etcds: Etcds) -> None:
    await until(membership, etcds, m0=True, m1=True, m2=True)
    etcds.send("m-2", signal.SIGSTOP)
    try:
        await until(membership, etcds, m0=True, m1=True, m2=False)
    finally:
        etcds.send("m-2", signal.SIGCONT)


async def test_who_cannot_prove_to_be_the_clusters_etcd_is_not_asked(membership: EtcdMembership, etcds: Etcds) -> None:
    await until(membership, etcds, m0=True)
    with pytest.raises(Unreachable):
        await membership.members(etcds.access(Authority("stranger")))


async def test_members_that_lost_what_they_had_do_not_begin_anew_beside_one_that_remembers(
    etcds: Etcds, membership: EtcdMembership
) -> None:
    await until(membership, etcds, m0=True, m1=True, m2=True)
    assert etcdctl(etcds, "put", "kept", "promised").returncode == 0
    for name in NAMES:
        etcds.kill(name)
    for name in NAMES[1:]:
        etcds.wipe(name)
    etcds.start(NAMES[0], state="existing")
    for name in NAMES[1:]:
        assert "member count is unequal" in ends(etcds, name)


def ends(etcds: Etcds, name: str) -> str:
    """What a member says at its end that starts empty, again and again until the one with data answers it."""
    said = ""
    for _ in range(20):
        etcds.start(name, state="existing", initial_cluster=etcds.with_one_too_many)
        said = etcds.last_words(name)
        if "cannot fetch cluster info" not in said:
            break
        etcds.forget_words(name)
    return said
