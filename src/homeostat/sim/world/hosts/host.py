"""One host: what it is made of, what runs on it, and what can happen to it.

Whatever happens is told to those who asked to hear of it, at once: the kubelet on it, and the network that it is in.
What takes time (to boot, to shut down) is left to the data centre, which owns the tasks.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import IPv4Network

from msgspec import Struct

from homeostat.kit.clock import Clock
from homeostat.sim.world.hosts.ailing import ENDED_BY_BOOT, Ail, Ailments
from homeostat.sim.world.hosts.disks import Shelf

_SLOWEST = 50.0  # however many troubles there are: a host that is slower counts as hung
_LINES = 1000  # that a kernel keeps of its log


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


class Process(Struct, frozen=True, eq=False):
    """A program that runs on a host."""

    pod: str  # namespace/name
    container: str
    kill: Callable[[int, str], None]  # with an exit code, for a reason


class Line(Struct, frozen=True):
    """A line of the kernel's log."""

    at: datetime
    text: str


class Host:
    """A host of a data centre. Times that something takes are drawn by whoever lets it take them."""

    def __init__(self, plan: HostPlan) -> None:
        self.plan = plan
        self.power = Power.OFF
        self.boots = 0
        self.images: dict[str, None] = {}  # those that it has
        self.disks = Shelf()
        self.processes: dict[str, Process] = {}  # by an identity of their own
        self.kernel_log: deque[Line] = deque(maxlen=_LINES)
        self.ailments = Ailments(self.tell)
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
    def is_connected(self) -> bool:
        """Whether anything reaches it while it runs."""
        return not self.ailments.has(Ail.NETWORK)

    @property
    def is_reached(self) -> bool:
        """Whether others find it: it runs, and its network works."""
        return self.is_up and self.is_connected

    @property
    def reaches_server(self) -> bool:
        """Whether its kubelet reaches the API server."""
        return self.is_connected and not self.ailments.has(Ail.SERVER)

    @property
    def is_heard(self) -> bool:
        """Whether its kubelet works, and what it tells arrives."""
        return self.is_up and self.reaches_server and not self.ailments.has(Ail.KUBELET)

    @property
    def slowness(self) -> float:
        """How many times longer than usual everything takes; what has begun takes as long as it was to take then."""
        return min(self.ailments.times(Ail.DISK_SLOW, Ail.HEAT), _SLOWEST)

    def refusal(self) -> str:
        """Why it can start nothing, as containerd words it; empty when it can."""
        texts = {
            Ail.DISK_READ_ONLY: "mkdir /run/containerd/io.containerd.runtime.v2.task: read-only file system",
            Ail.NO_PIDS: "fork/exec /usr/bin/containerd-shim-runc-v2: resource temporarily unavailable",
            Ail.NO_FILES: "open /proc/sys/kernel/cap_last_cap: too many open files",
        }
        found = next((text for ail, text in texts.items() if self.ailments.has(ail)), "")
        return f"failed to create containerd task: failed to create shim task: {found}" if found else ""

    def pull_refusal(self) -> str:
        """Why it can keep no image that it does not have."""
        for ail, text in (
            (Ail.DISK_FULL, "no space left on device"),
            (Ail.DISK_READ_ONLY, "read-only file system"),
            (Ail.DISK_ERRORS, "input/output error"),
        ):
            if self.ailments.has(ail):
                return f"write /var/lib/containerd/io.containerd.content.v1.content/ingest: {text}"
        return ""

    def now(self, clock: Clock) -> datetime:
        """The time that its own clock shows.

        Its Node and its Lease bear the right one all the same, as they are judged by what they say.
        """
        return clock.now() + timedelta(seconds=self.ailments.sum(Ail.CLOCK))

    def hear(self, call: Callable[[], None]) -> None:
        """Call whenever anything here changed."""
        self._heard.append(call)

    def unhear(self, call: Callable[[], None]) -> None:
        """Call no longer."""
        self._heard.remove(call)

    async def kubelet_works(self) -> None:
        """Wait until the kubelet does something."""
        await self._works.wait()

    def log(self, text: str, clock: Clock) -> None:
        """Let the kernel say something."""
        self.kernel_log.append(Line(self.now(clock), text))

    def become(self, power: Power) -> None:
        """Whatever ran on it ends when it is not on any more."""
        if power is self.power:
            return
        self.power = power
        if power is Power.ON:
            self.boots += 1
        else:
            self.processes.clear()
            self._taken.clear()
            self.ailments.clear(*ENDED_BY_BOOT)
        self.tell()

    def wipe(self) -> None:
        """All that was on its disks is lost: images and volumes."""
        self.images.clear()
        self.disks.wipe()
        self.tell()

    def tell(self) -> None:
        """Say that something changed."""
        if self.ailments.has(Ail.KUBELET):
            self._works.clear()
        else:
            self._works.set()
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
