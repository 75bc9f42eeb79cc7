"""What the cells of the operators' contracts stand on: one API server, and the time that passes there.

A real one is reached over HTTPS, on the machine's time. A simulated one is in the test's own process and mostly on
virtual time, so that a minute of waiting costs nothing; but for tests that ask for the server itself, for kubectl or a
command line: then it is a process of its own, reached as a real one is.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

from tests.support.apiserver import ApiServer
from tests.support.preparing import prepare
from tests.support.simulated import client_of, simulated_server

from homeostat.kit.clock import Clock, SystemClock
from homeostat.kit.random import Random, seeded_random, system_random
from homeostat.kube.client import Client
from homeostat.kube.connect import connect
from homeostat.kube.http import HttpTransport
from homeostat.kube.transport import Transport
from homeostat.sim.apiserver.store.store import Store
from homeostat.sim.apiserver.types.user import AUTHENTICATED, User
from homeostat.sim.time.clock import VirtualClock
from homeostat.sim.time.loop import VirtualLoop
from homeostat.sim.time.running import run
from homeostat.sim.transport import SimTransport
from homeostat.sim.world.programs.etcd.data import copied


class Ground(Protocol):
    """An API server with homeostat's kinds, package versions, and rights."""

    clock: Clock
    random: Random

    def client(self) -> AbstractAsyncContextManager[Client]:
        """An administrator's."""
        ...

    def transport(self, user: str) -> AbstractAsyncContextManager[Transport]:
        """The connections of somebody who has no group."""
        ...


class Served:
    """An API server behind a port of loopback, real or simulated."""

    def __init__(self, server: ApiServer) -> None:
        self.clock: Clock = SystemClock()
        self.random = system_random()
        self._server = server

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Client]:
        """An administrator's; when it is closed, every other connection must be, too."""
        async with connect(self._server.config, clock=self.clock, random=self.random) as made:
            yield made
        await self._connections_closed()

    @asynccontextmanager
    async def transport(self, user: str) -> AsyncIterator[Transport]:
        """Closed before the administrator's client, which looks that no connection is left."""
        made = HttpTransport(self._server.config_for(user), clock=self.clock)
        yield made
        await made.close()

    async def _connections_closed(self) -> None:
        """Watches that are given up say good-bye over TLS; the loop must not end before they have."""
        selector = asyncio.get_running_loop()._selector  # type: ignore[attr-defined]
        async with self.clock.timeout(20):
            while len(selector.get_map()) > 1:  # the loop's own pipe
                await self.clock.sleep(0.002)


class InMemory:
    """A simulated API server of the test's own, on the time of the loop that runs."""

    def __init__(self, store: Store) -> None:
        """`store`: what it begins with; of several tests, each has a copy."""
        loop = asyncio.get_running_loop()
        self.clock: Clock = VirtualClock(loop) if isinstance(loop, VirtualLoop) else SystemClock()
        self.random = seeded_random(0)
        self._server = simulated_server(self.clock, store=copied(store))

    def client(self) -> AbstractAsyncContextManager[Client]:
        """An administrator's."""
        return client_of(self._server, self.clock)

    @asynccontextmanager
    async def transport(self, user: str) -> AsyncIterator[Transport]:
        """As somebody who has proven his name."""
        yield SimTransport(self._server, User(user, (AUTHENTICATED,)), clock=self.clock)


@functools.cache
def prepared_store() -> Store:
    """What a server holds in which everything is in its place; nobody changes it. Not to be made within a loop."""

    async def made(clock: Clock, _: Random) -> Store:
        server = simulated_server(clock)
        async with client_of(server, clock) as client:
            await prepare(client)
        return server.store

    return run(made)
