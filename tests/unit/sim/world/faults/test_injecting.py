"""Faults by name: what each does, how it ends, and what is said of those that there are not."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.simulated_hosts import HOST, OTHER, SimulatedHosts, container, simulated_hosts

from homeostat.sim.world.faults.fault import FaultError
from homeostat.sim.world.faults.injecting import CATALOGUE, inject
from homeostat.sim.world.hosts.host import Power


async def condition(world: SimulatedHosts, type_: str, host: str = HOST) -> str:
    conditions = (await world.node(host))["status"]["conditions"]
    return str(next(each["status"] for each in conditions if each["type"] == type_))


@pytest.mark.parametrize("name", sorted(CATALOGUE))
async def test_every_fault_can_be_injected_and_undone_and_hosts_are_well_afterwards(name: str) -> None:
    async with simulated_hosts() as world:
        await world.bind()
        on = {"host": HOST, "image": "registry.test/main:1", "centre": ""}[CATALOGUE[name].on]
        injection = inject(world, name, on=on)
        assert injection.lasts is CATALOGUE[name].lasts
        await world.after(30)
        injection.undo()
        assert not injection.lasts
        await world.after(60)
        host = world.centre.host(HOST)
        assert host.power is Power.ON
        assert host.ailments.told() == []
        assert await condition(world, "Ready") == "True"
        assert await world.is_ready()


async def test_what_cannot_begin_everywhere_begins_nowhere() -> None:
    async with simulated_hosts(4) as world:
        await world.bind()
        with pytest.raises(FaultError, match="runs on host-a2") as refused:
            inject(world, "node-out-of-memory", on="zone=a", pod="default/web")
        assert refused.value.field == "parameters.pod"
        assert all(host.ailments.told() == [] for host in world.centre.hosts.values())
        assert await world.is_ready()


async def test_undoing_twice_undoes_once() -> None:
    async with simulated_hosts() as world:
        one, two = (inject(world, "disk-slow", on=HOST, times=3) for _ in range(2))
        assert world.centre.host(HOST).slowness == 9
        one.undo()
        one.undo()
        assert world.centre.host(HOST).slowness == 3
        assert two.lasts


@pytest.mark.parametrize(
    ("fault", "type_", "status"),
    [
        ("disk-full", "DiskPressure", "True"),
        ("no-processes", "PIDPressure", "True"),
        ("node-out-of-memory", "MemoryPressure", "True"),
        ("runtime-down", "Ready", "False"),
        ("pod-network-broken", "Ready", "False"),
    ],
)
async def test_a_node_tells_what_ails_its_host(fault: str, type_: str, status: str) -> None:
    async with simulated_hosts() as world:
        injection = inject(world, fault, on=HOST)
        await world.after(0)
        assert await condition(world, type_) == status
        assert await condition(world, type_, OTHER) != status
        injection.undo()
        await world.after(0)
        assert await condition(world, type_) != status


async def test_a_rack_without_power_takes_all_its_hosts_along_and_no_other() -> None:
    async with simulated_hosts(6) as world:
        inject(world, "host-down", on="zone=a")
        assert {name for name, host in world.centre.hosts.items() if not host.is_up} == {"host-a1", "host-a2"}


async def test_a_process_that_is_killed_for_its_memory_is_told_so() -> None:
    async with simulated_hosts() as world:
        await world.bind()
        inject(world, "node-out-of-memory", on=HOST, pod="default/web")
        await world.after(1)
        last = (await world.of_container())["lastState"]["terminated"]
        assert (last["exitCode"], last["reason"]) == (137, "OOMKilled")
        assert any("Out of memory: Killed process" in line.text for line in world.centre.host(HOST).kernel_log)


async def test_nothing_starts_where_nothing_can_be_written() -> None:
    async with simulated_hosts() as world:
        injection = inject(world, "disk-read-only", on=HOST)
        world.centre.host(HOST).images["registry.test/main:1"] = None
        await world.bind()
        waiting = (await world.of_container())["state"]["waiting"]
        assert waiting["reason"] == "CreateContainerError"
        assert "read-only file system" in waiting["message"]
        injection.undo()
        await world.after(15)
        assert await world.is_ready()


async def test_a_clock_that_is_off_is_seen_in_what_its_kubelet_tells() -> None:
    async with simulated_hosts() as world:
        inject(world, "clock-off", on=HOST, seconds=3600)
        await world.bind()
        assert (await world.status())["startTime"] == "2026-01-01T01:00:00Z"


async def test_a_host_that_panics_again_and_again_boots_as_often() -> None:
    async with simulated_hosts() as world:
        inject(world, "kernel-panic", on=HOST, times=3, every_s=100)
        await world.after(350)
        assert world.centre.host(HOST).boots == 4


async def test_kubelets_that_do_not_reach_the_api_server_let_their_pods_run() -> None:
    async with simulated_hosts() as world:
        await world.bind(containers=[container()])
        inject(world, "api-server-unreachable", on="all")
        await world.after(60)
        assert all(host.is_reached and not host.is_heard for host in world.centre.hosts.values())
        assert not world.started[0].was_killed


@pytest.mark.parametrize(
    ("fault", "on", "parameters", "said"),
    [
        ("disk-slw", HOST, {}, "did you mean disk-slow?"),
        ("disk-slow", "host-z9", {}, r"expected a host \(host-a1, host-b1\), region=NAME, .* or all, found 'host-z9'"),
        ("disk-slow", "zone=z", {}, "expected a zone among a, b, found 'z'"),
        ("disk-slow", "", {}, "found ''"),
        ("disk-slow", HOST, {"factor": 2}, "expected parameters among times, found 'factor'"),
        ("disk-slow", HOST, {"times": "much"}, "times: expected a number from 1 such as 10.0, found 'much'"),
        ("disk-slow", HOST, {"times": 0}, "times: expected a number from 1, found 0"),
        ("packet-loss", HOST, {"share": "nan"}, "share: expected a number from 0 to 1, found 'nan'"),
        ("link-flapping", HOST, {"up_s": 0}, "up_s: expected a number from 0.1 to 3"),
        ("kernel-panic", HOST, {"times": 2.5}, "times: expected a whole number from 1 to 1000, found 2.5"),
        ("kernel-panic", HOST, {"times": "inf"}, "times: expected a whole number from 1 to 1000, found 'inf'"),
        ("host-down", HOST, {"for": 2}, "expected parameters among none"),
        ("image-missing", "", {}, "expected the name of an image"),
        ("registry-down", HOST, {}, "expected no target"),
        ("memory-errors", HOST, {"severity": "bad"}, "expected corrected or fatal"),
        ("disk-errors", HOST, {"device": "/dev/sda"}, "device: expected the name of a device, found '/dev/sda'"),
        ("container-crash", HOST, {"pod": "web"}, "pod: expected namespace/name, or nothing, found 'web'"),
        ("container-crash", HOST, {"pod": "a/b"}, r"expected one that runs on host-a1 \(none\), found 'a/b'"),
    ],
)
async def test_what_there_is_not_is_refused_with_what_there_is(
    fault: str, on: str, parameters: dict[str, object], said: str
) -> None:
    async with simulated_hosts() as world:
        with pytest.raises(FaultError, match=said):
            inject(world, fault, on=on, **parameters)


def test_every_fault_stands_in_the_reference() -> None:
    text = Path("docs/reference/simulation.md").read_text()
    missing = [
        fault.name
        for fault in CATALOGUE.values()
        if not any(f"| `{fault.name}` |" in line and fault.what in line for line in text.splitlines())
    ]
    assert not missing
