"""Hosts made of privileged containers on this machine: systemd boots in each, in a network namespace on the bridge."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from homeostat.kit.clock import Clock
from homeostat.local.command import run
from homeostat.local.hosts import processes
from homeostat.local.hosts.cable import pull_out
from homeostat.local.hosts.disk import Disk, mount_points
from homeostat.local.hosts.monitor import Monitor
from homeostat.local.hosts.ports import HostError, HostSpec, HostState, Power

_NETNS = Path("/run/netns")
_LINKS = Path("/sys/class/net")
_CHUNK = 1 << 16
_GONE = ".gone-"  # prefix of a directory whose host is destroyed, but whose files are not all removed yet


class RuncHosts:
    """The rack of one data centre; see `ports.Hosts` for what each operation promises."""

    def __init__(self, directory: Path, base: Path, public_key: str, *, clock: Clock) -> None:
        """Hosts live below `directory`, stand on the root at `base`, and let in the holder of `public_key`."""
        self._directory = directory
        self._base = base
        self._public_key = public_key
        self._clock = clock

    async def create(self, spec: HostSpec) -> None:
        """Install the host unless it is; one that was installed from another spec is refused."""
        disk = self._disk(spec.name)
        if disk.is_installed():
            if disk.declared() != spec:
                raise HostError(f"host {spec.name}: installed from another declaration; destroy it to change it")
            return
        await self._unplug(spec.name)
        # Data that is there belongs to a reinstallation that was interrupted and was perhaps told to keep it.
        await disk.install(spec, self._base, self._public_key, keep_data=True)

    async def power_on(self, name: str) -> None:
        """Mount, wire and boot.

        A host that runs without its supply, which was killed, or without its cable, because the one who switched it off
        was killed, is begun anew.
        """
        spec = self._spec(name)
        monitor = self._monitor(name)
        if monitor.is_alive() and (_LINKS / spec.veth).exists():
            return
        await self._unplug(name)  # what a killed machine, caller or supply may have left
        await self._disk(name).mount()
        cable = self._disk(name).write_cable(spec)
        await run(("sh", f"{cable}.in"), clock=self._clock)
        await monitor.start()

    async def power_off(self, name: str) -> None:
        """The plug, not a shutdown."""
        self._spec(name)
        await self._unplug(name)

    async def _unplug(self, name: str) -> None:
        """Cut the cable first, or the host's network namespace goes on answering for a moment; then the power."""
        spec = self._disk(name).declared()
        pull = pull_out(spec) if spec is not None else ""
        await run(("sh", "-c", pull), clock=self._clock)
        await self._monitor(name).stop()
        await run(("sh", "-c", pull), clock=self._clock)  # the supply may have been wiring for a reboot meanwhile
        await self._disk(name).unmount()

    async def reset(self, name: str) -> None:
        """Off and on."""
        await self.power_off(name)
        await self.power_on(name)

    async def reinstall(self, name: str, *, keep_data: bool = False) -> None:
        """A fresh system from the same spec, also where an earlier attempt was interrupted."""
        disk = self._disk(name)
        spec = disk.declared()
        if spec is None:
            raise _unknown(name)
        await self._unplug(name)
        await disk.install(spec, self._base, self._public_key, keep_data=keep_data)

    async def destroy(self, name: str) -> None:
        """Off, and all of its files gone."""
        await self._unplug(name)
        disk = self._disk(name)
        if left := disk.mounted():
            raise HostError(f"host {name}: {left[0]} is still mounted, so its files are not removed; run it again")
        gone = self._directory / f"{_GONE}{name}"
        await self._remove(gone)
        if disk.directory.exists():
            disk.directory.rename(gone)  # a half-removed host is none, so that nothing is taken for its data
        await self._remove(gone)

    async def console(self, name: str, *, tail: int | None = None, follow: bool = False) -> AsyncIterator[bytes]:
        """The console's log; following looks twice a second, a file cannot be awaited."""
        file = self._disk(name).console
        offset = _offset_of_tail(file, tail)
        while True:
            for chunk in _chunks(file, offset):
                offset += len(chunk)
                yield chunk
            if not follow:
                return
            await self._clock.sleep(0.5)

    async def state(self, name: str) -> HostState:
        """What the host is now."""
        spec = self._spec(name)
        return HostState(
            name=name,
            address=spec.address,
            zone=spec.zone,
            role=spec.role,
            power=Power.ON if self._monitor(name).is_running() else Power.OFF,
            host_key=self._disk(name).host_key,
        )

    async def list(self) -> tuple[HostState, ...]:
        """All installed hosts, by name."""
        return tuple([await self.state(name) for name in self._names() if self._disk(name).is_installed()])

    async def destroy_all(self) -> None:
        """Every host, installed or half-installed."""
        await asyncio.gather(*(self.destroy(name) for name in self._names()))
        for directory in (self._directory, self._runtime):
            shutil.rmtree(directory, ignore_errors=True)

    async def leftovers(self) -> tuple[str, ...]:
        """What of the hosts still stands on this machine, a line each."""
        return await asyncio.to_thread(self._leftovers)

    def _leftovers(self) -> tuple[str, ...]:
        below = f"{self._directory}/"
        found = [f"mount {point}" for point in sorted(mount_points()) if point.startswith(below)]
        left = processes.started_with(below) | processes.standing_on(self._directory)
        found += [f"process {pid} {processes.command_line(pid)[:80]}" for pid in sorted(left)]
        for name in self._names():
            found.append(f"file {self._directory / name}")
            found += [f"namespace {name}"] if (_NETNS / name).exists() else []
            found += [f"control group {group}" for group in processes.cgroups(name)]
        return tuple(found)

    def _names(self) -> tuple[str, ...]:
        if not self._directory.is_dir():
            return ()
        return tuple(sorted(entry.name.removeprefix(_GONE) for entry in self._directory.iterdir() if entry.is_dir()))

    @property
    def _runtime(self) -> Path:
        return self._directory.parent / "runc"

    def _disk(self, name: str) -> Disk:
        return Disk(self._directory / name, clock=self._clock)

    def _monitor(self, name: str) -> Monitor:
        return Monitor(name, self._directory / name, self._runtime, clock=self._clock)

    async def _remove(self, directory: Path) -> None:
        await run(("rm", "-rf", "--one-file-system", directory), clock=self._clock, timeout_s=120)

    def _spec(self, name: str) -> HostSpec:
        disk = self._disk(name)
        spec = disk.declared()
        if spec is None:
            raise _unknown(name)
        if not disk.is_installed():
            raise HostError(f"host {name}: its installation was interrupted; create or reinstall it again")
        return spec


def _unknown(name: str) -> HostError:
    return HostError(f"host {name}: there is none of that name; `homeostat status` lists them")


def _offset_of_tail(file: Path, tail: int | None) -> int:
    if tail is None or not file.exists():
        return 0
    lines = file.read_bytes().splitlines(keepends=True)
    return sum(len(line) for line in lines[: max(len(lines) - tail, 0)])


def _chunks(file: Path, offset: int) -> Iterator[bytes]:
    if not file.exists():
        return
    with file.open("rb") as stream:
        stream.seek(offset)
        while chunk := stream.read(_CHUNK):
            yield chunk
