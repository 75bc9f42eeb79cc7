"""The volumes of etcd, and what the status of a Cluster says of the data on them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar

from msgspec import Struct

from homeostat.api.cluster.rules import DNS_NAME, STORAGE_CLASS_KEPT, STORAGE_SIZE
from homeostat.api.schema import IMMUTABLE, Rule, doc


class ClusterStorage(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True, kw_only=True):
    """The volumes of etcd."""

    size: Annotated[
        str,
        doc("The size of the volume of each etcd member. Immutable.", *STORAGE_SIZE, IMMUTABLE, maxLength=20),
    ] = "2Gi"
    class_name: Annotated[
        str,
        doc(
            "The StorageClass of the volumes; left out, the default class of the cell. Immutable.",
            maxLength=253,
            pattern=DNS_NAME,
        ),
    ] = ""

    rules: ClassVar[tuple[Rule, ...]] = (STORAGE_CLASS_KEPT,)


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
    agreed_at: Annotated[
        datetime | None,
        doc("When members were last compared and all had the same data. What is in later snapshots may be corrupt."),
    ] = None
