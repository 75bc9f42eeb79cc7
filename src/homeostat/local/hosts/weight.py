"""How much of the machine's processors hosts are given when others want them too.

The kernel shares processors out by group, and all hosts stand in one: without more weight a compiler in a terminal
beside them would take as much as all of them together, and Leases would run out in their cells. So each host counts
as much as one such program, as if it were a machine of its own.
"""

from __future__ import annotations

from pathlib import Path

from homeostat.local.hosts.processes import CGROUP_PARENT, CGROUP_ROOT

# The file, what it holds for one group, and the most that it takes: for version 1 and 2 of control groups.
_FILES = ((f"cpu/{CGROUP_PARENT}/cpu.shares", 1024, 262_144), (f"{CGROUP_PARENT}/cpu.weight", 100, 10_000))


def weigh_hosts(root: Path = CGROUP_ROOT) -> None:
    """Give the group of all hosts the weight of as many as are in it; may be repeated."""
    for path, each, most in _FILES:
        file = root / path
        if file.exists():
            hosts = sum(entry.is_dir() for entry in file.parent.iterdir())
            file.write_text(str(min(each * max(hosts, 1), most)))
