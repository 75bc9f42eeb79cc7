"""What nobody owns any more goes, in the order that was asked for; what somebody still owns, stays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.support.controllers import CONFIG_MAPS, NODES, Site, kind, working

from homeostat.sim.world.controllers.garbage.collector import add_garbage_collector

DEFINITIONS = kind("apiextensions.k8s.io", "CustomResourceDefinition", "customresourcedefinitions", namespaced=False)
THINGS = kind("example.com", "Thing", "things")


async def _make(site: Site, name: str, *owners: dict[str, Any], blocks: bool = False, **meta: Any) -> dict[str, Any]:
    references = [
        {
            "apiVersion": each.get("apiVersion", "v1"),
            "kind": each.get("kind", "ConfigMap"),
            "name": each["metadata"]["name"],
            "uid": each["metadata"]["uid"],
            "blockOwnerDeletion": blocks,
        }
        for each in owners
    ]
    return await site.make(CONFIG_MAPS, {"metadata": {"name": name, "ownerReferences": references, **meta}}, "default")


async def _delete(site: Site, name: str, propagation: Any = "Background") -> None:
    await site.client.delete(CONFIG_MAPS, name, "default", propagation=propagation)
    await site.rest()


async def _left(site: Site) -> Sequence[str]:
    return sorted(each["metadata"]["name"] for each in await site.all(CONFIG_MAPS, "default"))


async def test_all_that_belonged_to_an_owner_goes_with_it() -> None:
    async with working(add_garbage_collector) as site:
        owner = await _make(site, "owner")
        child = await _make(site, "child", owner)
        await _make(site, "grandchild", child)
        await _make(site, "other")
        before = site.revision
        await site.pass_time(3600)
        assert site.revision == before
        await _delete(site, "owner")
        assert await _left(site) == ["other"]


async def test_one_of_two_owners_is_enough_to_stay() -> None:
    async with working(add_garbage_collector) as site:
        first, second = await _make(site, "first"), await _make(site, "second")
        await _make(site, "child", first, second)
        await _delete(site, "first")
        child = await site.get(CONFIG_MAPS, "child", "default")
        assert [each["name"] for each in child["metadata"]["ownerReferences"]] == ["second"]
        await _delete(site, "second")
        assert await _left(site) == []


async def test_an_owner_in_the_foreground_goes_after_those_that_block_it() -> None:
    async with working(add_garbage_collector) as site:
        owner = await _make(site, "owner")
        await _make(site, "blocker", owner, blocks=True, finalizers=["example.com/wait"])
        await _make(site, "held", owner, finalizers=["example.com/wait"])
        await _delete(site, "owner", "Foreground")
        assert await _left(site) == ["blocker", "held", "owner"]
        await site.client.merge_patch(CONFIG_MAPS, "blocker", {"metadata": {"finalizers": None}}, "default")
        await site.rest()
        assert await _left(site) == ["held"]


async def test_in_the_foreground_grandchildren_go_before_children() -> None:
    async with working(add_garbage_collector) as site:
        owner = await _make(site, "owner")
        child = await _make(site, "child", owner, blocks=True)
        await _make(site, "grandchild", child, blocks=True, finalizers=["example.com/wait"])
        await _delete(site, "owner", "Foreground")
        assert await _left(site) == ["child", "grandchild", "owner"]
        await site.client.merge_patch(CONFIG_MAPS, "grandchild", {"metadata": {"finalizers": None}}, "default")
        await site.rest()
        assert await _left(site) == []


async def test_orphans_stay_and_name_no_owner() -> None:
    async with working(add_garbage_collector) as site:
        owner = await _make(site, "owner")
        await _make(site, "child", owner)
        await _delete(site, "owner", "Orphan")
        assert await _left(site) == ["child"]
        assert "ownerReferences" not in (await site.get(CONFIG_MAPS, "child", "default"))["metadata"]


async def test_an_owner_that_never_was_or_is_another_one_now_counts_as_gone() -> None:
    async with working(add_garbage_collector) as site:
        owner = await _make(site, "owner")
        nobody = {"metadata": {"name": "nobody", "uid": "1"}}
        namesake = {"metadata": {"name": "owner", "uid": "2"}}
        await _make(site, "of-nobody", nobody)
        await _make(site, "of-namesake", namesake)
        await _make(site, "of-unknown-kind", {"kind": "Puzzle", "apiVersion": "example.com/v1", **nobody})
        await _make(site, "of-owner", owner)
        assert await _left(site) == ["of-owner", "of-unknown-kind", "owner"]


async def test_an_owner_in_another_namespace_is_none() -> None:
    async with working(add_garbage_collector) as site:
        owner = await site.make(CONFIG_MAPS, {"metadata": {"name": "owner"}}, "kube-system")
        await _make(site, "child", owner)
        assert await _left(site) == []


async def test_what_belongs_to_nobody_with_a_namespace_stays_when_it_has_none() -> None:
    async with working(add_garbage_collector) as site:
        owner = await _make(site, "owner")
        reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["metadata"]["uid"]}
        await site.make(NODES, {"metadata": {"name": "n1", "ownerReferences": [{**reference, "uid": "other"}]}})
        assert await site.has(NODES, "n1")


async def test_kinds_that_come_with_their_definition_own_and_are_owned() -> None:
    async with working(add_garbage_collector) as site:
        schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
        names = {"plural": "things", "singular": "thing", "kind": "Thing", "listKind": "ThingList"}
        version = {"name": "v1", "served": True, "storage": True, "schema": schema}
        spec = {"group": "example.com", "scope": "Namespaced", "names": names, "versions": [version]}
        await site.make(DEFINITIONS, {"metadata": {"name": "things.example.com"}, "spec": spec})
        body = {"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "t"}}
        thing = await site.make(THINGS, body, "default")
        await _make(site, "child", {**thing, "apiVersion": "example.com/v1", "kind": "Thing"})
        await _make(site, "other")
        await site.client.delete(THINGS, "t", "default")
        await site.rest()
        assert await _left(site) == ["other"]
