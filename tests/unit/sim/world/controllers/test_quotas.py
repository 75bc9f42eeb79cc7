"""A quota says at once how much is used, and less when something goes."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.support.clock import settle
from tests.support.controllers import CLAIMS, CONFIG_MAPS, PODS, QUOTAS, SERVICES, Site, kind, working
from tests.support.placing import pod

from homeostat.sim.world.controllers.quotas.controller import RECOUNT_S, add_quotas

THINGS = kind("quotas.example", "Thing", "things")
DEFINITIONS = kind("apiextensions.k8s.io", "CustomResourceDefinition", "customresourcedefinitions", namespaced=False)
HOME = "default"


async def _quota(site: Site, hard: dict[str, str], **spec: Any) -> None:
    await site.make(QUOTAS, {"metadata": {"name": "q"}, "spec": {"hard": hard, **spec}}, HOME)


async def _status(site: Site) -> dict[str, Any]:
    found: dict[str, Any] = (await site.get(QUOTAS, "q", HOME))["status"]
    return found


async def _used(site: Site) -> dict[str, str]:
    found: dict[str, str] = (await _status(site)).get("used", {})
    return found


async def _pod(site: Site, name: str, cpu: str = "", **spec: Any) -> None:
    body = pod(name, **spec)
    del body["metadata"]["uid"]
    body["spec"]["containers"][0]["resources"] = {"requests": {"cpu": cpu}} if cpu else {}
    await site.make(PODS, body, HOME)


def _map(name: str) -> dict[str, Any]:
    return {"metadata": {"name": name}}


async def test_a_new_quota_counts_what_is_there_and_what_comes_and_goes() -> None:
    async with working(add_quotas) as site:
        await site.make(CONFIG_MAPS, _map("a"), HOME)
        await _quota(site, {"configmaps": "3", "count/secrets": "1", "pods": "2"})
        hard = {"configmaps": "3", "count/secrets": "1", "pods": "2"}
        assert await _status(site) == {"hard": hard, "used": {"configmaps": "1", "count/secrets": "0", "pods": "0"}}

        await site.client.create(CONFIG_MAPS, _map("b"), HOME)
        assert (await _used(site))["configmaps"] == "2"  # before anybody could count

        await site.client.delete(CONFIG_MAPS, "a", HOME)
        await site.pass_time(1)
        assert (await _used(site))["configmaps"] == "1"


async def test_what_comes_at_one_moment_does_not_exceed_a_quota() -> None:
    async with working(add_quotas) as site:
        await _quota(site, {"configmaps": "1"})
        creations = [site.client.create(CONFIG_MAPS, _map(name), HOME) for name in "abc"]
        refused = [str(each) for each in await asyncio.gather(*creations, return_exceptions=True)][1:]
        says = "exceeded quota: q, requested: configmaps=1, used: configmaps=1, limited: configmaps=1"
        assert [says in each for each in refused] == [True, True]
        assert len(await site.all(CONFIG_MAPS, HOME)) == 1


async def test_a_pod_counts_until_it_is_over_and_its_object_until_it_is_gone() -> None:
    async with working(add_quotas) as site:
        await _quota(site, {"pods": "5", "requests.cpu": "2", "count/pods": "5"})
        await _pod(site, "a", "300m")
        await _pod(site, "b", "1200m")
        assert await _used(site) == {"pods": "2", "requests.cpu": "1500m", "count/pods": "2"}

        await site.set_status(PODS, "a", {"phase": "Succeeded"}, HOME)
        await site.pass_time(1)
        assert await _used(site) == {"pods": "1", "requests.cpu": "1200m", "count/pods": "2"}

        await site.client.delete(PODS, "b", HOME, grace_s=0)
        await site.pass_time(1)
        assert await _used(site) == {"pods": "0", "requests.cpu": "0", "count/pods": "1"}


async def test_scopes_count_only_what_is_within_them() -> None:
    async with working(add_quotas) as site:
        await _pod(site, "all", "1", activeDeadlineSeconds=60)
        await _pod(site, "nothing")
        for name, scopes in (("q", ["BestEffort"]), ("r", ["Terminating"]), ("s", ["NotTerminating", "NotBestEffort"])):
            body = {"metadata": {"name": name}, "spec": {"hard": {"pods": "5"}, "scopes": scopes}}
            await site.make(QUOTAS, body, HOME)
        found = {each["metadata"]["name"]: each["status"]["used"]["pods"] for each in await site.all(QUOTAS, HOME)}
        assert found == {"q": "1", "r": "1", "s": "0"}


async def test_another_limit_is_taken_over_with_what_is_used_of_it() -> None:
    async with working(add_quotas) as site:
        await site.make(CONFIG_MAPS, _map("a"), HOME)
        await _quota(site, {"pods": "1", "configmaps": "1"})
        await site.client.merge_patch(QUOTAS, "q", {"spec": {"hard": {"pods": None, "configmaps": "4"}}}, HOME)
        await site.pass_time(1)
        assert await _status(site) == {"hard": {"configmaps": "4"}, "used": {"configmaps": "1"}}


async def test_a_service_that_becomes_another_one_makes_room() -> None:
    async with working(add_quotas) as site:
        await _quota(site, {"services": "2", "services.nodeports": "2", "services.loadbalancers": "1"})
        spec = {"type": "LoadBalancer", "ports": [{"port": 80}]}
        await site.make(SERVICES, {"metadata": {"name": "a"}, "spec": spec}, HOME)
        assert await _used(site) == {"services": "1", "services.nodeports": "1", "services.loadbalancers": "1"}

        await site.client.merge_patch(SERVICES, "a", {"spec": {"type": "ClusterIP"}}, HOME)
        await site.pass_time(1)
        assert await _used(site) == {"services": "1", "services.nodeports": "0", "services.loadbalancers": "0"}


async def test_claims_count_by_room_and_by_class() -> None:
    of_class = "gold.storageclass.storage.k8s.io/requests.storage"
    async with working(add_quotas) as site:
        await _quota(site, {"persistentvolumeclaims": "2", "requests.storage": "3Gi", of_class: "2Gi"})
        for name, class_ in (("a", "gold"), ("b", "")):
            asked = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
            await site.make(CLAIMS, {"metadata": {"name": name}, "spec": {**asked, "storageClassName": class_}}, HOME)
        assert await _used(site) == {"persistentvolumeclaims": "2", "requests.storage": "2Gi", of_class: "1Gi"}


async def test_objects_of_a_type_that_is_defined_later_count_then() -> None:
    name = "count/things.quotas.example"
    async with working(add_quotas) as site:
        await _quota(site, {name: "1"})
        assert await _used(site) == {}
        version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}
        spec = {"group": "quotas.example", "names": {"plural": "things", "kind": "Thing"}, "scope": "Namespaced"}
        body = {"metadata": {"name": "things.quotas.example"}, "spec": {**spec, "versions": [version]}}
        await site.client.create(DEFINITIONS, body)
        await site.pass_time(1)
        assert await _used(site) == {name: "0"}

        await site.make(THINGS, _map("a"), HOME)
        assert await _used(site) == {name: "1"}
        await site.client.delete(THINGS, "a", HOME)
        await site.pass_time(1)
        assert await _used(site) == {name: "0"}


async def test_what_somebody_writes_into_a_status_is_put_right_within_five_minutes() -> None:
    async with working(add_quotas) as site:
        await _quota(site, {"pods": "1"})
        await site.pass_time(1)
        await site.set_status(QUOTAS, "q", {"hard": {"pods": "9"}, "used": {"pods": "7"}}, HOME)
        await site.pass_time(1)
        assert await _status(site) == {"hard": {"pods": "9"}, "used": {"pods": "7"}}
        await site.pass_time(RECOUNT_S)
        assert await _status(site) == {"hard": {"pods": "1"}, "used": {"pods": "0"}}


async def test_without_a_quota_nothing_is_watched_and_nothing_written() -> None:
    async with working(add_quotas) as site:
        await _quota(site, {"configmaps": "1"})
        await site.client.delete(QUOTAS, "q", HOME)
        await site.pass_time(1)
        waiting = site.server.store.shelf(("", "configmaps"))._waiting
        assert not waiting
        before = site.revision
        await site.make(CONFIG_MAPS, _map("a"), HOME)
        await site.pass_time(2 * RECOUNT_S)
        await settle(30)
        assert site.revision == before + 1


async def test_many_that_go_one_after_the_other_are_counted_together() -> None:
    async with working(add_quotas) as site:
        await _quota(site, {"configmaps": "20"})
        await site.pass_time(1)
        for number in range(20):
            await site.make(CONFIG_MAPS, _map(f"m{number}"), HOME)
        before = site.revision
        for number in range(20):
            await site.client.delete(CONFIG_MAPS, f"m{number}", HOME)
            await site.rest()
        await site.pass_time(1)
        assert await _used(site) == {"configmaps": "0"}
        assert site.revision == before + 20 + 2  # the first, and all others
