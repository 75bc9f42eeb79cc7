"""`homeostat run cell` as a program of a simulated host: what the Pods of deploy/operator do in a world.

It is wired as the application wires it, with the world's ports in the place of those that need a network: it leads by
Lease or waits, answers the probes of its kubelet, and serves its webhooks at its Pod's address. What it says to the
cell's API server goes by its host, and so it is silent when that is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from homeostat.app.cell import LEASE, WEBHOOKS
from homeostat.app.simulated_operator import add_operators
from homeostat.kit.clock import Clock
from homeostat.kube.client import Client
from homeostat.operators.cluster.controller import add_cluster_admission
from homeostat.operators.cluster.healing.pulse import Pulse
from homeostat.runtime.leader import LeaderElector
from homeostat.runtime.manager import Manager, ManagerSettings
from homeostat.runtime.webhook.answering import Reviewer
from homeostat.runtime.webhook.configuration import ServiceAddress
from homeostat.runtime.webhook.service import ReviewServer, Webhooks, WebhookSettings
from homeostat.runtime.webhook.serving import review_app
from homeostat.sim.apiserver.types.user import AUTHENTICATED, User
from homeostat.sim.transport import SimTransport
from homeostat.sim.world.hosts.containers import Container, Program, Start
from homeostat.sim.world.network.reviewing import Reviews
from homeostat.sim.world.network.speaking import FromHost
from homeostat.sim.world.ports.snapshots import WorldHandout
from homeostat.sim.world.world import World

HEALTH_PORT = 8080
_LOOKS_S = 1.0  # how soon its kubelet's probes could find out that it answers otherwise
_BEGINS_S = (1.0, 2.0)  # an interpreter, and its imports


def add_programs(world: World) -> None:
    """Let a world know it, before it runs; all else that homeostat does in containers stays as it is."""
    others = world.programs["homeostat"]

    def start(container: Container, changed: Callable[[], None]) -> Program:
        is_cell = container.command[1:3] == ("run", "cell")
        return CellProgram(container, changed, world) if is_cell else others(container, changed)

    programs: dict[str, Start] = {"homeostat": start}
    world.programs.update(programs)


class CellProgram:
    """One start of it."""

    def __init__(self, container: Container, changed: Callable[[], None], world: World) -> None:
        self._container, self._changed, self._world = container, changed, world
        self._stop = asyncio.Event()
        self._manager: Manager | None = None
        self._told: tuple[bool, ...] = ()

    async def run(self) -> int:
        """Live until killed; asked to end, it ends in order."""
        clock, random, container = self._world.clock, self._world.random, self._container
        await clock.sleep(random.uniform(*_BEGINS_S))
        handout = WorldHandout(self._world.snapshots, self._world.copies, f"{container.uid}-{clock.monotonic()}")
        pulse = Pulse(clock)
        async with self._client(pulse) as client:
            namespace, _, service = container.flag("webhook-service").partition("/")
            elector = LeaderElector(client, LEASE, namespace, container.pod, clock=clock, random=random)
            settings = ManagerSettings(tune_gc=False)
            self._manager = Manager(clock=clock, random=random, settings=settings, elector=elector)
            add_operators(self._world, self._manager, client, handout, pulse)
            self._add_webhooks(client, namespace, service, elector)
            try:
                return await self._live(self._manager)
            finally:
                handout.close()

    def answers(self, port: int, path: str) -> bool:
        """A kubelet's probe of its health."""
        if self._manager is None or port != HEALTH_PORT:
            return False
        return not (self._manager.not_ready() if path == "/readyz" else self._manager.not_live())

    async def _live(self, manager: Manager) -> int:
        running = asyncio.ensure_future(manager.run(self._stop))
        looking = asyncio.ensure_future(self._look())
        try:
            await asyncio.wait((running, looking), return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            self._stop.set()  # SIGTERM; what kills it cancels once more
            await asyncio.wait((running,))
        finally:
            for task in (looking, running):
                task.cancel()
            await asyncio.gather(looking, running, return_exceptions=True)
        return running.result()

    async def _look(self) -> None:
        """Tell the kubelet when answers have changed."""
        while True:
            told = self.answers(HEALTH_PORT, "/readyz"), self.answers(HEALTH_PORT, "/livez")
            if told != self._told:
                self._told = told
                self._changed()
            await self._world.clock.sleep(_LOOKS_S)

    def _client(self, pulse: Pulse) -> Client:
        world, account = self._world, f"system:serviceaccounts:{self._container.namespace}"
        name = f"system:serviceaccount:{self._container.namespace}:homeostat"
        user = User(name, ("system:serviceaccounts", account, AUTHENTICATED))
        through = SimTransport(world.server, user, clock=world.clock)
        transport = FromHost(through, world.centre.host(self._container.host))
        return Client(
            transport, clock=world.clock, random=world.random, field_manager="homeostat-cluster", observer=pulse
        )

    def _add_webhooks(self, client: Client, namespace: str, service: str, elector: LeaderElector) -> None:
        assert self._manager is not None  # noqa: S101  (it was made a moment ago)
        settings = WebhookSettings(namespace=namespace, secret=service, configuration=WEBHOOKS)
        address = ServiceAddress(namespace, service)
        webhooks = Webhooks(client, address, settings, self._manager, elector=elector, serve=self._serve)
        add_cluster_admission(webhooks, self._manager, client)
        self._manager.add_server(webhooks)

    def _serve(self, reviewer: Reviewer, settings: WebhookSettings, clock: Clock) -> ReviewServer:
        host, address, network = self._container.host, self._container.address, self._world.network
        app = review_app(reviewer, clock)
        return Reviews(app, network, host, address, settings.port, linger_s=settings.linger_s, clock=clock)
