"""Namespaces are emptied before they go, and have what every namespace has while they are there."""

from __future__ import annotations

from tests.support.controllers import ACCOUNTS, CONFIG_MAPS, NAMESPACES, PODS, working

from homeostat.kube.client import Client
from homeostat.runtime.manager import Manager
from homeostat.sim.world.controllers.accounts import ROOT_CA, add_root_certificates, add_service_accounts
from homeostat.sim.world.controllers.namespaces import Left, add_namespaces, conditions


def _publish(manager: Manager, client: Client) -> None:
    add_root_certificates(manager, client, "PEM")


async def test_a_namespace_goes_with_all_that_is_in_it() -> None:
    async with working(add_namespaces, add_service_accounts, _publish) as site:
        await site.make(NAMESPACES, {"metadata": {"name": "shop"}})
        await site.make(CONFIG_MAPS, {"metadata": {"name": "a"}}, "shop")
        await site.client.delete(NAMESPACES, "shop")
        await site.rest()
        assert not await site.has(NAMESPACES, "shop")
        assert await site.all(CONFIG_MAPS, "shop") == []
        assert await site.has(NAMESPACES, "default")


async def test_a_namespace_says_what_it_waits_for_and_goes_when_that_is_done() -> None:
    async with working(add_namespaces) as site:
        await site.make(NAMESPACES, {"metadata": {"name": "shop"}})
        await site.make(CONFIG_MAPS, {"metadata": {"name": "a", "finalizers": ["example.com/wait"]}}, "shop")
        await site.client.delete(NAMESPACES, "shop")
        await site.rest()
        said = {each["type"]: each for each in (await site.get(NAMESPACES, "shop"))["status"]["conditions"]}
        left = said["NamespaceContentRemaining"]
        assert (left["status"], left["message"]) == (
            "True",
            "Some resources are remaining: configmaps. has 1 resource instances",
        )
        held = said["NamespaceFinalizersRemaining"]["message"]
        assert held == (
            "Some content in the namespace has finalizers remaining: example.com/wait in 1 resource instances"
        )
        await site.client.merge_patch(CONFIG_MAPS, "a", {"metadata": {"finalizers": None}}, "shop")
        await site.pass_time(10)
        assert not await site.has(NAMESPACES, "shop")


async def test_nothing_else_of_a_namespace_goes_before_its_pods() -> None:
    async with working(add_namespaces) as site:
        await site.make(NAMESPACES, {"metadata": {"name": "shop"}})
        held = {"name": "p", "finalizers": ["example.com/wait"]}
        await site.make(PODS, {"metadata": held, "spec": {"containers": [{"name": "c", "image": "i"}]}}, "shop")
        await site.make(CONFIG_MAPS, {"metadata": {"name": "a"}}, "shop")
        await site.client.delete(NAMESPACES, "shop")
        await site.rest()
        assert "deletionTimestamp" in (await site.get(PODS, "p", "shop"))["metadata"]
        assert await site.has(CONFIG_MAPS, "a", "shop")
        await site.client.merge_patch(PODS, "p", {"metadata": {"finalizers": None}}, "shop")
        await site.pass_time(10)
        assert not await site.has(NAMESPACES, "shop")


async def test_every_namespace_has_an_account_and_certificates_and_gets_them_back() -> None:
    async with working(add_service_accounts, _publish) as site:
        await site.make(NAMESPACES, {"metadata": {"name": "shop"}})
        await site.client.delete(ACCOUNTS, "default", "shop")
        await site.client.delete(CONFIG_MAPS, ROOT_CA, "shop")
        await site.rest()
        assert await site.has(ACCOUNTS, "default", "shop")
        assert (await site.get(CONFIG_MAPS, ROOT_CA, "shop"))["data"] == {"ca.crt": "PEM"}
        assert await site.has(ACCOUNTS, "default", "kube-system")


def test_an_empty_namespace_has_nothing_to_complain_of() -> None:
    assert {status for _, status, _, _ in conditions(Left())} == {"False"}


async def test_certificates_that_somebody_changed_are_put_back() -> None:
    async with working(add_service_accounts, _publish) as site:
        await site.rest()
        changed = {"metadata": {"annotations": None}, "data": {"ca.crt": "", "more": "x"}}
        await site.client.merge_patch(CONFIG_MAPS, ROOT_CA, changed, "default")
        await site.rest()
        found = await site.get(CONFIG_MAPS, ROOT_CA, "default")
        assert found["data"] == {"ca.crt": "PEM"}
        assert "kubernetes.io/description" in found["metadata"]["annotations"]
        before = site.revision
        await site.pass_time(600)
        assert site.revision == before
