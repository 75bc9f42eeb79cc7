"""What the members of an etcd have in common, and what becomes of it when those who had it all are gone."""

from __future__ import annotations

from homeostat.sim.apiserver.store.record import record
from homeostat.sim.world.network.network import Network
from homeostat.sim.world.programs.etcd.quorum import Belonging, Disked, Quorum, Running

THINGS = ("", "things")
NAMES = ("a", "b", "c")


def trio() -> tuple[Quorum, list[Running]]:
    """Three members that run and are level."""
    members = {number: Belonging(number, name, f"https://{name}") for number, name in enumerate(NAMES, 1)}
    quorum = Quorum(1, members, Network(), "3.6", 1 << 30)
    running = [Running(Disked(quorum, number), f"host-{number}", "3.6.0", lambda: None) for number in members]
    for member in running:
        quorum.enter(member)
    quorum.elect()
    return quorum, running


def write(quorum: Quorum, name: str) -> None:
    quorum.store.put(THINGS, record({"metadata": {"name": name, "namespace": "n"}}, 0))


def names(quorum: Quorum) -> list[str]:
    return [each.name for each in quorum.store.shelf(THINGS).within("")]


def alone(quorum: Quorum, gone: list[Running], left: Running) -> None:
    """Two end and lose their disks; they come back empty beside the third, who leads."""
    for member in gone:
        quorum.leave(member)
    quorum.enter(left)
    for member in gone:
        quorum.enter(Running(Disked(quorum, member.id), member.host, "3.6.0", lambda: None))
    quorum.elect()


def test_a_member_that_was_behind_and_leads_serves_what_it_had_however_much_readers_are_refused() -> None:
    quorum, (one, other, behind) = trio()
    write(quorum, "before")
    quorum.leave(behind)
    write(quorum, "after")
    quorum.store.forget(quorum.store.revision)
    alone(quorum, [one, other], behind)
    assert names(quorum) == ["before"]


def test_when_all_who_had_anything_are_gone_nothing_is_left() -> None:
    quorum, running = trio()
    write(quorum, "before")
    quorum.store.forget(quorum.store.revision)
    for member in running:
        quorum.leave(member)
    for member in running:
        quorum.enter(Running(Disked(quorum, member.id), member.host, "3.6.0", lambda: None))
    quorum.elect()
    assert names(quorum) == []


def test_what_nobody_is_behind_of_is_not_kept() -> None:
    quorum, _ = trio()
    for number in range(3000):
        write(quorum, f"t{number % 2}")
    quorum.store.forget(quorum.store.revision)
    assert len(quorum.store.shelf(THINGS).history._changes) == 0
