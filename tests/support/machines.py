"""One machine of either engine, for the contract of its operating system: what runs there, and its plug."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Protocol

from tests.support.debs import deb, index
from tests.support.rack import RuncRack

from homeostat.kit.random import seeded_random
from homeostat.local.hosts.ports import HostSpec
from homeostat.local.hosts.shell import Shell
from homeostat.local.hosts.system import ShellSystem
from homeostat.operators.machine.ports import System
from homeostat.sim.time.clock import VirtualClock
from homeostat.sim.time.loop import VirtualLoop
from homeostat.sim.world.hosts.datacentre import DataCentre
from homeostat.sim.world.hosts.laying_out import lay_out
from homeostat.sim.world.hosts.system.packages import File, Package, Service

_UNIT = b"[Service]\nExecStart=/usr/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n"
COMMAND = "sleep"
_OFFERED = "/srv/offered"
_SOURCE = "/etc/apt/sources.list.d/offered.list"


def about(name: str) -> str:
    """The file of a package in which its version stands."""
    return f"/usr/share/{name}/version"


class Machine(Protocol):
    """As a test sees it."""

    @property
    def system(self) -> System:
        """The port."""
        ...

    async def offer(self, name: str, version: str) -> None:
        """Let a package be had: a file with its version, and a unit of its name that runs `sleep`."""
        ...

    async def cut_power(self) -> None:
        """Pull the plug."""
        ...

    async def boot(self) -> None:
        """Give it power, and wait until it is up."""
        ...


class RealMachine:
    """A host of the rack, reached by SSH."""

    def __init__(self, rack: RuncRack, spec: HostSpec, shell: Shell) -> None:
        self._rack, self._spec, self._shell = rack, spec, shell
        self.system: System = ShellSystem(shell)
        self._offered: list[tuple[str, str, str, bytes]] = []

    async def offer(self, name: str, version: str) -> None:
        unit = f"/usr/lib/systemd/system/{name}.service"
        content = deb(name, version, {about(name): version.encode(), unit: _UNIT})
        self._offered.append((name, version, f"{name}_{version}.deb", content))
        await self._shell.put(f"{_OFFERED}/{name}_{version}.deb", content)
        await self._shell.put(f"{_OFFERED}/Packages", index(self._offered))
        await self._shell.put(_SOURCE, f"deb [trusted=yes] file:{_OFFERED} ./\n".encode())
        only = f"-o Dir::Etc::sourcelist={_SOURCE} -o Dir::Etc::sourceparts=- -o APT::Get::List-Cleanup=0"
        await self._shell.run(f"apt-get -q {only} update")

    async def cut_power(self) -> None:
        await self._rack.hosts.power_off(self._spec.name)
        await self._shell.close()

    async def boot(self) -> None:
        await self._rack.hosts.power_on(self._spec.name)
        await self._shell.wait_until_up()


class SimulatedMachine:
    """A host of a data centre with nothing else in it."""

    def __init__(self, centre: DataCentre, name: str) -> None:
        self._centre, self._name = centre, name
        self.system: System = centre.system(name)

    async def offer(self, name: str, version: str) -> None:
        files = {about(name): File(version.encode())}
        services = {f"{name}.service": Service(COMMAND)}
        self._centre.sources.offer(Package(name, version, files, services))

    async def cut_power(self) -> None:
        self._centre.cut_power(self._name)

    async def boot(self) -> None:
        self._centre.power_on(self._name)
        async with self._centre.clock.timeout(600):
            while not self._centre.host(self._name).is_up:
                await self._centre.clock.sleep(1)


@asynccontextmanager
async def real_machine(rack: RuncRack) -> AsyncIterator[Machine]:
    """Made, booted, and destroyed in the end."""
    spec = rack.spec()
    await rack.hosts.create(spec)
    try:
        await rack.hosts.power_on(spec.name)
        shell = rack.shell(spec, (await rack.hosts.state(spec.name)).host_key)
        try:
            await shell.wait_until_up()
            yield RealMachine(rack, spec, shell)
        finally:
            await shell.close()
    finally:
        await rack.hosts.destroy(spec.name)


@asynccontextmanager
async def simulated_machine() -> AsyncIterator[Machine]:
    """The first host of a data centre that runs, on the virtual loop of the test."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    plans = lay_out(1)
    centre = DataCentre(plans, clock=VirtualClock(loop), random=seeded_random(0))
    running = asyncio.ensure_future(centre.run())
    await centre.runs.wait()
    centre.start_all()
    try:
        yield SimulatedMachine(centre, next(iter(centre.hosts)))
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
