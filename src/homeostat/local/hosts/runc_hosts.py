"""Hosts made of privileged containers on this machine: systemd boots in each, in a network namespace on the bridge."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from homeostat.kit.clock import Clock
from homeostat.local.command import run
from homeostat.local.hosts.disk import Disk, mount_points
from homeostat.local.hosts.monitor import Monitor
from homeostat.local.hosts.ports import HostError, HostSpec, HostState, Power

_NETNS = Path("/run/netns")
_CHUNK = 1 << 16


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
        known = disk.spec()
        if known == spec:
            return
        if known is not None:
            raise HostError(
                f"host {spec.name}: installed from another declaration; reinstall or destroy it to change it"
            )
        await self.power_off(spec.name)
        await disk.install(spec, self._base, self._public_key, keep_data=False)

    async def power_on(self, name: str) -> None:
        """Mount, wire and boot."""
        spec = self._spec(name)
        monitor = self._monitor(name)
        if monitor.is_running():
            return
        await monitor.stop()  # what a killed machine or monitor may have left
        await self._disk(name).mount()
        await self._wire(spec)
        await monitor.start()

    async def power_off(self, name: str) -> None:
        """Cut the cable first, or the host's network namespace goes on answering for a moment; then the power."""
        spec = self._disk(name).spec()
        if spec is not None:
            await self._ip("link", "del", spec.veth)
        await self._monitor(name).stop()
        await self._ip("netns", "del", name)
        await self._disk(name).unmount()

    async def reset(self, name: str) -> None:
        """Off and on."""
        await self.power_off(name)
        await self.power_on(name)

    async def reinstall(self, name: str, *, keep_data: bool = False) -> None:
        """A fresh system from the same spec."""
        spec = self._spec(name)
        await self.power_off(name)
        await self._disk(name).install(spec, self._base, self._public_key, keep_data=keep_data)

    async def destroy(self, name: str) -> None:
        """Off, and all of its files gone."""
        await self.power_off(name)
        directory = self._directory / name
        left = [point for point in mount_points() if point.startswith(f"{directory}/")]
        if left:
            raise HostError(f"host {name}: {left[0]} is still mounted, so its files are not removed; run it again")
        if directory.exists():
            await run(("rm", "-rf", "--one-file-system", directory), clock=self._clock, timeout_s=120)

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
        return tuple([await self.state(name) for name in self._names() if self._disk(name).spec() is not None])

    async def destroy_all(self) -> None:
        """Every host, installed or half-installed."""
        await asyncio.gather(*(self.destroy(name) for name in self._names()))
        shutil.rmtree(self._directory, ignore_errors=True)

    async def leftovers(self) -> tuple[str, ...]:
        """What of the hosts still stands on this machine, a line each."""
        below = f"{self._directory}/"
        found = [f"mount {point}" for point in sorted(mount_points()) if point.startswith(below)]
        if self._directory.is_dir():
            found += [f"file {entry}" for entry in sorted(self._directory.iterdir())]
        return (*found, *_processes_naming(below))

    async def _wire(self, spec: HostSpec) -> None:
        """A namespace, and a cable from it to the bridge."""
        if not (_NETNS / spec.name).exists():
            await self._ip("netns", "add", spec.name, check=True)
        await self._ip("link", "del", spec.veth)
        inside = ("-n", spec.name)
        await self._ip("link", "add", spec.veth, "type", "veth", "peer", "name", "eth0", "netns", spec.name, check=True)
        await self._ip("link", "set", spec.veth, "master", spec.bridge, "up", check=True)
        await self._ip(*inside, "link", "set", "lo", "up", check=True)
        await self._ip(*inside, "addr", "add", f"{spec.address}/{spec.prefix}", "dev", "eth0", check=True)
        await self._ip(*inside, "link", "set", "eth0", "up", check=True)
        await self._ip(*inside, "route", "add", "default", "via", spec.gateway, check=True)
        for route in spec.routes:
            await self._ip(*inside, "route", "replace", route.destination, "via", route.via, check=True)

    async def _ip(self, *words: str, check: bool = False) -> None:
        await run(("ip", *words), clock=self._clock, check=check)

    def _names(self) -> tuple[str, ...]:
        if not self._directory.is_dir():
            return ()
        return tuple(sorted(entry.name for entry in self._directory.iterdir() if entry.is_dir()))

    def _disk(self, name: str) -> Disk:
        return Disk(self._directory / name, clock=self._clock)

    def _monitor(self, name: str) -> Monitor:
        return Monitor(name, self._directory / name, self._directory.parent / "runc", clock=self._clock)

    def _spec(self, name: str) -> HostSpec:
        spec = self._disk(name).spec()
        if spec is None:
            raise HostError(f"host {name}: there is none of that name; `homeostat status` lists them")
        return spec


def _processes_naming(text: str) -> Iterator[str]:
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended while we looked
        if text in words:
            yield f"process {process.name} {words[:80]}"


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
