"""What is derived from a Cluster: which objects there shall be now, and which of them are not as they shall be. Pure.

Manifests (manifests/) say how an object looks; here it is said when there is one: foundations from the start, a
workload as soon as what it needs is there. Nothing that was made once is ever taken out again for what became of that.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from homeostat.api.cluster.masters import API_SERVER, CONTROLLER_MANAGER, SCHEDULER
from homeostat.operators.cluster.actions import Apply, IssueLeaf, Keep
from homeostat.operators.cluster.components import (
    everything,
    has_ready_quorum,
    is_idle_on_its_way,
    is_ready,
    made_of,
    operators,
)
from homeostat.operators.cluster.hosting.entitled import is_granted
from homeostat.operators.cluster.manifests import apiserver, audit, controllers, etcd, hosted
from homeostat.operators.cluster.manifests.shape import Desired, Inputs
from homeostat.operators.cluster.observe import Observed
from homeostat.operators.cluster.overrides import merged
from homeostat.operators.cluster.rollout.members import Roll
from homeostat.operators.cluster.rollout.standing import Made, made
from homeostat.operators.cluster.scaling.step import uses_first_alone


def foundations(seen: Observed) -> tuple[Desired, ...]:
    """What masters are found by, and kept by."""
    inputs = _inputs(seen)
    return (
        etcd.service(inputs),
        etcd.client_service(inputs),
        etcd.membership(inputs),
        etcd.budget(inputs),
        audit.policies(inputs),
        apiserver.service(inputs),
        apiserver.budget(inputs),
    )


def workloads(seen: Observed, rolling: Roll) -> Iterator[Desired]:
    """The masters. Each as soon as what it needs is there: its Secret, the address, an API that answers."""
    inputs, names = _inputs(seen, rolling), seen.names
    if names.etcd in inputs.secrets:
        yield etcd.stateful_set(inputs)
    # An API server that finds no etcd ends itself after 20 s and then waits longer each time. One connection that it
    # opens while its host is just told of etcd can be lost on the way, and it waits for that one just as long.
    can_start = seen.endpoint is not None and (_is_begun(seen, names.apiserver) or has_ready_quorum(seen))
    if can_start and names.apiserver in inputs.secrets:
        yield apiserver.deployment(inputs)
    for component, name, make in (
        (CONTROLLER_MANAGER, names.controllers, controllers.controller_manager),
        (SCHEDULER, names.scheduler, controllers.scheduler),
    ):
        if name in inputs.secrets and (_is_begun(seen, name) or _can_begin(seen, component, inputs)):
            yield make(inputs)
    yield from _hosted(seen, inputs)


def trial(seen: Observed, part: Made) -> Desired | None:
    """The API server that is tried before those of the endpoint become such; None: its certificates are not there."""
    inputs, component = _inputs(seen), seen.packages[part.package].spec.component(API_SERVER)
    if component is None or seen.names.apiserver not in inputs.secrets:
        return None
    components = {**inputs.components, API_SERVER: merged(component, part.override)}
    emulates = {**inputs.emulates, API_SERVER: part.emulates}
    return apiserver.trial(replace(inputs, components=components, emulates=emulates))


def _hosted(seen: Observed, inputs: Inputs) -> Iterator[Desired]:
    """Hosted operators. The first Pods of one wait for its rights; one that runs is kept as declared in any case."""
    for operator, component in operators(seen).items():
        name = seen.names.hosted(operator)
        is_begun = name in seen.workloads or (_can_begin(seen, operator, inputs) and is_granted(seen, operator))
        if name in inputs.secrets and is_begun:
            yield hosted.deployment(inputs, component)


def changed(seen: Observed, wanted: tuple[Desired, ...]) -> tuple[Apply, ...]:
    """What differs from what our last apply left, in one action."""
    found = tuple(each for each in wanted if not _is_settled(seen, each) and not _is_of_another_release(seen, each))
    return (Apply(found),) if found else ()


def kept(seen: Observed, wanted: tuple[Desired, ...]) -> tuple[Keep, ...]:
    """What another release of homeostat made for the same: known from now on, so that an edit of it is noticed."""
    found = tuple(each for each in wanted if _is_of_another_release(seen, each))
    return (Keep(found),) if found else ()


def missing(seen: Observed) -> tuple[IssueLeaf, ...]:
    """Certificates that are not there or not sound."""
    return tuple(
        IssueLeaf(leaf.leaf, leaf.damage or "it does not exist")
        for leaf in seen.leaves
        if (leaf.damage or not leaf.exists) and not _is_deleting(seen, "Secret", leaf.leaf.name)
    )


def _inputs(seen: Observed, rolling: Roll = Roll(0)) -> Inputs:  # noqa: B008  (a frozen value)
    usable = {leaf.leaf.name: leaf.digest for leaf in seen.leaves if leaf.exists and not leaf.damage}
    status = seen.cluster.status
    restarts = status.healing.restarts if status.healing is not None else ()
    return Inputs(
        cluster=seen.cluster,
        components=made_of(seen),
        names=seen.names,
        endpoint=seen.endpoint,
        secrets=usable,
        is_formed=status.ready_at is not None or status.restore is not None,
        partition=rolling.partition,
        avoided={each.component: each.avoided_hosts for each in restarts},
        emulates={name: part.emulates for name, part in made(seen.cluster, seen.packages).items()},
        first_alone=uses_first_alone(seen),
        node_ports=seen.node_ports,
        idle=frozenset(each for each in everything(seen) if is_idle_on_its_way(seen, each)),
    )


def _can_begin(seen: Observed, component: str, inputs: Inputs) -> bool:
    """Whether all that a component depends on is there, by Kubernetes' rules and by the package version's."""
    return all(is_ready(seen, each) for each in (API_SERVER, *inputs.component(component).depends_on))


def _is_begun(seen: Observed, workload: str) -> bool:
    """What was there once is kept, whatever became of what it depends on."""
    return workload in seen.workloads or seen.cluster.status.ready_at is not None


def _is_settled(seen: Observed, desired: Desired) -> bool:
    mark = desired.object
    live = seen.live.get(mark)
    if live is None:
        return False
    # What is being deleted cannot be kept; its successor is made when it is gone.
    return live.deleting or seen.applied.get(mark) == (desired.digest, live.fingerprint)


def _is_of_another_release(seen: Observed, desired: Desired) -> bool:
    """Of a workload that this process neither made nor looked at yet."""
    mark = desired.object
    live = seen.live.get(mark)
    if live is None or live.deleting or mark in seen.applied or not desired.cause:
        return False
    return live.cause == desired.cause and live.mark != desired.mark


def _is_deleting(seen: Observed, kind: str, name: str) -> bool:
    live = seen.live.get((kind, name))
    return live is not None and live.deleting
