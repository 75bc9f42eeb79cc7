"""The units of one host, and the processes that they run, through its boots.

The units of containerd and kubelet are what the world takes them for: who stops one begins what ails the host then, and
who starts it ends that, whoever began it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count

from msgspec import Struct

from homeostat.sim.world.hosts.ailing import Ail
from homeostat.sim.world.hosts.host import Host
from homeostat.sim.world.hosts.system.packages import Service

SSH, RUNTIME, KUBELET = "ssh.service", "containerd.service", "kubelet.service"
BASE: Mapping[str, Service] = {
    SSH: Service("sshd", is_restarted=True),
    RUNTIME: Service("containerd", is_restarted=True),
    KUBELET: Service("kubelet", is_restarted=True),
}
_WORKS: Mapping[str, Ail] = {RUNTIME: Ail.RUNTIME, KUBELET: Ail.KUBELET}
Tell = Callable[[str, str], None]  # of a unit, what the journal says


class NotStarted(Exception):
    """A unit cannot be started; the message is systemd's."""


class Running(Struct, frozen=True):
    """A process of a unit."""

    pid: int
    service: Service


class Units:
    """All of one host; names are whole, such as `ssh.service`."""

    def __init__(self, host: Host, tell: Tell) -> None:
        self._host, self._tell = host, tell
        self._known = dict(BASE)
        self._enabled = set(BASE)
        self._masked: set[str] = set()
        self._failed: set[str] = set()
        self._running: dict[str, Running] = {}
        self._pids = count(100)
        self.boot()

    def boot(self) -> None:
        """Begin anew: what is enabled runs."""
        self._running.clear()
        self._failed.clear()
        self._pids = count(100)
        for name in sorted(self._enabled - self._masked):
            if name in self._known:
                self._run(name)
        for name in _WORKS:
            if name not in self._running:
                self._ail(name)

    def knows(self, name: str) -> bool:
        """Whether there is one of that name."""
        return name in self._known or name in self._masked

    def add(self, services: Mapping[str, Service]) -> None:
        """Know these, too, or in this form."""
        self._known.update(services)

    def drop(self, services: Mapping[str, Service]) -> None:
        """Forget these; what runs of them is ended."""
        for name in services:
            self._known.pop(name, None)
            self._running.pop(name, None)
            self._enabled.discard(name)
            self._failed.discard(name)

    def is_active(self, name: str) -> bool:
        """Whether it runs."""
        ail = _WORKS.get(name)
        return name in self._running and not (ail is not None and self._host.ailments.has(ail))

    def is_failed(self, name: str) -> bool:
        """Whether it ended without having been asked to."""
        return name in self._failed or (name in self._running and not self.is_active(name))

    def is_enabled(self, name: str) -> bool:
        """Whether it starts at boot."""
        return name in self._enabled and name not in self._masked

    def is_masked(self, name: str) -> bool:
        """Whether nobody may start it."""
        return name in self._masked

    def start(self, name: str) -> None:
        """Have it run. Raises NotStarted."""
        if name in self._masked:
            raise NotStarted(f"Failed to start {name}: Unit {name} is masked.")
        if name not in self._known:
            raise NotStarted(f"Failed to start {name}: Unit {name} not found.")
        if not self.is_active(name):
            ail = _WORKS.get(name)
            if ail is not None:
                self._host.ailments.clear(ail)
            self._run(name)

    def stop(self, name: str) -> None:
        """Have it not run. Raises NotStarted for one that is not there."""
        if name not in self._known:
            raise NotStarted(f"Failed to stop {name}: Unit {name} not loaded.")
        if self._running.pop(name, None) is not None:
            self._tell(name, f"Stopped {name}.")
            self._ail(name)
        self._failed.discard(name)

    def enable(self, name: str, *, enabled: bool) -> None:
        """Whether it is to start at boot. Raises NotStarted."""
        if name not in self._known:
            raise NotStarted(f"Failed to {'enable' if enabled else 'disable'} unit: Unit file {name} does not exist.")
        if enabled:
            self._enabled.add(name)
        else:
            self._enabled.discard(name)

    def mask(self, name: str, *, masked: bool) -> None:
        """Whether nobody may start it."""
        if masked:
            self._masked.add(name)
        else:
            self._masked.discard(name)

    def running(self) -> Mapping[str, Running]:
        """The processes of those that run, by unit."""
        return {name: each for name, each in self._running.items() if self.is_active(name)}

    def kill(self, name: str) -> None:
        """Its process ends at once; systemd starts it again, or tells that it failed."""
        killed = self._running.pop(name)
        self._tell(name, f"{name}: Main process exited, code=killed, status=9/KILL")
        if killed.service.is_restarted:
            self._run(name)
        else:
            self._failed.add(name)
            self._tell(name, f"{name}: Failed with result 'signal'.")

    def _ail(self, name: str) -> None:
        """What the world is to feel of one that does not run."""
        if name in _WORKS:
            self._host.ailments.begin(_WORKS[name])

    def _run(self, name: str) -> None:
        self._failed.discard(name)
        self._running[name] = Running(next(self._pids), self._known[name])
        self._tell(name, f"Started {name}.")
