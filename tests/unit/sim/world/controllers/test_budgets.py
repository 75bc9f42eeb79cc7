"""A budget says how many Pods may be missing now, by what their owners want."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.controllers import BUDGETS, PODS, REPLICA_SETS, Site, working
from tests.support.placing import pod

from homeostat.kube.errors import TooManyRequests
from homeostat.sim.world.controllers.budgets import add_disruption_budgets, share

WEB = {"app": "web"}


async def _replica_set(site: Site, replicas: int) -> dict[str, Any]:
    template = {"metadata": {"labels": WEB}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    spec = {"replicas": replicas, "selector": {"matchLabels": WEB}, "template": template}
    return await site.make(REPLICA_SETS, {"metadata": {"name": "web"}, "spec": spec}, "default")


async def _pod(site: Site, name: str, owner: dict[str, Any] | None = None, *, ready: bool = True) -> None:
    body = pod(name, labels=WEB, nodeName="n1")
    del body["metadata"]["uid"]
    if owner is not None:
        named = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": owner["metadata"]["uid"]}
        body["metadata"]["ownerReferences"] = [{**named, "controller": True}]
    body["status"] = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True" if ready else "False"}]}
    await site.make(PODS, body, "default")


async def _budget(site: Site, **spec: Any) -> None:
    await site.make(BUDGETS, {"metadata": {"name": "b"}, "spec": {"selector": {"matchLabels": WEB}, **spec}}, "default")


async def _count(site: Site) -> tuple[int, int, int, int]:
    said = (await site.get(BUDGETS, "b", "default"))["status"]
    return said["disruptionsAllowed"], said["currentHealthy"], said["desiredHealthy"], said["expectedPods"]


async def test_as_many_may_go_as_are_well_beyond_those_that_must_stay() -> None:
    async with working(add_disruption_budgets) as site:
        owner = await _replica_set(site, 3)
        await _budget(site, maxUnavailable=1)
        assert await _count(site) == (0, 0, 0, 0)
        for name in "abc":
            await _pod(site, name, owner)
        assert await _count(site) == (1, 3, 2, 3)
        condition = (await site.get(BUDGETS, "b", "default"))["status"]["conditions"][0]
        assert (condition["type"], condition["status"], condition["reason"]) == (
            "DisruptionAllowed",
            "True",
            "SufficientPods",
        )
        await site.set_status(PODS, "a", {"conditions": [{"type": "Ready", "status": "False"}]}, "default")
        await site.rest()
        assert await _count(site) == (0, 2, 2, 3)
        before = site.revision
        await site.pass_time(600)
        assert site.revision == before


async def test_more_are_wanted_when_the_owner_is_scaled() -> None:
    async with working(add_disruption_budgets) as site:
        owner = await _replica_set(site, 1)
        await _budget(site, maxUnavailable="50%")
        await _pod(site, "a", owner)
        assert await _count(site) == (1, 1, 0, 1)
        await site.client.merge_patch(REPLICA_SETS, "web", {"spec": {"replicas": 4}}, "default")
        await site.rest()
        assert await _count(site) == (0, 1, 2, 4)


async def test_a_number_that_must_stay_counts_pods_that_nobody_owns() -> None:
    async with working(add_disruption_budgets) as site:
        await _budget(site, minAvailable=1)
        await _pod(site, "a")
        await _pod(site, "b")
        assert await _count(site) == (1, 2, 1, 2)


async def test_who_was_evicted_counts_as_missing_until_it_goes_or_for_two_minutes() -> None:
    async with working(add_disruption_budgets) as site:
        owner = await _replica_set(site, 2)
        await _budget(site, maxUnavailable=1)
        for name in "ab":
            await _pod(site, name, owner)
        await site.client.evict("a", "default", dry_run=True)
        await site.client.evict("a", "default")
        with pytest.raises(TooManyRequests):
            await site.client.evict("b", "default")
        await site.rest()
        assert await _count(site) == (0, 1, 1, 2)
        assert not (await site.get(BUDGETS, "b", "default"))["status"].get("disruptedPods")
        noted = {"disruptedPods": {"b": site.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")}}
        await site.set_status(BUDGETS, "b", noted, "default")
        await site.rest()
        assert (await _count(site))[1] == 0
        await site.pass_time(121)
        assert (await _count(site))[1] == 1


def test_a_share_is_rounded_up() -> None:
    assert [share("50%", 3), share("0%", 3), share(2, 3), share("100%", 3)] == [2, 0, 2, 3]
