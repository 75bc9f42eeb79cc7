"""Whether data of etcd is corrupt and nobody can say whose: then only a snapshot helps, and a person approves it. Pure.

Where two of three members agree, the third is replaced (healing/members.py). Where none agree, or etcd raised its alarm
and members cannot be compared, no member is to be trusted, nor is any snapshot from after they agreed last. The masters
run on meanwhile: they may serve what is right, and what they write is not restored. It is told at once: telling touches
nothing, and before a restore stops the masters, members are compared once more.

What a process before this one told counts until members were looked at again, also when they cannot be any more.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from homeostat.operators.cluster import words
from homeostat.operators.cluster.observe import Observed
from homeostat.operators.cluster.restore.approval import Loss, Lost, follow, told_of
from homeostat.operators.cluster.upkeep.actions import CompareStores
from homeostat.operators.cluster.upkeep.stores import CORRUPT
from homeostat.operators.cluster.upkeep.verdict import corruption, names_of

_COMPARED = timedelta(seconds=60)  # how long a comparison counts when masters are about to be stopped


def corrupted(seen: Observed, now: datetime) -> Lost | None:
    """None: members agree, or most of them do, or nothing is known that says otherwise."""
    told, is_so = told_of(seen, corrupt=True), is_undecided(seen)
    is_known = is_so is not None or told is not None
    if seen.cluster.status.ready_at is None or not is_known or is_so is False:
        return None
    since = told.since if told is not None else seen.upkeep.compared_at or now
    found = f"{corruption(seen)} (found at {since.replace(microsecond=0):%FT%TZ})"
    silent = seen.upkeep.answer.silent if seen.upkeep.answer is not None else ()
    beside = f"mend the hosts of {names_of(seen, silent)}, whose data may decide" if silent else ""
    return follow(seen, Loss(words.ETCD_CORRUPT, found, since, beside, corrupt=True), now)


def is_undecided(seen: Observed) -> bool | None:
    """Whether no majority of members agrees on the data; None: it is not known."""
    known = seen.upkeep
    if known.hashes:
        return known.is_undecided
    if known.answer is None or not known.answer.has(CORRUPT):
        return None
    is_tried = any(alarm.kind == CORRUPT for alarm in known.compared_under)
    return True if is_tried or _are_incomparable(seen) else None


def _are_incomparable(seen: Observed) -> bool:
    """Whether members are not compared while the alarm stands: they are too few, of two versions, or being moved."""
    stores, upgrade = seen.upkeep.stores, seen.cluster.status.upgrade
    is_moving = upgrade is not None and upgrade.component != ""
    return is_moving or len(stores) < 2 or len({store.version for store in stores}) > 1


def agreement(seen: Observed, now: datetime) -> CompareStores | str:
    """What must be asked before masters are stopped for corrupt data; else why they are not, empty: they are.

    That members cannot be compared any more is no agreement.
    """
    known = seen.upkeep
    if known.compared_at is None or now >= known.compared_at + _COMPARED:
        return CompareStores()
    if not known.hashes or known.is_undecided:
        return ""
    return "most members of etcd agree on the data after all"
