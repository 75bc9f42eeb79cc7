"""Finding every process of a host, also those that nobody recorded.

Three marks, because each can be missing for a moment: the words a process was started with, the control group that runc
puts the host's processes into, and the overlay that its root stands on. What is found this way is what a pulled plug
must end.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterable, Iterator
from pathlib import Path

CGROUP_ROOT = Path("/sys/fs/cgroup")
CGROUP_PARENT = "homeostat"
_GONE = (FileNotFoundError, ProcessLookupError)


def command_line(pid: int) -> str:
    """The words that a process was started with; empty when there is none."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except _GONE:
        return ""


def start_time(pid: int) -> str:
    """When a process started, in the kernel's clock ticks; empty when there is none, or it is a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except _GONE:
        return ""
    return "" if fields[0] == "Z" else fields[19]


def started_with(words: str) -> frozenset[int]:
    """Living processes whose command line contains these words; never the one that asks."""
    return frozenset(pid for pid, line in _command_lines() if words in line and pid != os.getpid())


def in_cgroup(name: str) -> frozenset[int]:
    """Living processes in a host's control group, in whichever hierarchy."""
    found: set[int] = set()
    for group in cgroups(name):
        for inner in _tree(group):
            # A group may vanish, or (version 2, threaded) refuse to list processes, between the look and the read.
            with contextlib.suppress(OSError):
                found.update(int(line) for line in (inner / "cgroup.procs").read_text().split())
    return frozenset(pid for pid in found if start_time(pid))


def standing_on(directory: Path) -> frozenset[int]:
    """Living processes whose root is an overlay with its upper layer below a directory."""
    mark = f"upperdir={directory}/"
    found = set()
    for pid, _ in _command_lines():
        try:
            mounts = Path(f"/proc/{pid}/mountinfo").read_text()
        except (*_GONE, OSError):  # EINVAL: it is just ending
            continue
        if any(line.split(" ", 5)[4] == "/" and mark in line for line in mounts.splitlines()):
            found.add(pid)
    return frozenset(found)


def cgroups(name: str) -> tuple[Path, ...]:
    """The control groups of a host: one in each hierarchy of version 1, or the one of version 2."""
    return tuple(group for parent in _parents() if (group := parent / name).is_dir())


def remove_cgroups(name: str) -> None:
    """Remove a host's empty control groups, and the groups above them when no other host is left."""
    for group in cgroups(name):
        for inner in sorted(_tree(group), reverse=True):
            _remove(inner)
    for parent in _parents():
        _remove(parent)


def kill(pids: Iterable[int]) -> None:
    """End processes without asking them, the older first: a parent must not notice the end of its child."""
    for pid in sorted(pids):
        with contextlib.suppress(ProcessLookupError):  # it may end by itself in this very moment
            os.kill(pid, signal.SIGKILL)


def _parents() -> tuple[Path, ...]:
    """Where hosts' groups are, in each hierarchy that has any."""
    tops = (CGROUP_ROOT, *sorted(path for path in CGROUP_ROOT.glob("*") if path.is_dir() and not path.is_symlink()))
    return tuple(parent for top in tops if (parent := top / CGROUP_PARENT).is_dir())


def _tree(group: Path) -> Iterator[Path]:
    """A group and all groups in it. They come and go meanwhile, so one that is gone when it is looked into is empty."""
    for directory, _, _ in os.walk(group):
        yield Path(directory)


def _remove(group: Path) -> None:
    with contextlib.suppress(OSError):  # not empty: other hosts are in it, or a process is just leaving
        group.rmdir()


def _command_lines() -> Iterator[tuple[int, str]]:
    for process in Path("/proc").glob("[0-9]*"):
        pid = int(process.name)
        line = command_line(pid)
        if line and start_time(pid):
            yield pid, line
