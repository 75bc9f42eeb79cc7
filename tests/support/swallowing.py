"""A way to a port of this machine that can be lost as the power of a host is: nobody closes anything."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class Way:
    """Takes connections on `port` and passes their bytes on to another port."""

    def __init__(self, to: int) -> None:
        self._to = to
        self._open: set[asyncio.StreamWriter] = set()
        self._lost: set[asyncio.StreamWriter] = set()
        self._taken: set[asyncio.Task[None]] = set()
        self.port = 0

    def lose(self) -> None:
        """From now on what is said on connections that are open is heard by nobody; new ones are as before."""
        self._lost |= self._open

    @asynccontextmanager
    async def there(self) -> AsyncIterator[Way]:
        """Serve until the end of the block."""
        server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for writer in self._open:
                writer.transport.abort()
            await asyncio.gather(*self._taken)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._taken.add(task)
        onward_reader, onward = await asyncio.open_connection("127.0.0.1", self._to)
        ends = {writer, onward}
        self._open |= ends
        try:
            await asyncio.gather(self._pass(reader, onward), self._pass(onward_reader, writer))
        finally:
            self._open -= ends
            for each in ends:
                each.close()

    async def _pass(self, said: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while part := await said.read(1 << 16):
                if to not in self._lost:
                    to.write(part)
                    await to.drain()
            if to not in self._lost:
                to.write_eof()
