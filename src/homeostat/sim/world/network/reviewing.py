"""Reviews of webhooks over a world's network: how a Pod serves them, and how the cell's API server asks for them.

The application is the one that is served over HTTPS elsewhere, asked without bytes between; certificates are judged as
in any handshake. The API server goes by the address of the Service, as in a real cell, and so to any of those that
stand behind it: to one on a host that has just died, too, until its endpoint is taken away. Then nobody answers, and
what the API server makes of that is its own affair.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, NoReturn

from homeostat.kit.clock import Clock
from homeostat.kit.random import Random
from homeostat.kube.target import ConfigError
from homeostat.runtime.webhook.certificates import Pair
from homeostat.sim.apiserver.admission.calling import Call, Heard, NotReached
from homeostat.sim.world.network.network import OUTSIDE, Network, Refused, Silent, UnknownName
from homeostat.sim.world.network.proving import Trust, Untrusted, check_pair

Message = MutableMapping[str, Any]
Application = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
]


class Reviews:
    """Serves an application at a port of a Pod, as `runtime.webhook.service.ReviewServer` does on a machine."""

    def __init__(
        self, app: Application, network: Network, host: str, address: str, port: int, *, linger_s: float, clock: Clock
    ) -> None:
        self.host, self.port = host, port
        self.listening, self._has_pair = asyncio.Event(), asyncio.Event()
        self.ended: asyncio.Future[None] | None = None  # done when no answer can come any more
        self._app, self._network, self._address = app, network, address
        self._linger_s, self._clock = linger_s, clock
        self._certificate = b""
        self._under_way: set[asyncio.Future[Heard]] = set()

    def present(self, pair: Pair) -> None:
        """Show this one from the next handshake on. Raises ConfigError when it does not fit."""
        try:
            check_pair(pair.certificate, pair.key)
        except Untrusted as error:
            raise ConfigError(f"webhook certificate and key: {error}") from error
        self._certificate = pair.certificate
        self._has_pair.set()

    async def run(self) -> None:
        """Serve until cancelled, from the first certificate on."""
        await self._has_pair.wait()
        self.ended = asyncio.get_running_loop().create_future()
        self._network.listen(self.host, self._address, self.port, self)
        self.listening.set()
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self._close()
            self.ended.set_result(None)

    async def drain(self) -> None:
        """Stay for those who have not heard that this one leaves, then finish what is under way."""
        await self._clock.sleep(self._linger_s)
        self._close()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    def answers(self, port: int, path: str) -> bool:
        """Whether the port takes connections; it knows no health."""
        return port == self.port and not path and self.listening.is_set()

    def greet(self, trusted: Trust, name: str) -> None:
        """A handshake, with somebody who trusts these and wants this name. Raises Untrusted."""
        trusted.proof(self._certificate, self._clock.now()).check_name(name)

    async def hear(self, path: str, body: bytes) -> Heard:
        """What the application answers."""
        task = asyncio.ensure_future(self._asked(path, body))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return await task

    async def _asked(self, path: str, body: bytes) -> Heard:
        incoming: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
        outgoing: list[Message] = []

        async def receive() -> Message:
            return incoming.pop() if incoming else {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            outgoing.append(message)

        await self._app(_scope(path), receive, send)
        media = dict(outgoing[0]["headers"]).get(b"content-type", b"").decode()
        return Heard(outgoing[0]["status"], b"".join(each.get("body", b"") for each in outgoing[1:]), media)

    def _close(self) -> None:
        self.listening.clear()
        self._network.close(self._address, self.port, self)


class NetworkCaller:
    """Satisfies `admission.calling.Caller`: from where the cell's API server stands."""

    def __init__(self, network: Network, random: Random) -> None:
        self._network, self._random = network, random

    async def call(self, call: Call) -> Heard:
        """Say it once. Raises NotReached; silence lasts until whoever calls gives up."""
        try:
            found = self._network.dial_any(OUTSIDE, call.host, call.port, self._random)
        except Silent:
            await _silence()
        except UnknownName as error:
            why = f'service "{call.service[1]}" not found' if call.service is not None else f"dial tcp: {error}"
            raise NotReached(f'Post "{call.url}": {why}') from error
        except Refused as error:
            raise NotReached(f'Post "{call.url}": dial tcp {call.host}: connect: connection refused') from error
        if not isinstance(found, Reviews):
            raise NotReached(f'Post "{call.url}": EOF')
        try:
            found.greet(Trust(call.authorities), call.host)
        except Untrusted as error:
            why = f"tls: failed to verify certificate: x509: {error}"
            raise NotReached(f'Post "{call.url}": {why}') from error
        return await self._heard(call, found)

    async def _heard(self, call: Call, server: Reviews) -> Heard:
        """The answer, unless its server ends before, or its host is not heard any more."""
        assert server.ended is not None  # noqa: S101  (it listens)
        answer = asyncio.ensure_future(server.hear(call.path, call.body))
        try:
            await asyncio.wait((answer, server.ended), return_when=asyncio.FIRST_COMPLETED)
            is_heard = self._network.joins(OUTSIDE, server.host)
            if answer.done() and is_heard:
                return answer.result()
        finally:
            answer.cancel()
            await asyncio.gather(answer, return_exceptions=True)
        if not is_heard:
            await _silence()
        raise NotReached(f'Post "{call.url}": EOF')


def _scope(path: str) -> Message:
    path, _, query = path.partition("?")
    return {
        "type": "http",
        "method": "POST",
        "path": path,
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(b"content-type", b"application/json")],
    }


async def _silence() -> NoReturn:
    """Until whoever asks gives up."""
    while True:
        await asyncio.get_running_loop().create_future()
