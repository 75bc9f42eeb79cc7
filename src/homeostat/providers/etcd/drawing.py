"""A snapshot of etcd from one of its members into a local file: what `etcdctl snapshot save` does, and more careful.

The member sends its database as it is, then the SHA-256 of it, which stays at the end of the file as etcd's own tools
expect it there. Sending costs the member reading its file once; a follower is asked, so that no leader is burdened.
"""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import BinaryIO, TypeVar

from msgspec import Struct

from homeostat.kit.clock import Clock
from homeostat.operators.cluster.backup.errors import LocalFileFailed
from homeostat.operators.cluster.names import ETCD_CLIENT_PORT
from homeostat.operators.cluster.ports import Drawn, EtcdAccess, Unreachable
from homeostat.providers.etcd.database import NoDatabase, last_revision
from homeostat.providers.etcd.gateway import Gateway, ask_all, reaching
from homeostat.providers.snapshots.local_file import PrivateFile

T = TypeVar("T")
_MIB = 1 << 20
_SUM_BYTES, _SECTOR_BYTES = 32, 512  # a file with its sum is that much longer than a whole number of sectors
_BATCH_BYTES = _MIB  # written at once
_SPARE_BYTES = 64 * _MIB  # a database grows a little while it is sent
_ASK_S, _LEVEL_S, _IDLE_S = 3.0, 15.0, 20.0
_BEHIND = 5000  # entries; a member that is further behind the others is not asked while there is a better one
_NO_KEY = "AA=="  # a byte that is zero, which is the key of nothing
_THREADS = 4


class Bounds(Struct, frozen=True):
    """How long drawing may take, in seconds; the port promises the defaults."""

    base_s: float = 55.0
    s_per_mib: float = 1.0

    def for_bytes(self, count: int) -> float:
        """For so many bytes."""
        return self.base_s + self.s_per_mib * count / _MIB


class Header(Struct, frozen=True):
    """What comes with most answers."""

    member_id: int = 0
    revision: int = 0


class Standing(Struct, rename="camel"):
    """What a member says about itself, as far as it matters here."""

    header: Header = Header()
    version: str = ""
    db_size: int = 0
    leader: int = 0
    raft_applied_index: int = 0
    is_learner: bool = False
    errors: tuple[str, ...] = ()


class Blob(Struct):
    """A part of the file."""

    blob: bytes = b""


class EtcdSnapshots:
    """Satisfies the operator's port `SnapshotSource`. Close it."""

    def __init__(
        self,
        *,
        clock: Clock,
        client_port: int = ETCD_CLIENT_PORT,
        bounds: Bounds = Bounds(),  # noqa: B008  (a frozen value)
    ) -> None:
        self._clock, self._port, self._bounds = clock, client_port, bounds
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="etcd-snapshot")

    def close(self) -> None:
        """Give up threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def draw(self, access: EtcdAccess, target: Path) -> Drawn:
        """As the port says."""
        async with reaching(access, port=self._port, clock=self._clock) as gateway:
            standings = await ask_all(gateway, access, Standing, within_s=_ASK_S)
            host = best(standings)
            if not host:
                raise Unreachable(f"etcd: no member of {', '.join(sorted(access.hosts.values()))} is well")
            standing = standings[host]
            within_s = self._bounds.for_bytes(standing.db_size)
            try:
                async with self._clock.timeout(within_s):
                    await _be_level(gateway, host)
                    return await self._receive(gateway, host, standing, target)
            except TimeoutError:
                raise Unreachable(f"etcd at {host}: its snapshot did not come within {within_s:.0f} s") from None
            except OSError as error:
                raise _local(target, error) from error

    async def _receive(self, gateway: Gateway, host: str, standing: Standing, target: Path) -> Drawn:
        await self._require_room(target, standing.db_size)
        most = 2 * standing.db_size + _SPARE_BYTES
        async with (
            PrivateFile(target, self._threads) as file,
            aclosing(gateway.stream(host, "maintenance/snapshot", Blob, idle_s=_IDLE_S)) as parts,
        ):
            received = _Received(file.opened)
            async with aclosing(_batches(parts)) as batches:
                async for batch in batches:
                    if received.size + len(batch) > most:
                        raise Unreachable(f"etcd at {host}: expected a snapshot of about {standing.db_size} bytes")
                    await self._in_thread(partial(received.write, batch))
            if not received.is_whole:
                raise Unreachable(f"etcd at {host}: the snapshot was cut off or changed on its way")
            try:
                revision = await self._in_thread(partial(last_revision, file.opened))
            except NoDatabase as error:
                raise Unreachable(f"etcd at {host}: its snapshot is no sound database: {error}") from error
            await file.appear()
        return Drawn(host, standing.version, max(revision, standing.header.revision), received.size)

    async def _require_room(self, target: Path, size: int) -> None:
        usage = await self._in_thread(lambda: shutil.disk_usage(target.parent))
        if usage.free < size + _SPARE_BYTES:
            found = f"expected room for {size + _SPARE_BYTES} bytes, found {usage.free}"
            raise LocalFileFailed("drawing a snapshot", str(target.parent), found)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


class _Received:
    """What has come so far: counted, and summed up but for the last bytes, which are the sum."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._sum = hashlib.sha256()
        self._tail = b""
        self.size = 0

    def write(self, content: bytes) -> None:
        """Blocks. Raises OSError."""
        self._file.write(content)
        self.size += len(content)
        held = self._tail + content
        self._sum.update(held[:-_SUM_BYTES])
        self._tail = held[-_SUM_BYTES:]

    @property
    def is_whole(self) -> bool:
        """Whether all came as it was sent."""
        return self.size % _SECTOR_BYTES == _SUM_BYTES and self._sum.digest() == self._tail


async def _be_level(gateway: Gateway, host: str) -> None:
    """Let a member catch up with all that was acknowledged until now. Raises Unreachable, also without a quorum.

    A follower may be behind, and sends its file as it is. A read that is not `serializable` it answers when it has
    applied what the others agree on.
    """
    await gateway.call(host, "kv/range", {"key": _NO_KEY, "countOnly": True}, Standing, within_s=_LEVEL_S)


def best(standings: dict[str, Standing]) -> str:
    """Whom to ask: a member without troubles, in step, with a vote, and not the leader; empty when nobody will do."""
    newest = max((each.raft_applied_index for each in standings.values()), default=0)
    usable = {host: each for host, each in standings.items() if each.leader and not _is_corrupt(each)}

    def rank(host: str) -> tuple[bool, bool, bool, bool, str]:
        each = standings[host]
        is_behind = newest - each.raft_applied_index > _BEHIND
        return is_behind, each.is_learner, bool(each.errors), each.leader == each.header.member_id, host

    return min(usable, key=rank, default="")


def _is_corrupt(standing: Standing) -> bool:
    return any("CORRUPT" in error for error in standing.errors)


async def _batches(parts: AsyncGenerator[Blob, None]) -> AsyncGenerator[bytes, None]:
    held = bytearray()
    async for part in parts:
        held += part.blob
        if len(held) >= _BATCH_BYTES:
            yield bytes(held)
            held.clear()
    yield bytes(held)


def _local(target: Path, error: OSError) -> LocalFileFailed:
    return LocalFileFailed("drawing a snapshot", str(target), error.strerror or type(error).__name__)
