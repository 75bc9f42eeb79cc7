"""What clusters go through that nobody declared, or that keeps what they have: as scenarios in which operators die."""

from __future__ import annotations

from tests.support.cells import ZONES, Cell, open_zone
from tests.support.cutting import WITHIN_S
from tests.support.deeds import declaring, ready, rotated, setting
from tests.support.killing.course import Scenario
from tests.support.killing.snapshots import MemorySource, MemoryStore
from tests.support.killing.world import World
from tests.support.restoring import FORMER, manifest

VICTIM = "demo-etcd-1"
SOON = {"replaceMemberAfterSeconds": 30}
SNAPSHOT = manifest(FORMER)
WISH = {
    "snapshot": SNAPSHOT.id,
    "cluster": {"namespace": FORMER.namespace, "name": FORMER.name, "uid": FORMER.uid},
}
LONG_S = 3 * WITHIN_S


async def zones_opened(cell: Cell) -> None:
    """A host in each of three zones."""
    for zone in ZONES:
        await open_zone(cell.client, zone)


async def a_disk_dies(cell: Cell) -> None:
    """A member of etcd does not come up any more, until it is given another volume."""
    old = _volume(cell)
    cell.etcd.dead.add(f"{VICTIM}.demo-etcd.{cell.namespace}.svc")
    cell.kubelet.behave("crash", VICTIM)
    await cell.kubelet.until(lambda: _volume(cell) not in ("", old), "the volume is another one", within_s=LONG_S)
    cell.kubelet.behave("run", VICTIM)


def _volume(cell: Cell) -> str:
    found = cell.find("PersistentVolumeClaim", f"data-{VICTIM}")
    return "" if found is None else str(found["metadata"]["uid"])


async def replaced(cell: Cell) -> None:
    """All members are there again, and nothing of it is under way."""

    def is_so() -> bool:
        healing = cell.status().get("healing", {})
        return bool(healing) and "replacement" not in healing

    await cell.kubelet.until(is_so, "it is replaced", within_s=LONG_S)
    await cell.until_ready(within_s=LONG_S)


def has_a_snapshot(world: World) -> None:
    """There is one of a cluster that was here before."""
    world.cell.store.manifests = [SNAPSHOT]


async def restored(cell: Cell) -> None:
    """The new cluster has the data of the former one."""
    await cell.until_ready(within_s=LONG_S)

    def is_settled() -> bool:
        status, membership = cell.status(), cell.find("ConfigMap", "demo-etcd") or {"data": {}}
        is_done = status.get("restore", {}).get("stage") == "Done" and "rollback" in status
        return is_done and membership["data"].get("initial-cluster-state") == "existing"

    await cell.kubelet.until(is_settled, "it is settled", within_s=LONG_S)


def takes_snapshots(world: World) -> None:
    """The cell has a store."""
    world.cell.store = MemoryStore()
    world.source = MemorySource()


async def saved(cell: Cell) -> None:
    """What was asked for is in the store, and told."""

    def is_so() -> bool:
        told = cell.status().get("backup", {})
        return told.get("answered") == "now" and "failure" not in told and "taking" not in told

    await cell.kubelet.until(is_so, "a snapshot is taken", within_s=LONG_S)


KEPT = (
    Scenario(
        "a member of etcd dies",
        a_disk_dies,
        replaced,
        (zones_opened, declaring(topology="ha", healing=SOON), ready),
        counts_starts=False,  # while the old volume goes, its Pod may be made once more
        step=20,
    ),
    Scenario(
        "another key encrypts",
        setting(keys={"rotations": {"encryptionKey": 1}}),
        rotated("encryptionKey", within_s=LONG_S),
        (declaring(), ready),
        step=40,
    ),
    Scenario("restore", declaring(restoreFrom=WISH), restored, prepare=has_a_snapshot, step=20),
    Scenario(
        "backup",
        setting(backup={"request": "now", "paused": True}),
        saved,
        (declaring(backup={"paused": True}), ready),
        prepare=takes_snapshots,
        step=3,
    ),
)
