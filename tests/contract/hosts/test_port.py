"""What every engine's hosts promise: power, disks, identity, and that every operation may be repeated."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from tests.contract.hosts.conftest import boot_of, booted, logged_in, until_off
from tests.support.rack import Rack

from homeostat.kit.clock import SystemClock
from homeostat.local.hosts.ports import HostError, HostSpec, Power
from homeostat.local.hosts.shell import HostKeyChanged, HostUnreachable

pytestmark = pytest.mark.real

SYSTEM, DISK = "/root/note", "/var/lib/homeostat-volumes/note"


async def test_a_new_host_is_off_and_boots_systemd_when_it_gets_power(rack: Rack, spec: HostSpec) -> None:
    await rack.hosts.create(spec)
    state = await rack.hosts.state(spec.name)
    assert (state.power, state.address, state.zone, state.role) == (Power.OFF, spec.address, spec.zone, spec.role)
    async with booted(rack, spec) as shell:
        told = await shell.run("cat /proc/1/comm; hostname; systemctl is-system-running; systemctl is-active ssh")
        assert told.stdout.split() == ["systemd", spec.name, "running", "active"]
        assert (await rack.hosts.state(spec.name)).power is Power.ON
        assert [each.name for each in await rack.hosts.list()] == [spec.name]


async def test_hosts_know_and_reach_each_other(rack: Rack, spec: HostSpec) -> None:
    other = rack.spec(1)
    try:
        async with booted(rack, spec) as shell, booted(rack, other):
            await shell.run(f"ping -c 1 -W 2 {other.name}")
    finally:
        await rack.hosts.destroy(other.name)


async def test_what_is_so_already_is_left_as_it_is(rack: Rack, spec: HostSpec) -> None:
    async with booted(rack, spec) as shell:
        boot = await boot_of(shell)
        await rack.hosts.create(spec)
        await rack.hosts.power_on(spec.name)
        assert await boot_of(shell) == boot
    for _ in range(2):
        await rack.hosts.power_off(spec.name)
        assert (await rack.hosts.state(spec.name)).power is Power.OFF
    for _ in range(2):
        await rack.hosts.destroy(spec.name)
    assert await rack.hosts.list() == ()


async def test_an_existing_host_is_not_changed_by_another_declaration(rack: Rack, spec: HostSpec) -> None:
    await rack.hosts.create(spec)
    with pytest.raises(HostError, match=f"host {spec.name}: .*declaration"):
        await rack.hosts.create(replace(spec, zone="elsewhere"))


async def test_files_survive_the_plug_and_memory_does_not(rack: Rack, spec: HostSpec) -> None:
    async with booted(rack, spec) as shell:
        boot = await boot_of(shell)
        await shell.put(SYSTEM, b"system")
        await shell.put(DISK, b"disk")
        await shell.put("/run/note", b"memory")
    await rack.hosts.power_off(spec.name)
    with pytest.raises(HostUnreachable):
        await rack.shell(spec, (await rack.hosts.state(spec.name)).host_key).run("true")
    await rack.hosts.power_on(spec.name)
    async with logged_in(rack, spec) as shell:
        assert await boot_of(shell) != boot
        assert (await shell.get(SYSTEM), await shell.get(DISK)) == (b"system", b"disk")
        assert (await shell.run("test -e /run/note", check=False)).code == 1


async def test_reset_is_off_and_on(rack: Rack, spec: HostSpec) -> None:
    async with booted(rack, spec) as shell:
        boot = await boot_of(shell)
    await rack.hosts.reset(spec.name)
    async with logged_in(rack, spec) as shell:
        assert await boot_of(shell) != boot


@pytest.mark.parametrize("keep_data", [False, True])
async def test_a_reinstalled_host_is_a_new_one_at_the_same_address(rack: Rack, spec: HostSpec, keep_data: bool) -> None:
    async with booted(rack, spec) as shell:
        await shell.put(SYSTEM, b"system")
        await shell.put(DISK, b"disk")
    before = await rack.hosts.state(spec.name)
    await rack.hosts.reinstall(spec.name, keep_data=keep_data)
    after = await rack.hosts.state(spec.name)
    assert (after.power, after.address) == (Power.OFF, before.address)
    assert after.host_key != before.host_key
    await rack.hosts.power_on(spec.name)
    async with logged_in(rack, spec) as shell:
        assert (await shell.run(f"test -e {SYSTEM}", check=False)).code == 1
        assert (await shell.run(f"test -e {DISK}", check=False)).code == (0 if keep_data else 1)
    old = rack.shell(spec, before.host_key)
    with pytest.raises(HostKeyChanged, match=r"pin the new key"):
        await old.run("true")


async def test_a_host_may_reboot_itself_and_switch_itself_off(rack: Rack, spec: HostSpec) -> None:
    clock = SystemClock()
    async with booted(rack, spec) as shell:
        boot = await boot_of(shell)
        await shell.run("systemctl reboot", check=False)
        async with clock.timeout(30):
            while True:
                try:
                    if await boot_of(shell) != boot:
                        break
                except HostUnreachable:
                    await clock.sleep(0.2)
        await shell.run("systemctl poweroff", check=False)
    await until_off(rack, spec)


async def test_the_console_tells_of_every_boot_and_can_be_followed(rack: Rack, spec: HostSpec) -> None:
    async with booted(rack, spec):
        pass
    said = b"".join([chunk async for chunk in rack.hosts.console(spec.name)])
    assert b"systemd" in said
    tail = b"".join([chunk async for chunk in rack.hosts.console(spec.name, tail=2)])
    assert 0 < len(tail.splitlines()) <= 2
    assert said.endswith(tail)
    followed = bytearray()
    await rack.hosts.reset(spec.name)
    async with SystemClock().timeout(30):
        async for chunk in rack.hosts.console(spec.name, follow=True):
            followed += chunk
            if followed.count(b"Reached target") > said.count(b"Reached target"):
                break


async def test_a_host_that_does_not_exist_is_named(rack: Rack) -> None:
    await rack.hosts.destroy("nobody")
    for operation in (rack.hosts.state, rack.hosts.power_on, rack.hosts.power_off, rack.hosts.reinstall):
        with pytest.raises(HostError, match="host nobody: there is none of that name"):
            await operation("nobody")
