"""Webhooks in the test's own process, on loopback: API servers of tests have no network of Services."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import Struct
from tests.support.apiserver import free_port

from homeostat.api.core import SECRET
from homeostat.kit.clock import SystemClock
from homeostat.kit.pki.authority import Request, new_authority
from homeostat.kit.random import system_random
from homeostat.kube.client import Client
from homeostat.kube.errors import NotFound
from homeostat.runtime.manager import Manager, ManagerSettings
from homeostat.runtime.webhook.certificates import AUTHORITY, Lifetimes
from homeostat.runtime.webhook.service import Webhooks, WebhookSettings

AUTHORITIES = tuple(new_authority(name, datetime(2026, 1, 1, tzinfo=UTC))[0] for name in ("one", "two"))
SECRET_NAME = "hooks"
# Seconds in place of years: a leaf is renewed every two, its authority every six. Certificates have whole seconds.
HASTY = Lifetimes(
    authority=timedelta(seconds=14),
    leaf=timedelta(seconds=6),
    renewed_before=timedelta(seconds=4),
    settled_after=timedelta(seconds=2),
)
CLOCK = SystemClock()


class LoopbackAddress(Struct, frozen=True):
    """A port of this machine, in place of a Service."""

    port: int

    def certificate(self) -> Request:
        return Request(AUTHORITY, "hooks", addresses=("127.0.0.1",))

    def client_config(self, path: str) -> dict[str, Any]:
        return {"url": f"https://127.0.0.1:{self.port}{path}"}


class Process:
    """A manager with webhooks and nothing else, to be filled by `add` and entered by `running`."""

    def __init__(
        self,
        client: Client,
        namespace: str,
        *,
        port: int = 0,
        known_at: int = 0,
        configuration: str = "",
        **settings: Any,
    ) -> None:
        """`known_at`: the port that API servers are told of, where a way leads from there to `port`."""
        self.port = port or free_port()
        self.configuration = configuration or f"homeostat-{namespace}"
        self.client = client
        self.namespace = namespace
        self.manager = Manager(clock=CLOCK, random=system_random(), settings=ManagerSettings(tune_gc=False))
        quick: dict[str, Any] = {"every_s": 0.2, "linger_s": 0.0, "introduced_after_s": 0.0}
        place: dict[str, Any] = {"namespace": namespace, "secret": SECRET_NAME, "namespaces": (namespace,)}
        served: dict[str, Any] = {"configuration": self.configuration, "host": "127.0.0.1", "port": self.port}
        self.webhooks = Webhooks(
            client,
            LoopbackAddress(known_at or self.port),
            WebhookSettings(**{**quick, **place, **served, **settings}),
            self.manager,
        )
        self.manager.add_server(self.webhooks)
        self._stop = asyncio.Event()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Process]:
        """Run until the end of the block, and then to an orderly end."""
        task = asyncio.ensure_future(self.manager.run(self._stop))
        try:
            yield self
        finally:
            self._stop.set()
            assert await task == 0

    def stop(self) -> None:
        """As SIGTERM."""
        self._stop.set()

    def value(self, metric: str, **labels: str) -> float:
        """What a metric of this process shows."""
        return self.manager.metrics.registry.get_sample_value(metric, labels) or 0.0

    async def until_in_force(self) -> None:
        """Wait until the configuration is as declared, and this process answers."""
        await until(
            lambda: not self.manager.not_ready() and self.value("homeostat_webhook_configuration_in_force") == 1.0
        )

    async def certificates(self) -> dict[str, str]:
        """The Secret's data; nothing while there is none."""
        with suppress(NotFound):
            return (await self.client.get(SECRET, SECRET_NAME, self.namespace)).data
        return {}


async def until(claim: Callable[[], bool], within_s: float = 20.0) -> None:
    """Wait for what only the real world can bring."""
    async with CLOCK.timeout(within_s):
        while not claim():
            await CLOCK.sleep(0.01)
