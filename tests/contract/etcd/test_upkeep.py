"""The upkeep of a real etcd of three members: sizes, alarms, defragmentation, hashes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support.certificates import Authority
from tests.support.etcds import HOSTS, Etcds, etcdctl, running

from homeostat.kit.clock import SystemClock
from homeostat.operators.cluster.ports import Unreachable
from homeostat.operators.cluster.upkeep.stores import NO_SPACE, Stores
from homeostat.providers.etcd.upkeep import EtcdStores

pytestmark = pytest.mark.real

CLOCK = SystemClock()
QUOTA = 16 << 20


@pytest.fixture(params=["3.6"])
def etcds(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Etcds]:
    with running(tmp_path, version=request.param, quota_backend_bytes=str(QUOTA)) as found:
        yield found


@pytest.fixture
def upkeep(etcds: Etcds) -> EtcdStores:
    return EtcdStores(clock=CLOCK, client_port=etcds.client_port)


async def until(upkeep: EtcdStores, etcds: Etcds, is_so: Callable[[Stores], bool]) -> Stores:
    async with CLOCK.timeout(60):
        while True:
            try:
                found = await upkeep.look(etcds.access())
            except Unreachable:
                await CLOCK.sleep(0.1)
                continue
            if is_so(found):
                return found
            await CLOCK.sleep(0.1)


async def until_well(upkeep: EtcdStores, etcds: Etcds) -> Stores:
    return await until(upkeep, etcds, lambda seen: len(seen.stores) == 3 and any(s.is_leader for s in seen.stores))


def fill(etcds: Etcds) -> None:
    """Write one key again and again until etcd takes no more: it is the history that fills the quota."""
    for _ in range(40):
        done = etcdctl(etcds, "put", "key", stdin="x" * 1_000_000)
        if done.returncode:
            assert "database space exceeded" in done.stderr
            return
    raise AssertionError("etcd took more than its quota")


@pytest.mark.parametrize("etcds", ["3.5", "3.6"], indirect=True)
async def test_a_full_store_is_told_and_cleared_by_compaction_defragmentation_and_disarming(
    upkeep: EtcdStores, etcds: Etcds
) -> None:
    seen = await until_well(upkeep, etcds)
    assert seen.alarms == ()
    assert {store.host for store in seen.stores} == set(HOSTS.values())
    is_new = seen.stores[0].version.startswith("3.6")
    assert {store.quota for store in seen.stores} == {QUOTA if is_new else 0}
    fill(etcds)
    seen = await until(upkeep, etcds, lambda seen: seen.has(NO_SPACE))
    assert max(store.size for store in seen.stores) > 0.8 * QUOTA

    before = await upkeep.compact(etcds.access())
    assert await upkeep.compact(etcds.access()) == before  # again, as after an answer that was lost
    # What is free inside is counted when something is written, so `in_use` may not tell yet; the size never shrinks.
    seen = await upkeep.look(etcds.access())
    assert max(store.size for store in seen.stores) > 0.8 * QUOTA
    while large := [store.host for store in seen.stores if store.size > QUOTA / 4]:
        # A member that had not compacted yet is defragmented in vain: it is done again, as the operator does.
        await upkeep.defragment(etcds.access(), large[0])
        seen = await upkeep.look(etcds.access())
    assert etcdctl(etcds, "put", "key", "v").returncode != 0, "the alarm outlives its cause"
    for alarm in seen.alarms:
        await upkeep.disarm(etcds.access(), alarm)
        await upkeep.disarm(etcds.access(), alarm)
    await until(upkeep, etcds, lambda seen: seen.alarms == ())
    assert etcdctl(etcds, "put", "key", "v").returncode == 0


async def test_members_with_the_same_data_have_the_same_hash(upkeep: EtcdStores, etcds: Etcds) -> None:
    await until_well(upkeep, etcds)
    for number in range(3):
        assert etcdctl(etcds, "put", "key", str(number)).returncode == 0
    await upkeep.compact(etcds.access())
    hashes = await upkeep.hashes(etcds.access())
    assert set(hashes) == set(HOSTS.values())
    assert len(set(hashes.values())) == 1


async def test_a_member_that_is_down_is_silent_and_nothing_can_be_compared(upkeep: EtcdStores, etcds: Etcds) -> None:
    await until_well(upkeep, etcds)
    etcds.kill("m-1")
    seen = await until(upkeep, etcds, lambda seen: any(s.is_leader for s in seen.stores))
    assert seen.silent == (HOSTS["m-1"],)
    with pytest.raises(Unreachable, match=r"127\.9\.0\.2 does not answer, so members cannot be compared"):
        await upkeep.hashes(etcds.access())


async def test_who_cannot_prove_to_be_the_clusters_etcd_is_not_asked(upkeep: EtcdStores, etcds: Etcds) -> None:
    await until_well(upkeep, etcds)
    with pytest.raises(Unreachable):
        await upkeep.look(etcds.access(Authority("stranger")))
