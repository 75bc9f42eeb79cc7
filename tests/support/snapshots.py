"""Facts and keys for tests about snapshots."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyrage

from homeostat.operators.cluster.backup.listing import Entry
from homeostat.operators.cluster.backup.manifest import ClusterRef, Taken
from homeostat.providers.snapshots.keyring import Key

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
CLUSTER = ClusterRef("payments", "blue", "0c7f6ad2-5b1c-4f0e-9d3a-2f4f6a1f7b11")


def taken(revision: int = 42, at: datetime = NOW, cluster: ClusterRef = CLUSTER) -> Taken:
    return Taken(cluster, "3.6.16", "1.35.4", "v1.35.4", revision, at)


def key(key_id: str = "2026-01-01") -> Key:
    """A new key."""
    return Key(key_id, str(pyrage.x25519.Identity.generate()))


def entry(age: timedelta = timedelta(0), *, revision: int = 1, damaged: str = "", now: datetime = NOW) -> Entry:
    """A snapshot of some age, as a listing shows it."""
    facts = taken(revision, now - age)
    return Entry(facts.id, facts.taken_at, revision, 1000, damaged)
