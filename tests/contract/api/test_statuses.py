"""The status of a Cluster has two writers, and whoever read an older one overwrites nothing: on both engines."""

from __future__ import annotations

import pytest
from tests.support.kinds import cluster

from homeostat.api.cluster.backup import ClusterBackupStatus
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
