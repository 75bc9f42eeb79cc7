"""The endpoints of Clusters whose masters are doubles: real TLS with each Cluster's own certificates, real answers.

Every address of a Cluster is one of loopback. Who connects there meets the certificate that the operator issued for the
API servers of that Cluster, must show one that its authority signed, and is then answered by a real API server, the
same for all of them: what is read, written and watched costs what it costs in production. This is a process of its own;
it reads what it serves from its input, one line of JSON for each address, and says so when it listens there.
"""

from __future__ import annotations

import asyncio
import ssl
import sys
from asyncio import StreamReader, StreamWriter
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from functools import partial
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct
from tests.support.apiserver import ApiServer

from benchmarks.contender import pinned
from homeostat.kube.config import resolve
from homeostat.kube.target import Config
from homeostat.kube.tls import context_of, load_pair
from homeostat.operators.cluster.names import API_PORT

_PIECE = 1 << 16


class Served(Struct):
    """An address, and what its API server has."""

    address: str
    ca: bytes
    certificate: bytes
    key: bytes


class Endpoints:
    """The process, and what it serves already."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._there: set[str] = set()

    async def serve(self, wanted: Iterable[Served]) -> None:
        """Have these answered, too."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        for each in wanted:
            if each.address not in self._there:
                self._process.stdin.write(msgspec.json.encode(each) + b"\n")
                assert await self._process.stdout.readline(), f"nobody listens at {each.address}"
                self._there.add(each.address)


@asynccontextmanager
async def endpoints(server: ApiServer) -> AsyncIterator[Endpoints]:
    """Endpoints behind which this API server answers; on the core that the operator is not on."""
    command = pinned(0, [sys.executable, "-m", "benchmarks.endpoints", str(server.kubeconfig)])
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
    try:
        yield Endpoints(process)
    finally:
        with suppress(ProcessLookupError):  # it has ended by itself, and said why
            process.terminate()
        await process.wait()


async def _answer(config: Config, trust: ssl.SSLContext, reader: StreamReader, writer: StreamWriter) -> None:
    """Carry one connection to the API server and back."""
    url = urlsplit(config.server)
    with suppress(OSError):
        behind, to_it = await asyncio.open_connection(url.hostname, url.port, ssl=trust)
        try:
            ways = [asyncio.ensure_future(_carry(*way)) for way in ((reader, to_it), (behind, writer))]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
        finally:
            to_it.transport.abort()
    writer.transport.abort()


async def _carry(reader: StreamReader, writer: StreamWriter) -> None:
    with suppress(OSError):
        while piece := await reader.read(_PIECE):
            writer.write(piece)


def _context(served: Served) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_verify_locations(cadata=served.ca.decode())
    context.verify_mode = ssl.CERT_REQUIRED
    context.num_tickets = 1  # as Go's servers
    load_pair(context, served.certificate, served.key, what=served.address)
    return context


async def _serve(kubeconfig: str) -> None:
    config = resolve(kubeconfig, None)
    answer = partial(_answer, config, context_of(config))
    reader = StreamReader(limit=_PIECE)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    listening = []
    while line := await reader.readline():
        served = msgspec.json.decode(line, type=Served)
        listening.append(await asyncio.start_server(answer, served.address, API_PORT, ssl=_context(served)))
        print(served.address, flush=True)


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1]))
