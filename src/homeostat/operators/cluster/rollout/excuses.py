"""Who may be unready, or not answer, without holding the others up. Pure.

A check protects what still serves. Of a component that serves nobody nothing is left to protect, and it may be so for
what it is made of, or for what it needs and that is yet to move: then only going on can mend it. So a way out of a
version that is broken is never longer than the time of a step, whichever component of it is broken. What forbids a
move by version skew is no check, and is never excused.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from homeostat.api.cluster.masters import API_SERVER, ETCD
from homeostat.operators.cluster import words
from homeostat.operators.cluster.components import serves
from homeostat.operators.cluster.observe import Observed
from homeostat.operators.cluster.rollout.order import foundations
from homeostat.operators.cluster.rollout.path import Stand
from homeostat.operators.cluster.troubles import trouble
from homeostat.runtime.conditions import find_condition

FAIL_AFTER = timedelta(seconds=60)  # what looks hopeless for so long is: a restart or two may still help before
HOPELESS = {words.CRASHING, words.IMAGE_UNAVAILABLE, words.POD_REFUSED, words.RIGHTS_REFUSED}
_SAYS_SINCE = {
    ETCD: words.ETCD_READY,
    API_SERVER: words.AVAILABLE,
}  # the condition that says since when it does not serve


class Case(Struct, frozen=True):
    """A component that is not well, and where the others stand."""

    seen: Observed
    stand: Stand
    component: str
    now: datetime
    moves: str = ""  # what would move beside it; empty: it is judged by itself

    @property
    def is_moved(self) -> bool:
        """Whether it is made of what is wished."""
        return self.stand.is_moved(self.component)


def moves_itself(case: Case) -> bool:
    """It is the one that would move, which may mend it."""
    return case.component == case.moves


def is_refused_by_people(case: Case) -> bool:
    """It is an operator whose rights people of the business cluster refuse: no master is to blame."""
    return case.moves != "" and trouble(case.seen, case.component).reason == words.RIGHTS_REFUSED


def is_hopeless_where_it_is(case: Case) -> bool:
    """It will be moved, and cannot become ready before."""
    return case.moves != "" and not case.is_moved and trouble(case.seen, case.component).reason in HOPELESS


def is_left_behind(case: Case) -> bool:
    """It will be moved, and had its time where it is: it serves nobody, or it was moved there and did not come up."""
    return not case.is_moved and (_is_stuck(case) or is_lost(case.seen, case.component, case.now))


def waits_for_what_is_left(case: Case) -> bool:
    """It needs something that will be moved; that serves nobody, or it does not itself and had its time."""
    spec = case.stand.packages[case.stand.to]
    needs = [each for each in foundations(spec, case.component) if not case.stand.is_moved(each)]
    lost = (*needs, case.component) if needs else ()
    return any(is_lost(case.seen, each, case.now) for each in lost)


EXCUSES: tuple[Callable[[Case], bool], ...] = (
    moves_itself,
    is_refused_by_people,
    is_hopeless_where_it_is,
    is_left_behind,
    waits_for_what_is_left,
)


def is_excused(case: Case) -> bool:
    """Whether a component that is not well holds nothing up."""
    return any(excuse(case) for excuse in EXCUSES)


def patience(seen: Observed, component: str) -> timedelta:
    """How long a component may take to become ready where it is."""
    return allowed(seen, trouble(seen, component).reason)


def allowed(seen: Observed, reason: str) -> timedelta:
    """How long a move waits for what is not ready for such a reason."""
    limit = timedelta(seconds=seen.cluster.spec.upgrade_policy.step_timeout_seconds)
    return min(FAIL_AFTER, limit) if reason in HOPELESS else limit


def is_lost(seen: Observed, component: str, now: datetime) -> bool:
    """Whether a component has served nobody for as long as a step may take, be it since it moved there."""
    since, upgrade = _idle_since(seen, component), seen.cluster.status.upgrade
    if since is None:
        return False
    if upgrade is not None and component in (upgrade.component, *upgrade.unproven):
        since = max(since, upgrade.component_started_at or since)
    return now - since > patience(seen, component)


def is_silent_without(moved: Case) -> bool:
    """Whether it is not for a component that moved that the endpoint does not answer.

    It did not before, or it is for an API server that is excused; what etcd does to API servers is no excuse for it.
    """
    servers = replace(moved, component=API_SERVER)
    since, upgrade = _idle_since(moved.seen, API_SERVER), moved.seen.cluster.status.upgrade
    began = upgrade.component_started_at if upgrade is not None else None
    if not servers.is_moved and since is not None and began is not None and since < began:
        return True
    return moved.component != ETCD and is_excused(servers)


def _idle_since(seen: Observed, component: str) -> datetime | None:
    """Since when a component serves nobody; None: it does."""
    told = find_condition(seen.cluster.status.conditions, _SAYS_SINCE.get(component, words.CONTROLLERS_READY))
    is_told = told is not None and told.status == "False" and not serves(seen, component)
    return told.last_transition_time if told is not None and is_told else None


def _is_stuck(case: Case) -> bool:
    upgrade = case.seen.cluster.status.upgrade
    if upgrade is None or case.component not in (upgrade.component, *upgrade.unproven):
        return False
    return case.now - (upgrade.component_started_at or case.now) > patience(case.seen, case.component)
