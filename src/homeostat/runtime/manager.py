"""Owns a process: starts everything in order, watches over it, and ends it in order.

Start: endpoints, informers, event recorders and the elector at once; controllers when caches are filled and this
process leads. Followers keep their caches warm. Every task is essential: when one ends, all end, the exit code is 1 and
the log says which; a process that looks alive but does nothing cannot be.

End (SIGTERM): unready, no more keys, the running ones finish within a deadline, then events, the lease, the rest.
Servers see their clients off meanwhile, and may take a little longer than the lease.
Losing the lease is not an orderly end: workers are cancelled at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, TypeVar, cast

from msgspec import Struct

from homeostat.api.kind import Kind
from homeostat.kit.clock import Clock
from homeostat.kit.random import Random
from homeostat.kube.client import Client
from homeostat.runtime.events import Recorder
from homeostat.runtime.informer import Informer
from homeostat.runtime.leader import LeaderElector
from homeostat.runtime.parts import Runnable, Server
from homeostat.runtime.serving import health_app, serve
from homeostat.runtime.store import IndexFunction
from homeostat.telemetry.logs import logger
from homeostat.telemetry.metrics import Metrics

T = TypeVar("T")
LAST_WORDS_S = 3.0
ELECTION = "leader election"


class ManagerSettings(Struct, frozen=True):
    """How a manager serves and ends."""

    health_host: str = "127.0.0.1"
    health_port: int | None = None  # None: no endpoints
    drain_s: float = 25.0  # below the 30 s that Kubernetes gives a Pod
    tune_gc: bool = True


class EssentialTaskEnded(Exception):
    """A task that must run as long as the process has ended by itself."""


class Manager:
    """Informers, controllers, recorders, endpoints and leadership of one process."""

    def __init__(
        self,
        *,
        clock: Clock,
        random: Random,
        metrics: Metrics | None = None,
        settings: ManagerSettings = ManagerSettings(),  # noqa: B008  (a frozen value)
        elector: LeaderElector | None = None,
    ) -> None:
        self.clock = clock
        self.random = random
        self.metrics = metrics or Metrics()
        self._settings = settings
        self._elector = elector
        self._informers: dict[tuple[object, ...], Informer[Any]] = {}
        self._controllers: list[Runnable] = []
        self._recorders: list[Recorder] = []
        self._tasks: list[tuple[str, Callable[[], Awaitable[None]]]] = []
        self._servers: list[Server] = []
        self._draining = False
        self._log = logger()

    def informer(
        self,
        client: Client,
        kind: Kind[T],
        *,
        namespace: str = "",
        labels: str = "",
        fields: str = "",
        indexes: Mapping[str, IndexFunction[T]] | None = None,
        resync_s: float = 0.0,
    ) -> Informer[T]:
        """The one informer of this selection on this cluster; a second asker shares it and adds its indexes."""
        where = (id(client), kind.resource, kind.type, namespace, labels, fields)
        informer = cast("Informer[T] | None", self._informers.get(where))
        if informer is None:
            informer = Informer(
                client,
                kind,
                clock=self.clock,
                random=self.random,
                namespace=namespace,
                labels=labels,
                fields=fields,
                indexes=indexes,
                resync_s=resync_s,
                metrics=self.metrics,
            )
            self._informers[where] = informer
            return informer
        for name, function in (indexes or {}).items():
            informer.store.add_index(name, function)
        return informer

    def recorder(self, client: Client, component: str, instance: str = "") -> Recorder:
        """An event recorder that runs with this manager."""
        made = Recorder(
            client, component, clock=self.clock, random=self.random, instance=instance, metrics=self.metrics
        )
        self._recorders.append(made)
        return made

    def add(self, controller: Runnable) -> None:
        """Run a controller while this process leads."""
        if self._elector is not None:
            controller.permission = self._elector.may_act
        self._controllers.append(controller)

    def add_task(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        """Run something else for as long as the process; it must not end by itself."""
        self._tasks.append((name, run))

    def add_server(self, server: Server) -> None:
        """Serve as long as the process lives; it is part of readiness, and is drained while controllers are."""
        self._servers.append(server)
        self.add_task(server.name, server.run)

    def not_live(self) -> list[str]:
        """Why a restart would help."""
        return [trouble for controller in self._controllers if (trouble := controller.trouble())]

    def not_ready(self) -> list[str]:
        """Why this process should not be relied on now."""
        now = self.clock.monotonic()
        problems = ["shutting down"] if self._draining else []
        problems += [trouble for informer in self._informers.values() if (trouble := informer.trouble(now))]
        return problems + [trouble for server in self._servers for trouble in server.trouble()]

    async def run(self, stop: asyncio.Event) -> int:
        """Run until `stop` is set or something essential fails; returns the exit code."""
        failures: list[Exception] = []
        try:
            async with asyncio.TaskGroup() as tasks:
                background = [
                    tasks.create_task(self._essential(name, run), name=name) for name, run in self._background()
                ]
                leaving = [tasks.create_task(self._leave(each, stop), name=each.name) for each in self._servers]
                await self._lead(stop)
                await self._resign(background)
                await asyncio.gather(*leaving)
                for task in background:
                    task.cancel()
        except* Exception as group:
            failures += _leaves(group)
        finally:
            if self._elector is not None:
                await self._elector.release()
        for error in failures:
            self._log.error("ending the process", error=f"{type(error).__name__}: {error}", exc_info=error)
        if failures:
            return 1
        self._log.info("ended in order")
        return 0

    def _background(self) -> list[tuple[str, Callable[[], Awaitable[None]]]]:
        found = [(f"informer {informer.name}", informer.run) for informer in self._informers.values()]
        settings = self._settings
        if settings.health_port is not None:
            app = health_app(live=self.not_live, ready=self.not_ready, metrics=self.metrics)
            host, port = settings.health_host, settings.health_port
            found.append(("endpoints", lambda: serve(app, host, port)))
        if self._elector is not None:
            found.append((ELECTION, self._elector.run))
        return [*found, *((f"events {number}", r.run) for number, r in enumerate(self._recorders)), *self._tasks]

    async def _essential(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        await run()
        raise EssentialTaskEnded(f"{name} has ended by itself, which it must not")

    async def _leave(self, server: Server, stop: asyncio.Event) -> None:
        """Followers serve too, so their end has this order as well."""
        await stop.wait()
        self._draining = True
        try:
            async with self.clock.timeout(self._settings.drain_s):
                await server.drain()
        except TimeoutError:
            self._log.warning("cutting off what was not answered in time", server=server.name)

    async def _resign(self, background: Iterable[asyncio.Task[None]]) -> None:
        """Let the next one lead while servers still see their clients off."""
        if self._elector is None:
            return
        for task in background:
            if task.get_name() == ELECTION:
                task.cancel()
                await asyncio.wait((task,))
        await self._elector.release()

    async def _lead(self, stop: asyncio.Event) -> None:
        waits = [informer.synced.wait() for informer in self._informers.values()]
        if self._elector is not None:
            waits.append(self._elector.leading.wait())
        if await _first(stop, *waits):
            self._tune_gc()
            self._log.info("working", controllers=[controller.name for controller in self._controllers])
            await self._work(stop)
        self._draining = True
        # What cannot be told in a moment is not worth holding the lease for.
        with contextlib.suppress(TimeoutError):
            async with self.clock.timeout(LAST_WORDS_S):
                for recorder in self._recorders:
                    await recorder.flush()

    async def _work(self, stop: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(self._controller(c, stop), name=c.name) for c in self._controllers]
            await stop.wait()
            self._draining = True
            self._log.info("draining", deadline_s=self._settings.drain_s)
            for controller in self._controllers:
                controller.drain()
            try:
                async with self.clock.timeout(self._settings.drain_s):
                    for task in running:
                        await asyncio.shield(task)
            except TimeoutError:
                self._log.warning("cancelling what did not finish in time", deadline_s=self._settings.drain_s)
                for task in running:
                    task.cancel()

    async def _controller(self, controller: Runnable, stop: asyncio.Event) -> None:
        await controller.run()
        if not stop.is_set():
            raise EssentialTaskEnded(f"controller {controller.name} has ended by itself, which it must not")

    def _tune_gc(self) -> None:
        """Caches live as long as the process: a full collection should not walk them again and again."""
        if self._settings.tune_gc:
            gc.collect()
            gc.freeze()
            gc.set_threshold(50_000, 20, 50)


async def _first(stop: asyncio.Event, *waits: Awaitable[Any]) -> bool:
    """True when all waits are over before `stop` is set."""
    everything = asyncio.gather(*waits)
    stopped = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait((everything, stopped), return_when=asyncio.FIRST_COMPLETED)
        return everything.done()
    finally:
        everything.cancel()
        stopped.cancel()
        await asyncio.gather(everything, stopped, return_exceptions=True)


def _leaves(group: BaseExceptionGroup[Exception]) -> list[Exception]:
    found: list[Exception] = []
    for error in group.exceptions:
        found += _leaves(error) if isinstance(error, BaseExceptionGroup) else [error]
    return found


def stop_on_signals(stop: asyncio.Event) -> None:
    """SIGTERM and SIGINT set the event; to be called in the running loop of the main thread."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
