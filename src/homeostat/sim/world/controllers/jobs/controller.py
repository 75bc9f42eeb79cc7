"""The loop of Jobs, and of their end when they have been over for long enough."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Any

from homeostat.kube.client import Client
from homeostat.kube.errors import ApiError, Invalid, NotFound
from homeostat.runtime.manager import Manager
from homeostat.runtime.outcome import DONE, Outcome, Progress
from homeostat.sim.world.controllers.jobs.counting import FINALIZER, count
from homeostat.sim.world.controllers.jobs.deciding import Plan, decide, finished_at, is_finished
from homeostat.sim.world.controllers.jobs.making import born
from homeostat.sim.world.controllers.jobs.seeing import look
from homeostat.sim.world.controllers.loops import loop
from homeostat.sim.world.controllers.terminating import is_of_ending_namespace
from homeostat.sim.world.controllers.workloads.ending import Ending
from homeostat.sim.world.controllers.workloads.owning import (
    BY_CONTROLLER,
    BY_NAMESPACE,
    by_controller,
    by_namespace,
    children_of,
    controller_of,
    owners_of,
)
from homeostat.sim.world.controllers.workloads.telling import MANAGER, tell
from homeostat.sim.world.kinds.jobs import JOB, Job
from homeostat.sim.world.kinds.pods import POD, Pod

_BY_JOB = "job"


def add_jobs(manager: Manager, client: Client) -> None:
    """Keep the Pods of Jobs, and end Jobs that have been over for long enough."""
    Jobs(manager, client)


def _by_job(pod: Pod) -> list[str]:
    """An index: the key of the Job that a counted Pod belongs to, whether that is there or not."""
    owner = controller_of(pod) if FINALIZER in pod.metadata.finalizers else None
    return [f"{pod.metadata.namespace}/{owner.name}"] if owner is not None and owner.kind == "Job" else []


class Jobs:
    """Works on one Job at a time."""

    def __init__(self, manager: Manager, client: Client) -> None:
        self._client = client
        self._clock = manager.clock
        jobs = manager.informer(client, JOB, indexes={BY_NAMESPACE: by_namespace})
        pods = manager.informer(client, POD, indexes={BY_CONTROLLER: by_controller, _BY_JOB: _by_job})
        self._jobs, self._pods = jobs.store, pods.store
        self._ending = Ending(client)
        self._controller = loop(manager, "job", self._reconcile, workers=2)
        self._controller.watch(jobs)
        self._controller.watch(pods, owners_of(JOB, jobs.store))

    async def _reconcile(self, key: str) -> Outcome:
        job = self._jobs.get(key)
        if job is None or job.metadata.deletion_timestamp is not None:
            await self._let_go(key)
            return DONE
        if is_finished(job):
            await self._let_go(key)
            return await self._outlived(job)
        try:
            return await self._worked(key, job)
        except ApiError as error:
            if is_of_ending_namespace(error):
                return DONE  # with its namespace
            raise

    async def _worked(self, key: str, job: Job) -> Outcome:
        def note(store: Any, version: str) -> None:
            self._controller.writes.note(key, store, version)

        pods = await children_of(self._client, JOB, job, POD, self._pods, note)
        if pods is None:
            return DONE
        pods = self._ending.left(key, pods)
        looked = await look(self._client, job, pods)
        counts = count(job, pods, looked)
        plan = decide(job, counts, pods, self._clock.now(), looked)
        await self._act(key, job, plan)
        if plan.status != job.status:
            written = await tell(self._client, JOB, job, plan.status)
            note(self._jobs, written.metadata.resource_version)
        for pod in counts.written:
            await self._free(key, pod)
        return Progress(plan.after_s) if plan.after_s is not None else DONE

    async def _act(self, key: str, job: Job, plan: Plan) -> None:
        for birth in plan.births:
            body = born(job, birth)
            made = await self._client.create(POD, body, job.metadata.namespace, field_manager=MANAGER)
            self._controller.writes.note(key, self._pods, made.metadata.resource_version)
        for pod in plan.end:
            await self._ending.end(key, pod)

    async def _let_go(self, key: str) -> None:
        """Nobody counts them any more."""
        for pod in self._pods.by_index(_BY_JOB, key):
            await self._free(key, pod)

    async def _free(self, key: str, pod: Pod) -> None:
        meta = pod.metadata
        left = [each for each in meta.finalizers if each != FINALIZER]
        patch: list[dict[str, Any]] = [
            {"op": "test", "path": "/metadata/uid", "value": meta.uid},
            {"op": "test", "path": "/metadata/finalizers", "value": list(meta.finalizers)},
            {"op": "replace", "path": "/metadata/finalizers", "value": left},
        ]
        with suppress(NotFound, Invalid):  # it is another one by now, and its change wakes the key
            written = await self._client.json_patch(POD, meta.name, patch, meta.namespace, field_manager=MANAGER)
            self._controller.writes.note(key, self._pods, written.metadata.resource_version)

    async def _outlived(self, job: Job) -> Outcome:
        """End a Job that has been over for as long as it may stay."""
        seconds, at = job.spec.ttl_seconds_after_finished, finished_at(job)
        if seconds is None or at is None:
            return DONE
        left_s = (at + timedelta(seconds=seconds) - self._clock.now()).total_seconds()
        if left_s > 0:
            return Progress(left_s)
        meta = job.metadata
        with suppress(NotFound):
            await self._client.delete(JOB, meta.name, meta.namespace, uid=meta.uid, propagation="Foreground")
        return DONE
