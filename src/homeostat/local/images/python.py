"""The layers of homeostat's own image: Debian with Python, the locked dependencies, and this very source.

The dependencies are those of the running interpreter's environment where it is a virtual environment of the same Python
(that is what `make venv` synchronises with the hash-pinned lock), so nothing is downloaded a second time.
"""

from __future__ import annotations

import compileall
import hashlib
import os
import re
import shutil
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from py_compile import PycInvalidationMode

from homeostat.kit.clock import Clock
from homeostat.local.command import confined, run

SUITE = "bookworm"
PACKAGES = ("python3", "ca-certificates")
PYTHON = (3, 11)  # of the suite
LIBRARY, SOURCE = "opt/homeostat/lib", "opt/homeostat/src"
DISTRIBUTION = "homeostat"
_EPOCH = "1735689600"


class ImageError(Exception):
    """An image cannot be assembled; the message says what is missing and what to do."""


def debian_key() -> str:
    """The identity of the Debian layer that this version wants."""
    return hashlib.sha256(f"{SUITE} {PACKAGES} {_EPOCH}".encode()).hexdigest()[:16]


async def make_debian(target: Path, *, clock: Clock) -> None:
    """A root with Python as a tar, from this machine's own package sources."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "http_proxy", "https_proxy") if name in os.environ}
    command = (
        "mmdebstrap",
        "--variant=minbase",
        "--mode=root",
        "--format=tar",
        f"--include={','.join(PACKAGES)}",
        '--aptopt=Apt::Install-Recommends "false"',
        "--dpkgopt=path-exclude=/usr/share/man/*",
        "--dpkgopt=path-exclude=/usr/share/doc/*",
        "--dpkgopt=path-exclude=/usr/share/locale/*",
        SUITE,
        target,
    )
    await run(confined(command), clock=clock, timeout_s=900, env={**kept, "SOURCE_DATE_EPOCH": _EPOCH})


def requirements(distribution: str = DISTRIBUTION) -> tuple[metadata.Distribution, ...]:
    """The installed distributions that homeostat needs to run, itself excluded, by name."""
    found: dict[str, metadata.Distribution] = {}
    waiting = list(_needs(metadata.distribution(distribution)))
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        try:
            found[name] = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue  # needed only on other platforms or Pythons
        waiting += _needs(found[name])
    return tuple(found[name] for name in sorted(found))


def copy_requirements(target: Path) -> None:
    """Copy the files of all requirements into a directory. Raises ImageError for another Python."""
    if sys.version_info[:2] != PYTHON:
        wanted, found = ".".join(map(str, PYTHON)), ".".join(map(str, sys.version_info[:2]))
        raise ImageError(
            f"homeostat's image: expected Python {wanted} (Debian {SUITE}), found {found}; use a {wanted} venv"
        )
    for distribution in requirements():
        for file in distribution.files or ():
            source = Path(str(distribution.locate_file(file)))
            if ".." in file.parts or "__pycache__" in file.parts or not source.is_file():
                continue
            _copy(source, target / file)
    _compile(target)


def copy_source(package: Path, version: str, target: Path) -> None:
    """Copy homeostat itself, with the metadata that tell its version."""
    for source in sorted(package.rglob("*")):
        if source.is_file() and "__pycache__" not in source.parts:
            _copy(source, target / "homeostat" / source.relative_to(package))
    information = target / f"homeostat-{version}.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: homeostat\nVersion: {version}\n")
    _compile(target)


def tree_key(package: Path) -> str:
    """A digest of the files of a tree, by name and content."""
    digest = hashlib.sha256()
    for source in sorted(package.rglob("*")):
        if source.is_file() and "__pycache__" not in source.parts:
            digest.update(f"{source.relative_to(package)}\0".encode())
            digest.update(hashlib.sha256(source.read_bytes()).digest())
    return digest.hexdigest()[:16]


def requirements_key() -> str:
    """A digest of names and versions of the requirements."""
    names = [f"{one.name}=={one.version}" for one in requirements()]
    return hashlib.sha256("\n".join([f"{sys.version_info[:3]}", *names]).encode()).hexdigest()[:16]


def _needs(distribution: metadata.Distribution) -> Iterator[str]:
    for line in distribution.requires or ():
        requirement, _, marker = line.partition(";")
        if "extra ==" in marker:
            continue
        if match := re.match(r"[A-Za-z0-9._-]+", requirement.strip()):
            yield re.sub(r"[-_.]+", "-", match.group()).lower()


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    shutil.copymode(source, target)


def _compile(tree: Path) -> None:
    # Unchecked hashes: no dates in the files, and none compared when they are imported.
    compileall.compile_dir(
        tree,
        quiet=2,
        stripdir=str(tree),
        prependdir="/opt/homeostat",
        invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
    )
