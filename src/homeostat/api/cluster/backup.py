"""Backups of a Cluster: when snapshots of its etcd are taken, which are kept, and what became of them.

Writers: people own `spec.backup`; the backup loop of the cluster operator (field manager `homeostat-backup`) owns
`status.backup` and the condition `BackedUp`, and nothing else.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Struct

from homeostat.api.schema import doc


class ClusterBackupRetention(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True, kw_only=True):
    """How many snapshots are kept; one may count for several. The newest is kept whatever is said here."""

    last: Annotated[int, doc("The newest so many.", minimum=0, maximum=100)] = 5
    hourly: Annotated[int, doc("The newest of so many hours that have any.", minimum=0, maximum=1000)] = 0
    daily: Annotated[int, doc("The newest of so many days that have any.", minimum=0, maximum=1000)] = 7
    weekly: Annotated[int, doc("The newest of so many weeks that have any.", minimum=0, maximum=1000)] = 4


class ClusterBackup(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True, kw_only=True):
    """When snapshots of etcd are taken, and which are kept."""

    every_seconds: Annotated[
        int,
        doc(
            "How often a snapshot is taken. Each cluster has its own moment in that time, so that they do not come at"
            " once.",
            minimum=60,
            maximum=2592000,
        ),
    ] = 21600
    paused: Annotated[
        bool,
        doc("Take none by the clock. Those that are requested, or come before an upgrade, are taken all the same."),
    ] = False
    keep: Annotated[ClusterBackupRetention, doc("How many snapshots are kept.")] = ClusterBackupRetention()
    request: Annotated[
        str,
        doc(
            "Any text. A new one asks for a snapshot now, beside those by the clock; status.backup.answered repeats it"
            " when it is taken.",
            maxLength=63,
        ),
    ] = ""


class SnapshotStatus(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True, kw_only=True):
    """A snapshot that the store listed."""

    id: Annotated[str, doc("Its name in the store, which sorts by age.", maxLength=63)]
    taken_at: Annotated[datetime | None, doc("When it was taken.")] = None
    revision: Annotated[int, doc("etcd's revision that it ends at.", minimum=0)] = 0
    stored_bytes: Annotated[int, doc("How much room it takes in the store.", minimum=0)] = 0
    damaged: Annotated[str, doc("What is wrong with it; empty when nothing is known.", maxLength=256)] = ""


class LastSnapshotStatus(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True, kw_only=True):
    """The last snapshot that was taken, verified and stored."""

    id: Annotated[str, doc("Its name in the store.", maxLength=63)]
    taken_at: Annotated[datetime, doc("All that was written before is in it.")]
    revision: Annotated[int, doc("etcd's revision that it ends at.", minimum=0)]
    bytes: Annotated[int, doc("The size of the database that it holds.", minimum=0)]
    kubernetes_version: Annotated[str, doc("The Kubernetes version that the cluster served.", maxLength=63)] = ""
    package_version: Annotated[str, doc("The package version that the masters were made of.", maxLength=63)] = ""
    because: Annotated[str, doc("What it was taken for: Schedule, Request or Upgrade.", maxLength=63)] = ""
    generation: Annotated[int, doc("The metadata.generation of the Cluster when it was begun.", minimum=0)] = 0


class SnapshotUnderWayStatus(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True, kw_only=True):
    """A snapshot that is being taken; written before it is begun."""

    because: Annotated[str, doc("What it is taken for: Schedule, Request or Upgrade.", maxLength=63)]
    started_at: Annotated[datetime, doc("When it was begun.")]
    generation: Annotated[int, doc("The metadata.generation of the Cluster then.", minimum=0)] = 0
    request: Annotated[str, doc("The request that it answers.", maxLength=63)] = ""


class SnapshotFailureStatus(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True, kw_only=True):
    """Why the last attempt failed; gone when another succeeds."""

    because: Annotated[str, doc("What it was tried for: Schedule, Request or Upgrade.", maxLength=63)]
    reason: Annotated[str, doc("The reason in one word, as the condition BackedUp says it.", maxLength=63)]
    message: Annotated[str, doc("What was found, and what to do.", maxLength=1024)]
    at: Annotated[datetime, doc("When it failed.")]
    attempts: Annotated[int, doc("How many attempts failed in a row.", minimum=0)]
    retry_at: Annotated[datetime, doc("When it is tried again.")]
    generation: Annotated[int, doc("The metadata.generation of the Cluster then.", minimum=0)] = 0
    request: Annotated[str, doc("The request that was not answered.", maxLength=63)] = ""


class ClusterBackupStatus(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True, kw_only=True):
    """What became of the backups."""

    store: Annotated[str, doc("Where snapshots are kept; empty when the cell has no store.", maxLength=512)] = ""
    last: Annotated[LastSnapshotStatus | None, doc("The last snapshot that was taken, verified and stored.")] = None
    next_at: Annotated[datetime | None, doc("When the next one is due.")] = None
    taking: Annotated[SnapshotUnderWayStatus | None, doc("The snapshot that is being taken.")] = None
    failure: Annotated[SnapshotFailureStatus | None, doc("Why the last attempt failed.")] = None
    answered: Annotated[str, doc("The last spec.backup.request that was answered.", maxLength=63)] = ""
    snapshots: Annotated[
        tuple[SnapshotStatus, ...],
        doc(
            "The newest snapshots in the store, as it listed them when the last one was taken.",
            maxItems=64,
            list_map_keys=["id"],
        ),
    ] = ()
    retention_failure: Annotated[
        str, doc("Why snapshots that are not kept any longer are still there.", maxLength=512)
    ] = ""
