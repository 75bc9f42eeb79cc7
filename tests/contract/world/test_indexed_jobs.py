"""Jobs whose completions have numbers, and what Jobs say of failures and success beforehand, on both engines."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.controllers import PODS
from tests.support.workloads import conditions, job
from tests.support.world import JOBS, World

pytestmark = pytest.mark.real
INDEX = "batch.kubernetes.io/job-completion-index"
FAILURES = "batch.kubernetes.io/job-index-failure-count"


def status(world: World) -> dict[str, Any]:
    found: dict[str, Any] = world.find(JOBS, "once").get("status", {})
    return found


def said(world: World) -> dict[str, Any]:
    return conditions(world.find(JOBS, "once"))


def at(world: World) -> dict[str, list[str]]:
    """The phases of the Pods of each index."""
    found: dict[str, list[str]] = {}
    for pod in world.all(PODS):
        found.setdefault(pod["metadata"]["annotations"][INDEX], []).append(pod["status"].get("phase", "Pending"))
    return found


async def begin(world: World, **spec: Any) -> None:
    await world.add_node()
    await world.create(JOBS, job(completionMode="Indexed", **spec))


def codes(action: str, *values: int) -> dict[str, Any]:
    return {"rules": [{"action": action, "onExitCodes": {"operator": "In", "values": list(values)}}]}


async def test_each_index_is_done_once_by_a_pod_that_knows_it(world: World) -> None:
    world.behave("running")
    await begin(world, completions=4, parallelism=3)
    await world.until(lambda: sorted(at(world)) == ["0", "1", "2"])
    pod = next(each for each in world.all(PODS) if each["metadata"]["annotations"][INDEX] == "1")
    meta, (container,) = pod["metadata"], pod["spec"]["containers"]
    assert meta["name"].startswith("once-1-")
    assert meta["labels"][INDEX] == "1"
    assert FAILURES not in meta["annotations"]
    assert pod["spec"]["hostname"] == "once-1"
    source = {"fieldRef": {"apiVersion": "v1", "fieldPath": f"metadata.labels['{INDEX}']"}}
    assert container["env"] == [{"name": "JOB_COMPLETION_INDEX", "valueFrom": source}]

    world.behave("succeeded", meta["name"])
    await world.until(lambda: sorted(at(world)) == ["0", "1", "2", "3"])
    await world.until(lambda: status(world).get("completedIndexes") == "1")
    assert (status(world)["succeeded"], status(world)["active"]) == (1, 3)
    world.behave("succeeded")

    await world.until(lambda: "Complete" in said(world))
    assert (status(world)["completedIndexes"], status(world)["succeeded"]) == ("0-3", 4)
    assert len(world.all(PODS)) == 4
    assert "failedIndexes" not in status(world)


async def test_an_index_that_fails_too_often_is_given_up_while_the_others_go_on(world: World) -> None:
    world.behave("running")
    await begin(world, completions=3, parallelism=3, backoffLimitPerIndex=0)
    await world.until(lambda: sorted(at(world)) == ["0", "1", "2"])
    for pod in world.all(PODS):
        marks = pod["metadata"]["annotations"]
        assert marks[FAILURES] == "0"
        world.behave("failed" if marks[INDEX] == "1" else "succeeded", pod["metadata"]["name"])

    await world.until(lambda: "Failed" in said(world))

    told = ("True", "FailedIndexes", "Job has failed indexes")
    assert said(world) == {"FailureTarget": told, "Failed": told}
    found = status(world)
    assert (found["completedIndexes"], found["failedIndexes"]) == ("0,2", "1")
    assert (found["succeeded"], found["failed"]) == (2, 1)
    await world.until(lambda: not any("finalizers" in each["metadata"] for each in world.all(PODS)))


async def test_a_job_fails_when_more_indexes_are_given_up_than_may_be(world: World) -> None:
    world.behave("running")
    await begin(world, completions=3, parallelism=3, backoffLimitPerIndex=0, maxFailedIndexes=0)
    await world.until(lambda: sorted(at(world)) == ["0", "1", "2"])
    first = next(each for each in world.all(PODS) if each["metadata"]["annotations"][INDEX] == "0")
    world.behave("failed", first["metadata"]["name"])

    await world.until(lambda: "Failed" in said(world))

    text = "Job has exceeded the specified maximal number of failed indexes"
    assert said(world)["Failed"] == ("True", "MaxFailedIndexesExceeded", text)
    assert status(world)["failedIndexes"] == "0"
    await world.until(lambda: at(world) == {"0": ["Failed"]})


async def test_an_index_fails_at_once_by_a_rule_and_is_not_tried_again(world: World) -> None:
    world.codes["work:1"] = 3
    world.behave("failed", "work:1")
    await begin(world, completions=1, backoffLimitPerIndex=5, podFailurePolicy=codes("FailIndex", 2, 3))

    await world.until(lambda: "Failed" in said(world))

    assert said(world)["Failed"][1] == "FailedIndexes"
    assert (status(world)["failedIndexes"], at(world)) == ("0", {"0": ["Failed"]})


async def test_a_job_fails_at_once_by_a_rule_about_codes(world: World) -> None:
    world.codes["work:1"] = 42
    world.behave("failed", "work:1")
    await world.add_node()
    await world.create(JOBS, job(parallelism=1, podFailurePolicy=codes("FailJob", 42)))

    await world.until(lambda: "Failed" in said(world))

    (pod,) = world.all(PODS)
    name = f"{world.namespace}/{pod['metadata']['name']}"
    text = f"Container main for pod {name} failed with exit code 42 matching FailJob rule at index 0"
    told = ("True", "PodFailurePolicy", text)
    assert said(world) == {"FailureTarget": told, "Failed": told}
    assert status(world)["failed"] == 1


async def test_a_job_is_complete_when_as_much_is_done_as_is_enough(world: World) -> None:
    world.behave("running")
    enough = {"rules": [{"succeededIndexes": "5"}, {"succeededIndexes": "0,2-4", "succeededCount": 1}]}
    await begin(world, completions=6, parallelism=6, successPolicy=enough)
    await world.until(lambda: len(at(world)) == 6)
    third = next(each for each in world.all(PODS) if each["metadata"]["annotations"][INDEX] == "3")
    world.behave("succeeded", third["metadata"]["name"])

    await world.until(lambda: "Complete" in said(world))

    told = ("True", "SuccessPolicy", "Matched rules at index 1")
    assert said(world) == {"SuccessCriteriaMet": told, "Complete": told}
    assert (status(world)["succeeded"], status(world)["completedIndexes"]) == (1, "3")
    assert status(world).get("failed", 0) == 0
    await world.until(lambda: at(world) == {"3": ["Succeeded"]})
