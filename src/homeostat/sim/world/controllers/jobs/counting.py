"""Which Pods of a Job are over, and what the status says of them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from homeostat.sim.world.controllers.workloads.pods import is_active
from homeostat.sim.world.kinds.jobs import Job, Uncounted
from homeostat.sim.world.kinds.pods import Pod

FINALIZER = "batch.kubernetes.io/job-tracking"


class Counts(Struct, frozen=True):
    """Pods of a Job."""

    succeeded: int  # counted
    failed: int
    uncounted: Uncounted
    written: tuple[Pod, ...]  # of those that wait, the ones that still have their finalizer
    active: tuple[Pod, ...]
    ready: int
    terminating: int

    @property
    def all_succeeded(self) -> int:
        """Those that will be counted too."""
        return self.succeeded + len(self.uncounted.succeeded)

    @property
    def all_failed(self) -> int:
        """Those that will be counted too."""
        return self.failed + len(self.uncounted.failed)


def count(job: Job, pods: Sequence[Pod]) -> Counts:
    """What there is now: those without a finalizer have been written down, and are numbers from now on."""
    before = job.status.uncounted_terminated_pods or Uncounted()
    held = {pod.metadata.uid for pod in pods if FINALIZER in pod.metadata.finalizers}
    waiting = {*before.succeeded, *before.failed}
    fresh = [pod for pod in pods if _is_over(job, pod) and pod.metadata.uid in held - waiting]
    well = [pod.metadata.uid for pod in fresh if pod.status.phase == "Succeeded"]
    badly = [pod.metadata.uid for pod in fresh if pod.status.phase != "Succeeded"]
    succeeded, failed = _left(before.succeeded, held), _left(before.failed, held)
    active = tuple(pod for pod in pods if is_active(pod))
    return Counts(
        succeeded=job.status.succeeded + len(before.succeeded) - len(succeeded),
        failed=job.status.failed + len(before.failed) - len(failed),
        uncounted=Uncounted((*succeeded, *well), (*failed, *badly)),
        written=(*(pod for pod in pods if pod.metadata.uid in held & waiting), *fresh),
        active=active,
        ready=sum(pod.is_ready for pod in active),
        terminating=sum(pod.is_ending and not pod.is_over for pod in pods),
    )


def _is_over(job: Job, pod: Pod) -> bool:
    """Whether it will not do anything any more; one that ends counts as failed where it may be replaced at once."""
    return pod.is_over or (pod.is_ending and job.spec.pod_replacement_policy != "Failed")


def _left(uids: Iterable[str], held: set[str]) -> tuple[str, ...]:
    return tuple(uid for uid in uids if uid in held)
