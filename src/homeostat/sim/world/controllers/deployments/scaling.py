"""A new number of replicas while several ReplicaSets have Pods: each gets its part, so that less is lost if one is bad.

Pure.
"""

from __future__ import annotations

from collections.abc import Sequence

from homeostat.sim.world.controllers.deployments.revisions import DESIRED, MOST, ROLLING, by_age, surge
from homeostat.sim.world.kinds.workloads import Deployment, ReplicaSet

Sizes = dict[str, int]
"""How many replicas a ReplicaSet is to have, by name; others stay as they are."""


def is_due(deployment: Deployment, sets: Sequence[ReplicaSet]) -> bool:
    """Whether the number of replicas has changed since a ReplicaSet with Pods got its own."""
    wanted = str(deployment.spec.replicas)
    return any(each.metadata.annotations.get(DESIRED, wanted) != wanted for each in sets if each.spec.replicas)


def scaled_sizes(deployment: Deployment, new: ReplicaSet | None, olds: Sequence[ReplicaSet]) -> Sizes:
    """The sizes for a new number of replicas."""
    wanted = deployment.spec.replicas
    sets = [*olds, *([new] if new is not None else [])]
    active = [each for each in sets if each.spec.replicas]
    if len(active) <= 1:
        one = active[0] if active else new or next(reversed(by_age(olds)), None)
        return {one.metadata.name: wanted} if one is not None else {}
    if new is not None and _is_saturated(deployment, new):
        return {each.metadata.name: 0 for each in olds if each.spec.replicas}
    return _in_proportion(deployment, active) if deployment.spec.strategy.type == ROLLING else {}


def _is_saturated(deployment: Deployment, new: ReplicaSet) -> bool:
    wanted = deployment.spec.replicas
    told = new.metadata.annotations.get(DESIRED)
    return new.spec.replicas == wanted == new.status.available_replicas and told == str(wanted)


def _in_proportion(deployment: Deployment, active: Sequence[ReplicaSet]) -> Sizes:
    wanted = deployment.spec.replicas
    allowed = wanted + surge(deployment) if wanted else 0
    to_add = allowed - sum(each.spec.replicas for each in active)
    # The largest first; of equals the newest when there are more to come, the oldest when some go.
    ordered = by_age(active) if to_add < 0 else by_age(active)[::-1]
    ordered.sort(key=lambda each: -each.spec.replicas)
    sizes, added = {}, 0
    for each in ordered:
        part = _part(deployment, each, to_add - added) if to_add else 0
        sizes[each.metadata.name] = each.spec.replicas + part
        added += part
    if ordered and to_add:
        first = ordered[0].metadata.name
        sizes[first] = max(sizes[first] + to_add - added, 0)
    return sizes


def _part(deployment: Deployment, one: ReplicaSet, left: int) -> int:
    """What a ReplicaSet gets of what is left to give, or to take."""
    wanted, has = deployment.spec.replicas, one.spec.replicas
    if not wanted:
        share = -has
    else:
        told = one.metadata.annotations.get(MOST, "")
        before = (int(told) if told.isdecimal() else 0) or deployment.status.replicas
        if not before:
            return 0
        most = wanted + surge(deployment)
        share = (has * most * 2 + before) // (2 * before) - has  # rounded to the nearest
    return min(share, left) if left > 0 else max(share, left)
