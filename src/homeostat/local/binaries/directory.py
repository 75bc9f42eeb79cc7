"""Binaries from a directory that the user names with HOMEOSTAT_BINARIES_DIR; they are used where they lie.

Looked at for Kubernetes 1.35.4, in this order, and alike for the other components:

    DIR/kubernetes-1.35.4/kubelet    DIR/kubernetes/1.35.4/kubelet    DIR/1.35.4/kubelet (v1.35.4 works too)
    DIR/kubernetes-1.35/kubelet      DIR/kubernetes/kubelet           DIR/kubelet

Each binary is asked for its version. A place that names the version must have it; in one that does not, another version
is simply not the one that is looked for. A place has a component's programs all, or none.
"""

from __future__ import annotations

import os
from pathlib import Path

from homeostat.kit.clock import Clock
from homeostat.local.binaries.checking import Memory, check, version_of
from homeostat.local.binaries.components import Component
from homeostat.local.binaries.errors import BinariesError, Incomplete


async def find(component: Component, root: Path, memory: Memory, clock: Clock) -> Path | None:
    """The directory with a component's programs; None when the user's directory has none of them."""
    for place, names_version in places(component, root):
        there = _present(component, place)
        if not there:
            continue
        if not names_version:
            first = next(program for program in component.programs if program.name == there[0])
            if await version_of(first, place / first.name, memory, clock) != component.version:
                continue
        _complete(component, place)
        await check(component, place, memory, clock)
        return place.resolve()
    return None


def places(component: Component, root: Path) -> tuple[tuple[Path, bool], ...]:
    """Where a component may be below a directory, and whether that place names its version. Raises BinariesError."""
    if not root.is_dir():
        raise BinariesError(f"HOMEOSTAT_BINARIES_DIR: expected a directory, found none at {root}; correct or unset it")
    name, version = component.name, component.version
    minor = ".".join(version.split(".")[:2])
    named = (f"{name}-", f"{name}/", "")
    exact = [f"{prefix}{v}{version}" for prefix in named for v in ("", "v")]
    loose = (f"{name}-{minor}", f"{name}/{minor}", name, ".")
    return (*((root / path, True) for path in exact), *((root / path, False) for path in loose))


def _complete(component: Component, place: Path) -> None:
    missing = [name for name in component.names if not os.access(place / name, os.X_OK)]
    if missing:
        raise Incomplete(
            f"{place}: expected all programs of {component.label}, but {', '.join(missing)} "
            "is missing or not executable; add it, or leave the whole component out of HOMEOSTAT_BINARIES_DIR"
        )


def _present(component: Component, place: Path) -> list[str]:
    return [name for name in component.names if (place / name).is_file()]
