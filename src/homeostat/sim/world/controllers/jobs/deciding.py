"""What becomes of a Job now: how many Pods are made or ended, and whether it is over. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from homeostat.sim.world.controllers.jobs.counting import Counts
from homeostat.sim.world.controllers.workloads.pods import ready_since
from homeostat.sim.world.controllers.workloads.telling import whole_seconds
from homeostat.sim.world.kinds.jobs import Job, JobCondition, JobStatus
from homeostat.sim.world.kinds.pods import Pod

COMPLETE, FAILED, SUSPENDED = "Complete", "Failed", "Suspended"
# What is known before the last Pods are gone.
_AHEAD = {COMPLETE: "SuccessCriteriaMet", FAILED: "FailureTarget"}
_WELL = ("CompletionsReached", "Reached expected number of succeeded pods")
_TOO_OFTEN = ("BackoffLimitExceeded", "Job has reached the specified backoff limit")
_TOO_LONG = ("DeadlineExceeded", "Job was active longer than specified deadline")
_FIRST_S, _LONGEST_S = 10, 600


class Plan(Struct, frozen=True):
    """What to do, and what to say."""

    status: JobStatus
    make: int = 0
    end: tuple[Pod, ...] = ()
    after_s: float | None = None


class Verdict(Struct, frozen=True):
    """A Job is over, or as good as over."""

    type: str
    reason: str
    message: str


def is_finished(job: Job) -> bool:
    """Whether nothing more will be done for it."""
    return job.status.has(COMPLETE) or job.status.has(FAILED)


def finished_at(job: Job) -> datetime | None:
    """When it came to its end."""
    return next((each.last_transition_time for each in job.status.conditions if each.type in (COMPLETE, FAILED)), None)


def decide(job: Job, counts: Counts, pods: Sequence[Pod], now: datetime) -> Plan:
    """What to do now."""
    began = None if job.spec.suspend else job.status.start_time or whole_seconds(now)
    verdict = _verdict(job, counts, began, now)
    conditions = _suspension(job, job.status.conditions, now)
    make, end, after_s = 0, tuple[Pod, ...](), _deadline_s(job, began, now)
    if verdict is not None:
        end = counts.active
        is_over = not (counts.active or counts.terminating or _waits(counts))
        conditions = _judged(conditions, verdict, now, is_over=is_over)
    elif job.spec.suspend:
        end = counts.active
    else:
        missing = _wanted(job, counts) - len(counts.active)
        if job.spec.pod_replacement_policy == "Failed":
            missing -= counts.terminating
        back_off_s = _back_off_s(pods, now)
        if missing > 0 and back_off_s > 0:
            after_s = min(back_off_s, after_s) if after_s is not None else back_off_s
        else:
            make = max(missing, 0)
        end = _surplus(counts.active, -missing)
    is_complete = any(each.type == COMPLETE for each in conditions)
    status = JobStatus(
        start_time=began,
        completion_time=whole_seconds(now) if is_complete else None,
        active=len(counts.active) - len(end) + make,
        ready=counts.ready,
        terminating=counts.terminating + len(end),
        succeeded=counts.succeeded,
        failed=counts.failed,
        uncounted_terminated_pods=counts.uncounted,
        conditions=conditions,
    )
    return Plan(status, make, end, after_s)


def _verdict(job: Job, counts: Counts, began: datetime | None, now: datetime) -> Verdict | None:
    ahead = next((each for each in job.status.conditions if each.type in _AHEAD.values()), None)
    if ahead is not None:
        type_ = COMPLETE if ahead.type == _AHEAD[COMPLETE] else FAILED
        return Verdict(type_, ahead.reason, ahead.message)
    if counts.all_failed > job.spec.backoff_limit:
        return Verdict(FAILED, *_TOO_OFTEN)
    seconds = job.spec.active_deadline_seconds
    if seconds is not None and began is not None and now >= began + timedelta(seconds=seconds):
        return Verdict(FAILED, *_TOO_LONG)
    wanted, done = job.spec.completions, counts.all_succeeded
    is_done = (done > 0 and not counts.active) if wanted is None else done >= wanted
    return Verdict(COMPLETE, *_WELL) if is_done else None


def _wanted(job: Job, counts: Counts) -> int:
    """How many Pods there are to be at once."""
    spec = job.spec
    if spec.completions is None:
        return len(counts.active) if counts.all_succeeded else spec.parallelism
    return min(spec.parallelism, spec.completions - counts.all_succeeded)


def _waits(counts: Counts) -> bool:
    return bool(counts.uncounted.succeeded or counts.uncounted.failed)


def _surplus(active: Sequence[Pod], number: int) -> tuple[Pod, ...]:
    """Those that have done least."""
    ordered = sorted(active, key=lambda pod: (bool(pod.spec.node_name), pod.is_ready, pod.metadata.name))
    return tuple(ordered[: max(number, 0)])


def _back_off_s(pods: Sequence[Pod], now: datetime) -> float:
    """How long to wait with another Pod: the longer, the more have failed since one ended well."""
    ended = sorted((at, pod.status.phase) for pod in pods if pod.is_over and (at := _ended_at(pod)) is not None)
    failures = 0
    for _, phase in reversed(ended):
        if phase != "Failed":
            break
        failures += 1
    if not failures:
        return 0.0
    wait_s = min(_FIRST_S * 2 ** (failures - 1), _LONGEST_S)
    return (ended[-1][0] + timedelta(seconds=wait_s) - now).total_seconds()


def _ended_at(pod: Pod) -> datetime | None:
    return ready_since(pod) or pod.metadata.creation_timestamp


def _deadline_s(job: Job, began: datetime | None, now: datetime) -> float | None:
    seconds = job.spec.active_deadline_seconds
    if seconds is None or began is None:
        return None
    return max((began + timedelta(seconds=seconds) - now).total_seconds(), 0.01)


def _judged(
    conditions: tuple[JobCondition, ...], verdict: Verdict, now: datetime, *, is_over: bool
) -> tuple[JobCondition, ...]:
    for type_ in (_AHEAD[verdict.type], verdict.type) if is_over else (_AHEAD[verdict.type],):
        if not any(each.type == type_ for each in conditions):
            conditions = (*conditions, _condition(type_, "True", verdict.reason, verdict.message, now))
    return conditions


def _suspension(job: Job, conditions: tuple[JobCondition, ...], now: datetime) -> tuple[JobCondition, ...]:
    said = next((each for each in conditions if each.type == SUSPENDED), None)
    if job.spec.suspend == (said is not None and said.status == "True"):
        return conditions
    new = (
        _condition(SUSPENDED, "True", "JobSuspended", "Job suspended", now)
        if job.spec.suspend
        else _condition(SUSPENDED, "False", "JobResumed", "Job resumed", now)
    )
    return (*(each for each in conditions if each.type != SUSPENDED), new)


def _condition(type_: str, status: str, reason: str, message: str, now: datetime) -> JobCondition:
    at = whole_seconds(now)
    return JobCondition(
        type=type_, status=status, reason=reason, message=message, last_probe_time=at, last_transition_time=at
    )
