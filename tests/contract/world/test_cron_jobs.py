"""CronJobs, on Kubernetes and in the simulated world: every second, and so at once."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.controllers import PODS
from tests.support.workloads import cron_job
from tests.support.world import CRON_JOBS, JOBS, World

pytestmark = pytest.mark.real
AT = "batch.kubernetes.io/cronjob-scheduled-timestamp"


def status(world: World) -> dict[str, Any]:
    found: dict[str, Any] = world.find(CRON_JOBS, "tick").get("status", {})
    return found


async def begun(world: World, **spec: Any) -> dict[str, Any]:
    """The Job of a CronJob that has made one."""
    await world.add_node()
    world.behave("running", "work:1")
    labels = {"metadata": {"labels": {"a": "b"}, "annotations": {"c": "d"}}}
    await world.create(CRON_JOBS, cron_job(schedule="@every 1s", job=labels, concurrencyPolicy="Forbid", **spec))
    await world.until(lambda: len(world.all(PODS)) == 1 and len(status(world).get("active", ())) == 1)
    return world.all(JOBS)[0]


async def test_a_job_belongs_to_the_cron_job_that_made_it_at_a_moment(world: World) -> None:
    meta = (await begun(world))["metadata"]

    assert meta["annotations"] == {"c": "d", AT: status(world)["lastScheduleTime"]}
    assert meta["labels"]["a"] == "b"
    assert meta["name"].rpartition("-")[0] == "tick"
    owner = world.find(CRON_JOBS, "tick")["metadata"]
    reference = {"apiVersion": "batch/v1", "kind": "CronJob", "name": "tick", "uid": owner["uid"]}
    assert meta["ownerReferences"] == [reference | {"controller": True, "blockOwnerDeletion": True}]
    told = status(world)["active"][0]
    assert {key: told[key] for key in ("kind", "name", "uid")} == {
        "kind": "Job",
        "name": meta["name"],
        "uid": meta["uid"],
    }

    await world.delete(CRON_JOBS, "tick")

    await world.until(lambda: not world.all(CRON_JOBS) and not world.all(JOBS) and not world.all(PODS))


async def test_a_job_that_has_ended_well_is_told_of_and_goes_when_none_is_to_stay(world: World) -> None:
    await begun(world, successfulJobsHistoryLimit=0)
    await world.patch(CRON_JOBS, "tick", {"spec": {"suspend": True}})

    world.behave("succeeded", "work:1")

    await world.until(lambda: not world.all(JOBS))
    await world.until(lambda: "lastSuccessfulTime" in status(world) and not status(world).get("active"))
