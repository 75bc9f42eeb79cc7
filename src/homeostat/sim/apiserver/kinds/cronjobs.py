"""CronJobs: Jobs that are made at times. The schedule is judged here, and looked at by a controller."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from homeostat.kit.cron import BadSchedule, read_schedule
from homeostat.sim.apiserver.kinds.job_policies import default_policies
from homeostat.sim.apiserver.kinds.jobs import pods_causes, spec_causes
from homeostat.sim.apiserver.kinds.names import number_causes
from homeostat.sim.apiserver.kinds.pods.defaults import default_template
from homeostat.sim.apiserver.refusing import Cause
from homeostat.sim.apiserver.schemas.causes import invalid, not_supported, required
from homeostat.sim.apiserver.types.type import Strategy, Value

_POLICIES = ("Allow", "Forbid", "Replace")
_NUMBERS = ("startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit")
_LONGEST = 52  # a name of a Job, without what tells the Jobs apart
_ZONES = "https://www.iana.org/time-zones"


class CronJobStrategy(Strategy):
    """Whoever deletes a CronJob ends its Jobs, too."""

    def default(self, value: Value) -> None:
        """Jobs beside each other, and the latest of those that are over."""
        spec = value.setdefault("spec", {})
        spec.setdefault("concurrencyPolicy", "Allow")
        spec.setdefault("suspend", False)
        spec.setdefault("successfulJobsHistoryLimit", 3)
        spec.setdefault("failedJobsHistoryLimit", 1)
        job = spec.setdefault("jobTemplate", {}).setdefault("spec", {})
        default_policies(job)
        default_template(job.setdefault("template", {}))

    def on_create(self, value: Value) -> None:
        """It has made none."""
        value["status"] = {}

    def causes(self, value: Value, old: Value | None) -> Iterable[Cause]:
        """Of its name, when it is new, and of its spec; a zone that was there may stay."""
        spec, name = value.get("spec", {}), value["metadata"].get("name", "")
        yield from _of_schedule(spec)
        yield from number_causes(spec, "spec", *_NUMBERS)
        if spec.get("concurrencyPolicy") not in _POLICIES:
            yield not_supported("spec.concurrencyPolicy", spec.get("concurrencyPolicy"), _POLICIES)
        yield from _of_job(spec.get("jobTemplate", {}).get("spec", {}))
        before = ((old or {}).get("spec") or {}).get("timeZone")
        if spec.get("timeZone") is not None and (old is None or spec["timeZone"] != before):
            yield from _of_zone(spec["timeZone"])
        if old is None and len(name) > _LONGEST:
            yield invalid("metadata.name", name, f"must be no more than {_LONGEST} characters")


def _of_schedule(spec: Value) -> Iterator[Cause]:
    text, place = spec.get("schedule", ""), "spec.schedule"
    if not text:
        yield required(place)
        return
    if "TZ" in text:
        yield invalid(place, text, "cannot use TZ or CRON_TZ in schedule, use timeZone field instead")
        return
    try:
        read_schedule(text)
    except BadSchedule as error:
        yield invalid(place, text, str(error))


def _of_zone(zone: str) -> Iterator[Cause]:
    place = "spec.timeZone"
    if not zone:
        yield invalid(place, zone, "timeZone must be nil or non-empty string")
        return
    if zone.lower() == "local":
        yield invalid(place, zone, f"timeZone must be an explicit time zone as defined in {_ZONES}")
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield invalid(place, zone, f"unknown time zone {zone}")


def _of_job(job: Value) -> Iterator[Cause]:
    path = "spec.jobTemplate.spec"
    yield from spec_causes(job, path)
    yield from pods_causes(job.get("template", {}), f"{path}.template", never="podFailurePolicy" in job)
    if job.get("selector") is not None:
        yield invalid(f"{path}.selector", job["selector"], "`selector` will be auto-generated")
    if job.get("manualSelector"):
        yield not_supported(f"{path}.manualSelector", True, ("nil", "false"))
