"""The operating system of one simulated host, as whoever administers it over SSH finds it.

What is on its disk outlives boots, but for `/run`. Troubles of the disk are told in the kernel's words. A host that is
not reached is silence until SSH gives up; one that goes in the middle of something leaves open whether that was done.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from homeostat.kit.clock import Clock
from homeostat.kit.random import Random
from homeostat.operators.machine.ports import (
    FileSeen,
    LogLine,
    PackageSeen,
    ProcessSeen,
    Refused,
    UnitSeen,
    UnitState,
    Unreachable,
)
from homeostat.sim.world.hosts.ailing import Ail
from homeostat.sim.world.hosts.host import Host
from homeostat.sim.world.hosts.system.packages import File, NotOffered, Package, Sources
from homeostat.sim.world.hosts.system.units import NotStarted, Units

T = TypeVar("T")
VOLATILE = "/run/"
USERS = frozenset(("root", "daemon", "nobody", "sshd"))
GROUPS = frozenset(("root", "daemon", "nogroup", "adm"))
_CONNECTS_S = 10.0  # SSH gives up
_ROUND_S = (0.002, 0.01)  # there and back
_INSTALLS_S = (2.0, 6.0)
_STARTS_S = (0.05, 0.3)
_LINES = 1000
_FIRST = 1  # the number of systemd
_CONTAINERS = 10_000  # numbers of their processes begin here
_KILLED = 137


class HostSystem:
    """Satisfies `operators.machine.ports.System`."""

    def __init__(self, host: Host, sources: Sources, clock: Clock, random: Random) -> None:
        self._host, self._sources, self._clock, self._random = host, sources, clock, random
        self._files: dict[str, File] = {}
        self._packages: dict[str, Package] = {}
        self._held: set[str] = set()
        self._lines: deque[LogLine] = deque(maxlen=_LINES)
        self._units = Units(host, self._told)
        self._boot = host.boots
        host.hear(self._look_at_power)

    async def boot_id(self) -> str:
        """Of its own, and of no other host's boot."""
        return await self._answered(lambda: f"{self._host.name}-{self._host.boots}")

    # --- files

    async def look(self, path: str) -> FileSeen | None:
        """A file as it is; None where there is none."""

        def seen() -> FileSeen | None:
            found = self._files.get(path)
            if found is None:
                return None
            return FileSeen(found.mode, found.owner, found.group, len(found.content))

        return await self._answered(seen)

    async def read(self, path: str) -> bytes:
        """What is in a file."""

        def content() -> bytes:
            found = self._files.get(path)
            if found is None:
                raise Refused(f"host {self._host.name}: reading {path}: cat: {path}: No such file or directory")
            if self._host.ailments.has(Ail.DISK_ERRORS):
                raise Refused(f"host {self._host.name}: reading {path}: cat: {path}: Input/output error")
            return found.content

        return await self._answered(content)

    async def write(
        self, path: str, content: bytes, *, mode: int = 0o644, owner: str = "root", group: str = "root"
    ) -> None:
        """Make a file."""

        def write() -> None:
            self._check_disk(path)
            if owner not in USERS:
                raise Refused(f"host {self._host.name}: chown: invalid user: '{owner}:{group}'")
            if group not in GROUPS:
                raise Refused(f"host {self._host.name}: chown: invalid group: '{owner}:{group}'")
            self._files[path] = File(content, mode, owner, group)

        await self._answered(write)

    async def remove(self, path: str) -> None:
        """Let a file be gone."""

        def remove() -> None:
            if path in self._files:
                self._check_disk(path, frees=True)
                del self._files[path]

        await self._answered(remove)

    # --- packages

    async def packages(self) -> Mapping[str, PackageSeen]:
        """All that are installed."""
        return await self._answered(
            lambda: {name: PackageSeen(each.version, name in self._held) for name, each in self._packages.items()}
        )

    async def install(self, name: str, version: str) -> None:
        """Have this version, older or newer than what is there."""
        there = self._packages.get(name)
        if there is not None and there.version == version:
            await self._answered(_nothing)
            return

        def install() -> None:
            self._check_disk("/var/lib/dpkg")
            if name in self._held:
                text = "E: Held packages were changed and -y was used without --allow-change-held-packages."
                raise Refused(f"host {self._host.name}: {text}")
            try:
                package = self._sources.find(name, version)
            except NotOffered as error:
                raise Refused(f"host {self._host.name}: {error}") from error
            self._replace(self._packages.get(name), package)

        await self._answered(install, _INSTALLS_S)

    async def uninstall(self, name: str) -> None:
        """Let a package be gone, with its configuration."""

        def uninstall() -> None:
            if name in self._packages:
                self._check_disk("/var/lib/dpkg", frees=True)
                if name in self._held:
                    text = "E: Held packages were changed and -y was used without --allow-change-held-packages."
                    raise Refused(f"host {self._host.name}: {text}")
                self._replace(self._packages[name], None)

        await self._answered(uninstall, _INSTALLS_S if name in self._packages else _ROUND_S)

    async def hold(self, name: str, *, held: bool) -> None:
        """Keep a package at its version, or let it change again."""

        def hold() -> None:
            if held and name in self._packages:
                self._held.add(name)
            else:
                self._held.discard(name)

        await self._answered(hold)

    # --- units

    async def unit(self, name: str) -> UnitSeen | None:
        """A unit as it is; None where there is none."""

        def seen() -> UnitSeen | None:
            units = self._units
            if not units.knows(name):
                return None
            state = UnitState.ACTIVE if units.is_active(name) else UnitState.INACTIVE
            if units.is_failed(name):
                state = UnitState.FAILED
            return UnitSeen(state, is_enabled=units.is_enabled(name), is_masked=units.is_masked(name))

        return await self._answered(seen)

    async def start(self, unit: str) -> None:
        """Have it active."""
        await self._asked_of_systemd(lambda: self._units.start(unit), _STARTS_S)

    async def stop(self, unit: str) -> None:
        """Have it inactive."""
        await self._asked_of_systemd(lambda: self._units.stop(unit), _STARTS_S)

    async def enable(self, unit: str, *, enabled: bool) -> None:
        """Have it start at boot, or not."""
        await self._asked_of_systemd(lambda: self._units.enable(unit, enabled=enabled))

    async def mask(self, unit: str, *, masked: bool) -> None:
        """Let nobody start it, or let it be started again."""
        await self._asked_of_systemd(lambda: self._units.mask(unit, masked=masked))

    # --- processes and logs

    async def processes(self) -> tuple[ProcessSeen, ...]:
        """systemd, what its units run, and what runs in containers."""
        return await self._answered(lambda: tuple(self._all_processes()))

    async def kill(self, pid: int) -> None:
        """End a process at once."""

        def kill() -> None:
            for name, running in self._units.running().items():
                if running.pid == pid:
                    self._units.kill(name)
                    return
            for number, process in enumerate(self._host.processes.values()):
                if _CONTAINERS + number == pid:
                    process.kill(_KILLED, "Error")
                    return
            raise Refused(f"host {self._host.name}: kill: ({pid}) - No such process")

        await self._answered(kill)

    async def journal(self, unit: str = "", last: int = 100) -> tuple[LogLine, ...]:
        """The latest lines of this boot, with the kernel's among those of all."""

        def lines() -> tuple[LogLine, ...]:
            kernel = () if unit else (LogLine(each.at, "", each.text) for each in self._host.kernel_log)
            found = [each for each in self._lines if not unit or each.unit == unit]
            return tuple(sorted((*kernel, *found), key=lambda each: each.at)[-last:])

        return await self._answered(lines)

    # --- what is beneath

    async def _answered(self, what: Callable[[], T], takes_s: tuple[float, float] = _ROUND_S) -> T:
        """What comes of something, when the host is reached before and after it. Raises Unreachable and Refused."""
        if not self._host.is_reached:
            await self._clock.sleep(_CONNECTS_S)
            raise Unreachable(f"host {self._host.name}: no SSH at {self._host.address}: no answer")
        boot = self._host.boots
        await self._clock.sleep(self._random.uniform(*takes_s) * self._host.slowness)
        if self._host.is_reached and self._host.boots == boot:
            return what()
        if self._host.is_up and self._host.boots == boot:
            _ = what()  # it is done there, and nobody hears of it
        raise Unreachable(f"host {self._host.name}: the connection broke")

    async def _asked_of_systemd(self, what: Callable[[], None], takes_s: tuple[float, float] = _ROUND_S) -> None:
        def asked() -> None:
            try:
                what()
            except NotStarted as error:
                raise Refused(f"host {self._host.name}: {error}") from error

        await self._answered(asked, takes_s)

    def _check_disk(self, path: str, *, frees: bool = False) -> None:
        ailments, why = self._host.ailments, ""
        if path.startswith(VOLATILE):
            return
        if ailments.has(Ail.DISK_READ_ONLY):
            why = "Read-only file system"
        elif ailments.has(Ail.DISK_FULL) and not frees:
            why = "No space left on device"
        if why:
            raise Refused(f"host {self._host.name}: writing {path}: {why}")

    def _replace(self, old: Package | None, new: Package | None) -> None:
        if old is not None:
            kept = new.services if new is not None else {}
            self._units.drop({name: each for name, each in old.services.items() if name not in kept})
            for path in old.files:
                self._files.pop(path, None)
            self._packages.pop(old.name)
        if new is not None:
            self._units.add(new.services)
            self._files.update(new.files)
            self._packages[new.name] = new

    def _all_processes(self) -> Iterable[ProcessSeen]:
        yield ProcessSeen(_FIRST, "systemd", "root")
        running = sorted(self._units.running().items(), key=lambda each: each[1].pid)
        for name, each in running:
            yield ProcessSeen(each.pid, each.service.command, each.service.owner, name)
        for number, process in enumerate(self._host.processes.values()):
            yield ProcessSeen(_CONTAINERS + number, process.container, "root")

    def _told(self, unit: str, text: str) -> None:
        self._lines.append(LogLine(self._host.now(self._clock), unit, text))

    def _look_at_power(self) -> None:
        if self._host.is_up and self._host.boots != self._boot:
            self._boot = self._host.boots
            self._lines.clear()
            self._files = {path: each for path, each in self._files.items() if not path.startswith(VOLATILE)}
            self._units.boot()


def _nothing() -> None:
    """Only be reached."""
