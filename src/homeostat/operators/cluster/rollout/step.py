"""What to do about the package version and the overrides now: nothing, move a component, wait for it, go back. Pure.

A move is written into the status first (`status.components[].packageVersion` and `.override`) and made at the next
look, so an operator that dies between any two lines goes on where it was. Before a component moves, and after, it is
checked whether all is well (checks.py), but what serves nobody holds nothing up (excuses.py). Before API servers move,
one of the kind is tried that no client meets (trial.py).

What goes back to what was complete before asks nothing of the others' health before a move, because the others may be
unhealthy for the very reason that it goes back.
"""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from homeostat.api.cluster.masters import API_SERVER, ETCD
from homeostat.api.cluster.upgrades import ClusterEmulationStatus
from homeostat.operators.cluster import words
from homeostat.operators.cluster.actions import Step, Verdict
from homeostat.operators.cluster.components import is_ready
from homeostat.operators.cluster.observe import Observed
from homeostat.operators.cluster.overrides import faults, told
from homeostat.operators.cluster.rollout.checks import before_move, is_well, late
from homeostat.operators.cluster.rollout.emulation import emulated, is_due, serves
from homeostat.operators.cluster.rollout.emulation import held as held_emulation
from homeostat.operators.cluster.rollout.excuses import is_lost
from homeostat.operators.cluster.rollout.lines import before_line
from homeostat.operators.cluster.rollout.path import Stand, changes_minor, held_by_pods, next_move, refusal, remaining
from homeostat.operators.cluster.rollout.running import running
from homeostat.operators.cluster.rollout.securing import is_at_rest, is_first_move, unsecured
from homeostat.operators.cluster.rollout.standing import (
    Wish,
    complete,
    declared,
    is_all_there,
    is_ending,
    is_retreat,
    standing,
    wished,
)
from homeostat.operators.cluster.rollout.trial import is_called_for, unproven
from homeostat.operators.cluster.topology import is_changing
from homeostat.operators.cluster.troubles import trouble


def step(seen: Observed, now: datetime, *, is_applied: bool) -> Step:
    """Judge one cluster whose package versions are all known, or whose wish is not.

    While workloads are not yet seen as they are declared, their readiness is that of what was declared before.
    """
    wish = wished(seen.cluster)
    is_elsewhere = wish != complete(seen.cluster) or not is_all_there(seen.cluster, wish, seen.packages)
    emulates = emulated(seen.cluster, wish.package, seen.packages, now, is_elsewhere=is_elsewhere)
    found = _step(seen, wish, emulates, now, is_applied=is_applied)
    is_end = is_ending(seen.cluster, emulates)
    return replace(found, overrides=wish.overrides, emulates=emulates, ends_emulation=is_end)


def _step(seen: Observed, wish: Wish, emulates: str, now: datetime, *, is_applied: bool) -> Step:
    to = wish.package
    if to not in seen.packages:
        missing = f"spec.packageVersion: there is no ClusterPackageVersion {to!r}; create it, or name another one"
        return Step(to, Verdict(words.PACKAGE_NOT_FOUND, missing))
    if wish == declared(seen.cluster) and (why := told(faults(wish.overrides, seen.packages[to]))):
        return Step(to, Verdict(words.OVERRIDE_REFUSED, why))
    stand = standing(seen.cluster, wish, seen.packages, emulates)
    if all(stand.is_moved(component) for component in stand.at):
        return _finish(seen, wish, stand, now, is_applied=is_applied)
    is_back = is_retreat(seen.cluster, stand.emulates)
    kubelets = seen.kubelets
    if changes_minor(stand) and not is_back and kubelets is None and seen.cluster.status.ready_at is not None:
        known = frozenset(seen.cluster.status.kubelets)
        if not is_lost(seen, API_SERVER, now):
            asking = Verdict(words.AWAITING_HEALTH, "asking which kubelets there are")
            return Step(to, _refused(stand, known) or asking, asks_kubelets=True)
        kubelets = known  # nobody can be asked; a dead API server serves none
    if (refused := _refused(stand, kubelets or frozenset())) is not None:
        return Step(to, refused)
    if seen.cluster.status.ready_at is None:
        # There are no clients and no data yet: nothing to be careful about.
        return Step(to, _moving(seen, to, "all masters"), moves=tuple(stand.at))
    return _go_on(seen, stand, now) if is_applied else _applying(seen, stand)


