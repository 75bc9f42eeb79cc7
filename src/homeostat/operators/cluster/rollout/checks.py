"""What must hold before a component moves, and after. Pure.

Before: all others are ready, and a read through the endpoint succeeded since they are. After: it is ready, and clients
are served. What a package version says of a component's moves may ask for less; excuses.py says who holds nothing up,
hosts.py what is for a host and not for a version.
"""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from homeostat.api.cluster.masters import API_SERVER, ETCD
from homeostat.api.cluster.parameters import ComponentChecks
from homeostat.operators.cluster import words
from homeostat.operators.cluster.actions import Step, Verdict
from homeostat.operators.cluster.components import can_serve, is_answered, is_ready
from homeostat.operators.cluster.observe import Observed
from homeostat.operators.cluster.rollout.excuses import Case, is_excused, is_silent_without, patience
from homeostat.operators.cluster.rollout.hosts import awaited_host, counts_from
from homeostat.operators.cluster.rollout.lines import after_line
from homeostat.operators.cluster.rollout.path import Stand
from homeostat.operators.cluster.troubles import trouble


class Late(Struct, frozen=True):
    """A component that moved and is not proven yet."""

    message: str
    is_over: bool  # it had its time
    awaits: Step | None = None  # what is asked for to prove it; None: it is not ready
    host: str = ""  # that it waits for, while its time stands


def before_move(seen: Observed, stand: Stand, component: str, now: datetime) -> Step | None:
    """Nothing is moved beside a master that is not well, but for a reason."""
    checks = _checks(stand, component)
    for each in stand.at if "OthersReady" in checks.before else ():
        if not is_ready(seen, each) and not is_excused(Case(seen, stand, each, now, moves=component)):
            why = f"before {component} moves: {each}: {trouble(seen, each).message}"
            return Step(stand.to, Verdict(words.AWAITING_HEALTH, why))
    if "Endpoint" not in checks.before or not all(is_ready(seen, each) for each in stand.at):
        return None
    held = _proof(seen, stand, f"before {component} moves")
    return None if is_excused(Case(seen, stand, API_SERVER, now)) else held


def late(seen: Observed, stand: Stand, now: datetime) -> Late | None:
    """The first of those that moved, the last one first, that must be well before anything else happens, and is not."""
    upgrade = seen.cluster.status.upgrade
    if upgrade is None or not upgrade.component:
        return None
    moved = (each for each in (upgrade.component, *upgrade.unproven) if each in stand.at and stand.is_moved(each))
    found = (_late(seen, stand, each, now) for each in moved)
    return next((each for each in found if each is not None), None)


def _late(seen: Observed, stand: Stand, component: str, now: datetime) -> Late | None:
    upgrade = seen.cluster.status.upgrade
    assert upgrade is not None  # noqa: S101  (the caller looked)
    awaits = None
    if is_ready(seen, component):
        awaits = _after_move(seen, stand, component, now)
        if awaits is None or awaits.verdict is None:
            return None
        message = awaits.verdict.message
    elif is_excused(Case(seen, stand, component, now)):
        return None
    else:
        message = f"{component}: {trouble(seen, component).message}"
    if host := awaited_host(seen, stand, component):
        return Late(f"{message}; host {host} is away, and its time stands", is_over=False, host=host)
    age = now - (counts_from(upgrade) or now)
    # A read that was not answered yet says nothing, and is asked for at once.
    is_asked = awaits is not None and awaits.probes and not is_answered(seen)
    return Late(message, age > patience(seen, component) and not is_asked, awaits)


def is_well(seen: Observed, stand: Stand, now: datetime) -> bool:
    """Whether the master that moved last is as it must be after that: should it fall ill, it has its time anew."""
    upgrade = seen.cluster.status.upgrade
    if upgrade is None or upgrade.component not in stand.at or not is_ready(seen, upgrade.component):
        return False
    held = _after_move(seen, stand, upgrade.component, now)
    return held is None or held.verdict is None


def _after_move(seen: Observed, stand: Stand, component: str, now: datetime) -> Step | None:
    is_asked = "Endpoint" in _checks(stand, component).after and can_serve(seen)
    held = _proof(seen, stand, f"after {component} moved") if is_asked else None
    if held is not None and is_silent_without(Case(seen, stand, component, now)):
        held = None
    return after_line(seen, stand, now) if held is None and component == ETCD else held


def _checks(stand: Stand, component: str) -> ComponentChecks:
    """What the package version that a component goes to says of its moves."""
    found = stand.packages[stand.to].component(component)
    return (found.checks if found is not None else None) or ComponentChecks()


def _proof(seen: Observed, stand: Stand, when: str) -> Step | None:
    """A read through the endpoint that succeeded since all that is needed for it was ready."""
    message = f"{when}: waiting for a read through the endpoint"
    if seen.probed is not None and is_answered(seen):
        if seen.probed.serves:
            return None
        message = f"{when}: clients are not served through the endpoint: {seen.probed.failure}"
    return Step(stand.to, Verdict(words.AWAITING_HEALTH, message), probes=True)
