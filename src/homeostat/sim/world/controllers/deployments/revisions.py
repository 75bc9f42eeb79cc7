"""Revisions: how ReplicaSets are numbered, and what they say of their Deployment. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from homeostat.sim.world.controllers.workloads.shares import fenceposts, scaled
from homeostat.sim.world.kinds.workloads import Deployment, ReplicaSet

REVISION = "deployment.kubernetes.io/revision"
HISTORY = "deployment.kubernetes.io/revision-history"
DESIRED = "deployment.kubernetes.io/desired-replicas"
MOST = "deployment.kubernetes.io/max-replicas"
_NOT_COPIED = ("kubectl.kubernetes.io/last-applied-configuration", REVISION, HISTORY, DESIRED, MOST)
_LONGEST_HISTORY = 2000
ROLLING, RECREATE = "RollingUpdate", "Recreate"


def revision_of(one: ReplicaSet | Deployment) -> int:
    """Its number; none is zero."""
    text = one.metadata.annotations.get(REVISION, "")
    return int(text) if text.isdecimal() else 0


def by_age(sets: Iterable[ReplicaSet]) -> list[ReplicaSet]:
    """The oldest first."""
    return sorted(sets, key=lambda each: (_born(each), each.metadata.name))


def by_revision(sets: Iterable[ReplicaSet]) -> list[ReplicaSet]:
    """The oldest revision first."""
    return sorted(sets, key=lambda each: (revision_of(each), _born(each), each.metadata.name))


def next_revision(olds: Iterable[ReplicaSet]) -> int:
    """What the present template is numbered."""
    return max((revision_of(each) for each in olds), default=0) + 1


def surge(deployment: Deployment) -> int:
    """How many Pods there may be more than asked for."""
    spec = deployment.spec
    if spec.strategy.type != ROLLING:
        return 0
    return scaled(spec.strategy.rolling_update.max_surge, spec.replicas, up=True)


def unavailable(deployment: Deployment) -> int:
    """How many Pods may be missing."""
    spec, rolling = deployment.spec, deployment.spec.strategy.rolling_update
    if spec.strategy.type != ROLLING or not spec.replicas:
        return 0
    return min(fenceposts(rolling.max_surge, rolling.max_unavailable, spec.replicas)[1], spec.replicas)


def sizes(deployment: Deployment) -> dict[str, str]:
    """What a ReplicaSet says of the numbers of its Deployment: by these a later change of them is seen."""
    wanted = deployment.spec.replicas
    return {DESIRED: str(wanted), MOST: str(wanted + surge(deployment))}


def marks_of_new(deployment: Deployment, new: ReplicaSet | None, olds: Sequence[ReplicaSet]) -> dict[str, str]:
    """The annotations of the ReplicaSet of the present template, as far as they are to be others than they are."""
    there = new.metadata.annotations if new is not None else {}
    given = {key: text for key, text in deployment.metadata.annotations.items() if key not in _NOT_COPIED}
    revision = next_revision(olds)
    if new is None:
        return {**given, REVISION: str(revision), **sizes(deployment)}
    if revision_of(new) < revision:
        given[REVISION] = str(revision)
        if REVISION in there:
            given[HISTORY] = _history([*there.get(HISTORY, "").split(","), there[REVISION]])
    return {key: text for key, text in given.items() if there.get(key) != text}


def _history(numbers: list[str]) -> str:
    numbers = [each for each in numbers if each]
    while len(text := ",".join(numbers)) > _LONGEST_HISTORY:
        numbers.pop(0)
    return text


def _born(one: ReplicaSet) -> datetime:
    born = one.metadata.creation_timestamp
    assert born is not None  # noqa: S101  (the server gives it)
    return born
