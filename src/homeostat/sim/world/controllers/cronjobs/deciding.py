"""What becomes of a CronJob now: whether a Job is made, which Jobs go, and when to look again. Pure.

Only the latest of several moments that were missed is made up for. A moment that found another Job at work, where only
one may be, is made up for when that one is over, unless it is too late by then.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

from homeostat.kit.cron import read_schedule
from homeostat.sim.world.controllers.jobs.deciding import COMPLETE, FAILED, is_finished
from homeostat.sim.world.kinds.cronjobs import CronJob, CronJobStatus, JobReference
from homeostat.sim.world.kinds.jobs import Job

SCHEDULED_AT = "batch.kubernetes.io/cronjob-scheduled-timestamp"
_LATER_S = 0.1  # than the moment itself, so that it has come


class Plan(Struct, frozen=True):
    """What to do, and what to say when it is done."""

    status: CronJobStatus
    make: datetime | None = None  # the moment for which a Job is made, in the zone of the schedule
    end: tuple[Job, ...] = ()
    after_s: float | None = None


def decide(cron: CronJob, jobs: Sequence[Job], now: datetime) -> Plan:
    """What to do now. Raises BadSchedule and ZoneInfoNotFoundError."""
    mine = sorted(jobs, key=lambda job: (job.metadata.creation_timestamp or now, job.metadata.name))
    at_work = [job for job in mine if _is_at_work(job)]
    end = _surplus(mine, COMPLETE, cron.spec.successful_jobs_history_limit)
    end += _surplus(mine, FAILED, cron.spec.failed_jobs_history_limit)
    made_for = cron.status.last_schedule_time
    moment, after_s = (None, None) if cron.spec.suspend else _moments(cron, now)
    if moment is not None and any(job.metadata.name == name_of(cron, moment) for job in mine):
        made_for, moment = moment.astimezone(UTC), None  # it was made, and that could not be told
    if moment is not None and at_work and cron.spec.concurrency_policy == "Forbid":
        moment = None
    if moment is not None:
        made_for = moment.astimezone(UTC)
        if cron.spec.concurrency_policy == "Replace":
            end, at_work = [*end, *at_work], []
    status = CronJobStatus(
        active=_references(at_work, cron.status.active),
        last_schedule_time=made_for,
        last_successful_time=_last_success(cron, mine),
    )
    return Plan(status, moment, tuple(end), after_s)


def name_of(cron: CronJob, moment: datetime) -> str:
    """The name of the Job for a moment: there is none but one for each minute."""
    return f"{cron.metadata.name}-{int(moment.timestamp()) // 60}"


def reference_of(job: Job) -> JobReference:
    """How a status tells of a Job that is not over."""
    meta = job.metadata
    return JobReference(namespace=meta.namespace, name=meta.name, uid=meta.uid, resource_version=meta.resource_version)


def _moments(cron: CronJob, now: datetime) -> tuple[datetime | None, float | None]:
    """The latest moment for which no Job was made, and how long it is to the next one."""
    spec, schedule = cron.spec, read_schedule(cron.spec.schedule)
    zone = ZoneInfo(spec.time_zone) if spec.time_zone else UTC
    since = cron.status.last_schedule_time or cron.metadata.creation_timestamp or now
    following = schedule.after(now, zone)
    if spec.starting_deadline_seconds is not None:
        since = max(since, now - timedelta(seconds=spec.starting_deadline_seconds))
    latest = schedule.latest(since, now, zone)
    after_s = None if following is None else (following - now).total_seconds() + _LATER_S
    return None if latest is None else latest.astimezone(zone), after_s


def _is_at_work(job: Job) -> bool:
    """Whether it was made for a moment, and is neither over nor about to go."""
    meta = job.metadata
    return SCHEDULED_AT in meta.annotations and not is_finished(job) and meta.deletion_timestamp is None


def _surplus(jobs: Iterable[Job], outcome: str, limit: int | None) -> list[Job]:
    """The oldest of those that ended in a way, as far as they are too many."""
    over = [job for job in jobs if job.status.has(outcome) and job.metadata.deletion_timestamp is None]
    return [] if limit is None else over[: max(len(over) - limit, 0)]


def _references(jobs: Iterable[Job], told: Sequence[JobReference]) -> tuple[JobReference, ...]:
    """Those that were told of stay as they were told."""
    known = {each.uid: each for each in told}
    return tuple(known.get(job.metadata.uid) or reference_of(job) for job in jobs)


def _last_success(cron: CronJob, jobs: Iterable[Job]) -> datetime | None:
    ends = [job.status.completion_time for job in jobs if SCHEDULED_AT in job.metadata.annotations]
    known = [each for each in (*ends, cron.status.last_successful_time) if each is not None]
    return max(known, default=None)
