"""The loop of CronJobs."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfoNotFoundError

from msgspec.structs import replace

from homeostat.api.meta import Object
from homeostat.kit.cron import BadSchedule
from homeostat.kube.client import Client
from homeostat.kube.errors import AlreadyExists, ApiError, NotFound
from homeostat.runtime.manager import Manager
from homeostat.runtime.outcome import DONE, Outcome, Progress, Stop
from homeostat.sim.world.controllers.cronjobs.deciding import SCHEDULED_AT, Plan, decide, name_of, reference_of
from homeostat.sim.world.controllers.loops import loop
from homeostat.sim.world.controllers.terminating import is_of_ending_namespace
from homeostat.sim.world.controllers.workloads.owning import (
    BY_CONTROLLER,
    by_controller,
    controller_of,
    reference_to,
)
from homeostat.sim.world.controllers.workloads.telling import MANAGER, tell
from homeostat.sim.world.controllers.workloads.templates import read
from homeostat.sim.world.kinds.cronjobs import CRON_JOB, CronJob
from homeostat.sim.world.kinds.jobs import JOB, Job


def add_cron_jobs(manager: Manager, client: Client) -> None:
    """Make Jobs at their times, and end those that are over and too many."""
    CronJobs(manager, client)


class CronJobs:
    """Works on one CronJob at a time."""

    def __init__(self, manager: Manager, client: Client) -> None:
        self._client = client
        self._clock = manager.clock
        crons = manager.informer(client, CRON_JOB)
        jobs = manager.informer(client, JOB, indexes={BY_CONTROLLER: by_controller})
        self._crons, self._jobs = crons.store, jobs.store
        self._controller = loop(manager, "cronjob", self._reconcile)
        self._controller.watch(crons)
        self._controller.watch(jobs, _owner_of)

    async def _reconcile(self, key: str) -> Outcome:
        cron = self._crons.get(key)
        if cron is None or cron.metadata.deletion_timestamp is not None:
            return DONE
        try:
            plan = decide(cron, self._jobs.by_index(BY_CONTROLLER, cron.metadata.uid), self._clock.now())
        except (BadSchedule, ZoneInfoNotFoundError) as error:
            return Stop(str(error))
        try:
            await self._act(key, cron, plan)
        except ApiError as error:
            if is_of_ending_namespace(error):
                return DONE  # with its namespace
            raise
        return DONE if plan.after_s is None else Progress(plan.after_s)

    async def _act(self, key: str, cron: CronJob, plan: Plan) -> None:
        for job in plan.end:
            with suppress(NotFound):
                meta = job.metadata
                await self._client.delete(JOB, meta.name, meta.namespace, uid=meta.uid, propagation="Background")
        status = plan.status
        if plan.make is not None:
            made = await self._made(key, cron, plan.make)
            status = replace(status, active=(*status.active, reference_of(made))) if made is not None else status
        if status != cron.status:
            written = await tell(self._client, CRON_JOB, cron, status)
            self._controller.writes.note(key, self._crons, written.metadata.resource_version)

    async def _made(self, key: str, cron: CronJob, moment: datetime) -> Job | None:
        """The Job of a moment; None when it was made before."""
        try:
            made = await self._client.create(JOB, _job_of(cron, moment), cron.metadata.namespace, field_manager=MANAGER)
        except AlreadyExists:
            return None
        self._controller.writes.note(key, self._jobs, made.metadata.resource_version)
        return made


def _job_of(cron: CronJob, moment: datetime) -> dict[str, Any]:
    template = read(cron.spec.job_template)
    given = template.get("metadata") or {}
    at = moment.isoformat(timespec="seconds")
    metadata = {
        "name": name_of(cron, moment),
        "namespace": cron.metadata.namespace,
        "labels": given.get("labels") or {},
        "annotations": {**(given.get("annotations") or {}), SCHEDULED_AT: at.replace("+00:00", "Z")},
        "ownerReferences": [reference_to(CRON_JOB, cron)],
    }
    return {"metadata": metadata, "spec": template.get("spec") or {}}


def _owner_of(job: Object) -> list[str]:
    owner = controller_of(job)
    is_ours = owner is not None and owner.kind == "CronJob" and owner.api_version.startswith("batch/")
    return [f"{job.metadata.namespace}/{owner.name}"] if owner is not None and is_ours else []
