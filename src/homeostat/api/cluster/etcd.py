"""What the status of a Cluster says about the stores of its etcd."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Struct

from homeostat.api.schema import doc


class ClusterEtcdStatus(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True, kw_only=True):
    """How full etcd is. Told when it changed by more than a twentieth of the quota, or when something was done."""

    size_bytes: Annotated[int, doc("The file of the member whose is the largest.", minimum=0)] = 0
    in_use_bytes: Annotated[int, doc("What of it holds data; the rest is free inside.", minimum=0)] = 0
    quota_bytes: Annotated[int, doc("What a file may have before etcd takes no more writes.", minimum=0)] = 0
    used_percent: Annotated[int, doc("The file as a share of the quota.", minimum=0)] = 0
    alarms: Annotated[
        tuple[str, ...],
        doc(
            "What etcd itself raised: NOSPACE, CORRUPT. With either of them nothing is written any more.",
            maxItems=8,
            items={"maxLength": 63},
        ),
    ] = ()
    full_size_bytes: Annotated[int, doc("The size when NOSPACE was last seen first.", minimum=0)] = 0
    last_defragmented_at: Annotated[datetime | None, doc("When a member was last defragmented.")] = None
    deviating: Annotated[
        tuple[str, ...],
        doc(
            "Members whose data is not what the others agree on; all of them where no majority agrees.",
            maxItems=8,
            items={"maxLength": 63},
        ),
    ] = ()
