"""What this process has spent and holds."""

from __future__ import annotations

import gc
import resource
from pathlib import Path

Figures = dict[str, float]
Rows = dict[str, Figures]


def cpu_s() -> float:
    """The processor time of this process until now."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def settled_mb() -> float:
    """The resident set, when all is collected that nobody holds."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20
