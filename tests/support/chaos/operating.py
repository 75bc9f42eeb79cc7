"""Processes of the operator in a fleet: they die between two instructions, lead beside each other, and meet trouble.

What an API server answers one process wrongly is the other's trouble neither; how long nothing of that kind has been
going on is known, because what is told a minute late in the middle of it is no lie.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Literal

from msgspec.structs import replace
from tests.support.faults import Faults, is_write
from tests.support.fleets import operate
from tests.support.killing.mortal import Life, MortalTransport, mortal
from tests.support.killing.points import Points

from homeostat.app.simulated_operator import ports_of
from homeostat.kit.clock import Clock
from homeostat.kube.transport import Request, Transport
from homeostat.operators.cluster.decide import Policy
from homeostat.operators.cluster.ports import Outside
from homeostat.operators.cluster.snapshots.controller import Means
from homeostat.sim.time.order import PROCESS
from homeostat.sim.world.ports.snapshots import WorldHandout
from homeostat.sim.world.world import World

OPERATOR = "operator"
LEASE_S = 15.0  # as long as two may believe that they lead
Trouble = Literal["busy", "failure", "conflict", "lost", "cut"]
_REFUSED: Mapping[str, tuple[int, str]] = {
    "busy": (429, "TooManyRequests"),
    "failure": (500, "InternalError"),
    "conflict": (409, "Conflict"),
}


class Operators:
    """All processes of one fleet's operator."""

    def __init__(self, world: World, policy: Policy, tasks: asyncio.TaskGroup) -> None:
        self._world, self._policy, self._tasks = world, policy, tasks
        self._number = 0
        self._running: list[_Process] = []
        self._troubled_until = 0.0
        self._successor: asyncio.TimerHandle | None = None

    @property
    def clock(self) -> Clock:
        """Of the world."""
        return self._world.clock

    @property
    def undisturbed_s(self) -> float:
        """For how long one process has been at work that nobody disturbs."""
        return self.clock.monotonic() - self._troubled_until

    def start(self) -> None:
        """Let a process begin to lead; who was to succeed need not come any more."""
        if self._successor is not None:
            self._successor.cancel()
        self._running = [each for each in self._running if not each.life.is_over]
        self._number += 1
        self._running.append(_Process(self._world, self._policy, self._tasks, self._number))
        self._disturbed(0.0)

    def die(self, for_s: float) -> None:
        """End all that lead, where they stand; a successor begins after that time."""
        self.end()
        self._disturbed(for_s)
        self._successor = asyncio.get_running_loop().call_later(for_s, self.start)

    def overlap(self) -> None:
        """Another process leads; those that led find out when their Lease has run out."""
        for process in self._running:
            asyncio.get_running_loop().call_later(LEASE_S, process.kill)
        self.start()
        self._disturbed(LEASE_S)

    def meet(self, trouble: Trouble, for_s: float) -> None:
        """The API server is no good to those that lead, for a while."""
        for process in self._running:
            process.meet(trouble)
            asyncio.get_running_loop().call_later(for_s, process.faults.heal)
        self._disturbed(for_s)

    def end(self) -> None:
        """There is none any more, and none will come."""
        if self._successor is not None:
            self._successor.cancel()
        for process in self._running:
            process.kill()
        self._running.clear()

    def _disturbed(self, for_s: float) -> None:
        self._troubled_until = max(self._troubled_until, self.clock.monotonic() + for_s)


_REACHED = ("probe", "etcd", "upkeep", "rights")  # the ports that an operator reaches others by


class _Process:
    def __init__(self, world: World, policy: Policy, tasks: asyncio.TaskGroup, number: int) -> None:
        self.life = Life(Points(lambda: None, lambda: None, lambda _: False))
        self.faults: Faults
        name = PROCESS.set(f"{OPERATOR} {number}")
        self._task = tasks.create_task(operate(world, policy, wire=self._wire, ports=self._ports), name="operator")
        PROCESS.reset(name)

    def kill(self) -> None:
        """What it does from now on reaches nobody."""
        self.life.is_over = True
        self._task.cancel()

    def meet(self, trouble: Trouble) -> None:
        """See `Operators.meet`."""
        faults, times = self.faults, 1 << 30
        if trouble == "cut":
            faults.cut_watches()
        elif trouble == "lost":
            faults.lose_answers(when=is_write, times=times)
        else:
            code, reason = _REFUSED[trouble]
            faults.refuse(code, reason, when=is_write if trouble == "conflict" else _anything, times=times)

    def _wire(self, inner: Transport) -> Transport:
        self.faults = Faults(inner)
        return MortalTransport(self.faults, self.life)

    def _ports(self, world: World, handout: WorldHandout) -> tuple[Outside, Means]:
        outside, means = ports_of(world, handout)
        reached = {name: mortal(getattr(outside, name), name, self.life) for name in _REACHED}
        return replace(outside, **reached), means


def _anything(_: Request) -> bool:
    return True
