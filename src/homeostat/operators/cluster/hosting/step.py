"""What to do about hosted operators now: grant rights, take back what is left of those that are gone. Pure.

Rights come before the first Pods that need them, and go after the last. They are written again now and then, because
whoever may edit roles in the business cluster may also take an operator's away, and nobody would tell us; and after a
restore, which brings back what was granted once. Whether they are granted holds up nothing but the first Pods: a
cluster that cannot be asked, or that refuses, can be moved, restored and healed all the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from msgspec import Struct

from homeostat.api.core import DEPLOYMENT, SECRET
from homeostat.kit.spreading import share_of
from homeostat.operators.cluster.actions import Wait
from homeostat.operators.cluster.components import can_serve, pods_of
from homeostat.operators.cluster.hosting.actions import GrantRights, HostingAction, Withdraw
from homeostat.operators.cluster.hosting.entitled import entitled, leftovers
from homeostat.operators.cluster.hosting.rights import digest
from homeostat.operators.cluster.observe import Observed

_DONE = timedelta(seconds=0.5)  # until what was granted is looked at
_AGAIN = timedelta(seconds=5)  # what is left goes on then, if nobody wakes us earlier
_EVERY = timedelta(minutes=10)
_SPREAD = 0.25  # of that
_FIRST_BACK_OFF, _LONGEST_BACK_OFF = timedelta(seconds=5), timedelta(minutes=5)


class Hosting(Struct, frozen=True):
    """What is done about hosted operators."""

    actions: tuple[HostingAction, ...] = ()
    wait: Wait | None = None


def host(seen: Observed, now: datetime) -> Hosting:
    """Grant when it is due, and withdraw what nobody is made of any more."""
    withdrawn = tuple(_withdrawn(seen))
    due = _due(seen, now) if can_serve(seen) else None
    if due is not None and due <= now:
        wanted = entitled(seen)
        grant = GrantRights(tuple(wanted), digest(wanted))
        return Hosting((grant, *withdrawn), Wait(now + _DONE, "the rights of hosted operators"))
    if withdrawn or _is_passing(seen):
        return Hosting(withdrawn, Wait(now + _AGAIN, "hosted operators that come, move or go"))
    return Hosting(wait=Wait(due, "the next look at the rights of hosted operators") if due is not None else None)


def _is_passing(seen: Observed) -> bool:
    """Whether rights will be narrowed, or the rest of an operator withdrawn, when a move is over: nobody tells us."""
    return bool(leftovers(seen)) or (bool(entitled(seen)) and seen.cluster.status.upgrade is not None)


def back_off(tries: int) -> timedelta:
    """How long after an attempt that did not end well the next one comes."""
    return min(_FIRST_BACK_OFF * (1 << min(tries - 1, 16)), _LONGEST_BACK_OFF)


def _due(seen: Observed, now: datetime) -> datetime | None:
    """When rights are to be written; None: there is nobody to have any, nor was."""
    known, wanted, restore = seen.rights, entitled(seen), seen.cluster.status.restore
    restored_at = restore.finished_at if restore is not None else None
    if not wanted and not leftovers(seen) and restored_at is None:
        return None
    is_asked_for = known is not None and known.digest == digest(wanted)
    if known is None or not is_asked_for or (restored_at is not None and known.at <= restored_at):
        return now
    if not known.is_well:
        return known.at + back_off(known.tries)
    every = _EVERY * (1 - _SPREAD * share_of(seen.cluster.metadata.uid))
    return known.at + every if wanted else None


def _withdrawn(seen: Observed) -> Iterator[Withdraw]:
    """The Deployment first; the Secret when its Pods and its rights are gone: it says that there may be some."""
    wanted = entitled(seen)
    known = seen.rights
    is_swept = known is not None and known.is_well and known.digest == digest(wanted)
    for operator in leftovers(seen):
        name = seen.names.hosted(operator)
        deployment, secret = (seen.live.get((kind.resource.kind, name)) for kind in (DEPLOYMENT, SECRET))
        if deployment is not None:
            if not deployment.deleting:
                yield Withdraw(operator, DEPLOYMENT, name, deployment.uid)
            continue
        is_over = is_swept and operator not in wanted and not pods_of(seen, operator)
        if is_over and secret is not None and not secret.deleting:
            yield Withdraw(operator, SECRET, name, secret.uid)
