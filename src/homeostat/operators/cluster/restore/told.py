"""What the status and the events say about restores. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec.structs import replace

from homeostat.api.cluster.etcd import ClusterEtcdStatus
from homeostat.api.cluster.healing import ClusterHealingStatus
from homeostat.api.cluster.restoring import ClusterRestoreStatus
from homeostat.api.cluster.scaling import ClusterTopologyStatus
from homeostat.api.cluster.v1alpha1 import ClusterStatus
from homeostat.operators.cluster import words
from homeostat.operators.cluster.observe import ProbeSeen
from homeostat.operators.cluster.restore.actions import Restoring
from homeostat.operators.cluster.restore.beginning import DONE, DROPPED, RESTORING, STARTING, STOPPING
from homeostat.operators.cluster.topology import number_of
from homeostat.runtime.events import Note


def restored(
    status: ClusterStatus, told: Restoring, probed: ProbeSeen | None, now: datetime, *, serves: bool
) -> ClusterStatus:
    """The status with what is told of restores; one ends when the cluster serves again, by a read since it started.

    Whether all is as declared does not matter: backups wait for the end, and a host may be away for ever.
    """
    restore = told.becomes or status.restore
    if restore is not None and restore.stage == STARTING and told.has_looked and serves:
        since = restore.stage_started_at or restore.started_at
        if probed is not None and probed.serves and probed.at >= since:
            restore = replace(restore, stage=DONE, finished_at=now.replace(microsecond=0))
    if restore is not None and restore.stage in (STOPPING, RESTORING, STARTING):
        status = replace(status, healing=_at_rest(status.healing), topology=_settled(status.topology))
    loss = told.loss if told.has_looked else status.quorum_loss
    if restore is not None and restore.stage == RESTORING:
        status = replace(status, etcd=_unknown(status.etcd))
        loss = None if restore.corrupt else loss
    return replace(status, restore=restore, quorum_loss=loss)


def _unknown(etcd: ClusterEtcdStatus | None) -> ClusterEtcdStatus | None:
    """Of data that is being exchanged nothing is said that was wrong with the old one."""
    return replace(etcd, alarms=(), deviating=()) if etcd is not None else None


def _at_rest(healing: ClusterHealingStatus | None) -> ClusterHealingStatus | None:
    """No member is being replaced any more: all that are restored are new ones, though on volumes that are known."""
    if healing is None or healing.replacement is None:
        return healing
    over = replace(healing, replacement=None)
    return over if over != ClusterHealingStatus() else None


def _settled(topology: ClusterTopologyStatus | None) -> ClusterTopologyStatus | None:
    """Whoever was to join or to leave is restored with the others, and has a vote; who has left has left."""
    if topology is None or topology.change is None or number_of(topology.change.member) >= topology.members:
        return topology
    return replace(topology, change=None)


def restore_notes(before: ClusterRestoreStatus | None, now: ClusterRestoreStatus | None) -> list[Note]:
    """An event for each stage."""
    if now is None or (before is not None and (before.number, before.stage) == (now.number, now.stage)):
        return []
    if now.stage == DROPPED:
        return [Note(words.RESTORING, f"{now.dropped_because}; the restore is dropped, and nothing was touched")]
    if now.stage != DONE:
        return [Note(words.RESTORING, f"from {now.snapshot}: {now.stage.lower()}", type="Warning")]
    moment = "the masters were stopped" if now.corrupt else "the loss"
    lost = f"; what was written in the {timedelta(seconds=now.lost_seconds)} before {moment} is gone"
    return [
        Note(words.DATA_RESTORED, f"the cluster serves the data of {now.snapshot}{lost if now.lost_seconds else ''}")
    ]
