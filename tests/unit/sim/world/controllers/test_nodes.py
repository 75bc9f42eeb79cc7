"""Nodes that fall silent are said to be unknown, keep Pods away, and lose theirs in time; others are left alone."""

from __future__ import annotations

from typing import Any

from tests.support.clock import START
from tests.support.controllers import LEASES, NODES, PODS, Site, working
from tests.support.placing import node, pod

from homeostat.sim.world.controllers.nodes.eviction import add_taint_eviction
from homeostat.sim.world.controllers.nodes.leftovers import OUT_OF_SERVICE, add_pod_garbage_collector
from homeostat.sim.world.controllers.nodes.lifecycle import add_node_lifecycle
from homeostat.sim.world.controllers.nodes.pace import Pace, Zone, rate
from homeostat.sim.world.controllers.nodes.settings import NodeSettings

ALL = (add_node_lifecycle, add_taint_eviction, add_pod_garbage_collector)
BEATS = "kube-node-lease"
NEVER_SILENT = "9999-01-01T00:00:00.000000Z"


async def _node(site: Site, name: str, renewed: str = NEVER_SILENT, **more: Any) -> None:
    body = node(name, **more)
    body["status"]["conditions"] = [{**each, "lastHeartbeatTime": _now(site)} for each in body["status"]["conditions"]]
    await site.make(LEASES, {"metadata": {"name": name}, "spec": {"renewTime": renewed}}, BEATS)
    await site.make(NODES, body)


async def _pod(site: Site, name: str, on: str, **spec: Any) -> None:
    body = pod(name, nodeName=on, **spec)
    del body["metadata"]["uid"]
    body["status"] = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
    await site.make(PODS, body, "default")


async def _silence(site: Site, name: str) -> None:
    """The world says when a host's last beat was."""
    last = {"spec": {"renewTime": f"{_now(site)[:-1]}.000000Z"}}
    await site.client.merge_patch(LEASES, name, last, BEATS)
    await site.rest()


async def _taints(site: Site, name: str) -> list[str]:
    spec = (await site.get(NODES, name))["spec"]
    return sorted(f"{each['key'].rpartition('/')[2]}:{each['effect']}" for each in spec.get("taints") or ())


async def _ready(site: Site, kind: Any, name: str) -> tuple[str, str]:
    found = await site.get(kind, name, "default" if kind is PODS else "")
    said = next(each for each in found["status"]["conditions"] if each["type"] == "Ready")
    return said["status"], said.get("reason", "")


def _now(site: Site) -> str:
    return site.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")


async def test_a_new_node_takes_pods_when_it_is_ready_and_costs_nothing_from_then_on() -> None:
    async with working(*ALL) as site:
        await _node(site, "n1")
        assert await _taints(site, "n1") == []
        before = site.revision
        await site.pass_time(3600)
        assert site.revision == before


async def test_a_silent_node_is_unknown_after_the_grace_period_and_its_pods_leave_when_they_have_borne_it() -> None:
    async with working(*ALL) as site:
        await _node(site, "n1")
        await _node(site, "n2")
        await _pod(site, "a", "n1")
        await _pod(site, "daemon", "n1", tolerations=[{"operator": "Exists"}])
        await site.pass_time(1000)
        await _silence(site, "n1")
        await site.pass_time(49)
        assert await _taints(site, "n1") == []
        await site.pass_time(2)
        assert await _ready(site, NODES, "n1") == ("Unknown", "NodeStatusUnknown")
        assert await _taints(site, "n1") == ["unreachable:NoExecute", "unreachable:NoSchedule"]
        assert await _ready(site, PODS, "a") == ("False", "")
        await site.pass_time(298)
        assert "deletionTimestamp" not in (await site.get(PODS, "a", "default"))["metadata"]
        await site.pass_time(3)
        gone = await site.get(PODS, "a", "default")
        assert "deletionTimestamp" in gone["metadata"]
        reasons = {each["type"]: each.get("reason") for each in gone["status"]["conditions"]}
        assert reasons["DisruptionTarget"] == "DeletionByTaintManager"
        assert "deletionTimestamp" not in (await site.get(PODS, "daemon", "default"))["metadata"]


