"""A data centre: hosts in zones, racks and behind switches, and what takes time in it.

It owns all tasks of what runs on its hosts: when it ends, they do, and a failure in one of them ends the world, so that
no fault of a program is lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any, TypeVar

from homeostat.kit.clock import Clock
from homeostat.kit.random import Random
from homeostat.sim.world.hosts.disks import Shelf
from homeostat.sim.world.hosts.host import Host, HostPlan, Power
from homeostat.sim.world.hosts.images import Registry
from homeostat.sim.world.hosts.system.packages import Sources
from homeostat.sim.world.hosts.system.system import HostSystem
from homeostat.sim.world.hosts.times import Times

T = TypeVar("T")
_SLOWEST_BOOT = 10.0  # however slow the disk is: most of a boot is not read from it
MOST_HOSTS = 16_384  # as many ranges of 254 Pods as 100.64.0.0/10 has


class UnknownHost(LookupError):
    """There is no host of that name; the message names some that there are."""


class DataCentre:
    """All hosts, by name. `run` it before anything is to happen in it."""

    def __init__(
        self,
        plans: Iterable[HostPlan],
        *,
        clock: Clock,
        random: Random,
        times: Times = Times(),  # noqa: B008
    ) -> None:
        self.hosts: Mapping[str, Host] = {plan.name: Host(plan) for plan in plans}
        self.registry = Registry()
        self.sources = Sources()  # of packages
        self.network_disks = Shelf()  # of volumes that lie on no host
        self.clock = clock
        self.random = random
        self.times = times
        self.runs = asyncio.Event()
        self._changing: dict[str, asyncio.Task[None]] = {}
        self._systems: dict[str, HostSystem] = {}
        self._tasks: asyncio.TaskGroup | None = None

    def host(self, name: str) -> Host:
        """One of them. Raises UnknownHost."""
        try:
            return self.hosts[name]
        except KeyError:
            known = ", ".join(sorted(self.hosts)[:5]) or "none"
            more = f" and {len(self.hosts) - 5} more" if len(self.hosts) > 5 else ""
            raise UnknownHost(f"expected a host of this data centre, found {name!r}; there are {known}{more}") from None

    def system(self, name: str) -> HostSystem:
        """The operating system of one of them, as whoever administers it finds it. Raises UnknownHost."""
        host = self.host(name)
        if name not in self._systems:
            self._systems[name] = HostSystem(host, self.sources, self.clock, self.random)
        return self._systems[name]

    def is_reached(self, name: str) -> bool:
        """Whether others find a host of that name; False where there is none."""
        return name in self.hosts and self.hosts[name].is_reached

    def spawn(self, what: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
        """Let something happen. Only while the data centre runs."""
        if self._tasks is None:
            what.close()
            raise RuntimeError("the data centre does not run: nothing can happen in it")
        return self._tasks.create_task(what, name=name)

    async def run(self) -> None:
        """Live until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                self.runs.set()
                await asyncio.get_running_loop().create_future()
        finally:
            self._tasks = None
            self.runs.clear()

    # --- power

    def start_all(self) -> None:
        """Let all hosts run at once, as at the beginning of a world."""
        for host in self.hosts.values():
            host.become(Power.ON)

    def power_on(self, name: str) -> None:
        """Let a host boot; one that runs stays as it is."""
        host = self.host(name)
        if host.power in (Power.OFF, Power.ENDING):
            self._change(host, self._boot(host))

    def cut_power(self, name: str) -> None:
        """Pull the plug: nothing on it can react."""
        host = self.host(name)
        self._leave_be(host)
        host.become(Power.OFF)

    def power_off(self, name: str) -> None:
        """Shut a host down. Kubelets do not tell of it: containers are ended, and the host is silent."""
        host = self.host(name)
        if host.power is Power.ON:
            self._change(host, self._shut_down(host))
        else:
            self.cut_power(name)

    def reboot(self, name: str) -> None:
        """Shut a host down, and let it boot."""
        host = self.host(name)

        async def reboot() -> None:
            await self._shut_down(host)
            await self._boot(host)

        self._change(host, reboot())

    async def _boot(self, host: Host) -> None:
        host.become(Power.OFF)
        host.become(Power.BOOTING)
        await self.clock.sleep(self.times.boot.draw(self.random) * min(host.slowness, _SLOWEST_BOOT))
        host.become(Power.ON)

    async def _shut_down(self, host: Host) -> None:
        host.become(Power.ENDING)
        await self.clock.sleep(self.times.shutdown.draw(self.random))
        host.become(Power.OFF)

    def _change(self, host: Host, change: Coroutine[Any, Any, None]) -> None:
        self._leave_be(host)
        task = self._changing[host.name] = self.spawn(change, f"power of {host.name}")
        task.add_done_callback(self._forgetter(host.name))

    def _forgetter(self, name: str) -> Callable[[asyncio.Task[None]], None]:
        def forget(task: asyncio.Task[None]) -> None:
            if self._changing.get(name) is task:
                del self._changing[name]

        return forget

    def _leave_be(self, host: Host) -> None:
        """Whatever was being done about its power is not done any more."""
        task = self._changing.pop(host.name, None)
        if task is not None:
            task.cancel()
