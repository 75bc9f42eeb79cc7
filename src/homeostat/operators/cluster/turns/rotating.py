"""What to do next about a rotation of keys: begin, go on, wait, go back, end. Pure.

The states are a table (pki/states.py). A state is written into the status first; then, one Secret at a time and each
time at rest, leaves are made as it has them, and their readers are replaced; then the next state is written. So an
operator that dies between any two lines goes on where it was, and two neighbouring states are all that ever meets.
"""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from homeostat.api.cluster.certificates import ClusterRotationStatus
from homeostat.operators.cluster import words
from homeostat.operators.cluster.actions import (
    ChangeKeys,
    IssueLeaf,
    RewriteSecrets,
    Turn,
    Verdict,
    Wait,
)
from homeostat.operators.cluster.observe import Observed
from homeostat.operators.cluster.pki import states
from homeostat.operators.cluster.turns.released import is_left_to_people, is_released, is_taken_back
from homeostat.operators.cluster.turns.rest import Rest

_SAID = {
    states.AUTHORITIES: "authorities",
    states.TOKEN_KEY: "key of tokens",
    states.ENCRYPTION_KEY: "key that encrypts Secrets",
}


def rotate(seen: Observed, rest: Rest, now: datetime) -> Turn:
    """The next step; an empty turn when nothing is wanted."""
    going = seen.cluster.status.rotation
    if going is None:
        return _begin(seen, rest, now)
    stale = next((leaf for leaf in seen.leaves if leaf.outdated), None)
    waits = rest.held or ("" if is_left_to_people(seen.cluster, going) else rest.queued)
    if waits:
        held = Turn(probes=rest.probes, wait=rest.wait(now), queued=rest.queued != "")
        return _told(going, waits, held)
    if stale is not None:
        return _told(going, f"Secret {stale.leaf.name}", Turn((IssueLeaf(stale.leaf, stale.outdated, renews=True),)))
    if is_taken_back(seen.cluster, going):
        return _back(seen, going, now)
    return _forward(seen, going, now)


def _when(rest: Rest) -> str:
    return "when all masters are at rest" if rest.held else "at its turn"


def _begin(seen: Observed, rest: Rest, now: datetime) -> Turn:
    asked, done = seen.cluster.spec.keys.rotations, seen.cluster.status.rotations
    wanted = [kind for kind in states.KINDS if asked.of(kind) > done.of(kind)]
    if not wanted and not seen.authority.encryption_key:
        wanted = [states.ENCRYPTION_KEY]  # of a release before this one: its Secrets are not encrypted yet
    if not wanted or seen.cluster.status.ready_at is None:
        return Turn()
    if waits := rest.held or rest.queued:
        verdict = Verdict(words.ROTATING, f"the {_SAID[wanted[0]]}: asked for, and begins {_when(rest)}. Now: {waits}")
        return Turn(probes=rest.probes, wait=rest.wait(now), queued=rest.queued != "", verdict=verdict)
    kind, at = wanted[0], now.replace(microsecond=0)
    begun = ClusterRotationStatus(
        keys=kind, number=asked.of(kind), stage=states.PREPARING, started_at=at, stage_started_at=at
    )
    return _told(begun, "", Turn(rotation=begun, wait=Wait(now, "the first step of a rotation")))


def _forward(seen: Observed, going: ClusterRotationStatus, now: datetime) -> Turn:
    match going.stage:
        case states.PREPARING if not seen.authority.has_next:
            return _told(going, "", Turn((ChangeKeys(going.keys, "add"),)))
        case states.HOLDING if going.keys == states.ENCRYPTION_KEY and not seen.rewritten:
            return _rewriting(seen, going, "Secrets are being encrypted anew")
        case states.HOLDING if going.keys != states.ENCRYPTION_KEY and not is_released(seen.cluster, going):
            return Turn(verdict=Verdict(words.ROTATION_HELD, _users_of_the_old(going)))
        case states.DROPPING:
            if seen.authority.leftovers:
                return _told(going, "", Turn((ChangeKeys(going.keys, "promote"),)))
            return Turn(ends=True, wait=Wait(now, "the end of a rotation"))
        case states.ABANDONING:
            return _abandon(seen, going, now)
    return _go(going, states.state(going.stage).forward, now)


def _back(seen: Observed, going: ClusterRotationStatus, now: datetime) -> Turn:
    if going.stage == states.ABANDONING:
        return _abandon(seen, going, now)
    if going.stage == states.TRUSTING and going.keys == states.ENCRYPTION_KEY and not seen.rewritten:
        # The old one encrypts again. Whatever the new one had encrypted could be read by nobody when that is gone.
        return _rewriting(seen, going, "Secrets are being encrypted with the old key again")
    before = states.state(going.stage).back
    return _go(going, before, now) if before else _forward(seen, going, now)


def _rewriting(seen: Observed, going: ClusterRotationStatus, what: str) -> Turn:
    """A Secret that people of the business cluster let nobody write keeps both keys in use, on either way."""
    turn = _told(going, what, Turn((RewriteSecrets(),)))
    if not seen.rewriting_stuck or turn.verdict is None:
        return turn
    message = f"{turn.verdict.message}, but one cannot be written, so both keys stay: {seen.rewriting_stuck}"
    return replace(turn, verdict=Verdict(words.ROTATION_STUCK, message))


def _abandon(seen: Observed, going: ClusterRotationStatus, now: datetime) -> Turn:
    if seen.authority.leftovers:
        return _told(going, "", Turn((ChangeKeys(going.keys, "discard"),)))
    return Turn(ends=True, wait=Wait(now, "the end of a rotation"))


def _go(going: ClusterRotationStatus, stage: str, now: datetime) -> Turn:
    moved = replace(going, stage=stage, stage_started_at=now.replace(microsecond=0))
    return _told(moved, "", Turn(rotation=moved, wait=Wait(now, "the next step of a rotation")))


def _told(going: ClusterRotationStatus, what: str, turn: Turn) -> Turn:
    stage = f"{going.stage}: {states.state(going.stage).meaning}"
    message = f"the {_SAID[going.keys]}: {stage}" + (f" Now: {what}" if what else "")
    return replace(turn, verdict=Verdict(words.ROTATING, message))


def _users_of_the_old(going: ClusterRotationStatus) -> str:
    """Who may still use the old keys: what they have is older than the time since when the new ones are used."""
    since = f"{going.stage_started_at:%F %T} UTC"
    if going.keys == states.TOKEN_KEY:
        who = f"Pods and others with tokens from before {since} are still served by the old key"
    else:
        who = f"kubelets, Pods and kubeconfigs from before {since} still rest on the old authorities"
    return f"{who}; when they are renewed, set spec.keys.released.{going.keys} to {going.number}"
