"""One host: what it is made of, and what can happen to it.

Whatever happens is told to those who asked to hear of it, at once: the kubelet on it, and the network that it is in.
What takes time (to boot, to shut down) is left to the data centre, which owns the tasks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import StrEnum
from ipaddress import IPv4Network

from msgspec import Struct

from homeostat.sim.world.hosts.disks import Shelf


class Power(StrEnum):
    """Whether a host runs."""

    OFF = "off"
    BOOTING = "booting"
    ON = "on"
    ENDING = "ending"


class HostPlan(Struct, frozen=True, kw_only=True):
    """What a host is made of, and where it stands."""

    name: str
    region: str = "region-1"
    zone: str = "a"
    rack: str = "a-r1"
    switch: str = "a-r1-s1"
    model: str = "standard-1"
    kernel: str = "6.12.0-1"
    os_image: str = "Debian GNU/Linux 13 (trixie)"
    architecture: str = "amd64"
    kubelet: str = "v1.35.4"
    address: str = "172.16.0.1"
    pod_range: str = "100.64.0.0/24"
    cpus: int = 16
    memory_gib: int = 64
    disk_gib: int = 500
    pods: int = 110
    labels: dict[str, str] = {}


class Host:
    """A host of a data centre. Times that something takes are drawn by whoever lets it take them."""

    def __init__(self, plan: HostPlan) -> None:
        self.plan = plan
        self.power = Power.OFF
        self.boots = 0
        self.images: dict[str, None] = {}  # those that it has
        self.disks = Shelf()
        self.slowness = 1.0  # of its disk: how many times longer than usual everything takes
        self.is_full = False
        self.is_connected = True
        self._works = asyncio.Event()
        self._works.set()
        self._heard: list[Callable[[], None]] = []
        self._network = IPv4Network(plan.pod_range)
        self._next = 2  # the first address is the host's own in that range
        self._taken: dict[str, None] = {}

    @property
    def name(self) -> str:
        """As its Node is called."""
        return self.plan.name

    @property
    def zone(self) -> str:
        """Where it stands."""
        return self.plan.zone

    @property
    def address(self) -> str:
        """Its own."""
        return self.plan.address

    @property
    def capacity(self) -> dict[str, str]:
        """What it has, as a Node tells it."""
        plan = self.plan
        return {
            "cpu": str(plan.cpus),
            "memory": f"{plan.memory_gib * 1024 * 1024}Ki",
            "ephemeral-storage": f"{plan.disk_gib * 1024 * 1024}Ki",
            "pods": str(plan.pods),
        }

    @property
    def allocatable(self) -> dict[str, str]:
        """What Pods may have of it: all but what kubelets keep free of memory by default."""
        return {**self.capacity, "memory": f"{self.plan.memory_gib * 1024 * 1024 - 100 * 1024}Ki"}

    @property
    def is_up(self) -> bool:
        """Whether it runs."""
        return self.power is Power.ON

    @property
    def is_hung(self) -> bool:
        """Whether its kubelet does nothing."""
        return not self._works.is_set()

    @property
    def is_heard(self) -> bool:
        """Whether its kubelet runs and reaches the API server."""
        return self.is_up and self.is_connected and not self.is_hung

    def hear(self, call: Callable[[], None]) -> None:
        """Call whenever anything here changed."""
        self._heard.append(call)

    async def kubelet_works(self) -> None:
        """Wait until the kubelet does something."""
        await self._works.wait()

    # --- what can happen

    def become(self, power: Power) -> None:
        """Whatever ran on it ends when it is not on any more."""
        if power is self.power:
            return
        self.power = power
        if power is Power.ON:
            self.boots += 1
            self._works.set()
        if power is Power.OFF:
            self._taken.clear()
        self.tell()

    def hang_kubelet(self) -> None:
        """Its kubelet does nothing from now on; containers run on."""
        self._works.clear()
        self.tell()

    def restart_kubelet(self) -> None:
        """Its kubelet works again."""
        self._works.set()
        self.tell()

    def cut_off(self) -> None:
        """Nothing reaches it, and it reaches nothing; it runs on."""
        self.is_connected = False
        self.tell()

    def reconnect(self) -> None:
        """Its network works again."""
        self.is_connected = True
        self.tell()

    def slow_down(self, times: float) -> None:
        """Its disk takes so many times longer from now on; 1 is as usual."""
        self.slowness = times
        self.tell()

    def fill_disk(self) -> None:
        """There is no room on its disk."""
        self.is_full = True
        self.tell()

    def free_disk(self) -> None:
        """There is room again."""
        self.is_full = False
        self.tell()

    def wipe(self) -> None:
        """All that was on its disks is lost: images and volumes."""
        self.images.clear()
        self.disks.wipe()
        self.tell()

    def tell(self) -> None:
        """Say that something changed."""
        for call in tuple(self._heard):
            call()

    # --- addresses of Pods

    def take_address(self) -> str:
        """A free one, in turn, so that the address of a Pod that is gone is not soon another's."""
        size = self._network.num_addresses
        for _ in range(size):
            address = str(self._network[self._next])
            self._next = 2 if self._next >= size - 2 else self._next + 1
            if address not in self._taken:
                self._taken[address] = None
                return address
        raise RuntimeError(f"host {self.name}: no address is free in {self._network}")

    def give_back(self, address: str) -> None:
        """It is free again."""
        self._taken.pop(address, None)
