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
from homeostat.kit.backoff import doubled
from homeostat.kit.spreading import apart
from homeostat.operators.cluster.actions import Wait
from homeostat.operators.cluster.components import can_serve, pods_of
from homeostat.operators.cluster.hosting.actions import GrantRights, HostingAction, Withdraw
from homeostat.operators.cluster.hosting.entitled import entitled, leftovers
from homeostat.operators.cluster.hosting.rights import Wanted, digest
from homeostat.operators.cluster.observe import Observed

_DONE = timedelta(seconds=0.5)  # until what was granted is looked at
_AGAIN = timedelta(seconds=5)  # what is left goes on then, if nobody wakes us earlier
_EVERY = timedelta(minutes=10)
_FIRST_BACK_OFF, _LONGEST_BACK_OFF = timedelta(seconds=5), timedelta(minutes=5)


class Hosting(Struct, frozen=True):
    """What is done about hosted operators."""

    actions: tuple[HostingAction, ...] = ()
    wait: Wait | None = None


def host(seen: Observed, now: datetime) -> Hosting:
    """Grant when it is due, and withdraw what nobody is made of any more."""
    wanted, left = entitled(seen), leftovers(seen)
    withdrawn = tuple(_withdrawn(seen, wanted, left))
    due = _due(seen, wanted, left, now) if can_serve(seen) else None
    if due is not None and due <= now:
        grant = GrantRights(tuple(wanted), digest(wanted))
        return Hosting((grant, *withdrawn), Wait(now + _DONE, "the rights of hosted operators"))
    # When a move is over, rights are narrowed, and the rest of an operator is withdrawn: nobody tells us.
    if left or (wanted and seen.cluster.status.upgrade is not None):
        return Hosting(withdrawn, Wait(now + _AGAIN, "hosted operators that come, move or go"))
    return Hosting(wait=Wait(due, "the next look at the rights of hosted operators") if due is not None else None)


def back_off(tries: int) -> timedelta:
    """How long after an attempt that did not end well the next one comes."""
    return doubled(_FIRST_BACK_OFF, tries, _LONGEST_BACK_OFF)


def _due(seen: Observed, wanted: Wanted, left: tuple[str, ...], now: datetime) -> datetime | None:
    """When rights are to be written; None: there is nobody to have any, nor was."""
    known, restore = seen.rights, seen.cluster.status.restore
    restored_at = restore.finished_at if restore is not None else None
    if not wanted and not left and restored_at is None:
        return None
    is_asked_for = known is not None and known.digest == digest(wanted)
    if known is None or not is_asked_for or (restored_at is not None and known.at <= restored_at):
        return now
    if not known.is_well:
        return known.at + back_off(known.tries)
    return known.at + apart(_EVERY, seen.cluster.metadata.uid) if wanted else None


def _withdrawn(seen: Observed, wanted: Wanted, left: tuple[str, ...]) -> Iterator[Withdraw]:
    """The Deployment first; the Secret when its Pods and its rights are gone: it says that there may be some."""
    known = seen.rights
    is_swept = known is not None and known.is_well and known.digest == digest(wanted)
    for operator in left:
        name = seen.names.hosted(operator)
        deployment, secret = (seen.live.get((kind.resource.kind, name)) for kind in (DEPLOYMENT, SECRET))
        if deployment is not None:
            if not deployment.deleting:
                yield Withdraw(operator, DEPLOYMENT, name, deployment.uid)
            continue
        is_over = is_swept and operator not in wanted and not pods_of(seen, operator)
        if is_over and secret is not None and not secret.deleting:
            yield Withdraw(operator, SECRET, name, secret.uid)
