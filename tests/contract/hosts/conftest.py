"""Hosts for the contract suite of the port `Hosts`, from every engine that there is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from tests.support.engines import on_both_engines as pytest_generate_tests
from tests.support.loops import pytest_asyncio_loop_factories, pytest_runtest_setup
from tests.support.rack import Rack, RuncRack

from homeostat.kit.clock import SystemClock
from homeostat.local.hosts.ports import HostSpec, Power
from homeostat.local.hosts.shell import Shell

__all__ = ["pytest_asyncio_loop_factories", "pytest_generate_tests", "pytest_runtest_setup"]


@pytest.fixture(scope="session")
def runc_rack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RuncRack]:
    """The rack of this machine, for what only its engine promises."""
    rack = RuncRack(tmp_path_factory.mktemp("rack"))
    try:
        rack.raise_up()
        yield rack
    finally:
        rack.take_down()


@pytest.fixture(params=["runc"])
def rack(request: pytest.FixtureRequest) -> Rack:
    """A rack of each engine."""
    found: Rack = request.getfixturevalue(f"{request.param}_rack")
    return found


@pytest.fixture
async def spec(rack: Rack) -> AsyncIterator[HostSpec]:
    """A host to make; it is destroyed in the end."""
    wanted = rack.spec()
    yield wanted
    await rack.hosts.destroy(wanted.name)


@asynccontextmanager
async def booted(rack: Rack, spec: HostSpec) -> AsyncIterator[Shell]:
    """A shell on a host that is made and on."""
    await rack.hosts.create(spec)
    await rack.hosts.power_on(spec.name)
    async with logged_in(rack, spec) as shell:
        yield shell


@asynccontextmanager
async def logged_in(rack: Rack, spec: HostSpec) -> AsyncIterator[Shell]:
    """A shell on a host that is on."""
    shell = rack.shell(spec, (await rack.hosts.state(spec.name)).host_key)
    try:
        await shell.wait_until_up()
        yield shell
    finally:
        await shell.close()


async def boot_of(shell: Shell) -> str:
    """The identity of the boot that a host is in."""
    return (await shell.run("cat /run/homeostat-boot-id")).stdout


async def until_off(rack: Rack, spec: HostSpec) -> None:
    """Wait for a host to have no power."""
    clock = SystemClock()
    async with clock.timeout(30):
        while (await rack.hosts.state(spec.name)).power is Power.ON:
            await clock.sleep(0.2)
