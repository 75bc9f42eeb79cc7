"""Jobs, on Kubernetes and in the simulated world."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.controllers import PODS
from tests.support.workloads import conditions, job
from tests.support.world import JOBS, World

pytestmark = pytest.mark.real
FINALIZER = "batch.kubernetes.io/job-tracking"
DONE = ("True", "CompletionsReached", "Reached expected number of succeeded pods")
LIMIT = ("True", "BackoffLimitExceeded", "Job has reached the specified backoff limit")
LATE = ("True", "DeadlineExceeded", "Job was active longer than specified deadline")


def said(world: World) -> dict[str, Any]:
    return conditions(world.find(JOBS, "once"))


def status(world: World) -> dict[str, Any]:
    found: dict[str, Any] = world.find(JOBS, "once").get("status", {})
    return found


async def test_a_job_is_complete_when_enough_pods_have_ended_well(world: World) -> None:
    await world.add_node()
    world.behave("running", "work:1")
    await world.create(JOBS, job(completions=3, parallelism=2))
    await world.until(lambda: status(world).get("active") == 2 and len(world.all(PODS)) == 2)
    for pod in world.all(PODS):
        meta = pod["metadata"]
        assert meta["name"].startswith("once-")
        assert meta["finalizers"] == [FINALIZER]
        assert meta["labels"]["batch.kubernetes.io/job-name"] == "once"
    assert "startTime" in status(world)

    world.behave("succeeded", "work:1")

    await world.until(lambda: "Complete" in said(world))
    assert said(world) == {"SuccessCriteriaMet": DONE, "Complete": DONE}
    found = status(world)
    assert (found["succeeded"], found.get("failed", 0), found.get("active", 0)) == (3, 0, 0)
    assert found["uncountedTerminatedPods"] == {}
    assert "completionTime" in found
    assert len(world.all(PODS)) == 3
    await world.until(lambda: not any("finalizers" in each["metadata"] for each in world.all(PODS)))


async def test_a_job_whose_pods_fail_too_often_fails(world: World) -> None:
    await world.add_node()
    world.behave("failed", "work:1")
    await world.create(JOBS, job(backoffLimit=0))

    await world.until(lambda: "Failed" in said(world))

    assert said(world) == {"FailureTarget": LIMIT, "Failed": LIMIT}
    assert status(world)["failed"] == 1
    assert len(world.all(PODS)) == 1


async def test_a_job_that_takes_too_long_fails_and_its_pods_go(world: World) -> None:
    await world.add_node()
    world.behave("running", "work:1")
    await world.create(JOBS, job(activeDeadlineSeconds=1))

    await world.until(lambda: "Failed" in said(world))

    assert said(world) == {"FailureTarget": LATE, "Failed": LATE}
    await world.until(lambda: not world.all(PODS))


async def test_a_job_that_is_over_goes_when_its_time_has_come_with_its_pods(world: World) -> None:
    await world.add_node()
    world.behave("succeeded", "work:1")
    await world.create(JOBS, job(ttlSecondsAfterFinished=1))

    await world.until(lambda: "Complete" in said(world))
    await world.until(lambda: not world.all(JOBS) and not world.all(PODS))


async def test_a_job_without_a_number_of_completions_is_complete_when_one_has_ended_well(world: World) -> None:
    await world.add_node()
    world.behave("running", "work:1")
    await world.create(JOBS, job(parallelism=2))
    await world.until(lambda: status(world).get("active") == 2 and len(world.all(PODS)) == 2)
    first, second = world.names(PODS)

    world.behave("succeeded", first)

    await world.until(lambda: status(world).get("succeeded") == 1)
    assert "Complete" not in said(world)
    world.behave("succeeded", second)
    await world.until(lambda: "Complete" in said(world))
    assert len(world.all(PODS)) == 2


async def test_a_suspended_job_has_no_pods_until_it_goes_on(world: World) -> None:
    await world.add_node()
    world.behave("running", "work:1")
    await world.create(JOBS, job(suspend=True))
    await world.until(lambda: "Suspended" in said(world))
    assert said(world) == {"Suspended": ("True", "JobSuspended", "Job suspended")}
    assert not world.all(PODS)

    await world.patch(JOBS, "once", {"spec": {"suspend": False}})

    await world.until(lambda: len(world.all(PODS)) == 1 and status(world).get("active") == 1)
    assert said(world)["Suspended"] == ("False", "JobResumed", "Job resumed")
    await world.patch(JOBS, "once", {"spec": {"suspend": True}})
    await world.until(lambda: not world.all(PODS))


async def test_pods_of_a_job_that_is_deleted_go_with_it(world: World) -> None:
    await world.add_node()
    world.behave("running", "work:1")
    await world.create(JOBS, job())
    await world.until(lambda: len(world.all(PODS)) == 1)

    await world.delete(JOBS, "once")

    await world.until(lambda: not world.all(JOBS) and not world.all(PODS))
