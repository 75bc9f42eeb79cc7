"""What the status and the events say about turns. Pure."""

from __future__ import annotations

from msgspec.structs import replace

from homeostat.api.cluster.certificates import ClusterRotations
from homeostat.api.cluster.v1alpha1 import ClusterStatus
from homeostat.operators.cluster import words
from homeostat.operators.cluster.actions import Plan
from homeostat.operators.cluster.observe import Observed
from homeostat.operators.cluster.pki import states
from homeostat.runtime.conditions import find_condition
from homeostat.runtime.events import Note

_FIELDS = {
    states.AUTHORITIES: "authorities",
    states.TOKEN_KEY: "token_key",
    states.ENCRYPTION_KEY: "encryption_key",
}


def turned(seen: Observed, plan: Plan, status: ClusterStatus) -> ClusterStatus:
    """The status with what this plan's turn means for it. A cluster that never served is made as it is declared."""
    before = seen.cluster.status
    if before.ready_at is None:
        asked = seen.cluster.spec.keys.rotations
        level = seen.cluster.spec.audit.level
        return replace(status, rotations=asked, encryption_key=seen.authority.encryption_key, audit_level=level)
    if plan.turn.audits:
        return replace(status, audit_level=plan.turn.audits)
    if plan.turn.rotation is not None:
        return replace(status, rotation=plan.turn.rotation)
    going = before.rotation
    if not plan.turn.ends or going is None:
        return status
    status = replace(status, rotation=None)
    if going.stage != states.DROPPING:
        return status
    done: ClusterRotations = replace(before.rotations, **{_FIELDS[going.keys]: going.number})
    key = seen.authority.encryption_key if going.keys == states.ENCRYPTION_KEY else before.encryption_key
    return replace(status, rotations=done, encryption_key=key)


def rotation_notes(seen: Observed, plan: Plan) -> list[Note]:
    """An event for each stage."""
    turn, going = plan.turn, seen.cluster.status.rotation
    if turn.verdict is not None and turn.verdict.reason == words.ROTATION_STUCK:
        told = find_condition(seen.cluster.status.conditions, words.PKI_READY)
        is_new = told is None or told.reason != words.ROTATION_STUCK
        return [Note(words.ROTATION_STUCK, turn.verdict.message, type="Warning")] if is_new else []
    if turn.rotation is not None and turn.verdict is not None:
        return [Note(words.ROTATING, turn.verdict.message)]
    if turn.ends and going is not None:
        is_done = going.stage == states.DROPPING
        said = "new, and the old one is gone" if is_done else "the old one, and the new one is gone"
        return [Note(words.ROTATED, f"{going.keys}: what is used is {said}")]
    return []
