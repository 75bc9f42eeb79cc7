"""How far the operator goes to mend masters that broke, and what a Cluster's status keeps of it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Struct

from homeostat.api.cluster.restoring import SNAPSHOT_ID
from homeostat.api.schema import doc


class ClusterHealing(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True, kw_only=True):
    """How far the operator goes to mend masters that broke."""

    paused: Annotated[
        bool,
        doc("Replace nothing, only say what is wrong. Objects that others delete or edit are put back all the same."),
    ] = False
    replace_member_after_seconds: Annotated[
        int,
        doc(
            "How long a member of etcd may be dead before another one, with an empty volume, takes its place. Only "
            "where there are three members, and the other two are well.",
            minimum=30,
            maximum=86400,
        ),
    ] = 300
    approve_restore: Annotated[
        str,
        doc(
            "The id of a snapshot of this Cluster to restore its lost or corrupt etcd from. Counts only when it is set "
            "after status.quorumLoss has told of the loss; whatever was written since the snapshot is lost for good.",
            maxLength=64,
            pattern=f"^$|{SNAPSHOT_ID}",
        ),
    ] = ""


class MemberReplacementStatus(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True, kw_only=True):
    """A dead or corrupt member of etcd that is being replaced; written before the first step is done."""

    member: Annotated[str, doc("The member, and its Pod.", maxLength=63)]
    member_id: Annotated[
        str, doc("etcd's number of the dead member, hexadecimal; empty if etcd knew none any more.", maxLength=16)
    ]
    claim_uid: Annotated[str, doc("The uid of the volume claim that goes with it; empty if it had none.", maxLength=64)]
    pod_uid: Annotated[str, doc("The uid of its Pod; empty if it had none.", maxLength=64)] = ""
    started_at: Annotated[datetime, doc("When it was decided.")]
    reason: Annotated[str, doc("What was wrong with it.", maxLength=512)] = ""
    corrupt: Annotated[bool, doc("Whether it runs, but with other data than the others agree on.")] = False


class MasterRestartStatus(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True, kw_only=True):
    """A component of which a Pod was ill, and what was done about it last; written before it is done."""

    component: Annotated[str, doc("The component, as in the package version.", maxLength=63)]
    step: Annotated[
        str,
        doc(
            "What was done last. Recreate: the Pod was deleted, for another to take its place. Move: the same, away"
            " from its host. HandOver: nothing, a person must look.",
            maxLength=63,
        ),
    ]
    pod: Annotated[str, doc("The Pod that was ill.", maxLength=253)]
    pod_uid: Annotated[str, doc("Its uid.", maxLength=64)]
    host: Annotated[str, doc("Its host.", maxLength=253)]
    attempts: Annotated[
        int, doc("How often this was done shortly after one another; each makes the next one wait longer.", minimum=1)
    ]
    started_at: Annotated[datetime, doc("When the last attempt was decided.")]
    earlier: Annotated[tuple[datetime, ...], doc("When attempts before that one were.", maxItems=8)] = ()
    ended_at: Annotated[datetime | None, doc("When all of the component was well again; absent until then.")] = None
    reason: Annotated[str, doc("What was wrong.", maxLength=512)] = ""
    avoided_hosts: Annotated[
        tuple[str, ...],
        doc(
            "Hosts on which this component fell ill again and again: others are preferred, until half a day of calm is"
            " over and its Pods are made anew for another version.",
            maxItems=8,
        ),
    ] = ()


class ClusterHealingStatus(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True, kw_only=True):
    """What was done to mend masters, and is being done."""

    replacement: Annotated[MemberReplacementStatus | None, doc("The dead member of etcd that is being replaced.")] = (
        None
    )
    last_started_at: Annotated[datetime | None, doc("When a replacement last began.")] = None
    attempts: Annotated[
        int, doc("Replacements that began shortly after one another; each makes the next one wait longer.", minimum=0)
    ] = 0
    restarts: Annotated[
        tuple[MasterRestartStatus, ...],
        doc("Other masters that fell ill, by component.", maxItems=16, list_map_keys=["component"]),
    ] = ()
