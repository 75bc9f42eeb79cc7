"""Whose turn it is: a member that is mended comes first, then whatever of upgrade and topology began first. Pure.

A rotation of keys that waits for people holds up nothing; while masters take new keys, or are declared anew, no change
of the topology begins.
"""

from __future__ import annotations

from homeostat.operators.cluster import words
from homeostat.operators.cluster.actions import Heal, Step, Turn, Verdict
from homeostat.operators.cluster.observe import Observed
from homeostat.operators.cluster.rollout.working import is_at_work
from homeostat.operators.cluster.topology import is_changing

LOST = (words.QUORUM_LOST, words.ETCD_CORRUPT, words.RESTORING, words.RESTORE_REFUSED)


def must_be_over(seen: Observed, going: Step, healing: Heal, turn: Turn, *, is_applied: bool) -> Verdict | None:
    """What must be over before the topology may change, or go on to; None: nothing."""
    known = seen.cluster.status.healing
    replacement = healing.begins or (known.replacement if known is not None else None)
    if replacement is not None:
        message = f"before the topology changes: {replacement.member} is being replaced"
        return Verdict(words.REPLACING_MEMBER, message)
    if healing.verdict is not None and healing.verdict.reason in LOST:
        return Verdict(healing.verdict.reason, f"before the topology changes: {healing.verdict.message}")
    if is_changing(seen.cluster):
        return None
    if is_at_work(going) and going.verdict is not None:
        return Verdict(words.AWAITING_HEALTH, f"before the topology changes: {going.verdict.message}")
    if turn.actions or turn.rotation is not None or not is_applied:
        return Verdict(words.AWAITING_HEALTH, "before the topology changes: masters are being declared")
    return None
