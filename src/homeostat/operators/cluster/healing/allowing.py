"""Whether a master of a cluster may be touched now: what all destructive healing must pass. Pure.

A pause of the owner, a freeze of the cell, its budget, and its pace after a freeze, in this order. Keeping clients away
from an API server takes nobody's turn and can be undone, so it waits for less; what undoes it never asks.
"""

from __future__ import annotations

from datetime import datetime

from homeostat.operators.cluster import words
from homeostat.operators.cluster.actions import Verdict
from homeostat.operators.cluster.healing.cell import CellPolicy
from homeostat.operators.cluster.observe import Observed


def held(seen: Observed, now: datetime, policy: CellPolicy, *, is_begun: bool = False) -> Verdict | None:
    """Why not; None: it may. What was begun already asks again only whether it has its turn."""
    forbidden = stopped(seen, policy)
    if forbidden is not None:
        return forbidden
    counted = seen.cell.ahead if is_begun else seen.cell.recent
    if counted >= policy.acts:
        spent = f"{counted} masters of the cell were replaced or restarted within {policy.window}"
        return Verdict(words.HEALING_BUDGET_SPENT, f"it waits for its turn: {spent}")
    paced = seen.cell.paced_until(now, policy, is_begun=is_begun)
    if paced is not None:
        return Verdict(words.HEALING_BUDGET_SPENT, f"it waits for its turn, {paced:%FT%TZ}: the cell was frozen lately")
    return None


def stopped(seen: Observed, policy: CellPolicy) -> Verdict | None:
    """Why nothing may be touched at all, not even what takes nobody's turn; None: it may."""
    if seen.cluster.spec.healing.paused:
        return Verdict(words.HEALING_PAUSED, "spec.healing.paused is true")
    frozen = seen.cell.why_frozen(policy)
    return Verdict(words.HEALING_FROZEN, frozen) if frozen else None


def heard_at(seen: Observed, decided_at: datetime, policy: CellPolicy) -> datetime:
    """From when on it is known what was decided for other clusters at the same moment, if any of them may ail."""
    return decided_at + policy.heard if seen.cell.sick > 1 else decided_at


def may_isolate(seen: Observed) -> bool:
    """Whether clients may be kept away from a master that is silent: not on the word of a cell that is slow."""
    return not seen.cluster.spec.healing.paused and not seen.cell.is_slow
