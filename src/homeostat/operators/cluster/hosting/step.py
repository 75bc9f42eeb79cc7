"""What to do about hosted operators now: grant rights, take back what is left of those that are gone. Pure.

Rights come before the Pods that need them, and go after them. They are written again now and then, because whoever may
edit roles in the business cluster may also take an operator's away, and nobody would tell us.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from msgspec import Struct

from homeostat.api.core import DEPLOYMENT, SECRET
from homeostat.kit.spreading import share_of
from homeostat.operators.cluster.actions import Wait
from homeostat.operators.cluster.components import can_serve, is_granted, operators
from homeostat.operators.cluster.hosting.actions import GrantRights, HostingAction, Withdraw
from homeostat.operators.cluster.hosting.rights import digest, rights
from homeostat.operators.cluster.names import COMPONENT_LABEL
from homeostat.operators.cluster.observe import Observed

_DONE = timedelta(seconds=0.5)  # until what was granted is looked at
_AGAIN = timedelta(seconds=5)  # after it failed
_EVERY = timedelta(minutes=10)
_SPREAD = 0.25  # of that


class Hosting(Struct, frozen=True):
    """What is done about hosted operators."""

    actions: tuple[HostingAction, ...] = ()
    wait: Wait | None = None


def host(seen: Observed, now: datetime) -> Hosting:
    """Grant what is due, and withdraw what nobody is made of any more."""
    if not can_serve(seen):
        return Hosting()
    due, there = _due(seen, now), operators(seen)
    granting = tuple(GrantRights(name, digest(rights(there[name]))) for name, at in due.items() if at <= now)
    actions: tuple[HostingAction, ...] = (*granting, *_withdrawn(seen))
    if actions:
        return Hosting(actions, Wait(now + _DONE, "the rights of hosted operators"))
    later = min(due.values(), default=None)
    return Hosting(wait=Wait(later, "the next look at the rights of hosted operators") if later is not None else None)


def _due(seen: Observed, now: datetime) -> dict[str, datetime]:
    """When the rights of each are to be written."""
    every = _EVERY * (1 - _SPREAD * share_of(seen.cluster.metadata.uid))
    found = {}
    for name, component in operators(seen).items():
        known = seen.rights.get(name)
        if known is None:
            found[name] = now
        elif known.failure:
            found[name] = known.at + _AGAIN
        else:
            found[name] = known.at + every if is_granted(seen, component) else now
    return found


def _withdrawn(seen: Observed) -> Iterator[Withdraw]:
    """The Deployment first, the Secret when its Pods are gone."""
    names = {seen.names.operator_of(name) for _, name in seen.live} - {""}
    for operator in sorted(names - operators(seen).keys()):
        name = seen.names.hosted(operator)
        deployment, secret = (seen.live.get((kind.resource.kind, name)) for kind in (DEPLOYMENT, SECRET))
        if deployment is not None:
            if not deployment.deleting:
                yield Withdraw(operator, DEPLOYMENT, name, deployment.uid)
        elif secret is not None and not secret.deleting and not _pods(seen, operator):
            yield Withdraw(operator, SECRET, name, secret.uid)


def _pods(seen: Observed, operator: str) -> bool:
    return any(pod.metadata.labels.get(COMPONENT_LABEL) == operator for pod in seen.pods)
