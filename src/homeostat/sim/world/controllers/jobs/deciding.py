"""What becomes of a Job now: how many Pods are made or ended, and whether it is over. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice

from msgspec import Struct

from homeostat.sim.world.controllers.jobs.counting import NOTHING, Counts
from homeostat.sim.world.controllers.jobs.indexes import (
    by_index,
    failures_of,
    ignored_of,
    index_of,
    is_indexed,
    write_indexes,
)
from homeostat.sim.world.controllers.jobs.policies import Looked, match, met
from homeostat.sim.world.controllers.workloads.pods import ready_since
from homeostat.sim.world.controllers.workloads.telling import whole_seconds
from homeostat.sim.world.kinds.jobs import Job, JobCondition, JobStatus
from homeostat.sim.world.kinds.pods import Pod

COMPLETE, FAILED, SUSPENDED = "Complete", "Failed", "Suspended"
# What is known before the last Pods are gone.
_AHEAD = {COMPLETE: "SuccessCriteriaMet", FAILED: "FailureTarget"}
_WELL = ("CompletionsReached", "Reached expected number of succeeded pods")
_TOO_OFTEN = ("BackoffLimitExceeded", "Job has reached the specified backoff limit")
_TOO_MANY = ("MaxFailedIndexesExceeded", "Job has exceeded the specified maximal number of failed indexes")
_SOME_FAILED = ("FailedIndexes", "Job has failed indexes")
_TOO_LONG = ("DeadlineExceeded", "Job was active longer than specified deadline")
_FIRST_S, _LONGEST_S = 10, 600


class Birth(Struct, frozen=True):
    """One Pod to be made: at an index where completions have numbers, with what has failed there before it."""

    index: int | None = None
    failures: int | None = None
    ignored: int = 0


class Plan(Struct, frozen=True):
    """What to do, and what to say."""

    status: JobStatus
    births: tuple[Birth, ...] = ()
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


def decide(job: Job, counts: Counts, pods: Sequence[Pod], now: datetime, looked: Looked = NOTHING) -> Plan:
    """What to do now."""
    began = None if job.spec.suspend else job.status.start_time or whole_seconds(now)
    verdict = _verdict(job, counts, began, now, looked)
    conditions = _suspension(job, job.status.conditions, now)
    births, end, after_s = tuple[Birth, ...](), tuple[Pod, ...](), _deadline_s(job, began, now)
    if verdict is not None:
        end = counts.active
        is_over = not (counts.active or counts.terminating or _waits(counts))
        conditions = _judged(conditions, verdict, now, is_over=is_over)
    elif job.spec.suspend:
        end = counts.active
    else:
        missing = _wanted(job, counts) - len(counts.active)
        end = _surplus(job, counts.active, -missing)
        if job.spec.pod_replacement_policy == "Failed":
            missing -= counts.terminating
        births, wait_s = _births(job, counts, pods, missing, now, looked)
        after_s = min((each for each in (wait_s, after_s) if each is not None), default=None)
    is_complete = any(each.type == COMPLETE for each in conditions)
    status = JobStatus(
        start_time=began,
        completion_time=whole_seconds(now) if is_complete else None,
        active=len(counts.active) - len(end) + len(births),
        ready=counts.ready,
        terminating=counts.terminating + len(end),
        succeeded=counts.succeeded,
        failed=counts.failed,
        completed_indexes=write_indexes(counts.completed or frozenset()),
        failed_indexes=None if counts.given_up is None else write_indexes(counts.given_up),
        uncounted_terminated_pods=counts.uncounted,
        conditions=conditions,
    )
    return Plan(status, births, end, after_s)


def _verdict(job: Job, counts: Counts, began: datetime | None, now: datetime, looked: Looked) -> Verdict | None:
    """What was said before stays; then what lets it fail, then what is enough."""
    for judge in (_said, _by_policy, _by_limits, _by_indexes, _by_success):
        verdict = judge(job, counts, looked)
        if verdict is not None:
            return verdict
        seconds = job.spec.active_deadline_seconds
        is_late = seconds is not None and began is not None and now >= began + timedelta(seconds=seconds)
        if judge is _by_limits and is_late:
            return Verdict(FAILED, *_TOO_LONG)
    wanted, done = job.spec.completions, counts.all_succeeded
    is_done = (done > 0 and not counts.active) if wanted is None else done >= wanted
    return Verdict(COMPLETE, *_WELL) if is_done else None


def _said(job: Job, counts: Counts, looked: Looked) -> Verdict | None:  # noqa: ARG001  (one shape for all)
    ahead = next((each for each in job.status.conditions if each.type in _AHEAD.values()), None)
    if ahead is None:
        return None
    type_ = COMPLETE if ahead.type == _AHEAD[COMPLETE] else FAILED
    return Verdict(type_, ahead.reason, ahead.message)


def _by_policy(job: Job, counts: Counts, looked: Looked) -> Verdict | None:  # noqa: ARG001
    return Verdict(FAILED, "PodFailurePolicy", counts.failure) if counts.failure else None


def _by_limits(job: Job, counts: Counts, looked: Looked) -> Verdict | None:
    limit, restarts = job.spec.backoff_limit, looked.restarts
    is_restarted = restarts is not None and restarts >= max(limit, 1)
    return Verdict(FAILED, *_TOO_OFTEN) if counts.all_failed > limit or is_restarted else None


def _by_indexes(job: Job, counts: Counts, looked: Looked) -> Verdict | None:  # noqa: ARG001
    if not counts.given_up or counts.completed is None:
        return None
    limit = job.spec.max_failed_indexes
    if limit is not None and len(counts.given_up) > limit:
        return Verdict(FAILED, *_TOO_MANY)
    done = len(counts.given_up) + len(counts.completed)
    return Verdict(FAILED, *_SOME_FAILED) if done >= (job.spec.completions or 0) else None


def _by_success(job: Job, counts: Counts, looked: Looked) -> Verdict | None:  # noqa: ARG001
    rule = met(job.spec.success_policy, counts.completed or frozenset(), job.spec.completions or 0)
    return Verdict(COMPLETE, "SuccessPolicy", rule) if rule else None


def _births(
    job: Job, counts: Counts, pods: Sequence[Pod], missing: int, now: datetime, looked: Looked
) -> tuple[tuple[Birth, ...], float | None]:
    """Who is made now, and in how many seconds somebody may be made who has to wait."""
    if missing <= 0:
        return (), None
    if job.spec.backoff_limit_per_index is not None and counts.completed is not None:
        return _each_by_itself(job, counts, pods, missing, now, looked)
    wait_s = _back_off_s(pods, now)
    if wait_s > 0:
        return (), wait_s
    if counts.completed is None:
        return (Birth(),) * missing, None
    return tuple(Birth(index) for index in islice(_pending(job, counts, pods), missing)), None


def _each_by_itself(
    job: Job, counts: Counts, pods: Sequence[Pod], missing: int, now: datetime, looked: Looked
) -> tuple[tuple[Birth, ...], float | None]:
    """Where each index may fail so often: after one that failed there, it waits for itself alone."""
    births, waits = [], []
    for index in islice(_pending(job, counts, pods), missing):
        last = counts.kept.get(index)
        if last is None:
            births.append(Birth(index, 0))
            continue
        failures, ignored = failures_of(last), ignored_of(last)
        wait_s = _wait_s(failures + ignored + 1, _ended_at(last) or now, now)
        if wait_s > 0:
            waits.append(wait_s)
        elif match(job.spec.pod_failure_policy, last, looked.exits).counts:
            births.append(Birth(index, failures + 1, ignored))
        else:
            births.append(Birth(index, failures, ignored + 1))
    return tuple(births), min(waits, default=None)


def _pending(job: Job, counts: Counts, pods: Sequence[Pod]) -> Iterator[int]:
    """The indexes that nobody works on and that are not done, the first first."""
    taken = {*by_index(job, counts.active), *(counts.completed or ()), *(counts.given_up or ())}
    if job.spec.pod_replacement_policy == "Failed":
        taken |= set(by_index(job, (pod for pod in pods if pod.is_ending and not pod.is_over)))
    return (index for index in range(job.spec.completions or 0) if index not in taken)


def _wanted(job: Job, counts: Counts) -> int:
    """How many Pods there are to be at once."""
    spec = job.spec
    if spec.completions is None:
        return len(counts.active) if counts.all_succeeded else spec.parallelism
    return min(spec.parallelism, spec.completions - counts.all_succeeded)


def _waits(counts: Counts) -> bool:
    return bool(counts.uncounted.succeeded or counts.uncounted.failed or counts.kept)


def _surplus(job: Job, active: Sequence[Pod], number: int) -> tuple[Pod, ...]:
    """Those that have done least; before them those that work where another one does, or where nothing is to do."""
    ordered = sorted(active, key=lambda pod: (bool(pod.spec.node_name), pod.is_ready, pod.metadata.name))
    if not is_indexed(job):
        return tuple(ordered[: max(number, 0)])
    last = {index: pods[-1] for index, pods in by_index(job, ordered).items()}
    stray = [pod for pod in ordered if (index := index_of(job, pod)) is None or pod is not last[index]]
    rest = [pod for pod in ordered if pod not in stray]
    return (*stray, *rest[: max(number - len(stray), 0)])


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
    return _wait_s(failures, ended[-1][0], now)


def _wait_s(failures: int, since: datetime, now: datetime) -> float:
    wait_s = min(_FIRST_S * 2 ** (failures - 1), _LONGEST_S)
    return (since + timedelta(seconds=wait_s) - now).total_seconds()


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
