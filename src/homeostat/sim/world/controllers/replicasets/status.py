"""What a ReplicaSet says of its Pods. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from homeostat.sim.world.controllers.workloads.pods import is_active, is_available
from homeostat.sim.world.controllers.workloads.telling import Conditions, condition, whole_seconds, without
from homeostat.sim.world.kinds.pods import Pod
from homeostat.sim.world.kinds.workloads import ReplicaSet, ReplicaSetStatus, WorkloadCondition

FAILURE = "ReplicaFailure"


def status_of(
    owner: ReplicaSet,
    pods: Sequence[Pod],
    labels: Mapping[str, str],
    error: Exception | None,
    now: datetime,
    *,
    counts_ending: bool = True,
) -> ReplicaSetStatus:
    """The status, after an attempt to make or to end Pods that may have failed."""
    ending = sum(pod.is_ending and not pod.is_over for pod in pods)
    active = [pod for pod in pods if is_active(pod)]
    return ReplicaSetStatus(
        observed_generation=owner.metadata.generation,
        replicas=len(active),
        fully_labeled_replicas=sum(labels.items() <= pod.metadata.labels.items() for pod in active),
        ready_replicas=sum(pod.is_ready for pod in active),
        available_replicas=sum(is_available(pod, owner.spec.min_ready_seconds, now) for pod in active),
        terminating_replicas=ending if counts_ending else None,
        conditions=_conditions(owner, len(active), error, now),
    )


def _conditions(owner: ReplicaSet, count: int, error: Exception | None, now: datetime) -> Conditions:
    before = owner.status.conditions
    if error is None:
        return without(before, FAILURE)
    if condition(before, FAILURE) is not None:
        return before
    failed = WorkloadCondition(
        type=FAILURE,
        status="True",
        reason="FailedCreate" if count < owner.spec.replicas else "FailedDelete",
        message=str(error),
        last_transition_time=whole_seconds(now),
    )
    return (*before, failed)
