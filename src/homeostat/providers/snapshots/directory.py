"""Snapshots in a directory: a mounted file system, a volume, an NFS export.

    <root>/<namespace>/<name>/<uid>/<id>/{snapshot.age,manifest-...json}

A snapshot is written in a hidden directory beside its own and renamed when everything is on disk, which is atomic and
refuses a name that is taken. Directories are 0700, files 0600. Every step goes through descriptors of directories that
are opened without following links, so a link in the tree leads nowhere. The root is never made: a volume that is not
mounted must not be mistaken for an empty one.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hashlib
import os
import shutil
import stat
import threading
import weakref
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import ParamSpec, TypeVar

from homeostat.kit.random import Random
from homeostat.operators.cluster.backup.errors import (
    AlreadyExists,
    SnapshotError,
    SnapshotNotFound,
    StoreError,
    StoreFull,
    StoreRefused,
    StoreUnreachable,
    StoreWrong,
)
from homeostat.operators.cluster.backup.listing import DATA_NAME, File, is_manifest
from homeostat.operators.cluster.backup.manifest import MAX_BYTES, ClusterRef

PART_BYTES = 4 * 1024 * 1024
_THREADS = 8  # of this place alone: a file system that hangs must not stop what else homeostat does
_PARTIAL, _DELETING = ".partial-", ".deleting-"
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_TAKEN = (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR)
_KINDS: dict[int, type[StoreError]] = {
    errno.ENOSPC: StoreFull,
    errno.EDQUOT: StoreFull,
    errno.EFBIG: StoreFull,
    errno.EACCES: StoreRefused,
    errno.EPERM: StoreRefused,
    errno.EROFS: StoreRefused,
    errno.ENOENT: StoreWrong,
    errno.ENOTDIR: StoreWrong,
    errno.ELOOP: StoreWrong,
}
_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


class Directory:
    """Satisfies `Place`. `random` names what is on its way."""

    def __init__(self, root: Path, random: Random) -> None:
        self.root, self._random = root, random
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="snapshot-directory")

    @property
    def where(self) -> str:
        """As the protocol says."""
        return f"directory {self.root}"

    def part_bytes(self, stored_bytes: int) -> int:  # noqa: ARG002  (one size fits all here)
        """As the protocol says."""
        return PART_BYTES

    async def close(self) -> None:
        """As the protocol says."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def files(self, cluster: ClusterRef, snapshot: str = "") -> tuple[File, ...]:
        """As the protocol says; manifests are read, which is no download here."""
        return await self.run("listing snapshots", self._files, cluster, snapshot)

    async def begin(self, cluster: ClusterRef, snapshot: str) -> DirectoryUpload:
        """As the protocol says."""
        return await self.run(f"beginning snapshot {snapshot}", self._begin, cluster, snapshot)

    async def read(self, cluster: ClusterRef, snapshot: str, name: str, limit: int) -> bytes:
        """As the protocol says."""
        doing = f"reading {name} of snapshot {snapshot}"
        opened = await self.run(doing, self._open_file, doing, cluster, snapshot, name)
        return await self.run(doing, opened.read, limit)

    async def stream(self, cluster: ClusterRef, snapshot: str, name: str) -> AsyncGenerator[bytes, None]:
        """As the protocol says."""
        doing = f"reading {name} of snapshot {snapshot}"
        opened = await self.run(doing, self._open_file, doing, cluster, snapshot, name)
        while part := await self.run(doing, opened.read, PART_BYTES):
            yield part

    async def remove(self, cluster: ClusterRef, snapshot: str) -> None:
        """As the protocol says."""
        await self.run(f"deleting snapshot {snapshot}", self._remove, cluster, snapshot)

    async def sweep(self, cluster: ClusterRef, before: datetime) -> None:
        """As the protocol says. An upload's directory has the time of its beginning."""
        await self.run("sweeping what was never ended", self._sweep, cluster, before.timestamp())

    async def try_out(self, name: str, content: bytes) -> int | None:
        """As the protocol says."""
        return await self.run("probing", self._try_out, name, content)

    async def run(
        self, doing: str, work: Callable[_Arguments, _Result], *args: _Arguments.args, **kwargs: _Arguments.kwargs
    ) -> _Result:
        """Do blocking work in a thread of this place, its OSErrors as errors of the store."""

        def told() -> _Result:
            with self._telling(doing):
                return work(*args, **kwargs)

        return await asyncio.get_running_loop().run_in_executor(self._threads, told)

    @contextlib.contextmanager
    def _telling(self, doing: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            kind = _KINDS.get(error.errno or 0, StoreUnreachable)
            raise kind(doing, self.where, error.strerror or type(error).__name__) from error

    def unique(self, prefix: str, snapshot: str) -> str:
        """A hidden name for something on its way."""
        return f"{prefix}{snapshot}-{self._random.randrange(0, 1 << 32):08x}"

    @contextlib.contextmanager
    def _folder(self, cluster: ClusterRef, *further: str, make: bool = False) -> Iterator[int]:
        """The descriptor of a directory below the root."""
        descriptor = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for part in (cluster.namespace, cluster.name, cluster.uid, *further):
                if make:
                    _make_directory(part, descriptor)
                inner = os.open(part, _DIRECTORY, dir_fd=descriptor)
                os.close(descriptor)
                descriptor = inner
            yield descriptor
        finally:
            os.close(descriptor)

    def _require_root(self) -> None:
        os.close(os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))

    def _files(self, cluster: ClusterRef, snapshot: str) -> tuple[File, ...]:
        self._require_root()
        try:
            with self._folder(cluster) as folder:
                wanted = [name for name in _names_in(folder) if not name.startswith(".")]
                return tuple(file for name in wanted if snapshot in ("", name) for file in _files_of(name, folder))
        except FileNotFoundError:
            return ()

    def _begin(self, cluster: ClusterRef, snapshot: str) -> DirectoryUpload:
        partial = self.unique(_PARTIAL, snapshot)
        with self._folder(cluster, make=True) as folder:
            if _is_there(snapshot, folder):
                raise _already(snapshot, self.where)
            os.mkdir(partial, 0o700, dir_fd=folder)
            inner = os.open(partial, _DIRECTORY, dir_fd=folder)
            try:
                data = os.open(DATA_NAME, _NEW_FILE, 0o600, dir_fd=inner)
            except BaseException:
                os.close(inner)
                raise
            return DirectoryUpload(self, snapshot, partial, Descriptors(data, inner, os.dup(folder)))

    def _open_file(self, doing: str, cluster: ClusterRef, snapshot: str, name: str) -> OpenFile:
        try:
            with self._folder(cluster, snapshot) as folder:
                return OpenFile(os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder))
        except FileNotFoundError:
            raise SnapshotNotFound(doing, self.where, "it is not there") from None

    def _remove(self, cluster: ClusterRef, snapshot: str) -> None:
        self._require_root()
        aside = self.unique(_DELETING, snapshot)
        try:
            with self._folder(cluster) as folder:
                os.rename(snapshot, aside, src_dir_fd=folder, dst_dir_fd=folder)
                os.fsync(folder)
                remove_tree(aside, folder)
        except FileNotFoundError:
            return

    def _sweep(self, cluster: ClusterRef, before: float) -> None:
        try:
            with self._folder(cluster) as folder:
                for name in _names_in(folder):
                    if name.startswith((_PARTIAL, _DELETING)) and _changed_at(name, folder) < before:
                        remove_tree(name, folder)
        except FileNotFoundError:
            return

    def _try_out(self, name: str, content: bytes) -> int:
        folder = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            try:
                write_file(name, content, folder)
                descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
                with os.fdopen(descriptor, "rb") as file:
                    found = file.read()
            finally:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(name, dir_fd=folder)
            if found != content:
                raise StoreWrong("probing", self.where, "what was read is not what was written")
            room = os.fstatvfs(folder)
            return room.f_bavail * room.f_frsize
        finally:
            os.close(folder)


