"""Hosts that register, fall silent, come back, and what becomes of their Pods meanwhile."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.support.clock import START
from tests.support.simulated_hosts import HOST, NODES, OTHER, WHOLE, SimulatedHosts, container, simulated_hosts

from homeostat.api.core import LEASE, PERSISTENT_VOLUME, PERSISTENT_VOLUME_CLAIM
from homeostat.api.kind import unstructured
from homeostat.sim.world.hosts.ailing import Ail
from homeostat.sim.world.hosts.datacentre import UnknownHost
from homeostat.sim.world.hosts.laying_out import Layout, lay_out

VOLUMES, CLAIMS = unstructured(PERSISTENT_VOLUME.resource), unstructured(PERSISTENT_VOLUME_CLAIM.resource)


async def renewed(world: SimulatedHosts, host: str = HOST) -> datetime:
    lease = await world.client.get(LEASE, host, "kube-node-lease")
    assert lease.spec.renew_time is not None
    return lease.spec.renew_time


async def test_a_host_that_runs_registers_its_node() -> None:
    async with simulated_hosts() as world:
        node = await world.node()
        marks, status = node["metadata"]["labels"], node["status"]
        assert marks["kubernetes.io/hostname"] == HOST
        assert marks["topology.kubernetes.io/zone"] == "a"
        assert status["capacity"]["cpu"] == "16"
        assert status["nodeInfo"]["kernelVersion"] == "6.12.0-1"
        assert {each["type"]: each["status"] for each in status["conditions"]}["Ready"] == "True"
        assert node["spec"]["podCIDR"] == "100.64.0.0/24"


async def test_idle_hosts_write_nothing() -> None:
    async with simulated_hosts(50) as world:
        before = world.server.store.revision
        await world.after(3600)
        assert world.server.store.revision == before


async def test_a_host_that_is_well_promises_to_beat() -> None:
    async with simulated_hosts() as world:
        assert (await renewed(world)).year == 9999


async def test_a_host_that_falls_silent_beat_for_the_last_time_a_moment_ago() -> None:
    async with simulated_hosts() as world:
        await world.after(1000)
        world.centre.cut_power(HOST)
        await world.after(0)
        ago = world.clock.now() - await renewed(world)
        assert timedelta(0) <= ago <= timedelta(seconds=10)
        assert (await renewed(world, OTHER)).year == 9999


async def test_leases_are_really_renewed_when_that_is_switched_on() -> None:
    async with simulated_hosts(beat_s=10.0) as world:
        await world.after(95)
        assert await renewed(world) == START + timedelta(seconds=90)
        mend = world.centre.host(HOST).ailments.begin(Ail.NETWORK)
        await world.after(100)
        assert await renewed(world) <= START + timedelta(seconds=100)
        mend()
        await world.after(15)
        assert await renewed(world) >= START + timedelta(seconds=195)


async def test_power_that_is_cut_ends_programs_and_tells_nobody() -> None:
    async with simulated_hosts() as world:
        await world.bind()
        told = await world.status()
        world.centre.cut_power(HOST)
        await world.after(60)
        assert world.started[0].was_killed
        assert await world.status() == told


async def test_after_a_boot_pods_are_started_again_with_another_address() -> None:
    async with simulated_hosts() as world:
        await world.bind()
        before = await world.status()
        world.centre.cut_power(HOST)
        await world.after(60)
        world.centre.power_on(HOST)
        await world.after(1)
        told = await world.of_container()
        assert (told["ready"], told["restartCount"]) == (True, 1)
        assert told["lastState"]["terminated"]["exitCode"] == 255
        assert (await world.status())["podIP"] != before["podIP"]
        assert (await renewed(world)).year == 9999


async def test_a_boot_gives_a_host_another_boot_id() -> None:
    async with simulated_hosts() as world:
        before = (await world.node())["status"]["nodeInfo"]["bootID"]
        world.centre.reboot(HOST)
        await world.after(1)
        assert (await world.node())["status"]["nodeInfo"]["bootID"] != before


async def test_a_host_that_comes_back_tells_its_conditions_anew() -> None:
    async with simulated_hosts() as world:
        mend = world.centre.host(HOST).ailments.begin(Ail.NETWORK)
        await world.after(50)
        unknown = {"type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown"}
        await world.client.merge_patch(NODES, HOST, {"status": {"conditions": [unknown]}}, subresource="status")
        mend()
        await world.after(10)
        conditions = (await world.node())["status"]["conditions"]
        assert {each["type"]: each["status"] for each in conditions}["Ready"] == "True"


async def test_a_host_that_is_cut_off_runs_its_pods_on_and_hears_later_that_one_is_gone() -> None:
    async with simulated_hosts() as world:
        await world.bind()
        mend = world.centre.host(HOST).ailments.begin(Ail.NETWORK)
        await world.client.delete(WHOLE, "web", "default", grace_s=0)
        await world.after(300)
        assert not world.started[0].was_killed
        mend()
        await world.after(1)
        assert world.started[0].was_killed


async def test_what_a_host_that_is_cut_off_has_to_tell_is_told_later() -> None:
    async with simulated_hosts() as world:
        await world.bind()
        mend = world.centre.host(HOST).ailments.begin(Ail.NETWORK)
        world.started[0].end(1)
        await world.after(5)
        assert (await world.of_container())["restartCount"] == 0
        mend()
        await world.after(1)
        assert (await world.of_container())["restartCount"] == 1


async def test_a_kubelet_that_hangs_lets_containers_run_and_restarts_none() -> None:
    async with simulated_hosts() as world:
        await world.bind()
        mend = world.centre.host(HOST).ailments.begin(Ail.KUBELET)
        world.started[0].end(1)
        await world.after(100)
        assert len(world.started) == 1
        mend()
        await world.after(1)
        assert len(world.started) == 2


async def test_a_disk_that_is_full_is_told_and_takes_no_images() -> None:
    async with simulated_hosts() as world:
        world.centre.host(HOST).ailments.begin(Ail.DISK_FULL)
        await world.bind()
        await world.after(1)
        conditions = (await world.node())["status"]["conditions"]
        assert {each["type"]: each["status"] for each in conditions}["DiskPressure"] == "True"
        assert "no space left" in (await world.of_container())["state"]["waiting"]["message"]


async def test_a_local_volume_keeps_what_a_program_left_until_it_is_wiped() -> None:
    async with simulated_hosts() as world:
        await _volume(world)
        await _bind_with_volume(world)
        disk = world.started[0].container.disks["/data"]
        disk.content["key"] = b"value"
        await world.client.delete(WHOLE, "web", "default")
        await world.after(1)
        await _bind_with_volume(world)
        assert world.started[1].container.disks["/data"].content == {"key": b"value"}
        world.centre.host(HOST).wipe()
        assert world.started[1].container.disks["/data"].content == {}


async def test_a_volume_that_is_deleted_takes_its_data_along() -> None:
    async with simulated_hosts() as world:
        await _volume(world)
        await _bind_with_volume(world)
        world.started[0].container.disks["/data"].content["key"] = b"value"
        await world.client.delete(WHOLE, "web", "default")
        await world.after(1)
        for kind, name, namespace in ((CLAIMS, "data", "default"), (VOLUMES, "pv", "")):
            await world.client.merge_patch(kind, name, {"metadata": {"finalizers": None}}, namespace)
            await world.client.delete(kind, name, namespace)
        await world.after(1)
        await _volume(world)
        await _bind_with_volume(world)
        assert world.started[1].container.disks["/data"].content == {}


async def test_an_empty_directory_lasts_as_long_as_its_pod() -> None:
    async with simulated_hosts() as world:
        await world.bind(
            volumes=[{"name": "tmp", "emptyDir": {}}],
            containers=[container(volumeMounts=[{"name": "tmp", "mountPath": "/tmp"}])],
        )
        world.started[0].container.disks["/tmp"].content["key"] = b"value"
        world.started[0].end(1)
        await world.after(1)
        assert world.started[1].container.disks["/tmp"].content == {"key": b"value"}


def test_hosts_are_dealt_out_to_zones_racks_and_switches() -> None:
    plans = lay_out(7, Layout(rack_size=2))
    assert [plan.name for plan in plans[:4]] == ["host-a1", "host-b1", "host-c1", "host-a2"]
    assert {plan.rack for plan in plans if plan.zone == "a"} == {"a-r1", "a-r2"}
    assert len({plan.address for plan in plans}) == len({plan.pod_range for plan in plans}) == 7


def test_too_many_hosts_are_refused() -> None:
    with pytest.raises(ValueError, match="expected 0 to 16384"):
        lay_out(20_000)


async def test_a_host_that_is_not_there_is_named_with_those_that_are() -> None:
    async with simulated_hosts() as world:
        with pytest.raises(UnknownHost, match="found 'x'; there are host-a1, host-b1"):
            world.centre.cut_power("x")


async def _volume(world: SimulatedHosts) -> None:
    terms = {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": [HOST]}]}
    spec: dict[str, Any] = {
        "capacity": {"storage": "1Gi"},
        "accessModes": ["ReadWriteOnce"],
        "local": {"path": "/volumes/pv"},
        "nodeAffinity": {"required": {"nodeSelectorTerms": [terms]}},
    }
    await world.client.create(VOLUMES, {"metadata": {"name": "pv"}, "spec": spec})
    wanted = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, "volumeName": "pv"}
    await world.client.create(CLAIMS, {"metadata": {"name": "data"}, "spec": wanted}, "default")
    await world.client.merge_patch(CLAIMS, "data", {"status": {"phase": "Bound"}}, "default", subresource="status")


async def _bind_with_volume(world: SimulatedHosts) -> None:
    await world.bind(
        volumes=[{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}],
        containers=[container(volumeMounts=[{"name": "data", "mountPath": "/data"}])],
    )
