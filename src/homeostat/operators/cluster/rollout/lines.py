"""What a move of etcd to another minor asks of etcd itself, before and after. Pure.

Up, nothing has to be asked for: when all members are of the new minor, etcd gives its data the new form by itself. That
is waited for, so that a move that is complete is.

Back, etcd has to be told first (its own downgrade): it then gives the data the form of the minor before, and lets
members of it in; without that they would end themselves. Only when every member's data has that form does the first one
move. A way back that is turned round in the middle is told too, before the first member moves up again.
"""

from __future__ import annotations

from datetime import datetime

from homeostat.api.cluster.masters import ETCD
from homeostat.operators.cluster import words
from homeostat.operators.cluster.actions import Step, Verdict
from homeostat.operators.cluster.observe import Observed
from homeostat.operators.cluster.rollout.path import Stand
from homeostat.operators.cluster.rollout.versions import version_of
from homeostat.operators.cluster.upkeep.actions import AllowDowngrade, AskStores, ForbidDowngrade


def before_line(seen: Observed, stand: Stand, now: datetime) -> Step | None:
    """What is done before the first member of etcd moves to another minor; None: it may move."""
    if stand.then(ETCD).line == stand.now(ETCD).line:
        return None
    known = seen.upkeep
    if not known.is_fresh(now):
        return _hold(stand, "etcd is asked in which form its data is", AskStores())
    if stand.then(ETCD) > stand.now(ETCD):
        is_told = any(store.going_back_to for store in known.stores) and not known.failure
        return _hold(stand, "etcd is told that it does not go back", ForbidDowngrade()) if is_told else None
    return _before_back(seen, stand, stand.then(ETCD).line)


def _before_back(seen: Observed, stand: Stand, line: str) -> Step | None:
    known = seen.upkeep
    if known.failure or known.answer is None:
        return _hold(stand, f"etcd goes back to {line} when it can be told so: {known.failure}")
    if any(version_of(store.version).line == line for store in known.stores):
        return None  # one that is there has kept the data in its form
    if known.answer.silent:
        return _hold(stand, f"etcd goes back to {line} when all members answer, and {known.answer.silent[0]} does not")
    if any(store.going_back_to != line for store in known.stores):
        return _hold(stand, f"etcd is told that it goes back to {line}", AllowDowngrade(line))
    late = [store.host for store in known.stores if store.data_version != line]
    return _hold(stand, f"the data of {late[0]} takes the form of etcd {line}") if late else None


def after_line(seen: Observed, stand: Stand, now: datetime) -> Step | None:
    """What is waited for when all members of etcd are ready after a move to another minor."""
    upgrade = seen.cluster.status.upgrade
    came = seen.packages.get(upgrade.from_version) if upgrade is not None else None
    part = came.spec.component(ETCD) if came is not None else None
    want = stand.now(ETCD)
    if part is None or version_of(part.version).line == want.line:
        return None
    known = seen.upkeep
    if not known.is_fresh(now):
        return _hold(stand, "etcd is asked whether all members moved", AskStores())
    if known.failure:
        return _hold(stand, known.failure)
    for store in known.stores:
        if version_of(store.version).line != want.line or store.data_version not in ("", want.line):
            form = store.data_version or "another form"
            return _hold(stand, f"{store.host} is of {store.version}, its data of {form}, and {want.line} is awaited")
    return None


def _hold(stand: Stand, message: str, *needs: AskStores | AllowDowngrade | ForbidDowngrade) -> Step:
    return Step(stand.to, Verdict(words.AWAITING_HEALTH, message), needs=needs)