async def test_a_node_that_comes_back_in_time_keeps_its_pods() -> None:
    async with working(*ALL) as site:
        for name in ("n1", "n2"):
            await _node(site, name)
        await _pod(site, "a", "n1")
        await _silence(site, "n1")
        await site.pass_time(60)
        await site.client.merge_patch(LEASES, "n1", {"spec": {"renewTime": NEVER_SILENT}}, BEATS)
        ready = [{**each, "lastHeartbeatTime": _now(site)} for each in node("n1")["status"]["conditions"]]
        await site.set_status(NODES, "n1", {"conditions": ready})
        await site.pass_time(10)
        assert await _taints(site, "n1") == []
        await site.pass_time(1000)
        assert "deletionTimestamp" not in (await site.get(PODS, "a", "default"))["metadata"]


async def test_a_node_that_renews_its_lease_is_never_called_unknown() -> None:
    async with working(*ALL) as site:
        await _node(site, "n1", f"{START:%Y-%m-%dT%H:%M:%S}.000000Z")
        for _ in range(20):
            await site.pass_time(10)
            await _silence(site, "n1")
        assert (await _ready(site, NODES, "n1"))[0] == "True"


async def test_a_node_that_says_that_it_is_not_ready_is_tainted_as_such_and_a_cordoned_one_as_cordoned() -> None:
    async with working(*ALL) as site:
        for name in ("n1", "n2"):
            await _node(site, name)
        said = [{"type": "Ready", "status": "False"}, {"type": "MemoryPressure", "status": "True"}]
        await site.set_status(NODES, "n1", {"conditions": said})
        await site.client.merge_patch(NODES, "n2", {"spec": {"unschedulable": True}})
        await site.rest()
        assert await _taints(site, "n1") == [
            "memory-pressure:NoSchedule",
            "not-ready:NoExecute",
            "not-ready:NoSchedule",
        ]
        assert await _taints(site, "n2") == ["unschedulable:NoSchedule"]


async def test_pods_whose_node_is_gone_fail_and_go_after_a_while() -> None:
    async with working(*ALL) as site:
        await _node(site, "n1")
        await _pod(site, "a", "n1")
        await site.client.delete(NODES, "n1")
        await site.pass_time(39)
        assert await site.has(PODS, "a", "default")
        await site.pass_time(2)
        assert not await site.has(PODS, "a", "default")


async def test_pods_of_a_node_out_of_service_go_without_its_kubelet() -> None:
    async with working(*ALL) as site:
        for name in ("n1", "n2"):
            await _node(site, name)
        await _pod(site, "a", "n1")
        await _silence(site, "n1")
        await site.pass_time(60)
        await site.client.delete(PODS, "a", "default")
        await site.rest()
        assert await site.has(PODS, "a", "default")
        taints = (await site.get(NODES, "n1"))["spec"]["taints"]
        added = [*taints, {"key": OUT_OF_SERVICE, "value": "nodeshutdown", "effect": "NoExecute"}]
        await site.client.merge_patch(NODES, "n1", {"spec": {"taints": added}})
        await site.rest()
        assert not await site.has(PODS, "a", "default")


async def test_a_zone_gives_up_one_node_in_ten_seconds() -> None:
    async with working(*ALL) as site:
        for at in range(6):
            await _node(site, f"n{at}")
        for at in range(3):
            await _silence(site, f"n{at}")
        found: list[int] = []
        for _ in range(4):
            await site.pass_time(51 if not found else 10)
            found.append(sum(["unreachable:NoExecute" in await _taints(site, f"n{at}") for at in range(3)]))
        assert found == [1, 2, 3, 3]


async def test_when_no_node_is_well_nobody_is_driven_out() -> None:
    async with working(*ALL) as site:
        await _node(site, "n1")
        await _silence(site, "n1")
        await site.pass_time(1000)
        assert await _taints(site, "n1") == ["unreachable:NoSchedule"]
        await _node(site, "n2")
        assert "unreachable:NoExecute" in await _taints(site, "n1")


def test_a_zone_where_much_is_ill_gives_up_slowly_or_not_at_all() -> None:
    settings = NodeSettings()
    small, large, lost, fine = Zone(2, 3), Zone(30, 40), Zone(0, 4), Zone(9, 1)
    zones = {"small": small, "large": large, "lost": lost, "fine": fine}
    assert [rate(each, zones, settings) for each in zones.values()] == [0.0, 0.01, 0.1, 0.1]
    assert rate(lost, {"lost": lost}, settings) == 0.0


def test_turns_come_at_their_rate() -> None:
    pace = Pace()
    assert [pace.wait_s("a", 0.1, now) for now in (0.0, 1.0, 10.0, 12.0)] == [0.0, 9.0, 0.0, 8.0]
    assert pace.wait_s("b", 0.0, 0.0) is None
