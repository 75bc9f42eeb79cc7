"""Three real members of etcd with three states of one value: told, approved, compared once more, restored, agreed."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.contract.etcd.test_restoring import ctl, etcdutl
from tests.contract.etcd.test_versions import until
from tests.support import ailing
from tests.support.etcds import HOSTS, NAMES, Etcds, running
from tests.support.restoring import ID, OFFER, OWN, entry, store_said

from homeostat.api.cluster.etcd import ClusterEtcdStatus
from homeostat.api.cluster.v1alpha1 import ClusterStatus
from homeostat.kit.clock import SystemClock
from homeostat.operators.cluster.decide import Policy, decide
from homeostat.operators.cluster.observe import Observed
from homeostat.operators.cluster.report import report
from homeostat.operators.cluster.restore.beginning import FETCHING, STOPPING
from homeostat.operators.cluster.restore.seen import HandedSeen
from homeostat.operators.cluster.upkeep.actions import CompareStores
from homeostat.operators.cluster.upkeep.seen import UpkeepSeen
from homeostat.providers.etcd.upkeep import EtcdStores
from homeostat.providers.snapshots.member import place

pytestmark = pytest.mark.real

CLOCK = SystemClock()
TRUE = b"what-was-written"
FALSE = {"m-1": b"what-was-not-so!", "m-2": b"nor-was-this-so!"}


@pytest.fixture
def etcds(tmp_path: Path) -> Iterator[Etcds]:
    with running(tmp_path) as found:
        yield found


@pytest.fixture
def stores(etcds: Etcds) -> EtcdStores:
    return EtcdStores(clock=CLOCK, client_port=etcds.client_port)


async def compared(stores: EtcdStores, etcds: Etcds) -> UpkeepSeen:
    """What the operator knows after a look, members called as those of the Cluster `demo`."""
    here = {HOSTS[name]: ailing.host_of(other) for name, other in zip(NAMES, ailing.NAMES, strict=True)}
    answer = await until(stores, etcds, lambda seen: not seen.silent)
    hashes = {here[host]: one for host, one in (await stores.hashes(etcds.access())).items()}
    answer = replace(answer, stores=tuple(replace(store, host=here[store.host]) for store in answer.stores))
    now = CLOCK.now()
    return UpkeepSeen(now, now, answer, compared_at=now, hashes=hashes)


def seen_with(upkeep: UpkeepSeen, status: ClusterStatus | None = None, **healing: str) -> Observed:
    """The Cluster, with members that are all ready, and a snapshot in its store."""
    seen = ailing.ailing(known=ailing.members(), healing=healing)
    known = status or replace(seen.cluster.status, etcd=ClusterEtcdStatus(agreed_at=CLOCK.now() - timedelta(hours=1)))
    answer = store_said(at=CLOCK.now(), sound=(entry(),))
    return replace(seen, upkeep=upkeep, snapshots=answer, cluster=replace(seen.cluster, status=known))


def told(seen: Observed) -> ClusterStatus:
    now = CLOCK.now()
    status = report(seen, decide(seen, now, Policy()), (), now).status
    assert status is not None
    return status


async def corrupt(stores: EtcdStores, etcds: Etcds) -> None:
    """Change the value in the files of two members while all are down, in each in another way."""
    for name in NAMES:
        etcds.stop_one(name)
    for name, false in FALSE.items():
        file = etcds.place / name / "member/snap/db"
        content = file.read_bytes()
        assert TRUE in content
        file.write_bytes(content.replace(TRUE, false))
    for name in NAMES:
        etcds.start(name, state="existing")
    await until(stores, etcds, lambda seen: not seen.silent)


def exchange(etcds: Etcds, snapshot: Path) -> None:
    """What the Pods of a restore do to each member's volume."""
    for name in NAMES:
        etcds.stop_one(name)
        volume = etcds.place / f"volume-{name}"
        volume.mkdir()
        (etcds.place / name).rename(volume / "data")
        subprocess.run(etcdutl(etcds, name, snapshot, volume), check=True, capture_output=True)
        place(volume, "1-restore", may_move_aside=True)
        (etcds.place / name).symlink_to(volume / "data")
    for name in NAMES:
        etcds.start(name, state="existing")


async def test_corrupt_data_that_nobody_can_decide_on_comes_back_from_the_snapshot_that_was_approved(
    stores: EtcdStores, etcds: Etcds
) -> None:
    await until(stores, etcds, lambda seen: not seen.silent)
    ctl(etcds, "put", "key", TRUE.decode())
    snapshot = etcds.place / "snapshot.db"
    ctl(etcds, "snapshot", "save", str(snapshot))
    assert told(seen_with(await compared(stores, etcds))).quorum_loss is None

    await corrupt(stores, etcds)
    found = told(seen_with(await compared(stores, etcds)))
    assert found.quorum_loss is not None
    assert (found.quorum_loss.corrupt, found.quorum_loss.newest_snapshot) == (True, ID)
    assert found.quorum_loss.lost_seconds > 0
    begun = told(seen_with(await compared(stores, etcds), found, approveRestore=ID))
    assert begun.restore is not None
    assert begun.restore.stage == FETCHING

    handed = replace(seen_with(UpkeepSeen(), begun, approveRestore=ID), handed=HandedSeen(OWN, ID, OFFER))
    assert decide(handed, CLOCK.now(), Policy()).actions[-1] == CompareStores()
    stopping = told(replace(handed, upkeep=await compared(stores, etcds)))
    assert stopping.restore is not None
    assert stopping.restore.stage == STOPPING

    exchange(etcds, snapshot)
    whole = await compared(stores, etcds)
    assert whole.is_agreed
    assert ctl(etcds, "get", "key", "--print-value-only") == f"{TRUE.decode()}\n"
    restored = told(seen_with(whole, replace(begun, restore=None)))
    assert restored.quorum_loss is None
