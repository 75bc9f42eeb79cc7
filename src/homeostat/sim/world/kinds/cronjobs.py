"""CronJobs, as their controller reads them."""

from __future__ import annotations

from datetime import datetime

from msgspec import Raw, Struct
from msgspec.structs import force_setattr

from homeostat.api.kind import Kind, Resource
from homeostat.api.meta import ObjectMeta
from homeostat.sim.world.kinds.workloads import EMPTY


class CronJobSpec(Struct, frozen=True, gc=False, rename="camel", kw_only=True):
    """When a Job is made, of what, and how many of those that are over stay."""

    schedule: str = ""
    time_zone: str | None = None
    starting_deadline_seconds: int | None = None
    concurrency_policy: str = "Allow"
    suspend: bool = False
    job_template: Raw = EMPTY
    successful_jobs_history_limit: int | None = None
    failed_jobs_history_limit: int | None = None

    def __post_init__(self) -> None:
        # Otherwise it would hold the whole answer that it came in.
        force_setattr(self, "job_template", self.job_template.copy())


class JobReference(Struct, frozen=True, gc=False, rename="camel", kw_only=True):
    """A Job that is not over."""

    kind: str = "Job"
    namespace: str = ""
    name: str = ""
    uid: str = ""
    api_version: str = "batch/v1"
    resource_version: str = ""


class CronJobStatus(Struct, frozen=True, gc=False, rename="camel", kw_only=True):
    """Which Jobs are not over, for which moment the last one was made, and when the last one ended well."""

    active: tuple[JobReference, ...] = ()
    last_schedule_time: datetime | None = None
    last_successful_time: datetime | None = None


class CronJob(Struct, frozen=True, gc=False):
    """A CronJob."""

    metadata: ObjectMeta
    spec: CronJobSpec = CronJobSpec()
    status: CronJobStatus = CronJobStatus()


CRON_JOB = Kind(Resource("batch", "v1", "CronJob", "cronjobs"), CronJob)
