"""StatefulSets, their claims and their revisions, on Kubernetes and in the simulated world."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.controllers import CLAIMS, PODS
from tests.support.workloads import stateful_set, template
from tests.support.world import REVISIONS, STATEFUL_SETS, World

pytestmark = pytest.mark.real
Object = dict[str, Any]


def db(image: str) -> Object:
    return {"spec": {"template": template(image, {"app": "db"})}}


def is_complete(world: World, replicas: int) -> bool:
    status = world.status(STATEFUL_SETS, "db")
    counts = ("replicas", "readyReplicas", "availableReplicas", "updatedReplicas", "currentReplicas")
    is_one = status.get("currentRevision") == status.get("updateRevision")
    return is_one and [status.get(each, 0) for each in counts] == [replicas] * 5


def images(world: World) -> dict[str, str]:
    return {each["metadata"]["name"]: each["spec"]["containers"][0]["image"] for each in world.all(PODS)}


def ready(world: World) -> int:
    return int(world.status(STATEFUL_SETS, "db").get("readyReplicas", 0))


async def test_pods_have_names_numbers_and_claims_of_their_own(world: World) -> None:
    await world.add_node()
    await world.create(STATEFUL_SETS, stateful_set(replicas=2, claims=("data",)))

    await world.until(lambda: is_complete(world, 2))

    status = world.status(STATEFUL_SETS, "db")
    revision = status["updateRevision"]
    assert status == {
        "observedGeneration": 1,
        "replicas": 2,
        "readyReplicas": 2,
        "availableReplicas": 2,
        "currentReplicas": 2,
        "updatedReplicas": 2,
        "currentRevision": revision,
        "updateRevision": revision,
        "collisionCount": 0,
    }
    (kept,) = world.all(REVISIONS)
    digest = kept["metadata"]["labels"]["controller.kubernetes.io/hash"]
    assert (kept["metadata"]["name"], kept["revision"], revision) == (f"db-{digest}", 1, f"db-{digest}")
    assert kept["metadata"]["labels"] == {"app": "db", "controller.kubernetes.io/hash": digest}
    assert kept["data"]["spec"]["template"]["$patch"] == "replace"
    for number, pod in enumerate(world.all(PODS)):
        meta, spec = pod["metadata"], pod["spec"]
        assert (meta["name"], spec["hostname"], spec["subdomain"]) == (f"db-{number}", f"db-{number}", "db")
        assert meta["generateName"] == "db-"
        assert meta["labels"] == {
            "app": "db",
            "apps.kubernetes.io/pod-index": str(number),
            "statefulset.kubernetes.io/pod-name": f"db-{number}",
            "controller-revision-hash": revision,
        }
        assert [each for each in spec["volumes"] if each["name"] == "data"] == [
            {"name": "data", "persistentVolumeClaim": {"claimName": f"data-db-{number}"}}
        ]
        (owner,) = meta["ownerReferences"]
        assert (owner["kind"], owner["controller"], owner["blockOwnerDeletion"]) == ("StatefulSet", True, True)
    for claim in world.all(CLAIMS):
        assert claim["metadata"]["labels"] == {"kept": "yes", "app": "db"}
        assert "ownerReferences" not in claim["metadata"]


async def test_in_order_one_pod_waits_for_the_one_before_it(world: World) -> None:
    await world.add_node()
    world.behave("running", "db-0")
    await world.create(STATEFUL_SETS, stateful_set(replicas=3))
    await world.until(lambda: world.find(PODS, "db-0").get("status", {}).get("phase") == "Running")
    assert world.names(PODS) == ["db-0"]

    world.behave("ready", "db-0")

    await world.until(lambda: is_complete(world, 3))
    await world.client.set_scale(STATEFUL_SETS, "db", world.namespace, 1)
    await world.until(lambda: is_complete(world, 1))
    assert world.names(PODS) == ["db-0"]


async def test_in_parallel_all_pods_are_made_at_once(world: World) -> None:
    await world.add_node()
    world.behave("running")
    await world.create(STATEFUL_SETS, stateful_set(replicas=3, podManagementPolicy="Parallel"))

    await world.until(lambda: world.status(STATEFUL_SETS, "db").get("replicas") == 3)

    assert ready(world) == 0


async def test_a_new_template_replaces_the_last_pod_first_and_none_below_the_partition(world: World) -> None:
    await world.add_node()
    await world.create(STATEFUL_SETS, stateful_set(replicas=3, podManagementPolicy="Parallel", partition=2))
    await world.until(lambda: is_complete(world, 3))
    before = world.status(STATEFUL_SETS, "db")["currentRevision"]

    await world.patch(STATEFUL_SETS, "db", db("db:2"))

    await world.until(lambda: world.status(STATEFUL_SETS, "db").get("updatedReplicas") == 1 and ready(world) == 3)
    status = world.status(STATEFUL_SETS, "db")
    assert (status["currentRevision"], status["currentReplicas"]) == (before, 2)
    assert status["updateRevision"] != before
    assert images(world) == {"db-0": "db:1", "db-1": "db:1", "db-2": "db:2"}
    await world.delete(PODS, "db-0")
    await world.until(lambda: ready(world) < 3)
    await world.until(lambda: ready(world) == 3)
    assert images(world)["db-0"] == "db:1"

    lower = {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}}
    world.behave("running", "db-1")
    await world.patch(STATEFUL_SETS, "db", {"spec": lower})

    await world.until(lambda: images(world).get("db-1") == "db:2")
    assert images(world)["db-0"] == "db:1"
    world.behave("ready", "db-1")
    await world.until(lambda: is_complete(world, 3))
    assert set(images(world).values()) == {"db:2"}
    assert [each["revision"] for each in world.all(REVISIONS)] in ([1, 2], [2, 1])


async def test_a_pod_that_never_gets_ready_makes_room_for_a_better_template(world: World) -> None:
    await world.add_node()
    world.behave("running", "db:1")
    await world.create(STATEFUL_SETS, stateful_set(replicas=2, podManagementPolicy="Parallel"))
    await world.until(lambda: world.status(STATEFUL_SETS, "db").get("replicas") == 2)

    await world.patch(STATEFUL_SETS, "db", db("db:2"))

    await world.until(lambda: is_complete(world, 2))
    assert set(images(world).values()) == {"db:2"}


async def test_going_back_takes_up_the_old_revision_with_a_new_number(world: World) -> None:
    await world.add_node()
    await world.create(STATEFUL_SETS, stateful_set(revisionHistoryLimit=1))
    await world.until(lambda: is_complete(world, 1))
    first = world.status(STATEFUL_SETS, "db")["updateRevision"]
    await world.patch(STATEFUL_SETS, "db", db("db:2"))
    await world.until(lambda: is_complete(world, 1) and set(images(world).values()) == {"db:2"})

    await world.patch(STATEFUL_SETS, "db", db("db:1"))

    await world.until(lambda: is_complete(world, 1) and set(images(world).values()) == {"db:1"})
    assert world.status(STATEFUL_SETS, "db")["updateRevision"] == first
    assert {each["metadata"]["name"]: each["revision"] for each in world.all(REVISIONS)}[first] == 3
    for number in (3, 4):
        await world.patch(STATEFUL_SETS, "db", db(f"db:{number}"))
    await world.until(lambda: is_complete(world, 1) and set(images(world).values()) == {"db:4"})
    await world.until(lambda: len(world.all(REVISIONS)) == 2)


async def test_on_delete_pods_are_replaced_by_whoever_deletes_them(world: World) -> None:
    await world.add_node()
    await world.create(STATEFUL_SETS, stateful_set(updateStrategy={"type": "OnDelete"}, replicas=2))
    await world.until(lambda: ready(world) == 2)
    await world.patch(STATEFUL_SETS, "db", db("db:2"))
    await world.until(lambda: bool(world.status(STATEFUL_SETS, "db")))

    await world.delete(PODS, "db-0")

    await world.until(lambda: images(world).get("db-0") == "db:2" and ready(world) == 2)
    assert images(world)["db-1"] == "db:1"


async def test_pods_that_have_ended_are_made_anew_with_their_claims(world: World) -> None:
    await world.add_node()
    await world.create(STATEFUL_SETS, stateful_set(claims=("data",)))
    await world.until(lambda: is_complete(world, 1))
    before = world.find(PODS, "db-0")["metadata"]["uid"]
    claim = world.find(CLAIMS, "data-db-0")["metadata"]["uid"]

    world.behave("failed", "db-0")
    await world.until(lambda: world.find(PODS, "db-0").get("metadata", {}).get("uid", before) != before)
    world.behave("ready", "db-0")

    await world.until(lambda: is_complete(world, 1))
    assert world.find(CLAIMS, "data-db-0")["metadata"]["uid"] == claim


async def test_claims_outlive_the_set_and_a_pod_waits_until_a_claim_that_ends_is_gone(world: World) -> None:
    await world.add_node()
    await world.create(STATEFUL_SETS, stateful_set(claims=("data",)))
    await world.until(lambda: is_complete(world, 1))
    before = world.find(CLAIMS, "data-db-0")["metadata"]["uid"]
    world.ends_pods = False
    await world.delete(CLAIMS, "data-db-0")
    await world.delete(PODS, "db-0")
    await world.until(lambda: "deletionTimestamp" in world.find(PODS, "db-0")["metadata"])

    world.ends_pods = True
    world.play_all()

    await world.until(lambda: world.find(CLAIMS, "data-db-0").get("metadata", {}).get("uid", before) != before)
    await world.until(lambda: is_complete(world, 1))
    await world.delete(STATEFUL_SETS, "db")
    await world.until(lambda: not world.all(PODS))
    assert world.names(CLAIMS) == ["data-db-0"]


async def test_in_order_those_count_that_have_been_ready_long_enough(world: World) -> None:
    await world.add_node()
    await world.create(STATEFUL_SETS, stateful_set(replicas=2, minReadySeconds=1))
    await world.until(lambda: ready(world) == 1)
    assert world.names(PODS) == ["db-0"]

    await world.until(lambda: is_complete(world, 2))


def owners(world: World, claim: str) -> list[tuple[str, str]]:
    found = world.find(CLAIMS, claim).get("metadata", {}).get("ownerReferences", ())
    return [(each["kind"], each["name"]) for each in found]


async def test_claims_go_with_the_set_when_they_are_to(world: World) -> None:
    await world.add_node()
    policy = {"whenDeleted": "Delete", "whenScaled": "Retain"}
    body = stateful_set(replicas=2, claims=("data",), persistentVolumeClaimRetentionPolicy=policy)
    await world.create(STATEFUL_SETS, body)
    await world.until(lambda: is_complete(world, 2))
    await world.until(lambda: owners(world, "data-db-0") == [("StatefulSet", "db")])
    await world.client.set_scale(STATEFUL_SETS, "db", world.namespace, 1)
    await world.until(lambda: is_complete(world, 1))
    assert world.names(CLAIMS) == ["data-db-0", "data-db-1"]

    await world.delete(STATEFUL_SETS, "db")

    await world.until(lambda: not world.all(CLAIMS))


async def test_claims_go_with_the_pods_that_are_not_wanted_any_more_when_they_are_to(world: World) -> None:
    await world.add_node()
    policy = {"whenDeleted": "Retain", "whenScaled": "Delete"}
    body = stateful_set(replicas=2, claims=("data",), persistentVolumeClaimRetentionPolicy=policy)
    await world.create(STATEFUL_SETS, body)
    await world.until(lambda: is_complete(world, 2))
    assert owners(world, "data-db-1") == []

    await world.client.set_scale(STATEFUL_SETS, "db", world.namespace, 1)

    await world.until(lambda: world.names(CLAIMS) == ["data-db-0"])
    await world.delete(STATEFUL_SETS, "db")
    await world.until(lambda: not world.all(PODS))
    assert world.names(CLAIMS) == ["data-db-0"]
