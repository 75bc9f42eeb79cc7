"""What the version moves of etcd rely on: real members go from 3.5 to 3.6, and back only with etcd's permission."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support.etcds import HOSTS, NAMES, Etcds, etcdctl, running

from homeostat.kit.clock import SystemClock
from homeostat.operators.cluster.ports import EtcdRefused, EtcdUpkeep, Unreachable
from homeostat.operators.cluster.upkeep.stores import Stores
from homeostat.providers.etcd.upkeep import EtcdStores

pytestmark = pytest.mark.real

CLOCK = SystemClock()
OLD, NEW = "3.5", "3.6"


@pytest.fixture
def etcds(tmp_path: Path) -> Iterator[Etcds]:
    with running(tmp_path, version=OLD) as found:
        yield found


@pytest.fixture
def upkeep(etcds: Etcds) -> EtcdStores:
    return EtcdStores(clock=CLOCK, client_port=etcds.client_port)


async def until(upkeep: EtcdUpkeep, etcds: Etcds, is_so: Callable[[Stores], bool]) -> Stores:
    """The stores, once all answer, know a leader, and are as wanted."""
    async with CLOCK.timeout(60):
        while True:
            with contextlib.suppress(Unreachable):  # a member that starts knows nobody yet
                found = await upkeep.look(etcds.access())
                if not found.silent and all(store.knows_leader for store in found.stores) and is_so(found):
                    return found
            await CLOCK.sleep(0.1)


async def move(upkeep: EtcdStores, etcds: Etcds, name: str, version: str) -> None:
    """As the StatefulSet controller does: one member, and on when it is ready."""
    etcds.stop_one(name)
    etcds.start(name, state="existing", version=version)
    await until(upkeep, etcds, lambda seen: lines(seen)[HOSTS[name]] == version)


def lines(seen: Stores) -> dict[str, str]:
    return {store.host: store.version.rpartition(".")[0] for store in seen.stores}


def have(form: str) -> Callable[[Stores], bool]:
    """Whether all data has the form of a minor."""
    return lambda seen: {store.data_version for store in seen.stores} == {form}


async def up(upkeep: EtcdStores, etcds: Etcds) -> None:
    await until(upkeep, etcds, lambda seen: True)
    assert etcdctl(etcds, "put", "from", OLD).returncode == 0
    for name in NAMES:
        await move(upkeep, etcds, name, NEW)
    await until(upkeep, etcds, have(NEW))
    assert etcdctl(etcds, "put", "of", NEW).returncode == 0


async def test_members_go_up_a_minor_and_back_with_their_data(upkeep: EtcdStores, etcds: Etcds) -> None:
    await up(upkeep, etcds)
    with pytest.raises(EtcdRefused):
        await upkeep.allow_downgrade(etcds.access(), "3.4")
    await upkeep.allow_downgrade(etcds.access(), OLD)
    await upkeep.allow_downgrade(etcds.access(), OLD)  # again, as after an answer that was lost
    seen = await until(upkeep, etcds, have(OLD))
    assert {store.going_back_to for store in seen.stores} == {OLD}
    for name in NAMES:
        await move(upkeep, etcds, name, OLD)
    assert etcdctl(etcds, "get", "--prefix", "", "--print-value-only").stdout.split() == [OLD, NEW]


async def test_without_permission_a_member_of_the_minor_before_ends_itself(upkeep: EtcdStores, etcds: Etcds) -> None:
    await up(upkeep, etcds)
    etcds.stop_one("m-1")
    etcds.start("m-1", state="existing", version=OLD)
    assert "invalid downgrade; server version is lower than determined cluster version" in etcds.last_words("m-1")
    etcds.start("m-1", state="existing", version=NEW)
    await until(upkeep, etcds, have(NEW))


async def test_a_way_back_that_is_turned_round_in_the_middle_ends_where_it_began(
    upkeep: EtcdStores, etcds: Etcds
) -> None:
    await up(upkeep, etcds)
    await upkeep.allow_downgrade(etcds.access(), OLD)
    await until(upkeep, etcds, have(OLD))
    await move(upkeep, etcds, "m-0", OLD)
    await upkeep.forbid_downgrade(etcds.access())
    await upkeep.forbid_downgrade(etcds.access())
    await move(upkeep, etcds, "m-0", NEW)
    seen = await until(upkeep, etcds, have(NEW))
    assert {store.going_back_to for store in seen.stores} == {""}
    assert etcdctl(etcds, "get", "--prefix", "", "--print-value-only").stdout.split() == [OLD, NEW]
