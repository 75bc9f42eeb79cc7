"""Leases: who leads, and until when."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from homeostat.api.kind import Kind, Resource
from homeostat.api.meta import ObjectMeta


class LeaseSpec(Struct, frozen=True, gc=False, rename="camel"):
    """Who holds a Lease. Every field may be absent in a Lease that somebody else wrote."""

    holder_identity: str | None = None
    lease_duration_seconds: int | None = None
    acquire_time: datetime | None = None
    renew_time: datetime | None = None
    lease_transitions: int | None = None


class Lease(Struct, frozen=True, gc=False):
    """A Lease."""

    metadata: ObjectMeta
    spec: LeaseSpec = LeaseSpec()


LEASE = Kind(Resource("coordination.k8s.io", "v1", "Lease", "leases"), Lease)
