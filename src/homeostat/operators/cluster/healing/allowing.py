"""Whether a master of a cluster may be touched now: what all destructive healing must pass. Pure.

A pause of the owner, a freeze of the cell, its budget, and its pace after a freeze, in this order. What undoes an
isolation never asks.
"""

from __future__ import annotations

from datetime import datetime

from homeostat.operators.cluster import words
from homeostat.operators.cluster.actions import Verdict
from homeostat.operators.cluster.healing.cell import CellPolicy
from homeostat.operators.cluster.observe import Observed


def held(seen: Observed, now: datetime, policy: CellPolicy, *, is_begun: bool = False) -> Verdict | None:
    """Why not; None: it may. What was begun already asks again only whether it has its turn."""
    why = _forbidden(seen, policy, seen.cell.ahead if is_begun else seen.cell.recent)
    if why is not None:
        return why
    paced = seen.cell.paced_until(now, policy, is_begun=is_begun)
    if paced is not None:
        return Verdict(words.HEALING_BUDGET_SPENT, f"it waits for its turn, {paced:%FT%TZ}: the cell was frozen lately")
    return None


def may_isolate(seen: Observed, policy: CellPolicy) -> bool:
    """Whether clients may be kept away from a master: that takes nobody's turn, so it waits for none."""
    return _forbidden(seen, policy, seen.cell.ahead) is None


def _forbidden(seen: Observed, policy: CellPolicy, counted: int) -> Verdict | None:
    if seen.cluster.spec.healing.paused:
        return Verdict(words.HEALING_PAUSED, "spec.healing.paused is true")
    frozen = seen.cell.why_frozen(policy)
    if frozen:
        return Verdict(words.HEALING_FROZEN, frozen)
    if counted >= policy.acts:
        spent = f"{counted} masters of the cell were replaced or restarted within {policy.window}"
        return Verdict(words.HEALING_BUDGET_SPENT, f"it waits for its turn: {spent}")
    return None
