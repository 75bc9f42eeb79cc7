"""Deployments and their ReplicaSets, on Kubernetes and in the simulated world."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from tests.support.controllers import DEPLOYMENTS, PODS, REPLICA_SETS
from tests.support.workloads import conditions, deployment, template
from tests.support.world import World

pytestmark = pytest.mark.real
REVISION = "deployment.kubernetes.io/revision"


def is_complete(world: World, replicas: int, name: str = "web") -> bool:
    status = world.status(DEPLOYMENTS, name)
    counts = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
    return [status.get(each, 0) for each in counts] == [replicas] * 4


def sizes(world: World) -> list[int]:
    return sorted(each["spec"]["replicas"] for each in world.all(REPLICA_SETS))


def images(world: World) -> list[str]:
    return sorted({each["spec"]["containers"][0]["image"] for each in world.all(PODS)})


def is_running(world: World, image: str) -> bool:
    return is_complete(world, 1) and images(world) == [image]


async def test_a_deployment_gets_its_pods_and_says_when_they_are_available(world: World) -> None:
    await world.add_node()
    await world.create(DEPLOYMENTS, deployment(replicas=2))

    await world.until(lambda: is_complete(world, 2))

    (replica_set,) = world.all(REPLICA_SETS)
    digest = replica_set["metadata"]["labels"]["pod-template-hash"]
    assert replica_set["metadata"]["name"] == f"web-{digest}"
    assert replica_set["spec"]["selector"]["matchLabels"] == {"app": "web", "pod-template-hash": digest}
    noted = replica_set["metadata"]["annotations"]
    assert {key.rpartition("/")[2]: text for key, text in noted.items()} == {
        "revision": "1",
        "desired-replicas": "2",
        "max-replicas": "3",
    }
    for pod in world.all(PODS):
        assert pod["metadata"]["name"].startswith(f"web-{digest}-")
        assert pod["metadata"]["labels"] == {"app": "web", "pod-template-hash": digest}
        (owner,) = pod["metadata"]["ownerReferences"]
        assert owner == {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "name": f"web-{digest}",
            "uid": replica_set["metadata"]["uid"],
            "controller": True,
            "blockOwnerDeletion": True,
        }
    found = world.find(DEPLOYMENTS, "web")
    assert found["metadata"]["annotations"][REVISION] == "1"
    assert conditions(found) == {
        "Available": ("True", "MinimumReplicasAvailable", "Deployment has minimum availability."),
        "Progressing": (
            "True",
            "NewReplicaSetAvailable",
            f'ReplicaSet "web-{digest}" has successfully progressed.',
        ),
    }
    assert set(found["status"]) == {
        "observedGeneration",
        "replicas",
        "updatedReplicas",
        "readyReplicas",
        "availableReplicas",
        "conditions",
        "terminatingReplicas",
    }
    assert replica_set["status"] == {
        "replicas": 2,
        "fullyLabeledReplicas": 2,
        "readyReplicas": 2,
        "availableReplicas": 2,
        "terminatingReplicas": 0,
        "observedGeneration": 1,
    }


async def test_a_new_template_rolls_within_its_bounds_and_the_old_one_can_be_gone_back_to(world: World) -> None:
    await world.add_node()
    await world.create(DEPLOYMENTS, deployment(replicas=2, maxSurge=1, maxUnavailable=0))
    await world.until(lambda: is_complete(world, 2))
    world.behave("running", "web:2")

    await world.patch(DEPLOYMENTS, "web", {"spec": {"template": template("web:2")}})

    await world.until(lambda: world.status(DEPLOYMENTS, "web").get("updatedReplicas") == 1)
    assert sizes(world) == [1, 2]
    assert world.status(DEPLOYMENTS, "web")["unavailableReplicas"] == 1
    world.behave("ready", "web:2")
    await world.until(lambda: is_complete(world, 2) and len(world.all(PODS)) == 2)
    assert images(world) == ["web:2"]
    assert sizes(world) == [0, 2]

    await world.patch(DEPLOYMENTS, "web", {"spec": {"template": template("web:1")}})

    await world.until(lambda: is_complete(world, 2) and images(world) == ["web:1"])
    assert sizes(world) == [0, 2]
    assert world.find(DEPLOYMENTS, "web")["metadata"]["annotations"][REVISION] == "3"
    (present,) = (each for each in world.all(REPLICA_SETS) if each["spec"]["replicas"])
    assert present["metadata"]["annotations"][REVISION] == "3"
    assert present["metadata"]["annotations"]["deployment.kubernetes.io/revision-history"] == "1"


async def test_recreating_waits_until_the_old_pods_are_gone(world: World) -> None:
    await world.add_node()
    await world.create(DEPLOYMENTS, deployment(replicas=1, strategy={"type": "Recreate"}))
    await world.until(lambda: is_complete(world, 1))
    world.ends_pods = False

    await world.patch(DEPLOYMENTS, "web", {"spec": {"template": template("web:2")}})

    await world.until(lambda: any("deletionTimestamp" in each["metadata"] for each in world.all(PODS)))
    await world.until(lambda: world.status(DEPLOYMENTS, "web").get("replicas", 0) == 0)
    assert images(world) == ["web:1"]
    world.ends_pods = True
    world.play_all()
    await world.until(lambda: is_complete(world, 1) and images(world) == ["web:2"])


async def test_replicas_that_are_asked_for_in_the_middle_of_a_rollout_are_shared_out(world: World) -> None:
    await world.add_node()
    await world.create(DEPLOYMENTS, deployment(replicas=4, maxSurge=2, maxUnavailable=0))
    await world.until(lambda: is_complete(world, 4))
    world.behave("running", "web:2")
    await world.patch(DEPLOYMENTS, "web", {"spec": {"template": template("web:2")}})
    await world.until(lambda: world.status(DEPLOYMENTS, "web").get("updatedReplicas") == 2)

    await world.client.set_scale(DEPLOYMENTS, "web", world.namespace, 7)

    await world.until(lambda: world.status(DEPLOYMENTS, "web").get("replicas") == 9)
    assert sizes(world) == [3, 6]


async def test_old_replica_sets_go_beyond_the_limit(world: World) -> None:
    await world.add_node()
    await world.create(DEPLOYMENTS, deployment(revisionHistoryLimit=1))
    for number in (1, 2, 3):
        await world.patch(DEPLOYMENTS, "web", {"spec": {"template": template(f"web:{number}")}})
        await world.until(partial(is_running, world, f"web:{number}"))

    await world.until(lambda: len(world.all(REPLICA_SETS)) == 2)

    revisions = [each["metadata"]["annotations"][REVISION] for each in world.all(REPLICA_SETS)]
    assert sorted(revisions) == ["2", "3"]


async def test_a_paused_deployment_waits_with_a_new_template_and_says_so(world: World) -> None:
    await world.add_node()
    await world.create(DEPLOYMENTS, deployment())
    await world.until(lambda: is_complete(world, 1))

    await world.patch(DEPLOYMENTS, "web", {"spec": {"paused": True, "template": template("web:2")}})

    def progress() -> Any:
        is_seen = bool(world.status(DEPLOYMENTS, "web"))
        return is_seen and conditions(world.find(DEPLOYMENTS, "web"))["Progressing"]

    await world.until(lambda: progress() and progress()[1] == "DeploymentPaused")
    assert progress() == ("Unknown", "DeploymentPaused", "Deployment is paused")
    assert len(world.all(REPLICA_SETS)) == 1
    await world.patch(DEPLOYMENTS, "web", {"spec": {"paused": False}})
    await world.until(lambda: is_complete(world, 1) and images(world) == ["web:2"])
    await world.until(lambda: progress()[1] == "NewReplicaSetAvailable")


async def test_a_rollout_that_comes_to_nothing_says_so_after_its_deadline(world: World) -> None:
    await world.add_node()
    world.behave("running")

    await world.create(DEPLOYMENTS, deployment(progressDeadlineSeconds=1))

    await world.until(lambda: conditions(world.find(DEPLOYMENTS, "web")).get("Progressing", ("",))[0] == "False")
    (replica_set,) = world.names(REPLICA_SETS)
    told = conditions(world.find(DEPLOYMENTS, "web"))
    assert told["Progressing"] == (
        "False",
        "ProgressDeadlineExceeded",
        f'ReplicaSet "{replica_set}" has timed out progressing.',
    )
    assert told["Available"][:2] == ("False", "MinimumReplicasUnavailable")


async def test_pods_of_the_right_labels_are_taken_in_and_those_of_others_let_go(world: World) -> None:
    await world.add_node()
    await world.create(PODS, {"metadata": {"name": "found", "labels": {"app": "web"}}, "spec": template()["spec"]})
    body = deployment(replicas=2)
    spec = {key: body["spec"][key] for key in ("replicas", "selector", "template")}
    await world.create(REPLICA_SETS, {"metadata": {"name": "web"}, "spec": spec})
    await world.until(lambda: world.status(REPLICA_SETS, "web").get("readyReplicas") == 2)
    owner = world.find(PODS, "found")["metadata"]["ownerReferences"][0]
    assert (owner["kind"], owner["name"], owner["controller"]) == ("ReplicaSet", "web", True)

    await world.patch(PODS, "found", {"metadata": {"labels": {"app": "other"}}})

    await world.until(lambda: "ownerReferences" not in world.find(PODS, "found")["metadata"])
    await world.until(lambda: len(world.all(PODS)) == 3)


async def test_of_too_many_pods_those_that_are_not_ready_go_first(world: World) -> None:
    await world.add_node()
    await world.create(DEPLOYMENTS, deployment(replicas=3))
    await world.until(lambda: is_complete(world, 3))
    kept = world.names(PODS)[1]
    world.usual = "running"
    world.behave("ready", kept)
    await world.until(lambda: world.status(DEPLOYMENTS, "web").get("readyReplicas") == 1)

    await world.client.set_scale(DEPLOYMENTS, "web", world.namespace, 1)

    await world.until(lambda: world.names(PODS) == [kept])
