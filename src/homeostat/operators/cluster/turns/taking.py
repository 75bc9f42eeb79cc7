"""Whose turn it is: a rotation's next step, else a renewal. Pure."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from homeostat.operators.cluster.actions import Step, Turn
from homeostat.operators.cluster.observe import Observed
from homeostat.operators.cluster.turns.renewing import renew
from homeostat.operators.cluster.turns.rest import rest
from homeostat.operators.cluster.turns.rotating import rotate


def take(seen: Observed, going: Step, now: datetime, *, is_applied: bool) -> Turn:
    """What is done now. A rotation that waits for people holds up no renewal."""
    resting = rest(seen, going, is_applied=is_applied)
    turn = rotate(seen, resting, now)
    if turn.actions or turn.rotation is not None or turn.ends:
        return turn
    renewal = renew(seen, resting, now)
    waits = (wait for wait in (turn.wait, renewal.wait) if wait is not None)
    wait = min(waits, key=lambda each: each.until, default=None)
    return replace(renewal, verdict=turn.verdict, probes=turn.probes or renewal.probes, wait=wait)
