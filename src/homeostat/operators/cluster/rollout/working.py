"""Whether masters are on their way to what is wished, or the wish only stays declared. Pure.

A wish that is refused, that failed and was gone back from, that waits for its turn or for a store of snapshots moves
nobody, perhaps for months. What a cluster that is well needs goes on beside it: renewals, rotations, a look at etcd.
"""

from __future__ import annotations

from homeostat.operators.cluster import words
from homeostat.operators.cluster.actions import Step

_AT_WORK = (
    *(words.UPGRADING, words.ROLLING_BACK, words.AWAITING_HEALTH, words.UPGRADE_FAILED),
    *(words.AWAITING_SNAPSHOT, words.ENDING_EMULATION),
)


def is_at_work(going: Step) -> bool:
    """Whether a master moves, is about to, or moved and is not well."""
    return bool(going.moves) or (going.verdict is not None and going.verdict.reason in _AT_WORK)
