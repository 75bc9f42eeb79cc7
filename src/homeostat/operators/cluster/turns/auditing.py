"""Whether API servers take up another level of the audit log now. Pure.

It is told first (`status.auditLevel`), and made at the next look; like all turns it begins at rest only.
"""

from __future__ import annotations

from datetime import datetime

from homeostat.operators.cluster.actions import Turn, Wait
from homeostat.operators.cluster.observe import Observed
from homeostat.operators.cluster.turns.rest import Rest


def audit(seen: Observed, rest: Rest, now: datetime) -> Turn:
    """The declared level, if it is another one; an empty turn otherwise."""
    declared, status = seen.cluster.spec.audit.level, seen.cluster.status
    if status.ready_at is None or status.audit_level == declared:
        return Turn()
    if waits := rest.held or rest.queued:
        awaits = f"the audit log is kept at {status.audit_level}; {declared} is declared, and waits: {waits}"
        return Turn(probes=rest.probes, wait=rest.wait(now), queued=rest.queued != "", awaits=awaits)
    return Turn(audits=declared, wait=Wait(now, "another level of the audit log"))
