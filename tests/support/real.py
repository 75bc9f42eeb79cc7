"""Whether tests with real parts can run here, and where their binaries are.

This is the only place that may leave such tests out: tests/conftest.py asks `left_out_because` and shows the answer.
With HOMEOSTAT_REAL=require nobody asks, the tests run, and `require` fails them for what is missing.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

API_SERVER_BINARIES = ("etcd", "kube-apiserver", "kubectl")


class RealPartMissing(AssertionError):
    """A test with real parts runs although one of them is missing."""


def left_out_because() -> tuple[str, ...]:
    """Why real tests cannot run on this machine; empty when they can."""
    reasons = []
    if sys.platform != "linux":
        reasons.append(f"expected Linux, found {sys.platform}")
    elif os.geteuid() != 0:
        reasons.append("expected root, for network namespaces and containers; run as root or with sudo")
    missing = [name for name in API_SERVER_BINARIES if find_binary(name) is None]
    if missing:
        looked = ", ".join(str(place) for place in places())
        reasons.append(f"expected {', '.join(missing)} below {looked}; run `make binaries`")
    return tuple(reasons)


def require(name: str, version: str = "") -> Path:
    """The path of a binary that the running test needs. Raises RealPartMissing."""
    found = find_binary(name, version)
    if found is None:
        looked = ", ".join(str(place) for place in places())
        raise RealPartMissing(f"{name} {version}: expected it below {looked}; run `make binaries`")
    return found


def find_binary(name: str, version: str = "") -> Path | None:
    """The binary of a version (a prefix such as "1.34"), or of the newest; None when there is none."""
    for place in places():
        candidates = [path for depth in ("*", "*/*", "*/*/*") for path in place.glob(f"{depth}") if path.name == name]
        usable = [path for path in candidates if path.is_file() and os.access(path, os.X_OK)]
        wanted = [path for path in usable if _version_of(path).startswith(version.lstrip("v"))]
        if wanted:
            return max(wanted, key=lambda path: _order(_version_of(path)))
    return None


def places() -> tuple[Path, ...]:
    """Where binaries may be: HOMEOSTAT_TEST_BINARIES alone if set, else homeostat's own cache."""
    if named := os.environ.get("HOMEOSTAT_TEST_BINARIES"):
        return (Path(named),)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return (cache / "homeostat" / "binaries",)


def _version_of(path: Path) -> str:
    """The version that a directory on the way names: `1.35.4`, `v1.35.4`, `etcd-3.6`."""
    for part in reversed(path.parts[:-1]):
        if match := re.search(r"(\d+\.\d+(\.\d+)?)", part):
            return match.group(1)
    return ""


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part)
