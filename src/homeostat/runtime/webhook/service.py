"""Webhooks as one part of a process: register validators, add it to the manager, and it answers on every replica."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeVar

from msgspec import Struct

from homeostat.api.admission import Operation
from homeostat.api.kind import Kind
from homeostat.kit.clock import Clock
from homeostat.kube.client import Client
from homeostat.runtime.informer import Informer
from homeostat.runtime.leader import LeaderElector
from homeostat.runtime.manager import Manager
from homeostat.runtime.webhook.answering import Reviewer
from homeostat.runtime.webhook.asking import Validate
from homeostat.runtime.webhook.certificates import Lifetimes, Pair
from homeostat.runtime.webhook.configuration import Address, declared
from homeostat.runtime.webhook.keeping import Keeper, Kept
from homeostat.runtime.webhook.serving import HttpsServer

T = TypeVar("T")


class WebhookSettings(Struct, frozen=True, kw_only=True):
    """What webhooks are called, and where they are served."""

    namespace: str  # of the Secret
    secret: str
    configuration: str  # rights name it: deploy/operator/rights.yaml
    host: str = "0.0.0.0"  # noqa: S104  (API servers come from outside the Pod)
    port: int = 9443
    namespaces: tuple[str, ...] = ()  # empty: objects of all namespaces are asked about
    lifetimes: Lifetimes = Lifetimes()
    every_s: float = 30.0  # how often the ages of certificates are looked at
    # Before the configuration is first written: readiness is probed every 5 s, and then the Service's rules follow.
    introduced_after_s: float = 10.0
    linger_s: float = 5.0  # an ending Pod leaves the Service within a second or two; twice that, and some


class ReviewServer(Protocol):
    """Serves reviews where API servers find them."""

    port: int  # 0: any that is free, until it listens
    listening: asyncio.Event

    def present(self, pair: Pair) -> None:
        """Serve with this pair from the next handshake on. Raises ConfigError when it does not fit."""
        ...

    async def run(self) -> None:
        """Serve until cancelled, from the first certificate on. Raises OSError when the port cannot be had."""
        ...

    async def drain(self) -> None:
        """Stay for those who have not heard that this one leaves, then finish what is under way."""
        ...


Serve = Callable[[Reviewer, WebhookSettings, Clock], ReviewServer]


def over_https(reviewer: Reviewer, settings: WebhookSettings, clock: Clock) -> ReviewServer:
    """On a port of this machine."""
    return HttpsServer(reviewer, settings.host, settings.port, linger_s=settings.linger_s, clock=clock)


class Webhooks:
    """Add validators, then add it to a manager: `manager.add_server(webhooks)`."""

    name = "webhooks"

    def __init__(
        self,
        client: Client,
        address: Address,
        settings: WebhookSettings,
        manager: Manager,
        *,
        elector: LeaderElector | None = None,
        serve: Serve = over_https,
    ) -> None:
        """Without an elector this process is the only one, and keeps the configuration."""
        self._reviewer = Reviewer(clock=manager.clock, metrics=manager.metrics)
        self._server = serve(self._reviewer, settings, manager.clock)
        self._elector = elector
        self._introduced = False
        self._introduced_after_s = settings.introduced_after_s
        self._clock = manager.clock
        kept = Kept(settings.namespace, settings.secret, settings.configuration, settings.lifetimes, settings.every_s)
        self._keeper = Keeper(
            client,
            kept,
            address,
            declare=lambda bundle: declared(
                settings.configuration, self._reviewer.registrations, address, bundle, settings.namespaces
            ),
            present=self._server.present,
            may_configure=self._may_configure,
            clock=manager.clock,
            random=manager.random,
            metrics=manager.metrics,
        )

    def add(
        self,
        kind: Kind[T],
        operations: Iterable[Operation],
        validate: Validate[T],
        *,
        needs: Iterable[Informer[Any]] = (),
    ) -> None:
        """Ask `validate` about these operations on a kind; `needs` are the caches it reads.

        Raises ValueError when the kind has a validator.
        """
        self._reviewer.add(kind, operations, validate, needs=needs)

    @property
    def port(self) -> int:
        """Where reviews are answered; 0 where any port will do, and it does not listen yet."""
        return self._server.port

    def trouble(self) -> list[str]:
        """Why reviews are not answered now."""
        if problems := self._keeper.trouble():
            return problems
        return [] if self._server.listening.is_set() else ["webhook: not listening yet"]

    async def run(self) -> None:
        """Serve and keep until cancelled. Raises OSError when the port cannot be had."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._server.run(), name="webhook server")
            tasks.create_task(self._keeper.run(), name="webhook keeper")
            tasks.create_task(self._introduce(), name="webhook introduction")

    async def drain(self) -> None:
        """Leave without a review unanswered, and the configuration to who comes next."""
        self._introduced = False
        await self._server.drain()

    def _may_configure(self) -> bool:
        return self._introduced and (self._elector is None or self._elector.may_act())

    async def _introduce(self) -> None:
        """Let API servers be sent here only when they will find somebody who can answer."""
        await self._server.listening.wait()
        await self._reviewer.wait_until_able()
        await self._clock.sleep(self._introduced_after_s)
        self._introduced = True
        self._keeper.wake()
        if self._elector is not None:
            await self._elector.leading.wait()
            self._keeper.wake()
