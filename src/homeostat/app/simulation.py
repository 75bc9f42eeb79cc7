"""`homeostat run simulation`: a simulated cell on real time, the cluster operator in it, and doors to both.

All of it is one process, and nothing of it is on disk but how it is reached. The operator is wired as in a real cell,
with the world's ports in the place of those that need a network.
"""

from __future__ import annotations

import asyncio
import contextlib
import os

from msgspec import Struct

from homeostat.api.admission import VALIDATING_WEBHOOK_CONFIGURATION
from homeostat.app.simulated_operator import SimulatedOperator
from homeostat.kit.clock import Clock, SystemClock
from homeostat.kit.pki.authority import Request, Signer, issue, new_authority, read_signer
from homeostat.kit.random import system_random
from homeostat.kube.client import Client
from homeostat.local.manifests import Manifests, root
from homeostat.local.meta import applying
from homeostat.operators.cluster.pki.kubeconfig import write_kubeconfig
from homeostat.runtime.manager import stop_on_signals
from homeostat.runtime.serving import listen
from homeostat.sim.apiserver.access.attributes import AUTHENTICATED, User
from homeostat.sim.calling import HttpsCaller
from homeostat.sim.https import Front, context, serve_at
from homeostat.sim.standing.answering import Answering, open_door
from homeostat.sim.standing.doors import Doors
from homeostat.sim.standing.place import Place, Reached
from homeostat.sim.standing.process import READY
from homeostat.sim.standing.ranges import claimed
from homeostat.sim.world.hosts.times import Span, Times
from homeostat.sim.world.world import Plan, World
from homeostat.telemetry.logs import configure

HOST, ANY_PORT = "127.0.0.1", 0
ADMIN = User("kubernetes-admin", ("system:masters", AUTHENTICATED))
# With the rights that deploy/operator gives it, and no others.
OPERATOR = User(
    "system:serviceaccount:homeostat-system:homeostat",
    ("system:serviceaccounts", "system:serviceaccounts:homeostat-system", AUTHENTICATED),
)
_ELSEWHERE = ("Deployment", "PodDisruptionBudget", "Service")  # the operator runs beside the world, not in it


class SimulationOptions(Struct, frozen=True, kw_only=True):
    """Options of `homeostat run simulation`."""

    name: str
    hosts: int
    ready_fd: int = -1  # where to say that it serves; -1: nowhere


def run_simulation(options: SimulationOptions, place: Place) -> int:
    """Run until SIGTERM or SIGINT; the exit code. Raises Taken when another process runs it, and NoneFree."""
    with place.run(), claimed() as addresses:
        return asyncio.run(_Simulation(options, place, addresses).run())


class _Simulation:
    def __init__(self, options: SimulationOptions, place: Place, addresses: str) -> None:
        self._options, self._place, self._addresses = options, place, addresses
        self._clock, self._random = SystemClock(), system_random()
        plan = Plan(hosts=options.hosts, pool=addresses, times=Times(pull=Span(0.1, 0.3, 1.0)))  # people wait for it
        self._operator: SimulatedOperator | None = None
        caller = HttpsCaller(self._reach)
        self._world = World(clock=self._clock, random=self._random, plan=plan, caller=caller)
        self._is_asked = asyncio.Event()
        webhooks = self._world.manager.informer(self._world.client, VALIDATING_WEBHOOK_CONFIGURATION)
        webhooks.add_handler(lambda *_: self._is_asked.set())
        self._answering = Answering(self._world.faults, self._clock)
        self._authority = _authority(self._clock)

    async def run(self) -> int:
        """Live until told to end."""
        configure(clock=self._clock, style="console", level="info")
        stop, world = asyncio.Event(), self._world
        stop_on_signals(stop)
        doors = Doors(world.manager, world.client, world.network)
        door = open_door(self._place)
        async with world.client_of(ADMIN) as admin, world.client_of(OPERATOR, "homeostat-cluster") as operator:
            parts = [world.run(), doors.run(), self._answering.run(door), self._serve(admin, operator)]
            tasks = [asyncio.ensure_future(part) for part in parts]
            told = asyncio.ensure_future(stop.wait())
            ended, _ = await asyncio.wait((told, *tasks), return_when=asyncio.FIRST_COMPLETED)
            for task in (told, *tasks):
                task.cancel()
            await asyncio.gather(*tasks, told, return_exceptions=True)
        for task in ended - {told}:
            task.result()
        return 0

    async def _serve(self, admin: Client, operator: Client) -> None:
        """Furnish the cell, start the operator, let people in, and say so when it is asked about what they write."""
        listening = asyncio.Event()
        with contextlib.closing(listen("simulated API server", HOST, ANY_PORT)) as listener:
            certificate, key = issue(self._authority[0], _serving(), self._clock.now())
            tls = context(self._authority[1], certificate, key)
            await furnish(admin)
            async with asyncio.TaskGroup() as tasks:
                front = Front(self._world.server, {})
                tasks.create_task(serve_at(front, listener, tls, listening=listening))
                self._operator = SimulatedOperator(self._world, operator, self._options.name)
                tasks.create_task(self._operator.run())
                await listening.wait()
                await self._answering.listening.wait()
                await self._is_asked.wait()
                self._tell(f"https://{HOST}:{listener.getsockname()[1]}")

    def _reach(self, namespace: str, name: str, port: int) -> tuple[str, int] | None:
        """The operator stands beside its world, and no Service leads there."""
        return None if self._operator is None else self._operator.behind(namespace, name, port)

    def _tell(self, url: str) -> None:
        certificate, key = issue(self._authority[0], _ADMIN, self._clock.now())
        kubeconfig = write_kubeconfig(url, ADMIN.name, ca=self._authority[1], certificate=certificate, key=key)
        hosts = tuple(self._world.centre.hosts)
        self._place.tell(Reached(self._options.name, url, hosts, self._addresses), kubeconfig)
        if self._options.ready_fd >= 0:
            os.write(self._options.ready_fd, READY)
            os.close(self._options.ready_fd)


async def furnish(client: Client) -> None:
    """What a cell with homeostat in it has: definitions, the operator's rights, package versions."""
    manifests = Manifests(root())
    definitions = [one for one in manifests.definitions() if one["kind"] == "CustomResourceDefinition"]
    rights = [one for one in manifests.operator("") if one["kind"] not in _ELSEWHERE]
    await applying.apply(client, [*definitions, *rights])
    await applying.apply(client, manifests.package_versions())


_ADMIN = Request("ca", ADMIN.name, organization="system:masters")


def _serving() -> Request:
    return Request("ca", "kube-apiserver", dns_names=("localhost", "kubernetes"), addresses=(HOST,))


def _authority(clock: Clock) -> tuple[Signer, bytes]:
    """One that lives as long as the world does, and its certificate."""
    certificate, key = new_authority("kubernetes", clock.now())
    return read_signer({"ca.crt": certificate, "ca.key": key}, "ca"), certificate
