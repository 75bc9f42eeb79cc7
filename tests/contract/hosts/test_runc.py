"""What only this machine's engine can be tried with: killed supplies, killed callers, a reboot of the machine."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from tests.contract.hosts.conftest import boot_of, booted, logged_in, until_off
from tests.support.rack import RuncRack

from homeostat.kit.clock import SystemClock
from homeostat.local.hosts.ports import HostSpec, Power

pytestmark = pytest.mark.real


@pytest.fixture
def rack(runc_rack: RuncRack) -> RuncRack:
    """Only this engine."""
    return runc_rack


class Killed(BaseException):
    """The caller dies here."""


class MortalClock(SystemClock):
    """A clock on which the caller dies at its n-th command: every command of this machine asks for a deadline."""

    def __init__(self, dies_at: int) -> None:
        self._left = dies_at

    def timeout(self, seconds: float | None) -> AbstractAsyncContextManager[object]:
        """A deadline, unless death comes first."""
        self._left -= 1
        if self._left <= 0:
            raise Killed
        return super().timeout(seconds)


def traces(rack: RuncRack, spec: HostSpec) -> list[str]:
    """What of a host is on this machine, looked for without the engine's own eyes."""

    def lines(*command: str) -> list[str]:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()

    found = [line for line in lines("ip", "netns") if spec.name in line]
    found += [line for line in lines("ip", "-o", "link") if f"{spec.veth}@" in line]
    found += [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if f"/{spec.name}/" in line]
    found += [line for line in lines("ps", "-eo", "args") if f"{rack.directory}/hosts/{spec.name}" in line]
    found += [str(path) for path in Path("/sys/fs/cgroup").glob(f"**/homeostat/{spec.name}")]
    found += [str(path) for path in (rack.directory / "hosts").glob(f"*{spec.name}*")]
    return found


def lose_power(rack: RuncRack, spec: HostSpec) -> None:
    """What a reboot of the machine does to a host: all is gone but its files."""
    hosts = rack.directory / "hosts"
    for line in subprocess.run(
        ["ps", "-eo", "pid,args"], capture_output=True, text=True, check=True
    ).stdout.splitlines():
        pid, _, words = line.strip().partition(" ")
        if f"{hosts}/{spec.name}" in words:
            subprocess.run(["kill", "-9", pid], check=False)
    runtime = str(rack.directory / "runc")
    subprocess.run(["runc", "--root", runtime, "delete", "--force", spec.name], check=False, capture_output=True)
    subprocess.run(["ip", "netns", "del", spec.name], check=False, capture_output=True)
    subprocess.run(["ip", "link", "del", spec.veth], check=False, capture_output=True)
    for line in reversed(Path("/proc/self/mountinfo").read_text().splitlines()):
        if f"{hosts}/{spec.name}/" in (point := line.split()[4]):
            subprocess.run(["umount", "--lazy", point], check=False)
    shutil.rmtree(runtime, ignore_errors=True)


async def test_destroying_a_running_host_leaves_no_trace(rack: RuncRack, spec: HostSpec) -> None:
    async with booted(rack, spec):
        assert traces(rack, spec)
    await rack.hosts.destroy(spec.name)
    assert traces(rack, spec) == []
    assert await rack.rack().leftovers() == ()


async def test_a_host_outlives_its_supply_and_gets_a_new_one(rack: RuncRack, spec: HostSpec) -> None:
    async with booted(rack, spec) as shell:
        pid = int((rack.directory / "hosts" / spec.name / "monitor").read_text().split()[0])
        os.kill(pid, signal.SIGKILL)
        await shell.run("true")
    assert (await rack.hosts.state(spec.name)).power is Power.ON
    await rack.hosts.power_on(spec.name)
    async with logged_in(rack, spec) as shell:
        boot = await boot_of(shell)
    await rack.hosts.reset(spec.name)
    async with logged_in(rack, spec) as shell:
        assert await boot_of(shell) != boot


async def test_after_a_reboot_of_the_machine_a_host_is_off_and_comes_back_with_its_files(
    rack: RuncRack, spec: HostSpec
) -> None:
    async with booted(rack, spec) as shell:
        await shell.put("/root/note", b"kept")
    lose_power(rack, spec)
    await until_off(rack, spec)  # killed processes take a moment to go
    await rack.hosts.power_on(spec.name)
    async with logged_in(rack, spec) as shell:
        assert await shell.get("/root/note") == b"kept"


async def test_a_caller_may_die_at_any_command_and_be_followed_by_another(rack: RuncRack, spec: HostSpec) -> None:
    deaths = 0
    while await dies(rack, spec, at=deaths + 1):
        deaths += 1
        await rack.hosts.create(spec)
        await rack.hosts.power_on(spec.name)
        assert is_wired(spec), f"after the death at command {deaths}"
        if deaths % 4 == 0:  # to wait for every boot would take minutes
            async with logged_in(rack, spec) as shell:
                await shell.run("true")
        await rack.hosts.destroy(spec.name)
        assert traces(rack, spec) == []
    assert deaths > 10


async def dies(rack: RuncRack, spec: HostSpec, *, at: int) -> bool:
    """Whether a caller who dies at its n-th command comes to it on the way through a host's life."""
    hosts = rack.rack(MortalClock(at))
    try:
        await hosts.create(spec)
        await hosts.power_on(spec.name)
        await hosts.power_off(spec.name)
        await hosts.destroy(spec.name)
    except Killed:
        return True
    return False


def is_wired(spec: HostSpec) -> bool:
    """Whether a host's namespace has its address and its cable is in the bridge."""
    inside = subprocess.run(["ip", "-n", spec.name, "-o", "addr"], capture_output=True, text=True, check=True).stdout
    return f"{spec.address}/" in inside and Path(f"/sys/class/net/{spec.veth}/master").exists()


async def test_an_interrupted_reinstallation_that_keeps_data_keeps_it(rack: RuncRack, spec: HostSpec) -> None:
    async with booted(rack, spec) as shell:
        await shell.put("/var/lib/homeostat-volumes/note", b"kept")
    await rack.hosts.power_off(spec.name)
    for number in range(1, 40):
        clock = MortalClock(number)
        try:
            await rack.rack(clock).reinstall(spec.name, keep_data=True)
        except Killed:
            continue
        break
    await rack.hosts.create(spec)
    await rack.hosts.power_on(spec.name)
    async with logged_in(rack, spec) as shell:
        assert await shell.get("/var/lib/homeostat-volumes/note") == b"kept"
