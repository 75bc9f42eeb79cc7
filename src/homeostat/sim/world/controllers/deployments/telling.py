"""What a Deployment says of its rollout: counts, and the conditions Available, Progressing and ReplicaFailure. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec.structs import replace

from homeostat.sim.world.controllers.deployments.deciding import Seen, is_complete
from homeostat.sim.world.controllers.deployments.revisions import unavailable
from homeostat.sim.world.controllers.replicasets.status import FAILURE
from homeostat.sim.world.controllers.workloads.telling import (
    Conditions,
    condition,
    whole_seconds,
    with_condition,
    without,
)
from homeostat.sim.world.kinds.workloads import Deployment, DeploymentStatus, ReplicaSet, WorkloadCondition

AVAILABLE, PROGRESSING = "Available", "Progressing"
NEW_SET, FOUND_SET, FAILED_SET = "NewReplicaSetCreated", "FoundNewReplicaSet", "ReplicaSetCreateError"
SET_UPDATED, SET_AVAILABLE, TIMED_OUT = "ReplicaSetUpdated", "NewReplicaSetAvailable", "ProgressDeadlineExceeded"
PAUSED, RESUMED = "DeploymentPaused", "DeploymentResumed"
NO_DEADLINE = 2**31 - 1


def status_of(seen: Seen, now: datetime, *, made: str = "", failure: str = "", collisions: int = 0) -> DeploymentStatus:
    """The status now. `made` is a ReplicaSet that has just been made; `failure` says why none could be."""
    now = whole_seconds(now)
    deployment, sets = seen.deployment, seen.sets
    counts = _counts(seen)
    conditions = deployment.status.conditions
    is_enough = counts.available_replicas >= deployment.spec.replicas - unavailable(deployment)
    conditions = with_condition(conditions, _available(now, is_enough=is_enough))
    if deployment.spec.progress_deadline_seconds == NO_DEADLINE:
        conditions = without(conditions, PROGRESSING)
    elif failure:
        conditions = with_condition(conditions, _progressing(now, "False", FAILED_SET, failure))
    else:
        conditions = _with_pause(deployment, conditions, now)
        if made:
            conditions = with_condition(
                conditions, _progressing(now, "True", NEW_SET, f'Created new replica set "{made}"')
            )
        elif seen.new is not None and condition(conditions, PROGRESSING) is None:
            text = f'Found new replica set "{seen.new.metadata.name}"'
            conditions = with_condition(conditions, _progressing(now, "True", FOUND_SET, text))
        if not deployment.spec.paused and deployment.metadata.deletion_timestamp is None:
            conditions = _with_progress(seen, counts, conditions, now)
    conditions = _with_failures(sets, seen.new, conditions, now)
    told = collisions or deployment.status.collision_count
    return replace(counts, conditions=conditions, collision_count=told)


def seconds_left(deployment: Deployment, status: DeploymentStatus, now: datetime) -> float | None:
    """In how many seconds the rollout will be late, if nothing happens."""
    progress = condition(status.conditions, PROGRESSING)
    if progress is None or progress.last_update_time is None or progress.status != "True" or deployment.spec.paused:
        return None
    if progress.reason == SET_AVAILABLE:
        return None
    late = progress.last_update_time + timedelta(seconds=deployment.spec.progress_deadline_seconds + 1)
    return max((late - now).total_seconds(), 1.0)


def _counts(seen: Seen) -> DeploymentStatus:
    sets, new = seen.sets, seen.new
    available = sum(each.status.available_replicas for each in sets)
    ending = [each.status.terminating_replicas for each in sets]
    return DeploymentStatus(
        observed_generation=seen.deployment.metadata.generation,
        replicas=sum(each.status.replicas for each in sets),
        updated_replicas=new.status.replicas if new is not None else 0,
        ready_replicas=sum(each.status.ready_replicas for each in sets),
        available_replicas=available,
        unavailable_replicas=max(sum(each.spec.replicas for each in sets) - available, 0),
        terminating_replicas=None if None in ending else sum(each or 0 for each in ending),
    )


def _with_progress(seen: Seen, counts: DeploymentStatus, conditions: Conditions, now: datetime) -> Conditions:
    deployment, before = seen.deployment, seen.deployment.status
    said = condition(conditions, PROGRESSING)
    # Whose rollout is over says so until the next one begins: later losses of Pods are no progress.
    is_over = counts.replicas == counts.updated_replicas and said is not None and said.reason == SET_AVAILABLE
    if is_over:
        return conditions
    subject = f'ReplicaSet "{seen.new.metadata.name}"' if seen.new is not None else None
    subject = subject or f'Deployment "{deployment.metadata.name}"'
    if is_complete(deployment, counts.updated_replicas, counts.replicas, counts.available_replicas):
        text = f"{subject} has successfully progressed."
        return with_condition(conditions, _progressing(now, "True", SET_AVAILABLE, text))
    if _is_progress(before, counts):
        new = _progressing(now, "True", SET_UPDATED, f"{subject} is progressing.")
        if said is not None and said.status == "True":
            new = replace(new, last_transition_time=said.last_transition_time)
        return (*without(conditions, PROGRESSING), new)
    if _is_late(deployment, said, now):
        text = f"{subject} has timed out progressing."
        return with_condition(conditions, _progressing(now, "False", TIMED_OUT, text))
    return conditions


def _is_progress(before: DeploymentStatus, now: DeploymentStatus) -> bool:
    return (
        now.updated_replicas > before.updated_replicas
        or now.replicas - now.updated_replicas < before.replicas - before.updated_replicas
        or now.ready_replicas > before.ready_replicas
        or now.available_replicas > before.available_replicas
    )


def _is_late(deployment: Deployment, said: WorkloadCondition | None, now: datetime) -> bool:
    if said is None or said.reason == SET_AVAILABLE or said.last_update_time is None:
        return False
    return said.reason == TIMED_OUT or (
        said.last_update_time + timedelta(seconds=deployment.spec.progress_deadline_seconds) < now
    )


def _with_pause(deployment: Deployment, conditions: Conditions, now: datetime) -> Conditions:
    said = condition(conditions, PROGRESSING)
    if said is not None and said.reason == TIMED_OUT:
        return conditions
    was_paused = said is not None and said.reason == PAUSED
    if deployment.spec.paused and not was_paused:
        return with_condition(conditions, _progressing(now, "Unknown", PAUSED, "Deployment is paused"))
    if was_paused and not deployment.spec.paused:
        return with_condition(conditions, _progressing(now, "Unknown", RESUMED, "Deployment is resumed"))
    return conditions


def _with_failures(
    sets: tuple[ReplicaSet, ...], new: ReplicaSet | None, conditions: Conditions, now: datetime
) -> Conditions:
    ordered = ([new] if new is not None else []) + [each for each in sets if each is not new]
    failed = next((found for each in ordered if (found := condition(each.status.conditions, FAILURE))), None)
    if failed is None:
        return without(conditions, FAILURE)
    return with_condition(
        conditions, replace(failed, last_update_time=now, last_transition_time=failed.last_transition_time or now)
    )


def _available(now: datetime, *, is_enough: bool) -> WorkloadCondition:
    word = "has" if is_enough else "does not have"
    return WorkloadCondition(
        type=AVAILABLE,
        status="True" if is_enough else "False",
        reason="MinimumReplicasAvailable" if is_enough else "MinimumReplicasUnavailable",
        message=f"Deployment {word} minimum availability.",
        last_update_time=now,
        last_transition_time=now,
    )


def _progressing(now: datetime, status: str, reason: str, message: str) -> WorkloadCondition:
    return WorkloadCondition(
        type=PROGRESSING,
        status=status,
        reason=reason,
        message=message,
        last_update_time=now,
        last_transition_time=now,
    )
