"""The cluster operator, broken on purpose in one place: each of these must be caught, or the harness sees nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

import pytest
from msgspec import Struct
from msgspec.structs import replace
from tests.support.killing.faults import Kind

from homeostat.api.core import SECRET
from homeostat.kube.writing import Writer
from homeostat.operators.cluster import act, controller, decide, desired, report, teardown
from homeostat.operators.cluster.actions import IssueLeaf, Plan, RemoveFinalizer, Verdict
from homeostat.operators.cluster.manifests import shape
from homeostat.operators.cluster.names import FIELD_MANAGER
from homeostat.operators.cluster.rollout import path, step, trial
from homeostat.runtime import loop, status
from homeostat.runtime.controller import Controller
from homeostat.runtime.outcome import DONE, Retry
from homeostat.runtime.seen import Writes

Breaking = Callable[[pytest.MonkeyPatch], None]


class Variant(Struct, frozen=True):
    """What is wrong, in which scenario it shows, and what must happen for it: nothing, a death, or a fault."""

    name: str
    scenario: str
    breaks: Breaking
    needs: Kind | str = ""


def puts(owner: object, name: str, value: object) -> Breaking:
    """Something else in the place of a function."""
    return lambda patch: patch.setattr(owner, name, value)


def without_rule(name: str) -> Breaking:
    """A rule of the decision is not asked."""
    rules = tuple(rule for rule in decide._RULES if rule.__name__ != name)
    assert len(rules) < len(decide._RULES)
    return puts(decide, "_RULES", rules)


def changed(owner: Any, name: str, change: Callable[[Callable[..., Any]], Callable[..., Any]]) -> Breaking:
    """A function that does what it did, but for one thing."""
    return lambda patch: patch.setattr(owner, name, change(getattr(owner, name)))


def _without_uid(delete: Callable[..., Any]) -> Callable[..., Any]:
    async def broken(*args: Any, uid: str = "", **options: Any) -> Any:
        return await delete(*args, **options)

    return broken


def _without_version(metadata: Callable[..., dict[str, str]]) -> Callable[..., dict[str, str]]:
    return lambda obj: {key: value for key, value in metadata(obj).items() if key != "resourceVersion"}


def _etcd_first(stage: Callable[..., Any]) -> Callable[..., Any]:
    def broken(seen: Any, what: str, *args: Any) -> Any:
        is_left = ("StatefulSet", seen.names.etcd) in seen.live
        return None if what != "etcd" and is_left else stage(seen, what, *args)

    return broken


def _without_pods(stage: Callable[..., Any]) -> Callable[..., Any]:
    return lambda seen, *args: stage(replace(seen, pods=()), *args)


def _issues_always(seen: Any) -> tuple[IssueLeaf, ...]:
    return tuple(IssueLeaf(leaf.leaf, "it may be better anew") for leaf in seen.leaves)


def _forgets_failures(settle: Callable[..., None]) -> Callable[..., None]:
    return lambda self, key, outcome: settle(self, key, DONE if isinstance(outcome, Retry) else outcome)


def _in_any_order(patch: pytest.MonkeyPatch) -> None:
    """What is declared allows it, and what runs does: either of the two alone keeps the order."""
    patch.setattr(path, "_order", lambda stand: tuple(sorted(stand.at, reverse=True)))
    patch.setattr(path, "_may_move", lambda *_: True)
    patch.setattr(step, "held_by_pods", lambda *_: "")


def _all_idle(inputs: Callable[..., Any]) -> Callable[..., Any]:
    """Nobody is taken to serve anybody, so that all may go."""

    def broken(*args: Any) -> Any:
        found = inputs(*args)
        return replace(found, idle=frozenset(found.components))

    return broken


def _overwrites(create: Callable[..., Any]) -> Callable[..., Any]:
    async def broken(self: Any, seen: Any, name: str, component: str, entries: Mapping[str, bytes]) -> Any:
        body = self._secret(seen.cluster, name, component, entries)
        return act._wrote(await self._client.apply(SECRET, body, force=True, field_manager=FIELD_MANAGER))

    return broken


def _always_made_anew(derived: Callable[..., Any]) -> Callable[..., Any]:
    numbers = count()

    def broken(*args: Any, **options: Any) -> Any:
        made = derived(*args, **options)
        return replace(made, digest=f"{next(numbers):016x}")

    return broken


async def _nobody_asked(*_: object) -> None:
    return None


VARIANTS = (
    Variant("the finalizer goes first", "delete", puts(teardown, "_next", lambda _: Plan((RemoveFinalizer(),)))),
    Variant("the finalizer is never there", "create", without_rule("begin_with_the_finalizer")),
    Variant("nothing is made without authorities", "create", without_rule("guard_the_authorities")),
    Variant("volumes are left", "delete", puts(teardown, "_volumes", lambda _: None)),
    Variant("keys and addresses are left", "delete", puts(teardown, "_rest", lambda _: None)),
    Variant("etcd goes before those who use it", "delete", changed(teardown, "_stage", _etcd_first)),
    Variant("Pods are not awaited", "delete", changed(teardown, "_stage", _without_pods)),
    Variant("deletions name no uid", "delete", changed(Writer, "delete", _without_uid)),
    Variant("statuses name no version", "create", changed(status, "status_metadata", _without_version)),
    Variant("ready is said too early", "create", puts(report, "_ready", lambda *_: (True, Verdict("Serving", "")))),
    Variant("nothing is heard of what was made", "create", puts(controller, "cluster_keys", lambda _: ())),
    Variant("certificates are issued at every look", "create", puts(desired, "missing", _issues_always)),
    Variant("all differs from what is declared", "create", changed(shape, "derived", _always_made_anew)),
    Variant("failures are forgotten", "create", changed(Controller, "_settle", _forgets_failures), "failure"),
    Variant("failures count as success", "create", puts(loop, "failed", lambda _: DONE), "failure"),
    Variant("authorities are overwritten", "create", changed(act.Actor, "_create_secret", _overwrites), "overlap"),
    Variant("strangers' objects are taken", "a stranger has a name", puts(act.Actor, "_require_ours", _nobody_asked)),
    Variant("API servers are not tried", "upgrade", puts(step, "_untried", lambda *_: None)),
    Variant("what was tried is left", "upgrade", puts(trial, "ended", lambda _: ())),
    Variant("components move in any order", "upgrade", _in_any_order),
    Variant("what a cache does not show yet is done again", "upgrade", puts(Writes, "park", lambda *_: False)),
    Variant("all API servers move at once", "upgrade of ha", changed(desired, "_inputs", _all_idle)),
)
