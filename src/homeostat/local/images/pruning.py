"""What of the image cache is worth keeping: all that a host may be laid anew from, and the newest few of each image."""

from __future__ import annotations

import shutil
from collections import defaultdict
from pathlib import Path

import msgspec

from homeostat.local.hosts.ports import HostSpec

_KEPT = 3  # generations of each image and of templates; every edit of homeostat makes one


def prune(cache: Path, state: Path) -> None:
    """Remove old generations. Hosts link what they use, so that only one laid anew needs its template again."""
    needed = _templates_in_use(state)
    generations: dict[str, list[Path]] = defaultdict(list)
    for path in cache.glob("[!.]*-*"):
        if path not in needed and path.suffix != ".lock":
            generations[path.name.rpartition("-")[0]].append(path)
    for paths in generations.values():
        for old in sorted(paths, key=lambda path: path.stat().st_mtime)[:-_KEPT]:
            if old.is_dir():
                shutil.rmtree(old, ignore_errors=True)
            else:
                old.unlink(missing_ok=True)


def _templates_in_use(state: Path) -> set[Path]:
    specs = state.glob("*/hosts/*/spec.json")
    return {Path(msgspec.json.decode(file.read_bytes(), type=HostSpec).images) for file in specs}
