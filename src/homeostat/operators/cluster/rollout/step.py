"""What to do about the package version and the overrides now: nothing, move a component, wait for it, go back. Pure.

A move is written into the status first (`status.components[].packageVersion` and `.override`) and made at the next
look, so an operator that dies between any two lines goes on where it was. A component moves when all others are ready
and a probe through the endpoint succeeded since they are; the next one when it is ready and probed again.

What goes back to what was complete before asks less of the others' health, because the others may be unhealthy for the
very reason that it goes back.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec.structs import replace

from homeostat.api.cluster.masters import API_SERVER, ETCD
from homeostat.api.cluster.parameters import ComponentChecks
from homeostat.api.cluster.upgrades import ClusterEmulationStatus
from homeostat.operators.cluster import words
from homeostat.operators.cluster.actions import Step, Verdict
from homeostat.operators.cluster.components import can_serve, is_ready
from homeostat.operators.cluster.observe import Observed
from homeostat.operators.cluster.overrides import faults, told
from homeostat.operators.cluster.rollout.emulation import emulated, is_due, serves
from homeostat.operators.cluster.rollout.emulation import held as held_emulation
from homeostat.operators.cluster.rollout.lines import after_line, before_line
from homeostat.operators.cluster.rollout.path import Stand, next_move, refusal, remaining
from homeostat.operators.cluster.rollout.securing import is_at_rest, is_first_move, unsecured
from homeostat.operators.cluster.rollout.standing import (
    Wish,
    complete,
    declared,
    is_all_there,
    standing,
    wished,
)
from homeostat.operators.cluster.topology import is_changing
from homeostat.operators.cluster.troubles import trouble

FAIL_AFTER = timedelta(seconds=60)  # what looks hopeless for so long is: a restart or two may still help before
_HOPELESS = {words.CRASHING, words.IMAGE_UNAVAILABLE, words.POD_REFUSED, words.RIGHTS_REFUSED}


def step(seen: Observed, now: datetime, *, is_applied: bool) -> Step:
    """Judge one cluster whose package versions are all known, or whose wish is not.

    While workloads are not yet seen as they are declared, their readiness is that of what was declared before.
    """
    wish = wished(seen.cluster)
    is_elsewhere = wish != complete(seen.cluster) or not is_all_there(seen.cluster, wish, seen.packages)
    emulates = emulated(seen.cluster, wish.package, seen.packages, now, is_elsewhere=is_elsewhere)
    found = _step(seen, wish, emulates, now, is_applied=is_applied)
    is_end = _is_ending(seen, emulates)
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
    is_retreat = _is_retreat(seen, stand)
    changes_minor = stand.then(API_SERVER).minors_above(stand.now(API_SERVER)) != 0
    if changes_minor and not is_retreat and seen.kubelets is None and seen.cluster.status.ready_at is not None:
        return Step(to, Verdict(words.AWAITING_HEALTH, "asking which kubelets there are"), asks_kubelets=True)
    if why := refusal(stand, seen.kubelets or ()):
        return Step(to, Verdict(words.UPGRADE_REFUSED, f"spec.packageVersion: {why}"))
    if seen.cluster.status.ready_at is None:
        # There are no clients and no data yet: nothing to be careful about.
        return Step(to, _moving(seen, to, "all masters"), moves=tuple(stand.at))
    return _go_on(seen, stand, now) if is_applied else _applying(seen, stand)


def _finish(seen: Observed, wish: Wish, stand: Stand, now: datetime, *, is_applied: bool) -> Step:
    """All are moved: the last one is waited for, then it is done."""
    upgrade = seen.cluster.status.upgrade
    if wish != complete(seen.cluster) or not is_at_rest(upgrade):
        held = (_post_check(seen, stand, now) or _all_ready(seen, stand)) if is_applied else _applying(seen, stand)
        if held is not None:
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
    if failed == stand.to:
        return f"the declared overrides failed, so the masters went back to those before: {failure}; declare others"
    return f"{failed} failed, so the masters went back to {stand.to}: {failure}; declare another package version"


def _go_on(seen: Observed, stand: Stand, now: datetime) -> Step:
    held = _post_check(seen, stand, now)
    if held is not None:
        return held
    component = next_move(stand)
    if not component:
        blocked = ", ".join(each for each in stand.at if not stand.is_moved(each))
        return Step(stand.to, Verdict(words.UPGRADE_REFUSED, f"no order of moves is safe for {blocked}"))
    if is_changing(seen.cluster):
        return Step(stand.to, Verdict(words.AWAITING_HEALTH, f"before {component} moves: the topology changes"))
    if not _is_retreat(seen, stand):
        held = _pre_check(seen, stand, component) or _unsecured(seen, stand, now)
        if held is not None:
            return held
    if component == ETCD and (held := before_line(seen, stand, now)) is not None:
        return held
    left = len(remaining(stand))
    what = f"{component} {_how(stand, component)}, {left} of {len(stand.at)} are left"
    return Step(stand.to, _moving(seen, stand.to, what), moves=(component,))


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


def _is_retreat(seen: Observed, stand: Stand) -> bool:
    """Whether it goes back to what was complete."""
    return wished(seen.cluster) == complete(seen.cluster) and not _is_ending(seen, stand.emulates)


def _is_ending(seen: Observed, emulates: str) -> bool:
    """Whether masters of what is complete go on from emulating to their own version."""
    known = held_emulation(seen.cluster.status)
    return known is not None and not emulates and wished(seen.cluster) == complete(seen.cluster)


def _applying(seen: Observed, stand: Stand) -> Step:
    return Step(stand.to, _moving(seen, stand.to, "the masters that moved are being declared"))


def _all_ready(seen: Observed, stand: Stand) -> Step | None:
    late = next((each for each in stand.at if not is_ready(seen, each)), "")
    if not late:
        return None
    return Step(stand.to, Verdict(words.AWAITING_HEALTH, f"all moved; {late}: {trouble(seen, late).message}"))


def _pre_check(seen: Observed, stand: Stand, component: str) -> Step | None:
    """Nothing is moved beside a master that is not well, unless that one is to be moved, and hopeless where it is."""
    checks = _checks(stand, component)
    for each in stand.at if "OthersReady" in checks.before else ():
        why = trouble(seen, each)
        is_left_behind = not stand.is_moved(each) and (each == component or why.reason in _HOPELESS)
        is_left_behind = is_left_behind or why.reason == words.RIGHTS_REFUSED  # by people of the business cluster
        if not is_ready(seen, each) and not is_left_behind:
            return Step(stand.to, Verdict(words.AWAITING_HEALTH, f"before {component} moves: {each}: {why.message}"))
    if "Endpoint" not in checks.before or not all(is_ready(seen, each) for each in stand.at):
        return None
    return _proof(seen, stand, f"before {component} moves")


def _checks(stand: Stand, component: str) -> ComponentChecks:
    """What the package version that a component goes to says of its moves."""
    found = stand.packages[stand.to].component(component)
    return (found.checks if found is not None else None) or ComponentChecks()


def _post_check(seen: Observed, stand: Stand, now: datetime) -> Step | None:
    """The master that moved last must be ready, and clients served, before anything else happens."""
    upgrade = seen.cluster.status.upgrade
    if upgrade is None or not upgrade.component or not stand.is_moved(upgrade.component):
        return None
    component = upgrade.component
    if is_ready(seen, component):
        is_asked = "Endpoint" in _checks(stand, component).after
        held = _proof(seen, stand, f"after {component} moved") if is_asked and can_serve(seen) else None
        if held is None and component == ETCD:
            held = after_line(seen, stand, now)
        if held is None or held.verdict is None:
            return held
        message, hopeless = held.verdict.message, False
    else:
        why = trouble(seen, component)
        message, hopeless = f"{component}: {why.message}", why.reason in _HOPELESS
        held = Step(stand.to, _moving(seen, stand.to, message))
    age = now - (upgrade.component_started_at or now)
    patience = timedelta(seconds=seen.cluster.spec.upgrade_policy.step_timeout_seconds)
    if age > patience or (hopeless and age > min(FAIL_AFTER, patience)):
        return _fail(seen, stand, message)
    return held


def _fail(seen: Observed, stand: Stand, message: str) -> Step:
    good, policy = seen.cluster.status.package_version, seen.cluster.spec.upgrade_policy
    if _is_retreat(seen, stand):
        return Step(stand.to, Verdict(words.UPGRADE_FAILED, f"going back to {good}: {message}"))
    if policy.on_failure == "Rollback":
        why = Verdict(words.ROLLING_BACK, f"going back to {good}: {message}")
        return Step(stand.to, why, failed=Verdict(words.UPGRADE_FAILED, message))
    if _is_ending(seen, stand.emulates):
        todo = "set spec.upgradePolicy.finishEmulation to Manual to serve the older version again"
    elif stand.to == good:
        todo = "set spec.overrides back, or to some that work"
    else:
        todo = f"set spec.packageVersion back to {good}, or to one that works"
    return Step(stand.to, Verdict(words.UPGRADE_FAILED, f"{message}; {todo}"))


def _proof(seen: Observed, stand: Stand, when: str) -> Step | None:
    """A read through the endpoint that succeeded since all that is needed for it was ready."""
    if seen.ready_since is not None and seen.probed is not None and seen.probed.at >= seen.ready_since:
        if seen.probed.version:
            return None
        why = f"{when}: the endpoint does not answer: {seen.probed.message}"
        return Step(stand.to, Verdict(words.AWAITING_HEALTH, why), probes=True)
    return Step(
        stand.to, Verdict(words.AWAITING_HEALTH, f"{when}: waiting for a read through the endpoint"), probes=True
    )


def _moving(seen: Observed, to: str, what: str) -> Verdict:
    is_back = wished(seen.cluster) != declared(seen.cluster)
    return Verdict(words.ROLLING_BACK if is_back else words.UPGRADING, f"to {to}: {what}")
