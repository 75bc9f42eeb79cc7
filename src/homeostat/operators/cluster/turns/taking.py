"""Whose turn it is: a rotation's next step, another audit log, else a renewal. Pure."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from homeostat.operators.cluster.actions import Step, Turn
from homeostat.operators.cluster.observe import Observed
from homeostat.operators.cluster.turns.auditing import audit
from homeostat.operators.cluster.turns.renewing import renew
from homeostat.operators.cluster.turns.rest import rest
from homeostat.operators.cluster.turns.rotating import rotate


def take(seen: Observed, going: Step, now: datetime, *, is_applied: bool) -> Turn:
    """What is done now. A rotation that waits for people holds up no renewal."""
    resting = rest(seen, going, is_applied=is_applied)
    turn = rotate(seen, resting, now)
    if turn.actions or turn.rotation is not None or turn.ends:
        return turn
    auditing = audit(seen, resting, now)
    if auditing.audits:
        return replace(auditing, verdict=turn.verdict)
    renewal = renew(seen, resting, now)
    others = (turn, auditing, renewal)
    waits = (each.wait for each in others if each.wait is not None)
    wait = min(waits, key=lambda each: each.until, default=None)
    gives_back = resting.probes and seen.cluster.status.rolling_since is not None  # others wait for its place
    return replace(
        renewal,
        verdict=turn.verdict,
        probes=gives_back or any(each.probes for each in others),
        wait=wait,
        queued=any(each.queued for each in others),
        awaits=auditing.awaits,
        rests=not (resting.held or renewal.actions or renewal.rolls),
    )
