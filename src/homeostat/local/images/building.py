"""Images as archives in the cache: built when missing, once, whoever asks at the same time.

An archive's name holds a key of its inputs, so that a change of any input makes a new file and an unchanged one costs a
look. Files appear by rename: a killed build or a full disk leaves nothing that could be taken for an image.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec import Struct

from homeostat.kit.clock import Clock
from homeostat.local.binaries.components import architecture
from homeostat.local.images import python
from homeostat.local.images.archive import Layer, digest_of, write_archive, write_layer, write_tree_layer
from homeostat.local.images.catalogue import PATH, REPOSITORY, Image
from homeostat.local.locks import attempt, locked
from homeostat.local.steps import Report

_LAYOUT = "1"  # part of every key: raise it when the way of building changes


class Built(Struct, frozen=True):
    """An image in the cache."""

    references: tuple[str, ...]
    archive: Path


async def ensure_binary_image(image: Image, cache: Path, *, clock: Clock) -> Built:
    """The archive of an image of static executables."""
    key = hashlib.sha256(_LAYOUT.encode())
    for path, source in sorted(image.files.items()):
        state = source.stat()
        key.update(f"{path}={source}:{state.st_size}:{state.st_mtime_ns}\n".encode())
    key.update(repr((image.references, image.entrypoint)).encode())
    target = cache / f"{image.label}-{key.hexdigest()[:16]}.tar"

    def build(partial: Path, scratch: Path) -> None:
        layer = write_layer(image.files, scratch / "layer.tar")
        environment = {"PATH": PATH}
        write_archive(
            image.references,
            [layer],
            partial,
            entrypoint=list(image.entrypoint),
            env=environment,
            architecture=architecture(),
        )

    if not target.exists():
        await _once(target, build, clock)
    return Built(image.references, target)


async def ensure_homeostat_image(package: Path, version: str, cache: Path, *, clock: Clock, report: Report) -> Built:
    """The archive of homeostat's own image; `cache` exists. Raises ImageError or CommandError."""
    debian = await ensure_debian(cache, clock, report)
    key = hashlib.sha256(
        f"{_LAYOUT} {debian.name} {python.requirements_key()} {python.tree_key(package)} {version}".encode()
    ).hexdigest()[:16]
    references = (f"{REPOSITORY}/homeostat:{version}",)
    target = cache / f"homeostat-{version}-{key}.tar"

    def build(partial: Path, scratch: Path) -> None:
        python.copy_requirements(scratch / "lib")
        python.copy_source(package, version, scratch / "src")
        layers = [
            Layer(debian, digest_of(debian)),
            write_tree_layer(scratch / "lib", python.LIBRARY, scratch / "lib.tar"),
            write_tree_layer(scratch / "src", python.SOURCE, scratch / "src.tar"),
            write_layer({"usr/local/bin/homeostat": _launcher(scratch)}, scratch / "bin.tar"),
        ]
        environment: Mapping[str, str] = {
            "PATH": PATH,
            "PYTHONPATH": f"/{python.SOURCE}:/{python.LIBRARY}",
            "PYTHONUNBUFFERED": "1",
            "LANG": "C.UTF-8",
        }
        write_archive(references, layers, partial, entrypoint=[], env=environment, architecture=architecture())

    if not target.exists():
        report.update("assembling homeostat's own image")
        await _once(target, build, clock)
    return Built(references, target)


async def ensure_debian(cache: Path, clock: Clock, report: Report) -> Path:
    """The Debian layer of homeostat's image; `cache` exists."""
    target = cache / f"debian-python-{python.debian_key()}.tar"
    if not target.exists():
        report.update("making a Debian root with Python")
        async with locked(target.with_name(f"{target.name}.lock"), clock=clock):
            if not target.exists():
                with attempt(target) as work:
                    await python.make_debian(work / "root.tar", clock=clock)
                    (work / "root.tar").rename(target)
    return target


def _launcher(scratch: Path) -> Path:
    file = scratch / "homeostat"
    file.write_text("#!/usr/bin/python3\nfrom homeostat.cli.main import main\n\nmain()\n")
    return file


async def _once(target: Path, build: Callable[[Path, Path], None], clock: Clock) -> None:
    def make() -> None:
        if not target.exists():
            with attempt(target) as work:
                build(work / "archive.tar", work)
                (work / "archive.tar").rename(target)

    async with locked(target.with_name(f"{target.name}.lock"), clock=clock):
        await asyncio.to_thread(make)
