"""Quotas, as Kubernetes' own controller keeps them and as the simulated one does."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.controllers import CLAIMS, CONFIG_MAPS, LEASES, PODS, QUOTAS, REPLICA_SETS, SERVICES, kind
from tests.support.workloads import conditions, template
from tests.support.world import World

from homeostat.api.kind import Kind
from homeostat.kube.errors import Forbidden

pytestmark = pytest.mark.real
SECRETS = kind("", "Secret", "secrets")
LOOKS = 5000  # of a millisecond or more each
NO_LEASES, NO_SECRETS = {"count/leases.coordination.k8s.io": "0"}, {"count/secrets": "0"}
CLAIM = {"accessModes": ["ReadWriteOnce"], "storageClassName": "", "resources": {"requests": {"storage": "1Gi"}}}


def named(name: str, **parts: Any) -> dict[str, Any]:
    return {"metadata": {"name": name}, **parts}


async def limit(world: World, name: str, hard: dict[str, str], **spec: Any) -> None:
    """A quota that was counted."""
    await world.create(QUOTAS, named(name, spec={"hard": hard, **spec}))
    await world.until(lambda: set(used(world, name)) == set(hard))


async def until_refused(world: World, of: Kind[dict[str, Any]]) -> None:
    """Wait until the API server knows of a quota that allows none of a kind: it follows them a moment later.

    It hears of them in the order of their changes, so that it knows of all that were counted before.
    """
    for _ in range(LOOKS):
        try:
            await world.client.create(of, named("probe"), world.namespace, dry_run=True)
        except Forbidden:
            return
    raise AssertionError(f"{of.resource.plural} are not refused")


def used(world: World, name: str) -> dict[str, str]:
    found: dict[str, str] = (world.find(QUOTAS, name).get("status") or {}).get("used") or {}
    return found


async def pod(world: World, name: str, **spec: Any) -> None:
    container = {"name": "c", "image": "work:1", "resources": {"requests": {"cpu": "250m", "memory": "64Mi"}}}
    await world.create(PODS, named(name, spec={"containers": [container], **spec}))


async def test_a_quota_counts_what_is_there_what_comes_and_what_goes(world: World) -> None:
    await world.create(CONFIG_MAPS, named("first"))
    await limit(world, "all", {"configmaps": "2", "services": "2", "services.nodeports": "2"})
    # Counted anew, and by then with all that was there before.
    await world.patch(QUOTAS, "all", {"spec": {"hard": {"configmaps": "3", **NO_SECRETS}}})
    empty = {"configmaps": "1", "services": "0", "services.nodeports": "0", "count/secrets": "0"}
    await world.until(lambda: used(world, "all") == empty)
    await until_refused(world, SECRETS)

    await world.create(CONFIG_MAPS, named("second"))
    await world.create(SERVICES, named("web", spec={"type": "NodePort", "ports": [{"port": 80}]}))
    full = {**empty, "configmaps": "2", "services": "1", "services.nodeports": "1"}
    await world.until(lambda: used(world, "all") == full)
    await world.patch(SERVICES, "web", {"spec": {"type": "ClusterIP"}})
    await world.until(lambda: used(world, "all") == {**full, "services.nodeports": "0"})
    await world.delete(CONFIG_MAPS, "first")
    await world.delete(SERVICES, "web")

    await world.until(lambda: used(world, "all") == empty)


async def test_pods_count_while_they_live_and_within_their_scopes(world: World) -> None:
    await world.add_node()
    world.behave("running", "work:1")
    await limit(world, "short", {"pods": "9"}, scopes=["Terminating"])
    await limit(world, "modest", {"pods": "9"}, scopes=["BestEffort"])
    most = {"pods": "2", "requests.cpu": "1", "requests.memory": "1Gi", "count/pods": "9"}
    await limit(world, "all", most | NO_LEASES)
    await until_refused(world, LEASES)

    await pod(world, "short", activeDeadlineSeconds=600)
    await pod(world, "long")
    with pytest.raises(Forbidden, match=r"exceeded quota: all, requested: pods=1, used: pods=2, limited: pods=2"):
        await pod(world, "third")
    none = dict.fromkeys(NO_LEASES, "0")
    whole = {"pods": "2", "requests.cpu": "500m", "requests.memory": "128Mi", "count/pods": "2", **none}
    await world.until(lambda: used(world, "all") == whole)
    await world.until(lambda: (used(world, "short"), used(world, "modest")) == ({"pods": "1"}, {"pods": "0"}))

    world.behave("succeeded", "short")
    half = {"pods": "1", "requests.cpu": "250m", "requests.memory": "64Mi", "count/pods": "2", **none}
    await world.until(lambda: used(world, "all") == half)
    await world.until(lambda: used(world, "short") == {"pods": "0"})
    await world.delete(PODS, "long")
    await world.until(lambda: used(world, "all")["count/pods"] == "1")
    assert used(world, "all") == {**none, "pods": "0", "requests.cpu": "0", "requests.memory": "0", "count/pods": "1"}


async def test_another_limit_is_taken_over(world: World) -> None:
    await limit(world, "all", {"persistentvolumeclaims": "1", "requests.storage": "2Gi"} | NO_LEASES)
    await until_refused(world, LEASES)
    await world.create(CLAIMS, named("data", spec=CLAIM))

    gone = dict.fromkeys(("persistentvolumeclaims", *NO_LEASES))
    hard = {"requests.storage": "1536Mi", **NO_SECRETS}
    await world.patch(QUOTAS, "all", {"spec": {"hard": gone | hard}})

    status = {"hard": hard, "used": {"requests.storage": "1Gi", "count/secrets": "0"}}
    await world.until(lambda: world.find(QUOTAS, "all").get("status") == status)
    await until_refused(world, SECRETS)
    with pytest.raises(Forbidden, match=r"exceeded quota: all, requested: requests.storage=1Gi"):
        await world.create(CLAIMS, named("more", spec=CLAIM))


async def test_a_workload_says_that_a_quota_refuses_its_pods_and_goes_on_when_there_is_room(world: World) -> None:
    await limit(world, "few", {"pods": "1"} | NO_LEASES)
    await until_refused(world, LEASES)
    spec = {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": template()}
    await world.create(REPLICA_SETS, named("web", spec=spec))

    await world.until(lambda: "ReplicaFailure" in conditions(world.find(REPLICA_SETS, "web")))
    state, reason, message = conditions(world.find(REPLICA_SETS, "web"))["ReplicaFailure"]
    assert (state, reason) == ("True", "FailedCreate")
    assert "exceeded quota: few, requested: pods=1, used: pods=1, limited: pods=1" in message
    assert len(world.all(PODS)) == 1

    await world.patch(QUOTAS, "few", {"spec": {"hard": {"pods": "2"}}})
    await world.until(lambda: len(world.all(PODS)) == 2)
    await world.until(lambda: "ReplicaFailure" not in conditions(world.find(REPLICA_SETS, "web")))
