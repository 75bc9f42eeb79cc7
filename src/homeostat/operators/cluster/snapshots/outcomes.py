"""How the taking of a snapshot ends."""

from __future__ import annotations

from homeostat.operators.cluster.backup.listing import Entry
from homeostat.operators.cluster.backup.manifest import Manifest
from homeostat.runtime.outcome import Progress


class Took(Progress, frozen=True, kw_only=True):
    """It is drawn, verified and stored."""

    manifest: Manifest
    listed: tuple[Entry, ...] | None = None  # what the store has now; None: it could not be listed
    retention_failure: str = ""


class NotTaken(Progress, frozen=True, kw_only=True):
    """It is not; `why` says what was found and what to do."""

    reason: str
