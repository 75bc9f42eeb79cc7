"""What the status of a Cluster says of its topology: how many masters there are to be now, and what is on its way."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Struct

from homeostat.api.schema import doc


class MemberChangeStatus(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True, kw_only=True):
    """A member of etcd that comes or goes; written before the first step is done."""

    member: Annotated[str, doc("The member, and its Pod.", maxLength=63)]
    action: Annotated[str, doc("What becomes of it: Join or Leave.", maxLength=63)]
    started_at: Annotated[datetime, doc("When it was decided.")]
    member_id: Annotated[
        str, doc("etcd's number of the member that leaves, hexadecimal; empty if etcd knows none.", maxLength=16)
    ] = ""
    claim_uid: Annotated[str, doc("The uid of the volume claim that goes; empty if there was none.", maxLength=64)] = ""


class ClusterTopologyStatus(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True, kw_only=True):
    """How many masters there are to be now. On the way from one topology to another this lies between the two."""

    complete: Annotated[
        str, doc("The topology that all masters had when a change of it last was complete.", maxLength=63)
    ]
    members: Annotated[int, doc("How many members of etcd there are to be now.", minimum=1)]
    replicas: Annotated[int, doc("How many of every other master there are to be now.", minimum=1)]
    zoned: Annotated[
        bool,
        doc("Whether members of etcd are kept apart by zone. A single member that was one of three may stay so."),
    ] = False
    change: Annotated[MemberChangeStatus | None, doc("The member of etcd that comes or goes.")] = None
    started_at: Annotated[datetime | None, doc("Since when the topology changes; absent when it does not.")] = None
