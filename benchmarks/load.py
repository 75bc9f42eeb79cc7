"""What happens to the machines while contenders watch: they are made and changed as fast as the server takes it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

import aiohttp

from benchmarks.machines import COLLECTION, definition, machine, name_of
from benchmarks.servers import Server

LANES = 8


async def in_lanes(work: Callable[[int], Awaitable[None]], numbers: Iterable[int]) -> None:
    """Do the work for every number, a few at a time."""
    left = iter(numbers)

    async def lane() -> None:
        for number in left:
            await work(number)

    async with asyncio.TaskGroup() as group:
        for _ in range(LANES):
            group.create_task(lane())


async def accepted(answer: aiohttp.ClientResponse, *also: int) -> bytes:
    """The body of an answer that went well."""
    body = await answer.read()
    if answer.status >= 400 and answer.status not in also:
        raise RuntimeError(f"{answer.method} {answer.url}: {answer.status}: {body[:300]!r}")
    return body


@dataclass
class Load:
    """An admin of the machines."""

    session: aiohttp.ClientSession

    @classmethod
    def on(cls, server: Server) -> Load:
        """Connect to a server."""
        return cls(server.session())

    async def define(self) -> None:
        """Make the kind and wait until it is served."""
        path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
        async with self.session.post(path, json=definition()) as answer:
            await accepted(answer, 409)
        while True:
            async with self.session.get(COLLECTION, params={"limit": "1"}) as answer:
                if answer.status == 200:
                    return
            await asyncio.sleep(0.1)

    async def make(self, count: int) -> int:
        """Create the machines; return the size of one as the server lists it."""

        async def create(number: int) -> None:
            async with self.session.post(COLLECTION, json=machine(number)) as answer:
                await accepted(answer, 409)

        await in_lanes(create, range(count))
        async with self.session.get(f"{COLLECTION}/{name_of(count - 1)}") as answer:
            return len(await accepted(answer))

    async def change(self, numbers: Iterable[int], note: str) -> None:
        """Give each machine's spec a new note: one new generation, one event."""
        body = json.dumps({"spec": {"note": note}})

        async def patch(number: int) -> None:
            await self.patch(name_of(number), body)

        await in_lanes(patch, numbers)

    async def patch(self, name: str, body: str) -> int:
        """Merge a patch into a machine; return its new generation."""
        headers = {"Content-Type": "application/merge-patch+json"}
        async with self.session.patch(f"{COLLECTION}/{name}", data=body, headers=headers) as answer:
            generation: int = json.loads(await accepted(answer))["metadata"]["generation"]
            return generation

    async def seconds_until_observed(self, name: str, note: str, run: str, limit_s: float) -> float:
        """Change a machine and wait until a contender wrote that it saw the change; infinity when it takes too long."""
        generation = await self.patch(name, json.dumps({"spec": {"note": note}}))
        start = time.monotonic()
        while (waited := time.monotonic() - start) < limit_s:
            async with self.session.get(f"{COLLECTION}/{name}") as answer:
                status = json.loads(await accepted(answer)).get("status", {})
            if status.get("observedGeneration") == generation and status.get("observedBy") == run:
                return waited
            await asyncio.sleep(0.005)
        return float("inf")