class Descriptors:
    """Open descriptors that are closed when nobody can use them any more.

    A task may be cancelled while a thread still reads or writes. Closing a descriptor then would hand its number to
    whoever opens something next, and the thread would go on with that.
    """

    def __init__(self, *numbers: int) -> None:
        self.numbers = numbers
        self.close = weakref.finalize(self, _close, numbers)  # at the latest when it is collected; once only
        self.busy = threading.Lock()


class OpenFile:
    """A file to read from; a thread that reads keeps it open."""

    def __init__(self, descriptor: int) -> None:
        self._descriptors = Descriptors(descriptor)

    def read(self, limit: int) -> bytes:
        """Up to so many further bytes; none at the end. Raises OSError."""
        return os.read(self._descriptors.numbers[0], limit)


class DirectoryUpload:
    """Satisfies `Upload`: a hidden directory that takes its name in the end."""

    def __init__(self, place: Directory, snapshot: str, partial: str, descriptors: Descriptors) -> None:
        self._place, self._snapshot, self._partial = place, snapshot, partial
        self._descriptors = descriptors
        self._data, self._inner, self._folder = descriptors.numbers
        self._doing = f"writing snapshot {snapshot}"

    async def write(self, part: bytes) -> None:
        """As the protocol says."""
        await self._place.run(self._doing, self._write, part)

    async def commit(self, manifest_name: str, manifest: bytes) -> None:
        """As the protocol says."""
        await self._place.run(self._doing, self._commit, manifest_name, manifest)

    async def abandon(self) -> None:
        """As the protocol says. Waits for a write that was cancelled to end."""
        await self._place.run(self._doing, self._abandon)

    def _write(self, part: bytes) -> None:
        with self._descriptors.busy:
            _write_all(self._data, part)

    def _commit(self, manifest_name: str, manifest: bytes) -> None:
        with self._descriptors.busy:
            os.fsync(self._data)
            write_file(manifest_name, manifest, self._inner)
            os.fsync(self._inner)
            try:
                os.rename(self._partial, self._snapshot, src_dir_fd=self._folder, dst_dir_fd=self._folder)
            except OSError as error:
                if error.errno in _TAKEN:
                    raise _already(self._snapshot, self._place.where) from error
                raise
            os.fsync(self._folder)
            self._descriptors.close()

    def _abandon(self) -> None:
        with self._descriptors.busy:
            if not self._descriptors.close.alive:
                return  # it was committed while the task was being cancelled
            try:
                remove_tree(self._partial, self._folder)
            finally:
                self._descriptors.close()


