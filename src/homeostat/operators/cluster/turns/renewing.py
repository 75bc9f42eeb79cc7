"""Whose certificates are made anew now. Pure.

A Secret is renewed when two thirds of the life of one of its certificates have passed, one Secret at a time, while the
cluster is at rest. API servers and members of etcd take up what was renewed without a restart; controller manager and
scheduler, who read their kubeconfigs once, are replaced one after the other, and wait for a place in the cell for it.

What restarts nobody does not wait for rest in its last month, and nothing does when it has run out: then waiting does
more harm than any renewal.
"""

from __future__ import annotations

from datetime import datetime

from homeostat.operators.cluster import words
from homeostat.operators.cluster.actions import IssueLeaf, Turn, Verdict, Wait
from homeostat.operators.cluster.observe import Observed
from homeostat.operators.cluster.pki.judging import LeafSeen
from homeostat.operators.cluster.pki.lifetimes import EXPIRED, URGENT, soonest
from homeostat.operators.cluster.turns.rest import Rest


def renew(seen: Observed, rest: Rest, now: datetime) -> Turn:
    """The next renewal, or when there is one."""
    timed = [(leaf.renew_at, leaf) for leaf in seen.leaves if leaf.renew_at is not None]
    due = [leaf for at, leaf in timed if at <= now]
    later = min((at for at, _ in timed if at > now), default=None)
    wait = Wait(later, "the next renewal of certificates") if later is not None else None
    if not due:
        return Turn(wait=wait)
    first = next((leaf for leaf in due if _cannot_wait(leaf, now)), None)
    if first is None and rest.held:
        return Turn(wait=rest.wait(now) or wait, probes=rest.probes)
    if first is not None:
        return Turn((_renewal(first),), wait=wait)
    first = next((leaf for leaf in due if not (leaf.leaf.restarts and rest.queued)), None)
    if first is None:
        return Turn(wait=wait, queued=True)
    if first.leaf.restarts and seen.cluster.status.rolling_since is None:
        return Turn(rolls=True, wait=Wait(now, "a renewal that makes masters anew"))
    return Turn((_renewal(first),), wait=wait)


def expiring(seen: Observed, now: datetime) -> Verdict | None:
    """What will run out soon because nothing renews it: the operator is held back, or the authority itself ends."""
    for one in (*seen.authority.certificates, *(each for leaf in seen.leaves for each in leaf.certificates)):
        if one.not_after - now < URGENT / 2:
            return Verdict(words.EXPIRING, f"{one.entry} of {one.authority} runs out on {one.not_after:%F}")
    return None


def _cannot_wait(leaf: LeafSeen, now: datetime) -> bool:
    first = soonest(leaf.certificates)
    if first is None:
        return False
    return first.not_after - now < (EXPIRED if leaf.leaf.restarts else URGENT)


def _renewal(leaf: LeafSeen) -> IssueLeaf:
    first = soonest(leaf.certificates)
    assert first is not None  # noqa: S101  (something of it is due)
    return IssueLeaf(leaf.leaf, f"{first.entry} runs out on {first.not_after:%F}", renews=True)
