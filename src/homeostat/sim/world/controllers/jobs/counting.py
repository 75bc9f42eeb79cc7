"""Which Pods of a Job are over, and what the status says of them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from homeostat.sim.world.controllers.jobs.indexes import (
    Indexes,
    by_index,
    failures_of,
    ignored_of,
    index_of,
    is_indexed,
    read_indexes,
)
from homeostat.sim.world.controllers.jobs.policies import FAIL_INDEX, FAIL_JOB, Looked, match
from homeostat.sim.world.controllers.workloads.pods import is_active
from homeostat.sim.world.kinds.jobs import Job, Uncounted
from homeostat.sim.world.kinds.pods import Pod

FINALIZER = "batch.kubernetes.io/job-tracking"
AHEAD = ("SuccessCriteriaMet", "FailureTarget")  # what is known before the last Pods are gone
NOTHING = Looked()


class Counts(Struct, frozen=True):
    """Pods of a Job."""

    succeeded: int  # counted
    failed: int
    uncounted: Uncounted
    written: tuple[Pod, ...]  # of those that wait, the ones that still have their finalizer
    active: tuple[Pod, ...]
    ready: int
    terminating: int
    completed: Indexes | None = None  # where completions have numbers
    given_up: Indexes | None = None  # and may each fail only so often
    kept: Mapping[int, Pod] = {}  # the last that failed at an index, until another one works on it: it has the count
    failure: str = ""  # why a Pod of it lets the whole Job fail

    @property
    def all_succeeded(self) -> int:
        """Those that will be counted too."""
        return self.succeeded + len(self.uncounted.succeeded)

    @property
    def all_failed(self) -> int:
        """Those that will be counted too."""
        return self.failed + len(self.uncounted.failed) + len(self.kept)


def count(job: Job, pods: Sequence[Pod], looked: Looked = NOTHING) -> Counts:
    """What there is now: those without a finalizer have been written down, and are numbers from now on."""
    before = job.status.uncounted_terminated_pods or Uncounted()
    held = {pod.metadata.uid for pod in pods if FINALIZER in pod.metadata.finalizers}
    waiting = {*before.succeeded, *before.failed}
    active = tuple(pod for pod in pods if is_active(pod))
    over = [pod for pod in pods if _is_over(job, pod) and pod.metadata.uid in held - waiting]
    completed, given_up = _completed(job, over), _given_up(job, over, looked)
    kept = _kept(job, over, {*by_index(job, active), *(completed or ()), *(given_up or ())})
    fresh = [pod for pod in over if pod not in kept.values()]
    well = [pod.metadata.uid for pod in fresh if pod.status.phase == "Succeeded"] if completed is None else []
    badly = [pod.metadata.uid for pod in fresh if pod.status.phase != "Succeeded" and _counts(job, pod, looked)]
    succeeded, failed = _left(before.succeeded, held), _left(before.failed, held)
    counted = job.status.succeeded + len(before.succeeded) - len(succeeded)
    return Counts(
        succeeded=counted if completed is None else len(completed),
        failed=job.status.failed + len(before.failed) - len(failed),
        uncounted=Uncounted((*succeeded, *well), (*failed, *badly)),
        written=(*(pod for pod in pods if pod.metadata.uid in held & waiting), *fresh),
        active=active,
        ready=sum(pod.is_ready for pod in active),
        terminating=sum(pod.is_ending and not pod.is_over for pod in pods),
        completed=completed,
        given_up=given_up,
        kept=kept,
        failure=_failure(job, pods, looked),
    )


def _completed(job: Job, over: Sequence[Pod]) -> Indexes | None:
    """The indexes at which one has ended well: they are written down before its finalizer goes."""
    if not is_indexed(job):
        return None
    well = (pod for pod in over if pod.status.phase == "Succeeded")
    return read_indexes(job.status.completed_indexes, job.spec.completions or 0) | frozenset(by_index(job, well))


def _given_up(job: Job, over: Sequence[Pod], looked: Looked) -> Indexes | None:
    limit = job.spec.backoff_limit_per_index
    if limit is None or not is_indexed(job):
        return None
    before = read_indexes(job.status.failed_indexes or "", job.spec.completions or 0)
    if any(job.status.has(each) for each in AHEAD):
        return before  # those that are ended now have not failed
    badly = (pod for pod in over if pod.status.phase != "Succeeded")
    matches = [(pod, match(job.spec.pod_failure_policy, pod, looked.exits)) for pod in badly]
    new = (pod for pod, found in matches if found.action == FAIL_INDEX or (found.counts and failures_of(pod) >= limit))
    return before | frozenset(by_index(job, new))


def _kept(job: Job, over: Sequence[Pod], settled: set[int]) -> dict[int, Pod]:
    """Of each index that nobody works on, the Pod that failed last; none once it is known how the Job ends."""
    if job.spec.backoff_limit_per_index is None or any(job.status.has(each) for each in AHEAD):
        return {}
    badly = by_index(job, (pod for pod in over if pod.status.phase != "Succeeded"))
    return {
        index: max(pods, key=lambda pod: failures_of(pod) + ignored_of(pod))
        for index, pods in badly.items()
        if index not in settled
    }


def _counts(job: Job, pod: Pod, looked: Looked) -> bool:
    if job.status.has(AHEAD[0]) and pod.status.phase != "Failed":
        return False  # it is ended because enough is done
    is_one = not is_indexed(job) or index_of(job, pod) is not None
    return is_one and match(job.spec.pod_failure_policy, pod, looked.exits).counts


def _failure(job: Job, pods: Sequence[Pod], looked: Looked) -> str:
    failed = (pod for pod in pods if pod.status.phase == "Failed")
    found = (match(job.spec.pod_failure_policy, pod, looked.exits) for pod in failed)
    return next((each.message for each in found if each.action == FAIL_JOB), "")


def _is_over(job: Job, pod: Pod) -> bool:
    """Whether it will not do anything any more; one that ends counts as failed where it may be replaced at once."""
    return pod.is_over or (pod.is_ending and job.spec.pod_replacement_policy != "Failed")


def _left(uids: Iterable[str], held: set[str]) -> tuple[str, ...]:
    return tuple(uid for uid in uids if uid in held)
