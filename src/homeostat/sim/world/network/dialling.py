"""How clients of this process reach API servers of a world: the port of our client, over the world's network.

A handshake comes first, as TLS has it, and once per connection: who trusts whom is judged by the certificates that both
sides show then. Silence lasts until whoever asks gives up.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import NoReturn, TypeVar
from urllib.parse import urlsplit

from homeostat.kit.clock import Clock
from homeostat.kube.errors import ConnectionFailed, UntrustedServer
from homeostat.kube.target import Config
from homeostat.kube.transport import Request
from homeostat.sim.apiserver.access.attributes import User
from homeostat.sim.apiserver.answer import Answer
from homeostat.sim.transport import SimResponse, asked
from homeostat.sim.world.network.network import OUTSIDE, Network, Refused, Silent, UnknownName
from homeostat.sim.world.network.proving import Trust, Untrusted
from homeostat.sim.world.programs.apiserver.server import Server

T = TypeVar("T")
Dial = Callable[[str, str], "WorldTransport"]


def reach_from(network: Network, clock: Clock, origin: str = OUTSIDE) -> Callable[[Config], Dial]:
    """How whoever stands on a host reaches what a configuration leads to."""

    def reach(config: Config) -> Dial:
        trusted = None if config.insecure else Trust(config.ca)

        def dial(url: str, server_name: str) -> WorldTransport:
            return WorldTransport(network, url, server_name, config.client_certificate, trusted, origin, clock)

        return dial

    return reach


class WorldTransport:
    """A connection, opened by the first request."""

    def __init__(
        self,
        network: Network,
        url: str,
        server_name: str,
        certificate: bytes,
        trusted: Trust | None,
        origin: str,
        clock: Clock,
    ) -> None:
        parts = urlsplit(url)
        self._network, self._url, self._clock, self._origin = network, url, clock, origin
        self._host, self._port = parts.hostname or "", parts.port or 443
        self._name = server_name or self._host
        self._certificate, self._trusted = certificate, trusted
        self._to: tuple[Server, User] | None = None
        self._closed = False

    @property
    def server(self) -> Server | None:
        """Who is at the other end."""
        return self._to[0] if self._to is not None else None

    async def send(self, request: Request) -> WorldResponse:
        """Ask, and wait for the head of the answer. Raises ConnectionFailed."""
        if self._closed:
            raise ConnectionFailed("this client was closed", sent=False)
        await self._clock.sleep(0)
        found, user = await self._connected()
        if found.is_hung or not self._network.joins(self._origin, found.host):
            await _silence()
        assert found.ended is not None  # noqa: S101  (it listens)
        answer = await _unless(found.ended, found.answer(asked(request), user), self._url)
        return WorldResponse(answer, found.ended, self._url)

    async def close(self) -> None:
        """Send nothing from now on."""
        self._closed = True

    async def _connected(self) -> tuple[Server, User]:
        if self._to is None or self._to[0].ended is None or self._to[0].ended.done():
            self._to = await self._connect()
        return self._to

    async def _connect(self) -> tuple[Server, User]:
        try:
            found = self._network.dial(self._origin, self._host, self._port)
        except Refused as error:
            raise ConnectionFailed(f"{self._url}: cannot connect: Connection refused", sent=False) from error
        except UnknownName as error:
            raise ConnectionFailed(f"{self._url}: cannot connect: {error}", sent=False) from error
        except Silent:
            await _silence()
        if not isinstance(found, Server):
            raise ConnectionFailed(f"{self._url}: the connection was closed in the TLS handshake", sent=False)
        if found.is_hung:
            await _silence()
        try:
            return found, found.greet(self._certificate, self._trusted, self._name)
        except Untrusted as error:
            text = f"{self._url}: does not prove that it is the server we want: {error}; check the CA"
            raise UntrustedServer(text) from error


class WorldResponse(SimResponse):
    """An answer that breaks off when its server ends."""

    def __init__(self, answer: Answer, ended: asyncio.Future[None], url: str) -> None:
        super().__init__(answer)
        self._ended, self._url = ended, url

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it comes. Raises ConnectionFailed."""
        if self._answer.stream is None:
            yield self._answer.body
            return
        stream = aiter(self._answer.stream)
        while True:
            try:
                yield await _unless(self._ended, anext(stream), self._url)
            except StopAsyncIteration:
                return


async def _unless(ended: asyncio.Future[None], step: Awaitable[T], url: str) -> T:
    """What comes of a step, unless the server ends before. Raises ConnectionFailed then."""
    if ended.done():
        _close(step)
        raise ConnectionFailed(f"{url}: the connection was closed before the answer")
    task = asyncio.ensure_future(step)
    try:
        await asyncio.wait((task, ended), return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
    finally:
        if not task.done():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
    raise ConnectionFailed(f"{url}: the connection broke in the middle of the answer")


def _close(step: Awaitable[T]) -> None:
    if isinstance(step, Coroutine):
        step.close()


async def _silence() -> NoReturn:
    """Until whoever asks gives up."""
    while True:
        await asyncio.get_running_loop().create_future()
