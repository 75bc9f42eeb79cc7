"""How a program on a host speaks with its cell's API server: as from outside, while its host reaches it.

A host without power or network is silence, in the middle of an answer too; what was on its way arrives when the network
is back, as TCP would bring it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping

from homeostat.kube.transport import Request, Response, Transport
from homeostat.sim.world.hosts.host import Host


class FromHost:
    """The client's port, of one program on one host."""

    def __init__(self, through: Transport, host: Host) -> None:
        self._through, self._host = through, host

    async def send(self, request: Request) -> Response:
        """Ask, and wait for the head of the answer. Raises ConnectionFailed."""
        await until_reached(self._host)
        answer = await self._through.send(request)
        await until_reached(self._host)
        return _Answer(answer, self._host)

    async def close(self) -> None:
        """Send nothing from now on."""
        await self._through.close()


class _Answer:
    """One whose pieces arrive while the host is reached."""

    def __init__(self, answer: Response, host: Host) -> None:
        self._answer, self._host = answer, host

    @property
    def status(self) -> int:
        return self._answer.status

    @property
    def headers(self) -> Mapping[str, str]:
        return self._answer.headers

    async def read(self) -> bytes:
        await until_reached(self._host)
        return await self._answer.read()

    async def chunks(self) -> AsyncIterator[bytes]:
        async for chunk in self._answer.chunks():
            await until_reached(self._host)
            yield chunk

    async def close(self) -> None:
        await self._answer.close()


async def until_reached(host: Host) -> None:
    """Wait until a host runs, and reaches its API server."""
    while not (host.is_up and host.reaches_server):
        changed = asyncio.get_running_loop().create_future()
        call = _first_of(changed)
        host.hear(call)
        try:
            await changed
        finally:
            host.unhear(call)


def _first_of(changed: asyncio.Future[None]) -> Callable[[], None]:
    def tell() -> None:
        if not changed.done():
            changed.set_result(None)

    return tell
