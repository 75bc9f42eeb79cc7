"""A real member of etcd whose data was changed under it: it is told from the others, and can be removed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.contract.etcd.test_membership import until_done
from tests.contract.etcd.test_versions import until
from tests.support.etcds import HOSTS, NAMES, Etcds, etcdctl, running

from homeostat.kit.clock import SystemClock
from homeostat.operators.cluster.ports import EtcdUpkeep
from homeostat.operators.cluster.upkeep.seen import UpkeepSeen
from homeostat.operators.cluster.upkeep.stores import CORRUPT, Stores
from homeostat.providers.etcd.membership import EtcdMembership
from homeostat.providers.etcd.upkeep import EtcdStores

pytestmark = pytest.mark.real

CLOCK = SystemClock()
VICTIM, RIGHT = "m-1", "m-0"
TRUE, FALSE = b"what-was-written", b"what-was-not-so!"
CHECKED = {"corrupt_check_time": "10s"}  # by the leader; shipped package versions leave it to the operator


@pytest.fixture
def etcds(tmp_path: Path) -> Iterator[Etcds]:
    with running(tmp_path) as found:
        yield found


@pytest.fixture
def upkeep(etcds: Etcds) -> EtcdStores:
    return EtcdStores(clock=CLOCK, client_port=etcds.client_port)


async def corrupt(upkeep: EtcdUpkeep, etcds: Etcds, **flags: str) -> None:
    """Change a value in the file of one member while it is down; then all run."""
    await until(upkeep, etcds, lambda seen: True)
    assert etcdctl(etcds, "put", "key", TRUE.decode()).returncode == 0
    for name in NAMES:
        etcds.stop_one(name)
    file = etcds.place / VICTIM / "member/snap/db"
    content = file.read_bytes()
    assert TRUE in content
    file.write_bytes(content.replace(TRUE, FALSE))
    for name in NAMES:
        etcds.start(name, state="existing", **flags)
    await until(upkeep, etcds, lambda seen: True)


async def test_a_member_with_other_data_has_another_hash(upkeep: EtcdStores, etcds: Etcds) -> None:
    await corrupt(upkeep, etcds)
    hashes = await upkeep.hashes(etcds.access())
    assert UpkeepSeen(hashes=hashes).deviating == (HOSTS[VICTIM],)


async def accused(upkeep: EtcdStores, etcds: Etcds, membership: EtcdMembership, leader: str) -> Stores:
    """What is seen when etcd has raised its alarm, with a leader of the test's choice."""
    await corrupt(upkeep, etcds, **CHECKED)
    seen = await upkeep.look(etcds.access())
    await until_done(lambda: membership.move_leader(etcds.access(), id_of(seen, leader)))
    return await until(upkeep, etcds, lambda seen: seen.has(CORRUPT))


def id_of(seen: Stores, name: str) -> int:
    return next(store.id for store in seen.stores if store.host == HOSTS[name])


@pytest.fixture
def membership(etcds: Etcds) -> EtcdMembership:
    return EtcdMembership(clock=CLOCK, client_port=etcds.client_port, peer_port=etcds.peer_port)


async def test_an_alarm_keeps_writers_out_until_the_member_is_removed_and_it_is_taken_back(
    upkeep: EtcdStores, etcds: Etcds, membership: EtcdMembership
) -> None:
    seen = await accused(upkeep, etcds, membership, leader=RIGHT)
    victim = id_of(seen, VICTIM)
    assert [alarm.member_id for alarm in seen.alarms] == [victim]
    assert "corrupt cluster" in etcdctl(etcds, "put", "key", "v").stderr
    assert UpkeepSeen(hashes=await upkeep.hashes(etcds.access())).deviating == (HOSTS[VICTIM],)
    assert await well(membership, etcds) == {name: name != VICTIM for name in NAMES}

    await until_done(lambda: membership.remove(etcds.access(), victim))
    await upkeep.disarm(etcds.access(), seen.alarms[0])
    assert etcdctl(etcds, "put", "another", "v").returncode == 0
    assert etcdctl(etcds, "get", "key", "--print-value-only").stdout.strip().encode() == TRUE


async def test_a_leader_that_is_wrong_accuses_one_that_is_right_and_hashes_tell_them_apart(
    upkeep: EtcdStores, etcds: Etcds, membership: EtcdMembership
) -> None:
    seen = await accused(upkeep, etcds, membership, leader=VICTIM)
    (alarm,) = seen.alarms
    innocent = next(name for name in NAMES if id_of(seen, name) == alarm.member_id)
    assert innocent != VICTIM
    assert UpkeepSeen(hashes=await upkeep.hashes(etcds.access())).deviating == (HOSTS[VICTIM],)
    assert await well(membership, etcds) == {name: name != innocent for name in NAMES}
    members = await membership.members(etcds.access())
    assert [each.name for each in members if each.is_accused] == [innocent]

    await until_done(lambda: membership.remove(etcds.access(), id_of(seen, VICTIM)))
    await until_done(lambda: upkeep.disarm(etcds.access(), alarm))
    assert all(each.is_well for each in await membership.members(etcds.access()))
    assert etcdctl(etcds, "get", "key", "--print-value-only").stdout.strip().encode() == TRUE


async def well(membership: EtcdMembership, etcds: Etcds) -> dict[str, bool]:
    return {each.name: each.is_well for each in await membership.members(etcds.access())}