def _refused(stand: Stand, kubelets: frozenset[str]) -> Verdict | None:
    why = refusal(stand, kubelets)
    return Verdict(words.UPGRADE_REFUSED, f"spec.packageVersion: {why}") if why else None


def _finish(seen: Observed, wish: Wish, stand: Stand, now: datetime, *, is_applied: bool) -> Step:
    """All are moved: the last one is waited for, then it is done."""
    upgrade = seen.cluster.status.upgrade
    if wish != complete(seen.cluster) or not is_at_rest(upgrade):
        if not is_applied:
            return _applying(seen, stand)
        if (held := _post_check(seen, stand, now) or _all_ready(seen, stand, now)) is not None:
            return held
    if wish != declared(seen.cluster):
        assert upgrade is not None  # noqa: S101  (wished() says so)
        return Step(stand.to, Verdict(words.ROLLED_BACK, _went_back(seen, stand, upgrade.failure)))
    return _arrived(seen, stand, now)


def _arrived(seen: Observed, stand: Stand, now: datetime) -> Step:
    """All are there; whether they behave as an older version for now, or still must, is a step of its own."""
    known = held_emulation(seen.cluster.status)
    if not stand.emulates:
        return Step(stand.to)
    if known is not None and known.failure:
        return Step(stand.to, Verdict(words.ROLLED_BACK, serves(seen.cluster, stand.then(API_SERVER))))
    if is_due(seen.cluster, known or ClusterEmulationStatus(version=stand.emulates, since=now), now):
        what = f"all masters are there, and begin to serve {stand.then(API_SERVER).line}"
        return Step(stand.to, Verdict(words.ENDING_EMULATION, f"to {stand.to}: {what}"), goes_on=True)
    return Step(stand.to, goes_on=known is None)  # to tell until when


def _went_back(seen: Observed, stand: Stand, failure: str) -> str:
    failed = seen.cluster.spec.package_version
    again = "or mend that and raise spec.upgradePolicy.attempt"
    if failed == stand.to:
        what, other = "the declared overrides failed, so the masters went back to those before", "others"
    else:
        what, other = f"{failed} failed, so the masters went back to {stand.to}", "another package version"
    return f"{what}: {failure}; declare {other}, {again}"


def _go_on(seen: Observed, stand: Stand, now: datetime) -> Step:
    held = _post_check(seen, stand, now)
    if held is not None:
        return held
    following = _next(seen, stand, now)
    return replace(following, stands=not following.moves and is_well(seen, stand, now))


def _next(seen: Observed, stand: Stand, now: datetime) -> Step:
    """What has moved is well, or excused; who moves now, or why nobody does."""
    component = next_move(stand)
    if not component:
        blocked = ", ".join(each for each in stand.at if not stand.is_moved(each))
        return Step(stand.to, Verdict(words.UPGRADE_REFUSED, f"no order of moves is safe for {blocked}"))
    if is_changing(seen.cluster):
        return Step(stand.to, Verdict(words.AWAITING_HEALTH, f"before {component} moves: the topology changes"))
    held = None if is_retreat(seen.cluster, stand.emulates) else before_move(seen, stand, component, now)
    held = held or _not_yet(seen, stand, component, now) or _untried(seen, stand, component, now)
    if held is not None:
        return held
    left = len(remaining(stand))
    what = f"{component} {_how(stand, component)}, {left} of {len(stand.at)} are left"
    return Step(stand.to, _moving(seen, stand.to, what), moves=(component,))


