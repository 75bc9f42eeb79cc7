"""Volumes of another Cluster that bear the names of this one's. Pure.

A StatefulSet takes any claim of the right name for its own, whoever made it. Claims outlive a Cluster whose finalizer
was removed by force; a later one of its name would serve the former one's data, and its Secrets, to other people.
"""

from __future__ import annotations

from collections.abc import Iterable

from homeostat.operators.cluster import words
from homeostat.operators.cluster.actions import Verdict
from homeostat.operators.cluster.observe import Observed


def claim_name(member: str) -> str:
    """As the StatefulSet calls the claim of a member."""
    return f"data-{member}"


def taken(seen: Observed, members: Iterable[str]) -> Verdict | None:
    """Why these members must not be made; None: no volume of another Cluster is in their place."""
    wanted = {claim_name(member) for member in members}
    found = [name for name in seen.foreign_claims if name in wanted]
    if not found:
        return None
    message = (
        f"PersistentVolumeClaim {', '.join(found)} is not of this Cluster and is not touched: it was left by another"
        " one of this name; delete it if nobody needs its data, or give the Cluster another name"
    )
    return Verdict(words.NAME_CONFLICT, message)
