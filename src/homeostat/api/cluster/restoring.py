"""What a Cluster says about being restored from a snapshot: the wish, how far it is, and what is lost without it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Struct

from homeostat.api.schema import doc

SNAPSHOT_ID = r"^[0-9]{8}T[0-9]{6}Z-r[1-9][0-9]{0,18}$"
_NAME = r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"
_UID = r"^[0-9A-Za-z]([-0-9A-Za-z]*[0-9A-Za-z])?$"


class SnapshotOwner(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True, kw_only=True):
    """The cluster that a snapshot is of; it need not exist any more."""

    namespace: Annotated[str, doc("The namespace of that Cluster.", minLength=1, maxLength=63, pattern=_NAME)]
    name: Annotated[str, doc("The name of that Cluster.", minLength=1, maxLength=63, pattern=_NAME)]
    uid: Annotated[
        str,
        doc(
            "The metadata.uid of that Cluster, which tells it from an earlier or later one of the same name.",
            minLength=1,
            maxLength=128,
            pattern=_UID,
        ),
    ]


class RestoreFrom(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True, kw_only=True):
    """A snapshot that a new Cluster begins with."""

    snapshot: Annotated[
        str, doc("The id of the snapshot, such as 20260304T050607Z-r4711.", maxLength=64, pattern=SNAPSHOT_ID)
    ]
    cluster: Annotated[SnapshotOwner, doc("The cluster that the snapshot is of.")]
    keys_from: Annotated[
        str,
        doc(
            "The name of a Secret of this namespace with the keys of that cluster: a copy, made in time, of its Secret "
            "NAME-pki. The new Cluster gets these keys, so Secrets can be read, and certificates, kubeconfigs and "
            "tokens of the former one stay good. Left out, it gets new ones.",
            maxLength=253,
            pattern=f"^$|{_NAME}",
        ),
    ] = ""


class ClusterRestoreStatus(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True, kw_only=True):
    """A restore from a snapshot, under way or the last one; every stage is written before its first step is done."""

    snapshot: Annotated[str, doc("The id of the snapshot.", maxLength=64)]
    cluster: Annotated[SnapshotOwner, doc("The cluster that the snapshot is of.")]
    number: Annotated[int, doc("Which restore of this Cluster it is, counted from 1.", minimum=1)]
    stage: Annotated[
        str,
        doc(
            "How far it is: Fetching, Stopping, Restoring, Starting, then Done. Until Stopping nothing was touched. "
            "Dropped: it was not wanted any more before anything was touched.",
            maxLength=63,
        ),
    ]
    started_at: Annotated[datetime, doc("When it was decided.")]
    stage_started_at: Annotated[datetime | None, doc("When the stage began.")] = None
    finished_at: Annotated[datetime | None, doc("When the cluster served its clients again.")] = None
    taken_at: Annotated[datetime, doc("When the snapshot was taken: whatever was written later is not in it.")]
    lost_seconds: Annotated[
        int,
        doc(
            "How much time's writes are lost: from the snapshot to the moment at which the quorum was lost, or masters "
            "with corrupt data were stopped. Zero of a new Cluster.",
            minimum=0,
        ),
    ] = 0
    corrupt: Annotated[
        bool, doc("Whether it was approved because data was corrupt: then a quorum does not end it.")
    ] = False
    attempts: Annotated[int, doc("How many tries of single members failed.", minimum=0)] = 0
    dropped_because: Annotated[str, doc("Why it was dropped; empty if it was not.", maxLength=512)] = ""


class QuorumLossStatus(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True, kw_only=True):
    """etcd has no quorum for long, or none that agrees; only its members' return or an approved restore helps."""

    since: Annotated[datetime, doc("When it was lost; of corrupt data, when that was found.")]
    corrupt: Annotated[
        bool, doc("Whether the members may be there, but their data is corrupt, and no majority agrees on it.")
    ] = False
    newest_snapshot: Annotated[
        str,
        doc(
            "The id of the newest sound snapshot; of corrupt data, of the newest one from before status.etcd.agreedAt, "
            "if there is any. Empty: none is known.",
            maxLength=64,
        ),
    ] = ""
    lost_seconds: Annotated[
        int,
        doc(
            "How much time's writes would be lost by restoring that snapshot. With corrupt data the masters may write "
            "on, and that would be lost as well.",
            minimum=0,
        ),
    ] = 0
    spent_approval: Annotated[
        str,
        doc(
            "What spec.healing.approveRestore said before the loss was told: no approval of a restore of this loss.",
            maxLength=64,
        ),
    ] = ""
