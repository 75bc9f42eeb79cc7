"""What this machine must offer before real hosts can be raised on it: each check with its state and its remedy.

Checks look and never change anything. A check that cannot tell says so and does not stand in the way.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from pathlib import Path

from msgspec import Struct

MEMORY_MIB = 4096  # a data centre with one business cluster takes about 2.5 GiB; images and page cache the rest
CACHE_MIB = 8192  # binaries, images and base; three times that while Go builds
STATE_MIB = 2048


class State(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARNING = "warning"  # works, with the limit that the message tells
    FAILED = "failed"  # real hosts cannot be raised


class Check(Struct, frozen=True):
    """One prerequisite: what was found, and what to do where that is not enough."""

    name: str
    state: State
    found: str
    remedy: str = ""


class Command(Struct, frozen=True):
    """A command that must be there, the Debian package that has it, and what it is for."""

    name: str
    package: str
    purpose: str


COMMANDS = (
    Command("runc", "runc", "runs every host as a privileged container with its own systemd"),
    Command("mmdebstrap", "mmdebstrap", "makes the Debian base that all hosts share"),
    Command("ip", "iproute2", "bridges, routes and network namespaces of hosts"),
    Command("iptables", "iptables", "the masquerade rule for traffic that leaves the data centre"),
    Command("sysctl", "procps", "raises inotify limits and sets forwarding"),
    Command("mount", "mount", "overlays and bind mounts of hosts"),
    Command("catatonit", "catatonit", "the static init that becomes the pause image"),
)
CAPABILITIES = {"CAP_SYS_ADMIN": 21, "CAP_NET_ADMIN": 12, "CAP_SYS_PTRACE": 19, "CAP_MKNOD": 27, "CAP_NET_RAW": 13}
_SYSTEM_PATH = ":/usr/local/sbin:/usr/sbin:/sbin"


class Machine(Struct, frozen=True):
    """What the checks ask of the machine, gathered once."""

    platform: str
    is_root: bool
    capabilities: int
    commands: Mapping[str, str]  # by name, the path
    filesystems: frozenset[str]
    memory_mib: int
    disk_mib: Mapping[str, int]  # by purpose
    cgroup: str  # "v1", "v2" or ""
    toolchain: str  # path of go


def diagnose(machine: Machine) -> tuple[Check, ...]:
    """All checks: a pure function of what was gathered."""
    if machine.platform != "linux":
        return (Check("system", State.FAILED, machine.platform, "real hosts need Linux; use a Linux machine or VM"),)
    return (
        Check("system", State.OK, "Linux"),
        _root(machine),
        *_commands(machine),
        _overlay(machine),
        _cgroup(machine),
        _memory(machine),
        *_disks(machine),
        _toolchain(machine),
    )


def failed(checks: Iterable[Check]) -> tuple[Check, ...]:
    """Those that stand in the way."""
    return tuple(check for check in checks if check.state == State.FAILED)


def _root(machine: Machine) -> Check:
    if not machine.is_root:
        remedy = "run as root (sudo): hosts need network namespaces, mounts and containers"
        return Check("root", State.FAILED, "not root", remedy)
    missing = [name for name, bit in CAPABILITIES.items() if not machine.capabilities >> bit & 1]
    if missing:
        remedy = "run on the machine itself or in a privileged container (docker run --privileged)"
        return Check("root", State.FAILED, f"root without {', '.join(missing)}", remedy)
    return Check("root", State.OK, "root with the capabilities that hosts need")


def _commands(machine: Machine) -> Iterable[Check]:
    for command in COMMANDS:
        if path := machine.commands.get(command.name):
            yield Check(command.name, State.OK, path)
        else:
            remedy = f"apt-get install {command.package}  (it {command.purpose})"
            yield Check(command.name, State.FAILED, "not found", remedy)


def _overlay(machine: Machine) -> Check:
    if "overlay" in machine.filesystems:
        return Check("overlay", State.OK, "file system known to the kernel")
    return Check("overlay", State.FAILED, "file system not known to the kernel", "modprobe overlay")


def _cgroup(machine: Machine) -> Check:
    if not machine.cgroup:
        return Check("cgroups", State.FAILED, "not mounted", "mount cgroup2 or the v1 hierarchies at /sys/fs/cgroup")
    return Check("cgroups", State.OK, machine.cgroup)


def _memory(machine: Machine) -> Check:
    found = f"{machine.memory_mib} MiB available"
    if machine.memory_mib < MEMORY_MIB:
        return Check("memory", State.WARNING, found, f"free some: {MEMORY_MIB} MiB let a business cluster run well")
    return Check("memory", State.OK, found)


def _disks(machine: Machine) -> Iterable[Check]:
    for purpose, needed in (("cache", CACHE_MIB), ("state", STATE_MIB)):
        free = machine.disk_mib.get(purpose, 0)
        variable = "XDG_CACHE_HOME" if purpose == "cache" else "XDG_STATE_HOME"
        if free >= needed:
            yield Check(f"disk for {purpose}", State.OK, f"{free} MiB free")
        else:
            state = State.WARNING if free >= needed // 4 else State.FAILED
            remedy = f"free {needed - free} MiB, or point {variable} to a larger disk"
            yield Check(f"disk for {purpose}", state, f"{free} MiB free", remedy)


def _toolchain(machine: Machine) -> Check:
    if machine.toolchain:
        return Check("go", State.OK, machine.toolchain)
    remedy = "only needed where releases cannot be downloaded: install Go 1.26 or set HOMEOSTAT_BINARIES_DIR"
    return Check("go", State.WARNING, "not found", remedy)


def gather(cache: Path, state: Path, environment: Mapping[str, str] = os.environ) -> Machine:
    """Look at this machine."""
    path = environment.get("PATH", "") + _SYSTEM_PATH
    found = {command.name: shutil.which(command.name, path=path) or "" for command in COMMANDS}
    is_linux = sys.platform == "linux"
    return Machine(
        platform=sys.platform,
        is_root=os.geteuid() == 0,
        capabilities=_field(Path("/proc/self/status"), "CapEff", 16) if is_linux else 0,
        commands=found,
        filesystems=frozenset(_text(Path("/proc/filesystems")).split()) if is_linux else frozenset(),
        memory_mib=_field(Path("/proc/meminfo"), "MemAvailable", 10) // 1024 if is_linux else 0,
        disk_mib={"cache": _free_mib(cache), "state": _free_mib(state)},
        cgroup=_cgroup_version(),
        toolchain=shutil.which("go", path=path + ":/usr/local/go/bin") or "",
    )


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def _field(path: Path, name: str, base: int) -> int:
    for line in _text(path).splitlines():
        key, _, value = line.partition(":")
        if key == name and value.split():
            return int(value.split()[0], base)
    return 0


def _free_mib(path: Path) -> int:
    existing = next(parent for parent in (path, *path.parents) if parent.exists())
    return shutil.disk_usage(existing).free // 2**20


def _cgroup_version() -> str:
    root = Path("/sys/fs/cgroup")
    if (root / "cgroup.controllers").exists():
        return "v2"
    return "v1" if (root / "memory").exists() else ""


Gather = Callable[[Path, Path], Machine]
