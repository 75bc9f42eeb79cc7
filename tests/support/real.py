"""Whether tests with real parts can run here, and where their binaries are.

This is the only place that may leave such tests out: tests/conftest.py asks `left_out_because` and shows the answer.
With HOMEOSTAT_REAL=require nobody asks, the tests run, and `require` fails them for what is missing.
"""

from __future__ import annotations

import functools
import itertools
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from homeostat.local.binaries import directory
from homeostat.local.binaries.checking import version_in
from homeostat.local.binaries.components import (
    OFFERED_VERSIONS,
    Component,
    architecture,
    providing,
    tools,
    wanted,
)
from homeostat.local.binaries.ensuring import DIRECTORY_VARIABLE
from homeostat.local.binaries.errors import Unknown
from homeostat.local.binaries.store import RELEASE, Store
from homeostat.local.paths import Paths

API_SERVER_BINARIES = ("etcd", "kube-apiserver", "kubectl")
_COMPONENTS = (*wanted(OFFERED_VERSIONS, architecture()), *tools())


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
    """The binary of a version (or the beginning of one, such as "1.34"), or of the newest; None when there is none."""
    try:
        newest = providing(name, version, _COMPONENTS)
    except Unknown:
        return None
    others = [one for one in _COMPONENTS if name in one.names and not version]
    components = tuple(dict.fromkeys((newest, *others)))
    *named, cache = places()
    found = (*(_named(root, components, name) for root in named), _cached(Store(cache), components, name))
    return next((place / name for place in itertools.chain(*found)), None)


def places() -> tuple[Path, ...]:
    """Where binaries may be: a directory for tests, the user's own, homeostat's cache."""
    named = (os.environ.get(variable, "") for variable in ("HOMEOSTAT_TEST_BINARIES", DIRECTORY_VARIABLE))
    return (*(Path(one) for one in named if one), Paths.from_environment(os.environ).binaries)


def _named(root: Path, components: tuple[Component, ...], name: str) -> Iterator[Path]:
    """Directories of the layout that HOMEOSTAT_BINARIES_DIR has; here, a component need not be complete."""
    for component in components if root.is_dir() else ():
        ask = next(program.ask for program in component.programs if program.name == name)
        for place, names_version in directory.places(component, root):
            is_there = (place / name).is_file() and os.access(place / name, os.X_OK)
            if is_there and (names_version or _told(place / name, ask) == component.version):
                yield place


def _cached(cache: Store, components: tuple[Component, ...], name: str) -> Iterator[Path]:
    """Directories of the cache with the whole program, the release and then the newest build first."""
    for component in components:
        origins = [path.name for path in (cache.root / component.label).glob("*")]
        kept = [cache.directory(component, one) for one in origins if name not in cache.missing(component, one)]
        yield from sorted(kept, key=lambda place: (place.name != RELEASE, -(place / name).stat().st_mtime))


@functools.cache
def _told(binary: Path, ask: tuple[str, ...]) -> str:
    try:
        return version_in(subprocess.run((binary, *ask), capture_output=True, text=True, check=False).stdout)
    except OSError:  # it is of another machine
        return ""
