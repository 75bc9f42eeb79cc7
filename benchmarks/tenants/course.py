"""One round in a process of its own, as a program: it tells its figures on one line of JSON.

Client and server share the process and its processor time, with no network between them, so a figure is what both cost
together, and one beside a stub says how much of that is the server's.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import random
from collections.abc import Awaitable, Callable
from contextlib import aclosing

from benchmarks.tenants.filling import change_again, fill
from benchmarks.tenants.metering import Figures, Rows, cpu_s, settled_mb
from benchmarks.tenants.replaying import Recorder, Stub
from benchmarks.tenants.requesting import costs_of_requests
from homeostat.api.pods import POD
from homeostat.kit.clock import SystemClock
from homeostat.kube.client import Client
from homeostat.kube.transport import Transport
from homeostat.sim.apiserver.access.attributes import AUTHENTICATED, User
from homeostat.sim.apiserver.server import ApiServer
from homeostat.sim.transport import SimTransport

ADMIN = User("admin", ("system:masters", AUTHENTICATED))
clock = SystemClock()


def new_server() -> ApiServer:
    """An empty one."""
    return ApiServer(clock=clock, random=random.Random(0))


def client_over(transport: Transport, manager: str = "homeostat") -> Client:
    """A client of the server behind a transport."""
    return Client(transport, clock=clock, random=random.Random(0), field_manager=manager)


def client_of(server: ApiServer, manager: str = "homeostat") -> Client:
    """An administrator's client of a server in this process."""
    return client_over(SimTransport(server, ADMIN, clock=clock), manager)


async def of_a_large_tenant(nodes: int, pods: int) -> Rows:
    """Fill a tenant, then list and watch it, and the same from a stub."""
    server = new_server()
    client, kubelet = client_of(server, "kube-controller-manager"), client_of(server, "kubelet")
    empty_mb = settled_mb()
    await fill(server, client, kubelet, nodes, pods)
    server.store.forget(server.store.revision)  # as a compaction does
    size = sum(len(each.rest) for each in server.store.shelf(("", "pods")).within(""))
    rows = {"simulated server": {"kb_a_pod": (settled_mb() - empty_mb) * 1024 / pods, "bytes_a_pod": size / pods}}
    before, changed = server.store.revision, change_again(server, pods // 5)
    recorder = Recorder(SimTransport(server, ADMIN, clock=clock))
    await _read(client_over(recorder), before, pods, changed)  # what a stub will say; the first time is the slowest
    rows["simulated server"] |= await _read(client_of(server), before, pods, changed)
    rows["stub"] = await _read(client_over(Stub(recorder.heard)), before, pods, changed)
    return rows


async def _read(client: Client, before: int, pods: int, changed: int) -> Figures:
    """What each object costs in a list in pages, in one that is streamed, and as a change that is watched."""

    async def listed() -> int:
        return len((await client.list(POD)).items)

    async def streamed() -> int:
        found = 0
        async with aclosing(client.watch_batches(POD, send_initial_events=True)) as batches:
            async for batch in batches:
                found += len(batch) - batch[-1].initial_end
                if batch[-1].initial_end:
                    break
        return found

    async def watched() -> int:
        found = 0
        async with aclosing(client.watch_batches(POD, resource_version=str(before))) as batches:
            async for batch in batches:
                found += len(batch)
                if found >= changed:
                    break
        return found

    ways: tuple[tuple[str, Callable[[], Awaitable[int]], int], ...] = (
        ("list_us", listed, pods),
        ("stream_us", streamed, pods),
        ("watch_us", watched, changed),
    )
    return {name: await _cost_of_each(way, count) for name, way, count in ways}


async def _cost_of_each(read: Callable[[], Awaitable[int]], wanted: int) -> float:
    gc.collect()
    begun = cpu_s()
    found = await read()
    spent = cpu_s() - begun
    if found != wanted:
        raise RuntimeError(f"expected {wanted} objects, found {found}")
    return spent * 1e6 / wanted


def of_empty_tenants(count: int = 200) -> Rows:
    """What each more server costs in a process that has one."""
    kept = [new_server()]
    before, begun = settled_mb(), cpu_s()
    kept += [new_server() for _ in range(count)]
    spent = cpu_s() - begun
    return {"one more server": {"kb": (settled_mb() - before) * 1024 / count, "ms": spent * 1e3 / count}}


async def of_the_start() -> Rows:
    """What a process has spent when its first server has answered, the interpreter's own start included."""
    await client_of(new_server()).request("GET", "/readyz")
    return {"a process with one server": {"start_s": cpu_s()}}


async def main() -> None:
    """Measure what the command line says."""
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("tenant", "requests", "empty", "start"))
    parser.add_argument("--nodes", type=int, default=10_000)
    parser.add_argument("--pods", type=int, default=100_000)
    options = parser.parse_args()
    match options.what:
        case "tenant":
            rows = await of_a_large_tenant(options.nodes, options.pods)
        case "requests":
            rows = await costs_of_requests(client_of(new_server()), options.pods)
        case "empty":
            rows = of_empty_tenants()
        case _:
            rows = await of_the_start()
    print(json.dumps(rows))


if __name__ == "__main__":
    asyncio.run(main())
