"""A host's disk: an overlay over the shared base, and directories on the real file system for what must outlive it.

Installing writes the whole system part anew into a fresh layer; data disks are wiped or kept as asked. A marker is
written last, so that an installation that was killed in the middle is done again from the start.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable
from pathlib import Path

import msgspec

from homeostat.kit.clock import Clock
from homeostat.local.command import run
from homeostat.local.hosts.bundle import DISKS, SYSTEM_DATA, config
from homeostat.local.hosts.cable import plug_in, pull_out
from homeostat.local.hosts.ports import HostError, HostSpec
from homeostat.local.hosts.processes import CGROUP_PARENT

_MARKER = "installed"


class Disk:
    """The files of one host below its directory."""

    def __init__(self, directory: Path, *, clock: Clock) -> None:
        self.directory = directory
        self._clock = clock

    @property
    def root(self) -> Path:
        """Where the host's root file system is mounted."""
        return self.directory / "root"

    @property
    def console(self) -> Path:
        """What the host wrote to its console."""
        return self.directory / "console.log"

    @property
    def host_key(self) -> str:
        """The host's public SSH key."""
        words = (self.directory / "ssh_host_ed25519_key.pub").read_text().split()
        return " ".join(words[:2])

    def declared(self) -> HostSpec | None:
        """The spec that this host is, or was about to be, installed from."""
        file = self.directory / "spec.json"
        return msgspec.json.decode(file.read_bytes(), type=HostSpec) if file.is_file() else None

    def is_installed(self) -> bool:
        """Whether the last installation came to its end."""
        return (self.directory / _MARKER).is_file()

    async def install(self, spec: HostSpec, base: Path, public_key: str, *, keep_data: bool) -> None:
        """Lay down a fresh system. The host must be off and nothing be mounted below its directory."""
        if points := self.mounted():
            raise HostError(f"{points[0]}: still mounted, so nothing below it is removed; switch the host off again")
        self._declare(spec)
        await self._wipe((*SYSTEM_DATA, *(() if keep_data else DISKS)))
        for name in ("upper", "work", "root", "bundle", *(f"data/{name}" for name in SYSTEM_DATA | DISKS)):
            (self.directory / name).mkdir(parents=True, exist_ok=True)
        await self._keys()
        self._prepare(spec, public_key)
        if spec.images:
            await seed_containerd(Path(spec.images), self.directory / "data" / "containerd", clock=self._clock)
        document = config(spec, self.directory, f"/{CGROUP_PARENT}/{spec.name}")
        (self.directory / "bundle" / "config.json").write_bytes(msgspec.json.encode(document))
        (self.directory / "base").write_text(str(base))
        (self.directory / _MARKER).touch()

    def _declare(self, spec: HostSpec) -> None:
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        new = self.directory / "spec.json.new"
        new.write_bytes(msgspec.json.encode(spec))
        new.replace(self.directory / "spec.json")
        (self.directory / _MARKER).unlink(missing_ok=True)

    async def _wipe(self, data: Iterable[str]) -> None:
        old = [self.directory / name for name in ("upper", "work", *(f"data/{name}" for name in data))]
        await run(("rm", "-rf", "--one-file-system", *old), clock=self._clock, timeout_s=120)

    async def mount(self) -> None:
        """Put the layers together; nothing to do where they are."""
        if str(self.root) in mount_points():
            return
        base = (self.directory / "base").read_text()
        layers = f"lowerdir={base},upperdir={self.directory / 'upper'},workdir={self.directory / 'work'}"
        await run(("mount", "-t", "overlay", "overlay", "-o", layers, self.root), clock=self._clock)

    async def unmount(self) -> None:
        """Take the layers apart, and whatever is still mounted below the host's directory."""
        for point in reversed(self.mounted()):
            await run(("umount", "--lazy", point), clock=self._clock, check=False)

    def mounted(self) -> list[str]:
        """Mount points below the host's directory, the outer before the inner."""
        return sorted(point for point in mount_points() if point.startswith(f"{self.directory}/"))

    def write_cable(self, spec: HostSpec) -> Path:
        """The scripts that wire the host and take the wires away: the path to which `.in` and `.out` are added."""
        cable = self.directory / "cable"
        cable.with_suffix(".in").write_text(plug_in(spec))
        cable.with_suffix(".out").write_text(pull_out(spec))
        return cable

    async def _keys(self) -> None:
        for name in ("ssh_host_ed25519_key", "ssh_host_ed25519_key.pub"):
            (self.directory / name).unlink(missing_ok=True)
        key = self.directory / "ssh_host_ed25519_key"
        await run(("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", key), clock=self._clock)

    def _prepare(self, spec: HostSpec, public_key: str) -> None:
        names = "".join(f"{address} {name}\n" for name, address in sorted(spec.names.items()))
        self._write("etc/hostname", f"{spec.name}\n")
        self._write("etc/hosts", f"127.0.0.1 localhost\n{spec.address} {spec.name}\n{names}")
        self._write("etc/machine-id", hashlib.sha256(self.host_key.encode()).hexdigest()[:32] + "\n")
        self._write("root/.ssh/authorized_keys", public_key, 0o600)
        (self.directory / "upper/root").chmod(0o700)
        (self.directory / "upper/root/.ssh").chmod(0o700)
        for name, mode in (("ssh_host_ed25519_key", 0o600), ("ssh_host_ed25519_key.pub", 0o644)):
            self._write(f"etc/ssh/{name}", (self.directory / name).read_text(), mode)
        for file in spec.files:
            self._write(file.path.lstrip("/"), file.content, file.mode)
        for unit in spec.units:
            link = self.directory / "upper/etc/systemd/system/multi-user.target.wants" / unit
            link.parent.mkdir(parents=True, exist_ok=True)
            own = self.directory / "upper/etc/systemd/system" / unit
            link.symlink_to(f"/etc/systemd/system/{unit}" if own.exists() else f"/lib/systemd/system/{unit}")

    def _write(self, path: str, content: str, mode: int = 0o644) -> None:
        file = self.directory / "upper" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
        file.chmod(mode)


def mount_points() -> set[str]:
    """All mount points of this process's namespace; os.path.ismount does not see bind mounts."""
    return {line.split()[4].replace("\\040", " ") for line in Path("/proc/self/mountinfo").read_text().splitlines()}


async def seed_containerd(template: Path, target: Path, *, clock: Clock) -> None:
    """Clone containerd's directory by hard links; what containerd changes in place becomes a copy of its own.

    Layers of images are only ever lower layers of an overlay, so sharing them is safe, and a host costs a megabyte
    instead of a gigabyte.
    """
    way = _make_room(template, target)
    await run(("cp", "-a", way, f"{template}/.", f"{target}/"), clock=clock, timeout_s=300)
    _own_copies(template, target)


def _make_room(template: Path, target: Path) -> str:
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    # Links do not cross file systems; there, a host costs the whole store.
    return "--link" if template.stat().st_dev == target.stat().st_dev else "--reflink=auto"


def _own_copies(template: Path, target: Path) -> None:
    for database in template.rglob("*.db"):
        copy = target / database.relative_to(template)
        copy.unlink()
        shutil.copy2(database, copy)
    for name in ("io.containerd.grpc.v1.cri", "io.containerd.runtime.v2.task"):
        shutil.rmtree(target / name, ignore_errors=True)