def _not_yet(seen: Observed, stand: Stand, component: str, now: datetime) -> Step | None:
    """What must hold also on a way back, and beside masters that are broken."""
    if why := held_by_pods(replace(stand, runs=running(seen)), component):
        return Step(stand.to, Verdict(words.AWAITING_HEALTH, f"before {component} moves: {why}"))
    held = None if is_retreat(seen.cluster, stand.emulates) else _unsecured(seen, stand, now)
    if held is None and component == ETCD:
        return before_line(seen, stand, now)
    return held


def _untried(seen: Observed, stand: Stand, component: str, now: datetime) -> Step | None:
    """Before API servers that clients meet move, one of the kind has answered."""
    part = wished(seen.cluster).part(API_SERVER, stand.emulates)
    found = unproven(seen, part, now) if component == API_SERVER and is_called_for(seen, part) else None
    if found is None:
        return None
    what = f"one is tried beside the others: {found.message}"
    if found.is_over:
        return replace(_fail(seen, stand, f"{component}: {what}"), needs=found.needs)
    return Step(stand.to, Verdict(words.AWAITING_HEALTH, f"before {component} moves: {what}"), needs=found.needs)


def _unsecured(seen: Observed, stand: Stand, now: datetime) -> Step | None:
    """Before the first master moves to another package version, what is there is safe."""
    if not is_first_move(seen.cluster, stand.to):
        return None
    why = unsecured(seen.cluster, seen.store, now)
    return Step(stand.to, why) if why is not None else None


def _how(stand: Stand, component: str) -> str:
    """What is different about a component once it moved."""
    if stand.comes_or_goes(component):
        return "begins to be hosted" if stand.is_known(component) else "is hosted no longer"
    if stand.at[component] != stand.to:
        return f"from {stand.at[component]}"
    if component in stand.differing:
        return "with other overrides"
    return f"serving {stand.emulates or stand.then(component).line}"


def _applying(seen: Observed, stand: Stand) -> Step:
    return Step(stand.to, _moving(seen, stand.to, "the masters that moved are being declared"))


def _all_ready(seen: Observed, stand: Stand, now: datetime) -> Step | None:
    late = next((each for each in stand.at if not is_ready(seen, each)), "")
    if not late:
        return None
    why = Verdict(words.AWAITING_HEALTH, f"all moved; {late}: {trouble(seen, late).message}")
    return Step(stand.to, why, stands=is_well(seen, stand, now))


def _post_check(seen: Observed, stand: Stand, now: datetime) -> Step | None:
    """What moved must be ready, and clients served, before anything else happens."""
    found = late(seen, stand, now)
    if found is None:
        return None
    if found.is_over:
        return _fail(seen, stand, found.message)
    if found.host:
        return Step(stand.to, Verdict(words.AWAITING_HEALTH, found.message), stands=True)
    return found.awaits or Step(stand.to, _moving(seen, stand.to, found.message))


def _fail(seen: Observed, stand: Stand, message: str) -> Step:
    good, policy = seen.cluster.status.package_version, seen.cluster.spec.upgrade_policy
    if is_retreat(seen.cluster, stand.emulates):
        return Step(stand.to, Verdict(words.UPGRADE_FAILED, f"going back to {good}: {message}"))
    if policy.on_failure == "Rollback":
        why = Verdict(words.ROLLING_BACK, f"going back to {good}: {message}")
        return Step(stand.to, why, failed=Verdict(words.UPGRADE_FAILED, message))
    if is_ending(seen.cluster, stand.emulates):
        todo = "set spec.upgradePolicy.finishEmulation to Manual to serve the older version again"
    elif stand.to == good:
        todo = "set spec.overrides back, or to some that work"
    else:
        todo = f"set spec.packageVersion back to {good}, or to one that works"
    return Step(stand.to, Verdict(words.UPGRADE_FAILED, f"{message}; {todo}"))


def _moving(seen: Observed, to: str, what: str) -> Verdict:
    is_back = wished(seen.cluster) != declared(seen.cluster)
    return Verdict(words.ROLLING_BACK if is_back else words.UPGRADING, f"to {to}: {what}")
