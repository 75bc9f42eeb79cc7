"""Official releases: the projects' own hosts or a mirror of them, verified against the published checksums.

HOMEOSTAT_MIRROR is an address below which the paths of the official hosts appear unchanged:

    MIRROR/release/v1.35.4/bin/linux/amd64/kubelet                  and .sha256 beside it
    MIRROR/etcd-io/etcd/releases/download/v3.6.16/...tar.gz         and SHA256SUMS
    MIRROR/coredns/coredns/releases/download/v1.14.7/...tgz         and .sha256

A host that is not reachable or does not have a file leaves the component to the next source. A file that differs from
its checksum is an error and is never kept.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import shutil
import tarfile
import zlib
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

from homeostat.local.binaries.components import Component, File
from homeostat.local.binaries.disk import clear_errors
from homeostat.local.binaries.download import Absent, Fetcher
from homeostat.local.binaries.errors import WrongChecksum
from homeostat.local.binaries.mirror import Mirror, shown
from homeostat.local.binaries.store import RELEASE, Store
from homeostat.local.steps import Report

_ALGORITHMS = {64: "sha256", 128: "sha512"}

Accept = Callable[[str, Path], Awaitable[None]]  # (program, file): raises when the file is not that program


async def fetch(
    component: Component, mirror: Mirror, store: Store, fetcher: Fetcher, accept: Accept, progress: Report
) -> None:
    """Download what is missing of a component. Raises Absent, Unreachable, BinariesError; the lock is held."""
    if not component.files:
        raise Absent(f"{component.label} has no release with binaries")
    for file in component.files:
        programs = [name for _, name in file.members] or [file.name]
        if not set(programs) & set(store.missing(component, RELEASE)):
            continue
        url = mirror.url(file.host, file.path)
        progress.update(f"downloading {Path(file.path).name} {component.version}")
        archive = await _verified(component, file, mirror, store, fetcher, progress)
        for name, binary in await asyncio.to_thread(_programs, file, archive, store.work):
            binary.chmod(0o755)
            await accept(name, binary)
            await asyncio.to_thread(store.put, component, RELEASE, name, binary, shown(url))
        archive.unlink(missing_ok=True)


async def _verified(
    component: Component, file: File, mirror: Mirror, store: Store, fetcher: Fetcher, progress: Report
) -> Path:
    """The downloaded file, in the work directory, with the digest that its project published."""
    name = Path(file.path).name
    target = store.work / f"{component.label}-{name}.partial"
    published = await fetcher.text(mirror.url(file.host, file.checksums), store.work / f"{component.label}-{name}.sums")
    expected = checksum_of(published, name, shown(mirror.url(file.host, file.checksums)))
    algorithm = _ALGORITHMS[len(expected)]
    resumed = target.exists()
    await fetcher.file(mirror.url(file.host, file.path), target, progress)
    found = await asyncio.to_thread(_digest, target, algorithm)
    if found != expected and resumed:  # the beginning that was here may be of another file
        target.unlink()
        await fetcher.file(mirror.url(file.host, file.path), target, progress)
        found = await asyncio.to_thread(_digest, target, algorithm)
    if found != expected:
        target.unlink()
        raise WrongChecksum(
            f"{shown(mirror.url(file.host, file.path))}: expected {algorithm} {expected}, found {found}; nothing of it "
            "was kept; try again, and if it stays so do not trust that mirror: unset HOMEOSTAT_MIRROR or name another"
        )
    return target


def checksum_of(published: str, name: str, where: str) -> str:
    """The digest of a file in a published list: `DIGEST`, or lines of `DIGEST  [*]PATH`. Raises WrongChecksum."""
    for line in published.splitlines():
        digest, _, path = line.strip().partition(" ")
        is_digest = len(digest) in _ALGORITHMS and re.fullmatch("[0-9a-fA-F]+", digest)
        if is_digest and Path(path.strip().lstrip("*") or name).name == name:
            return digest.lower()
    raise WrongChecksum(
        f"{where}: expected a line with the SHA-256 or SHA-512 of {name}, found none; "
        "nothing is used unverified: correct the mirror or unset HOMEOSTAT_MIRROR"
    )


def _digest(file: Path, algorithm: str) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, algorithm).hexdigest()


def _programs(file: File, archive: Path, work: Path) -> tuple[tuple[str, Path], ...]:
    if not file.members:
        return ((file.name, archive),)
    try:
        return tuple(_unpack(file, archive, work))
    except (tarfile.TarError, EOFError, zlib.error) as error:
        archive.unlink()
        raise WrongChecksum(f"{archive.name}: expected an archive, as its project publishes, found {error}") from error


def _unpack(file: File, archive: Path, work: Path) -> Iterator[tuple[str, Path]]:
    with clear_errors(f"{archive.name}: unpacking"), tarfile.open(archive) as tar:
        members = {member.name.removeprefix("./"): member for member in tar if member.isfile()}
        for path, name in file.members:
            content = tar.extractfile(members[path]) if path in members else None
            if content is None:
                raise WrongChecksum(
                    f"{archive.name}: expected {path} in it, found {', '.join(sorted(members)) or 'nothing'}"
                )
            target = work / f"{name}.unpacked"
            with target.open("wb") as out:
                shutil.copyfileobj(content, out, 1024 * 1024)
            yield name, target
