"""A relay that lets clients wait: what they send arrives later. A program of its own, for networks of other hosts.

python lagging.py PORT ADDRESS:PORT SECONDS
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from functools import partial

_CHUNK = 65536


async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, lag_s: float) -> None:
    """Pass on what is read, so much later and in order."""
    loop = asyncio.get_running_loop()
    with suppress(ConnectionError):
        while chunk := await reader.read(_CHUNK):
            loop.call_later(lag_s, writer.write, chunk)
    loop.call_later(lag_s, writer.close)


async def serve(host: str, port: int, lag_s: float, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One client, until either side has enough."""
    try:
        inner_reader, inner_writer = await asyncio.open_connection(host, port)
    except OSError:
        writer.close()
        return
    await asyncio.gather(relay(reader, inner_writer, lag_s), relay(inner_reader, writer, 0.0))


async def run(port: int, target: str, lag_s: float) -> None:
    """Serve until killed; says so on standard output when it begins."""
    host, _, inner = target.rpartition(":")
    server = await asyncio.start_server(partial(serve, host, int(inner), lag_s), "0.0.0.0", port)
    sys.stdout.write("serving\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(run(int(sys.argv[1]), sys.argv[2], float(sys.argv[3])))