def _close(numbers: tuple[int, ...]) -> None:
    for number in numbers:
        os.close(number)


def write_file(name: str, content: bytes, folder: int) -> None:
    """Make a new private file durable. Raises OSError."""
    descriptor = os.open(name, _NEW_FILE, 0o600, dir_fd=folder)
    try:
        _write_all(descriptor, content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_tree(name: str, folder: int) -> None:
    """Remove a directory, or whatever else has the name; links are not followed. Raises OSError."""
    if stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
        shutil.rmtree(name, dir_fd=folder)
    else:
        os.unlink(name, dir_fd=folder)


def _write_all(descriptor: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _make_directory(name: str, folder: int) -> None:
    try:
        os.mkdir(name, 0o700, dir_fd=folder)
    except FileExistsError:
        return
    os.fsync(folder)


def _is_there(name: str, folder: int) -> bool:
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _changed_at(name: str, folder: int) -> float:
    return os.stat(name, dir_fd=folder, follow_symlinks=False).st_mtime


def _files_of(snapshot: str, folder: int) -> Iterator[File]:
    """The files of one snapshot; what is no directory, or empty, is one without content."""
    try:
        inner = os.open(snapshot, _DIRECTORY, dir_fd=folder)
    except OSError as error:
        if error.errno in (errno.ENOTDIR, errno.ELOOP):
            yield File(snapshot, "", 0)
        elif error.errno != errno.ENOENT:  # deleted since it was listed
            raise
        return
    try:
        for name in _names_in(inner) or [""]:
            if not name:
                yield File(snapshot, "", 0)
            elif stat.S_ISREG((seen := os.stat(name, dir_fd=inner, follow_symlinks=False)).st_mode):
                digest = _digest(name, inner) if is_manifest(name) and seen.st_size <= MAX_BYTES else ""
                yield File(snapshot, name, seen.st_size, digest)
    finally:
        os.close(inner)


def _names_in(folder: int) -> list[str]:
    with os.scandir(folder) as entries:
        return [one.name for one in entries]


def _digest(name: str, folder: int) -> str:
    with os.fdopen(os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder), "rb") as file:
        return hashlib.sha256(file.read(MAX_BYTES)).hexdigest()


def _already(snapshot: str, where: str) -> SnapshotError:
    return AlreadyExists(f"putting snapshot {snapshot}", where, "something of that id is there")
