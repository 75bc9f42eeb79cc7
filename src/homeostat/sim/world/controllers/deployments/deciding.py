"""What becomes of a Deployment's ReplicaSets now. Pure.

One thing at a time: what has been scaled up must be seen before something is scaled down for it, so that there are
never more Pods than allowed, nor fewer available ones than asked for, in whatever order they become ready.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from homeostat.sim.world.controllers.deployments.revisions import (
    RECREATE,
    by_age,
    by_revision,
    marks_of_new,
    sizes,
    surge,
    unavailable,
)
from homeostat.sim.world.controllers.deployments.scaling import Sizes, is_due, scaled_sizes
from homeostat.sim.world.kinds.workloads import Deployment, ReplicaSet


class Change(Struct, frozen=True):
    """A ReplicaSet becomes another one; what is None stays."""

    of: ReplicaSet
    replicas: int | None = None
    min_ready_seconds: int | None = None
    annotations: Mapping[str, str] = {}


class Make(Struct, frozen=True):
    """A ReplicaSet of the present template."""

    replicas: int
    annotations: Mapping[str, str]


class Remove(Struct, frozen=True):
    """A ReplicaSet that nobody will go back to."""

    of: ReplicaSet


Action = Change | Make | Remove


class Seen(Struct, frozen=True):
    """A Deployment with its ReplicaSets."""

    deployment: Deployment
    new: ReplicaSet | None  # of the present template
    olds: tuple[ReplicaSet, ...]
    old_run: bool = False  # whether Pods of the old ones are still there, ending ones too

    @property
    def sets(self) -> tuple[ReplicaSet, ...]:
        """All of them."""
        return (*self.olds, self.new) if self.new is not None else self.olds


def decide(seen: Seen) -> tuple[Action, ...]:
    """What to do now."""
    deployment = seen.deployment
    if deployment.spec.paused:
        return _with_marks(seen, scaled_sizes(deployment, seen.new, seen.olds)) or _cleaned(seen)
    if is_due(deployment, seen.sets):
        return _with_marks(seen, scaled_sizes(deployment, seen.new, seen.olds))
    if deployment.spec.strategy.type == RECREATE:
        return _recreated(seen)
    return _rolled(seen)


def is_complete(deployment: Deployment, updated: int, replicas: int, available: int) -> bool:
    """Whether all Pods are of the present template and available, and there are no others."""
    return updated == replicas == available == deployment.spec.replicas


def _recreated(seen: Seen) -> tuple[Action, ...]:
    if any(each.spec.replicas for each in seen.olds):
        return _with_marks(seen, {each.metadata.name: 0 for each in seen.olds if each.spec.replicas})
    if seen.old_run or any(each.status.replicas for each in seen.olds):
        return _with_marks(seen, {})
    wanted = seen.deployment.spec.replicas
    if seen.new is None:
        return (_made(seen, wanted),)
    return _with_marks(seen, {seen.new.metadata.name: wanted}) or _cleaned_when_complete(seen)


def _rolled(seen: Seen) -> tuple[Action, ...]:
    if seen.new is None:
        return (_made(seen, _room(seen, 0)),)
    wanted, has = seen.deployment.spec.replicas, seen.new.spec.replicas
    size = min(has, wanted) if has >= wanted else has + _room(seen, has)
    up = _with_marks(seen, {seen.new.metadata.name: size})
    if size != has:
        return up
    return (*up, *_with_marks(seen, _shrunk(seen), of_new=False)) or _cleaned_when_complete(seen)


def _room(seen: Seen, has: int) -> int:
    """How many more Pods of the present template there may be."""
    wanted = seen.deployment.spec.replicas
    most = wanted + surge(seen.deployment)
    return max(min(most - sum(each.spec.replicas for each in seen.sets), wanted - has), 0)


def _shrunk(seen: Seen) -> Sizes:
    """The sizes of the old ones: first without Pods that are not available, then as far as available ones may go."""
    new, olds = seen.new, by_age(each for each in seen.olds if each.spec.replicas)
    if new is None or not olds:
        return {}
    least = seen.deployment.spec.replicas - unavailable(seen.deployment)
    waiting = new.spec.replicas - new.status.available_replicas
    may_go = sum(each.spec.replicas for each in seen.sets) - least - waiting
    if may_go <= 0:
        return {}
    left = {each.metadata.name: each.spec.replicas for each in olds}
    for each in olds:
        gone = min(may_go, max(each.spec.replicas - each.status.available_replicas, 0))
        left[each.metadata.name] -= gone
        may_go -= gone
    # A status may not tell yet of what its ReplicaSet gives up already.
    spare = sum(min(each.status.available_replicas, each.spec.replicas) for each in seen.sets) - least
    for each in olds:
        gone = max(min(spare, left[each.metadata.name]), 0)
        left[each.metadata.name] -= gone
        spare -= gone
    return {each.metadata.name: left[each.metadata.name] for each in olds}


def _made(seen: Seen, replicas: int) -> Make:
    return Make(replicas, marks_of_new(seen.deployment, None, seen.olds))


def _with_marks(seen: Seen, wanted: Sizes, *, of_new: bool = True) -> tuple[Action, ...]:
    """The changes that lead to these sizes, and to what the ReplicaSet of the present template says of itself."""
    found: list[Action] = []
    told = sizes(seen.deployment)
    for each in seen.sets:
        name, is_new = each.metadata.name, each is seen.new
        size = wanted.get(name)
        marks = marks_of_new(seen.deployment, each, seen.olds) if is_new and of_new else {}
        if size is not None and (size or each.spec.replicas):
            there = each.metadata.annotations
            marks |= {key: text for key, text in told.items() if there.get(key) != text}
        seconds = seen.deployment.spec.min_ready_seconds
        ready = seconds if is_new and of_new and each.spec.min_ready_seconds != seconds else None
        size = size if size != each.spec.replicas else None
        if marks or size is not None or ready is not None:
            found.append(Change(each, size, ready, marks))
    return tuple(found)


def _cleaned_when_complete(seen: Seen) -> tuple[Action, ...]:
    deployment, status = seen.deployment, seen.deployment.status
    is_over = status.observed_generation >= deployment.metadata.generation and is_complete(
        deployment, status.updated_replicas, status.replicas, status.available_replicas
    )
    return _cleaned(seen) if is_over else ()


def _cleaned(seen: Seen) -> tuple[Action, ...]:
    olds = [each for each in seen.olds if each.metadata.deletion_timestamp is None]
    surplus = len(olds) - seen.deployment.spec.revision_history_limit
    return tuple(Remove(each) for each in by_revision(olds)[: max(surplus, 0)] if _is_empty(each))


def _is_empty(one: ReplicaSet) -> bool:
    status = one.status
    return not one.spec.replicas and not status.replicas and status.observed_generation >= one.metadata.generation
