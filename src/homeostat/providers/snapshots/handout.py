"""Hands plain snapshots out over HTTPS to the Pods that restore members: satisfies `Handout`; a server of a manager.

The store and its keys are the operator's alone. What a Pod gets is one file, for one token, from this very process:
its address, a certificate authority made when it starts, and the token stand in a Secret beside the Pod. Another
process has another authority, so what one has offered ends with it; nothing here needs to survive.

Plain bytes lie in the scratch directory only while somebody needs them: they go when the restore has them, when nobody
has asked for long, and when a process finds those of an earlier one.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import secrets
import shutil
import ssl
from collections.abc import AsyncGenerator
from pathlib import Path

import uvicorn
from msgspec import Struct
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from homeostat.kit.clock import Clock
from homeostat.kit.pki.authority import AUTHORITY_LIFE, Request, issue, new_authority, read_signer
from homeostat.kube.tls import load_pair
from homeostat.operators.cluster.backup.errors import LocalFileFailed
from homeostat.operators.cluster.backup.manifest import ClusterRef
from homeostat.operators.cluster.backup.ports import SnapshotStore
from homeostat.operators.cluster.restore.ports import Busy, Offer
from homeostat.runtime.serving import QuietServer, listen

AT_ONCE = 2  # fetches: each holds one of the operator's workers, and a plain snapshot on disk
UNUSED_S = 1800.0  # an offer that nobody has asked for is withdrawn
_PART_BYTES = 1 << 20
_BYTES = "application/octet-stream"
_SWEEP_S = 60.0
_DIRECTORY = "handout"


class Place(Struct, frozen=True):
    """Where plain snapshots lie, and where they are served."""

    scratch: Path
    address: str  # of this process, as Pods of the cell reach it
    port: int = 9444
    host: str = "0.0.0.0"  # noqa: S104  (Pods of the cell come from outside of this one)


class _Held(Struct):
    """What is on offer for one taker."""

    owner: ClusterRef
    snapshot: str
    offer: Offer
    file: Path
    used_at: float  # by the monotonic clock


class SnapshotHandout:
    """Serve it with a manager: `manager.add_server(handout)`."""

    name = "snapshots"

    def __init__(self, store: SnapshotStore, place: Place, *, clock: Clock) -> None:
        self._store, self._place, self._clock = store, place, clock
        self._held: dict[str, _Held] = {}
        self._fetching = 0
        self._is_clean = False
        entries = dict(
            zip(("ca.crt", "ca.key"), new_authority("homeostat-handout-authority", clock.now()), strict=True)
        )
        self._authority = entries["ca.crt"]
        request = Request("ca", "homeostat-handout", addresses=(place.address,))
        pair = issue(read_signer(entries, "ca"), request, clock.now(), AUTHORITY_LIFE)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.minimum_version = ssl.TLSVersion.TLSv1_2
        load_pair(self._context, *pair, what="handout certificate and key")

    def offered(self, taker: str, owner: ClusterRef, snapshot: str) -> Offer | None:
        """As the port says."""
        held = self._held.get(taker)
        return held.offer if held is not None and (held.owner, held.snapshot) == (owner, snapshot) else None

    async def offer(self, taker: str, owner: ClusterRef, snapshot: str) -> Offer:
        """As the port says."""
        known = self.offered(taker, owner, snapshot)
        if known is not None:
            return known
        if self._fetching >= AT_ONCE:
            raise Busy(f"{AT_ONCE} snapshots are being fetched already")
        self._fetching += 1
        try:
            return await self._fetch(taker, owner, snapshot)
        finally:
            self._fetching -= 1

    async def withdraw(self, taker: str) -> None:
        """As the port says."""
        held = self._held.pop(taker, None)
        if held is not None:
            await asyncio.to_thread(held.file.unlink, missing_ok=True)

    def trouble(self) -> list[str]:
        """Nobody is sent here by a Service."""
        return []

    async def run(self) -> None:
        """Serve until cancelled. Raises OSError when the port cannot be had."""
        config = uvicorn.Config(self.app(), log_config=None, access_log=False, lifespan="off", server_header=False)
        config.load()
        config.ssl = self._context
        with contextlib.closing(listen("snapshots", self._place.host, self._place.port)) as listener:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(QuietServer(config).serve(sockets=[listener]), name="snapshot server")
                tasks.create_task(self._sweep(), name="snapshot sweeper")

    async def drain(self) -> None:
        """Whoever is cut off asks the next process."""

    def app(self) -> Starlette:
        """The application, without TLS."""
        return Starlette(routes=[Route("/snapshots/{taker}", self._serve, methods=["GET"])])

    async def _fetch(self, taker: str, owner: ClusterRef, snapshot: str) -> Offer:
        await self.withdraw(taker)
        directory = await self._directory()
        file = directory / f"{taker}.db"
        manifest = await self._store.fetch(owner, snapshot, file)
        address = f"[{self._place.address}]" if ":" in self._place.address else self._place.address
        url = f"https://{address}:{self._place.port}/snapshots/{taker}"
        offer = Offer(url, self._authority, secrets.token_urlsafe(32), manifest.plain_sha256)
        self._held[taker] = _Held(owner, snapshot, offer, file, self._clock.monotonic())
        return offer

    async def _directory(self) -> Path:
        """Where files lie; the first time, what an earlier process left goes."""
        directory = self._place.scratch / _DIRECTORY
        try:
            if not self._is_clean:
                await asyncio.to_thread(shutil.rmtree, directory, ignore_errors=True)
                self._is_clean = True
            await asyncio.to_thread(directory.mkdir, mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            found = error.strerror or type(error).__name__
            raise LocalFileFailed("making room for a snapshot", str(directory), found) from error
        return directory

    async def _sweep(self) -> None:
        while True:
            await self._clock.sleep(_SWEEP_S)
            before = self._clock.monotonic() - UNUSED_S
            for taker in [taker for taker, held in self._held.items() if held.used_at < before]:
                await self.withdraw(taker)

    async def _serve(self, request: HttpRequest) -> Response:
        held = self._held.get(request.path_params["taker"])
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if held is None or not hmac.compare_digest(token.encode(), held.offer.token.encode()):
            return PlainTextResponse("nothing is on offer here for this token\n", 404)
        held.used_at = self._clock.monotonic()
        size = str(held.file.stat().st_size)
        return StreamingResponse(_parts(held.file), headers={"content-length": size}, media_type=_BYTES)


async def _parts(file: Path) -> AsyncGenerator[bytes, None]:
    """A file in parts. It is closed at once where whoever fetches it hangs up, which is a cancellation here."""
    with file.open("rb") as opened:
        while part := await asyncio.to_thread(opened.read, _PART_BYTES):
            yield part
