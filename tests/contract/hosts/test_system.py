"""What is asked of a host's operating system, over SSH and of a simulated host: the same answers."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from tests.support.engines import SIM
from tests.support.machines import COMMAND, Machine, about, real_machine, simulated_machine
from tests.support.rack import RuncRack

from homeostat.kit.clock import SystemClock
from homeostat.operators.machine.ports import (
    FileSeen,
    PackageSeen,
    ProcessSeen,
    Refused,
    System,
    UnitSeen,
    UnitState,
    Unreachable,
)

NOTE, UNIT = "/etc/homeostat-test/note", "echo.service"
IDLE = UnitSeen(UnitState.INACTIVE, is_enabled=False)


@pytest.fixture
def rack_beneath(engine: str, request: pytest.FixtureRequest) -> RuncRack | None:
    """Where real hosts stand."""
    found: RuncRack | None = None if engine == SIM else request.getfixturevalue("runc_rack")
    return found


@pytest.fixture
async def machine(rack_beneath: RuncRack | None) -> AsyncIterator[Machine]:
    """A host that is up."""
    async with simulated_machine() if rack_beneath is None else real_machine(rack_beneath) as made:
        yield made


async def reboot(machine: Machine) -> None:
    await machine.cut_power()
    await machine.boot()


async def runs(system: System, unit: str = UNIT) -> list[ProcessSeen]:
    return [each for each in await system.processes() if each.unit == unit]


async def with_echo(machine: Machine) -> System:
    """A host on which the package `echo` is installed."""
    await machine.offer("echo", "1.0")
    await machine.system.install("echo", "1.0")
    return machine.system


async def test_a_file_is_there_with_its_owner_and_mode_until_it_is_removed(machine: Machine) -> None:
    system = machine.system
    assert await system.look(NOTE) is None
    await system.write(NOTE, b"one")
    assert await system.look(NOTE) == FileSeen(0o644, "root", "root", 3)
    await system.write(NOTE, bytes(range(256)), mode=0o600, owner="nobody", group="nogroup")
    assert await system.look(NOTE) == FileSeen(0o600, "nobody", "nogroup", 256)
    assert await system.read(NOTE) == bytes(range(256))
    for _ in range(2):
        await system.remove(NOTE)
    assert await system.look(NOTE) is None
    with pytest.raises(Refused, match="No such file"):
        await system.read(NOTE)


async def test_a_file_for_somebody_who_does_not_exist_is_refused_and_the_old_one_stays(machine: Machine) -> None:
    await machine.system.write(NOTE, b"old")
    with pytest.raises(Refused, match="invalid user"):
        await machine.system.write(NOTE, b"new", owner="stranger")
    assert await machine.system.read(NOTE) == b"old"


async def test_files_outlive_a_boot_and_what_is_in_memory_does_not(machine: Machine) -> None:
    system = machine.system
    before = await system.boot_id()
    assert await system.boot_id() == before
    await system.write(NOTE, b"kept")
    await system.write("/run/note", b"lost")
    await reboot(machine)
    assert await system.boot_id() != before
    assert (await system.read(NOTE), await system.look("/run/note")) == (b"kept", None)


async def test_a_package_is_installed_moved_to_another_version_and_removed_with_its_files(machine: Machine) -> None:
    system = await with_echo(machine)
    await machine.offer("echo", "2.0")
    for version in ("2.0", "2.0", "1.0"):
        await system.install("echo", version)
        assert (await system.packages())["echo"] == PackageSeen(version)
        assert await system.read(about("echo")) == version.encode()
    for _ in range(2):
        await system.uninstall("echo")
    assert "echo" not in await system.packages()
    assert await system.look(about("echo")) is None
    assert await system.unit(UNIT) is None


async def test_a_package_that_is_held_stays_at_its_version(machine: Machine) -> None:
    system = await with_echo(machine)
    await machine.offer("echo", "2.0")
    await system.hold("echo", held=True)
    assert (await system.packages())["echo"] == PackageSeen("1.0", is_held=True)
    with pytest.raises(Refused, match="Held packages were changed"):
        await system.install("echo", "2.0")
    await system.hold("echo", held=False)
    await system.install("echo", "2.0")
    assert (await system.packages())["echo"] == PackageSeen("2.0")


async def test_what_nobody_offers_is_refused_by_its_name(machine: Machine) -> None:
    await machine.offer("echo", "1.0")
    with pytest.raises(Refused, match=r"Version '9\.9' for 'echo' was not found"):
        await machine.system.install("echo", "9.9")
    with pytest.raises(Refused, match="Unable to locate package nothing-of-this-name"):
        await machine.system.install("nothing-of-this-name", "1.0")
    assert "echo" not in await machine.system.packages()


async def test_a_unit_is_started_and_stopped_and_what_is_so_already_is_left(machine: Machine) -> None:
    system = await with_echo(machine)
    assert await system.unit(UNIT) == IDLE
    await system.start(UNIT)
    (first,) = await runs(system)
    assert (first.command, first.owner) == (COMMAND, "root")
    await system.start(UNIT)
    assert await runs(system) == [first]
    assert await system.unit(UNIT) == UnitSeen(UnitState.ACTIVE, is_enabled=False)
    await until_told(system, "Started")
    for _ in range(2):
        await system.stop(UNIT)
    assert (await system.unit(UNIT), await runs(system)) == (IDLE, [])
    lines = await system.journal(last=5)
    assert len(lines) == 5 or len(lines) == len(await system.journal())
    assert sorted(lines, key=lambda line: line.at) == list(lines)


async def test_a_process_that_is_killed_fails_its_unit_until_it_is_started_again(machine: Machine) -> None:
    system = await with_echo(machine)
    await system.start(UNIT)
    (first,) = await runs(system)
    await system.kill(first.pid)
    await until_failed(system)
    assert await runs(system) == []
    with pytest.raises(Refused, match="No such process"):
        await system.kill(first.pid)
    await system.start(UNIT)
    (second,) = await runs(system)
    assert second.pid != first.pid


async def until_told(system: System, word: str) -> None:
    """The journal has a line of the unit a moment after what it is about."""
    clock = SystemClock()
    async with clock.timeout(10):
        while not any(word in line.text for line in await system.journal(UNIT)):
            await clock.sleep(0.1)


async def until_failed(system: System) -> None:
    """systemd hears of it a moment later."""
    clock = SystemClock()
    async with clock.timeout(10):
        while await system.unit(UNIT) != UnitSeen(UnitState.FAILED, is_enabled=False):
            await clock.sleep(0.1)


async def test_what_is_enabled_runs_after_a_boot_and_nothing_else_does(machine: Machine) -> None:
    system = await with_echo(machine)
    await system.start(UNIT)
    await reboot(machine)
    assert await system.unit(UNIT) == IDLE
    await system.enable(UNIT, enabled=True)
    assert await system.unit(UNIT) == UnitSeen(UnitState.INACTIVE, is_enabled=True)
    await reboot(machine)
    assert await system.unit(UNIT) == UnitSeen(UnitState.ACTIVE, is_enabled=True)
    await system.enable(UNIT, enabled=False)
    assert await system.unit(UNIT) == UnitSeen(UnitState.ACTIVE, is_enabled=False)


async def test_nobody_starts_what_is_masked(machine: Machine) -> None:
    system = await with_echo(machine)
    await system.mask(UNIT, masked=True)
    assert await system.unit(UNIT) == UnitSeen(UnitState.INACTIVE, is_enabled=False, is_masked=True)
    with pytest.raises(Refused, match="is masked"):
        await system.start(UNIT)
    await system.mask(UNIT, masked=False)
    await system.start(UNIT)
    assert len(await runs(system)) == 1


async def test_a_unit_that_does_not_exist_is_told(machine: Machine) -> None:
    assert await machine.system.unit("nothing-of-this-name.service") is None
    with pytest.raises(Refused, match="not found"):
        await machine.system.start("nothing-of-this-name.service")


async def test_every_host_runs_systemd_and_lets_people_in(machine: Machine) -> None:
    system = machine.system
    assert next(iter(await system.processes())).pid == 1
    assert await system.unit("ssh.service") == UnitSeen(UnitState.ACTIVE, is_enabled=True)


async def test_of_a_host_without_power_nothing_is_known(machine: Machine) -> None:
    await machine.cut_power()
    with pytest.raises(Unreachable):
        await machine.system.processes()
