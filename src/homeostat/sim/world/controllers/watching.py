"""A controller that owns watches of types which it finds out as it runs, and so runs as one and holds a loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from homeostat.api.core import CUSTOM_RESOURCE_DEFINITION, CustomResourceDefinition
from homeostat.api.kind import Resource
from homeostat.kube.client import Client
from homeostat.runtime.controller import Controller, always
from homeostat.runtime.informer import Informer
from homeostat.runtime.manager import Manager
from homeostat.runtime.outcome import Outcome
from homeostat.runtime.queue import Priority

NOT_IMPLEMENTED = 501  # a simulated server's answer for what it does not imitate: there is nothing of it to watch


class WatchingController:
    """What such controllers share: to look again at each key, and to hear when other types are served."""

    def __init__(
        self,
        name: str,
        manager: Manager,
        client: Client,
        reconcile: Callable[[str], Awaitable[Outcome]],
        workers: int,
    ) -> None:
        self.name = name
        self.permission: Callable[[], bool] = always
        self._manager = manager
        self._client = client
        self._clock = manager.clock
        self._watched: dict[Resource, asyncio.Task[None]] = {}
        self._loop: Controller[str] = Controller(
            name, reconcile, clock=manager.clock, random=manager.random, metrics=manager.metrics, workers=workers
        )
        definitions = manager.informer(client, CUSTOM_RESOURCE_DEFINITION)
        definitions.add_handler(self._defined)
        self.informers: list[Informer[Any]] = [definitions]

    def drain(self) -> None:
        """Take no more keys."""
        self._loop.drain()

    def trouble(self) -> str:
        """Why it counts as wedged."""
        return self._loop.trouble()

    async def run(self) -> None:
        """Work until drained or cancelled."""
        self._loop.permission = self.permission
        async with asyncio.TaskGroup() as tasks:
            beside = self._begin(tasks)
            await self._loop.run()
            for task in (*beside, *self._watched.values()):
                task.cancel()

    def _begin(self, tasks: asyncio.TaskGroup) -> tuple[asyncio.Task[None], ...]:
        """Called first; what else is to run until the end."""
        raise NotImplementedError

    def _served_otherwise(self) -> None:
        """Called when a type of a definition comes or goes."""
        raise NotImplementedError

    def _defined(
        self,
        old: CustomResourceDefinition | None,
        new: CustomResourceDefinition | None,
        priority: Priority,  # noqa: ARG002
    ) -> None:
        was, is_ = (each is not None and each.is_established for each in (old, new))
        if was != is_:
            self._served_otherwise()
