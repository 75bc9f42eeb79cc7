"""A client of a business cluster that reads and writes all the time, and remembers what it was told."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from uuid import uuid4

from homeostat.api.core import CONFIG_MAP
from homeostat.kit.clock import SystemClock
from homeostat.kit.random import system_random
from homeostat.kube.client import Client
from homeostat.kube.config import from_kubeconfig_bytes
from homeostat.kube.connect import connect
from homeostat.kube.errors import AlreadyExists, ApiError, KubeError
from homeostat.kube.retrying import NO_RETRIES

EVERY_S = 0.2
TIMEOUT_S = 2.0


class Life:
    """Five reads and five writes a second through the endpoint, in a thread of its own."""

    def __init__(self, kubeconfig: bytes, *, attempts: int = 1) -> None:
        """A request that fails is tried so often in all: after a moment, or when the server asked for it."""
        self._config = from_kubeconfig_bytes(kubeconfig)
        self._attempts = attempts
        self._stop = threading.Event()
        self.tried = 0
        self.retried = 0
        self.acknowledged: list[str] = []
        self.failures: list[tuple[float, str]] = []  # when they began, by time.monotonic(), and what was said

    @contextmanager
    def lived(self) -> Iterator[Life]:
        """Until the block ends."""
        thread = threading.Thread(target=lambda: asyncio.run(self._live()), name="client")
        thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            thread.join(60)

    def lost(self) -> set[str]:
        """Writes that were acknowledged, and are not there."""
        return set(self.acknowledged) - asyncio.run(self._there())

    def failed_for(self, since: float) -> float:
        """Seconds from a moment to the beginning of the last request that failed; 0 if none did."""
        return max((began - since for began, _ in self.failures), default=0.0)

    async def _live(self) -> None:
        async with self._connect() as client, asyncio.TaskGroup() as group:
            run, number = uuid4().hex[:6], 0
            while not self._stop.is_set():
                group.create_task(self._once(client, f"life-{run}-{number:05}"))
                number += 1
                await SystemClock().sleep(EVERY_S)

    async def _once(self, client: Client, name: str) -> None:
        async def write() -> None:
            with suppress(AlreadyExists):  # by a first try that nobody answered
                await client.create(CONFIG_MAP, {"metadata": {"name": name}, "data": {"name": name}}, "default")
            self.acknowledged.append(name)

        async def read() -> None:
            await client.get(CONFIG_MAP, "kube-root-ca.crt", "default")

        await self._try("write", write)
        await self._try("read", read)

    async def _try(self, what: str, act: Callable[[], Awaitable[None]]) -> None:
        began = time.monotonic()
        self.tried += 1
        for attempt in range(1, self._attempts + 1):
            try:
                await act()
            except KubeError as error:
                if attempt == self._attempts:
                    self.failures.append((began, f"{what}: {error}"))
                    return
                self.retried += 1
                # At once it could meet another connection to the server that is just ending.
                asked = error.retry_after_s if isinstance(error, ApiError) else None
                await SystemClock().sleep(min(asked or EVERY_S, TIMEOUT_S))
            else:
                return

    async def _there(self) -> set[str]:
        async with self._connect() as client:
            found = await client.list(CONFIG_MAP, "default")
            return {each.metadata.name for each in found.items}

    def _connect(self) -> Client:
        return connect(
            self._config,
            clock=SystemClock(),
            random=system_random(),
            default_timeout_s=TIMEOUT_S,
            retries=NO_RETRIES,
        )
