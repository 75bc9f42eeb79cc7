"""The status of a Cluster has two writers, and whoever read an older one overwrites nothing: on both engines."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from msgspec import to_builtins
from tests.support.kinds import cluster

from homeostat.api.cluster.backup import ClusterBackupStatus
from homeostat.api.cluster.healing import ClusterHealingStatus, MasterRestartStatus
from homeostat.api.cluster.v1alpha1 import CLUSTER, ClusterStatus
from homeostat.api.kind import unstructured
from homeostat.kube.client import Client
from homeostat.operators.cluster.snapshots.report import backup_part, other_part
from homeostat.runtime.status import Outdated, write_status

pytestmark = pytest.mark.real

CLUSTERS = unstructured(CLUSTER.resource)


async def test_two_writers_of_parts_of_a_status_never_undo_each_other_nor_what_is_newer(client: Client) -> None:
    await client.apply(CLUSTERS, cluster("parts"), force=True)
    read = await client.get(CLUSTER, "parts", "default")
    saved = ClusterStatus(backup=ClusterBackupStatus(store="s3"))
    await write_status(client, CLUSTER, read, saved, field_manager="homeostat-backup", part=backup_part)
    told = await write_status(client, CLUSTER, read, ClusterStatus(attempts=3), part=other_part)
    assert told is not None
    assert (told.status.attempts, told.status.backup) == (3, saved.backup)
    with pytest.raises(Outdated):
        await write_status(client, CLUSTER, read, ClusterStatus(attempts=1), part=other_part)
    assert (await client.get(CLUSTER, "parts", "default")).status == told.status


async def test_what_somebody_put_into_a_status_by_hand_goes_with_the_next_write(client: Client) -> None:
    """Fields that a writer leaves out stay with whoever else has them, so an apply alone would not take them back."""
    await client.apply(CLUSTERS, cluster("meddled"), force=True)
    read = await client.get(CLUSTER, "meddled", "default")
    first, second = restart("kube-apiserver"), restart("kube-scheduler")
    wanted = ClusterStatus(attempts=3, healing=ClusterHealingStatus(attempts=1, restarts=(first, second)))
    written = await write_status(client, CLUSTER, read, wanted, part=other_part)
    assert written is not None
    saved = ClusterStatus(backup=ClusterBackupStatus(store="s3"))
    await write_status(client, CLUSTER, written, saved, field_manager="homeostat-backup", part=backup_part)

    restarts = [{**to_builtins(each), "endedAt": "2026-01-01T00:00:00Z"} for each in (first, second)]
    healing = {"restarts": [*restarts, to_builtins(restart("etcd"))], "lastStartedAt": "2026-01-01T00:00:00Z"}
    by_hand = {"status": {"healing": healing}}
    edited = await client.merge_patch(
        CLUSTER, "meddled", by_hand, "default", subresource="status", field_manager="somebody"
    )
    assert edited.status.healing is not None
    assert len(edited.status.healing.restarts) == 3

    told = await write_status(client, CLUSTER, edited, wanted, part=other_part)
    assert told is not None
    assert other_part(told.status) == wanted
    assert told.status.backup == saved.backup
    assert (await client.get(CLUSTER, "meddled", "default")).status == told.status
    again = ClusterStatus(attempts=4)
    assert other_part((await write_status(client, CLUSTER, told, again, part=other_part) or told).status) == again


def restart(component: str) -> MasterRestartStatus:
    began = datetime(2026, 1, 2, tzinfo=UTC)
    return MasterRestartStatus(
        component=component, pod="demo-1", pod_uid="u1", host="h1", attempts=1, step="Recreate", started_at=began
    )
