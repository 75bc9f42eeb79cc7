"""What a Cluster's status keeps of stateless masters that fell ill."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Struct

from homeostat.api.schema import doc


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
        doc("Hosts on which this component fell ill again and again: others are preferred.", maxItems=8),
    ] = ()
