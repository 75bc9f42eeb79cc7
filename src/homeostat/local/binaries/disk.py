"""Disks that are full, or would become so, and places that cannot be written: one clear error each, with the remedy."""

from __future__ import annotations

import contextlib
import errno
import shutil
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from homeostat.local.binaries.errors import NoSpace, Unwritable

MIB = 1024 * 1024


class Need(Struct, frozen=True):
    """What will be written at a place, and the variable that moves it elsewhere."""

    place: Path
    mib: int
    variable: str = "XDG_CACHE_HOME"


def require_space(purpose: str, *needs: Need) -> None:
    """Raise NoSpace unless every file system has room for all that will be written to it."""
    shared: dict[int, list[Need]] = {}
    for need in needs:
        shared.setdefault(file_system(need.place), []).append(need)
    for together in shared.values():
        mib, free = sum(need.mib for need in together), free_mib(together[0].place)
        if free < mib:
            places = " and ".join(dict.fromkeys(str(need.place) for need in together))
            variables = " and ".join(dict.fromkeys(need.variable for need in together))
            raise NoSpace(
                f"{purpose}: expected {mib} MiB free at {places}, found {free} MiB; "
                f"free space there, or set {variables} to a larger disk"
            )


def free_mib(place: Path) -> int:
    """Free disk at a place, which need not exist yet."""
    return shutil.disk_usage(_existing(place)).free // MIB


def file_system(place: Path) -> int:
    """The number of the file system of a place, which need not exist yet."""
    return _existing(place).stat().st_dev


@contextlib.contextmanager
def clear_errors(doing: str) -> Iterator[None]:
    """Turn what a disk refuses into one clear error."""
    try:
        yield
    except OSError as error:
        where = error.filename or "the cache"
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoSpace(f"{doing}: the disk is full at {where}; free space and try again") from error
        raise Unwritable(
            f"{doing}: {where}: {error.strerror or error}; mend it, or set XDG_CACHE_HOME to a directory that can be"
            " written"
        ) from error


def _existing(place: Path) -> Path:
    return next(parent for parent in (place, *place.parents) if parent.exists())
