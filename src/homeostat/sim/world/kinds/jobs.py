"""Jobs, as their controller reads them."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from homeostat.api.kind import Kind, Resource
from homeostat.api.meta import ObjectMeta
from homeostat.sim.world.kinds.workloads import WorkloadSpec


class ExitCodes(Struct, frozen=True, gc=False, rename="camel", kw_only=True):
    """Codes of one container, or of any: those that are named, or all others; zero is none of them."""

    container_name: str | None = None
    operator: str = "In"
    values: tuple[int, ...] = ()


class PodCondition(Struct, frozen=True, gc=False, kw_only=True):
    """A condition of a Pod that a rule asks for."""

    type: str = ""
    status: str = "True"


class FailureRule(Struct, frozen=True, gc=False, rename="camel", kw_only=True):
    """What is to come of a Pod that failed in some way."""

    action: str = ""
    on_exit_codes: ExitCodes | None = None
    on_pod_conditions: tuple[PodCondition, ...] | None = None


class FailurePolicy(Struct, frozen=True, gc=False, kw_only=True):
    """Rules, of which the first that matches is taken."""

    rules: tuple[FailureRule, ...] = ()


class SuccessRule(Struct, frozen=True, gc=False, rename="camel", kw_only=True):
    """Which completions, or how many, are enough."""

    succeeded_indexes: str | None = None
    succeeded_count: int | None = None


class SuccessPolicy(Struct, frozen=True, gc=False, kw_only=True):
    """Rules, of which one is enough."""

    rules: tuple[SuccessRule, ...] = ()


class JobSpec(WorkloadSpec, frozen=True, gc=False, rename="camel", kw_only=True):
    """How often something is to be done, by how many at a time, and when to give up."""

    completions: int | None = None
    parallelism: int = 1
    backoff_limit: int = 6
    active_deadline_seconds: int | None = None
    ttl_seconds_after_finished: int | None = None
    suspend: bool = False
    pod_replacement_policy: str = "TerminatingOrFailed"
    completion_mode: str = "NonIndexed"
    backoff_limit_per_index: int | None = None
    max_failed_indexes: int | None = None
    pod_failure_policy: FailurePolicy | None = None
    success_policy: SuccessPolicy | None = None


class JobCondition(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True, kw_only=True):
    """One aspect of a Job's state."""

    type: str
    status: str
    reason: str = ""
    message: str = ""
    last_probe_time: datetime | None = None
    last_transition_time: datetime | None = None


class Uncounted(Struct, frozen=True, gc=False):
    """Pods that are over, by uid, and will be counted when nobody can count them twice."""

    succeeded: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()


class JobStatus(Struct, frozen=True, gc=False, rename="camel", kw_only=True):
    """How far a Job has come."""

    start_time: datetime | None = None
    completion_time: datetime | None = None
    active: int = 0
    ready: int | None = None
    terminating: int | None = None
    succeeded: int = 0
    failed: int = 0
    completed_indexes: str = ""
    failed_indexes: str | None = None
    uncounted_terminated_pods: Uncounted | None = None
    conditions: tuple[JobCondition, ...] = ()

    def has(self, type_: str) -> bool:
        """Whether a condition holds."""
        return any(each.type == type_ and each.status == "True" for each in self.conditions)


class Job(Struct, frozen=True, gc=False):
    """A Job."""

    metadata: ObjectMeta
    spec: JobSpec = JobSpec()
    status: JobStatus = JobStatus()


JOB = Kind(Resource("batch", "v1", "Job", "jobs"), Job)
