"""What many clusters cost beside few, in calls, changes and steps of tasks: whatever else the machine does."""

from __future__ import annotations

import asyncio

from msgspec import Struct
from tests.support.fleets import Fleet, fleet

from homeostat.kit.clock import Clock
from homeostat.kit.random import Random
from homeostat.kube.transport import Request, Response, Transport
from homeostat.operators.cluster.decide import Policy
from homeostat.operators.cluster.pacing.pace import Policy as PacingPolicy
from homeostat.sim.time.loop import VirtualLoop
from homeostat.sim.time.running import run
from homeostat.sim.world.world import Plan

FEW, MANY = 2, 8
HALF_AN_HOUR_S = 1800.0


class Cost(Struct, frozen=True):
    """Of some time."""

    calls: int  # of the operator, to the API server of the cell
    changes: int  # of objects of the cell, by anybody
    steps: int  # of tasks of the operator and of its world


class Counted(Struct):
    """What has been counted by now."""

    calls: int = 0

    def wire(self, transport: Transport) -> Transport:
        """Counts what the operator asks."""
        return _Counting(transport, self)

    def cost(self, cell: Fleet) -> Cost:
        """By now."""
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        return Cost(self.calls, cell.world.server.store.revision, loop.steps)


class _Counting:
    def __init__(self, to: Transport, counted: Counted) -> None:
        self._to, self._counted = to, counted

    async def send(self, request: Request) -> Response:
        self._counted.calls += 1
        return await self._to.send(request)

    async def close(self) -> None:
        await self._to.close()


def costs(clusters: int) -> tuple[Cost, Cost]:
    """Of making so many, declared at one moment and all at once; and of half an hour in which nothing happens then."""

    async def main(clock: Clock, random: Random) -> tuple[Cost, Cost]:
        counted = Counted()
        policy = Policy(pacing=PacingPolicy(creating=MANY), node_ports=False)
        async with fleet(clock, random, Plan(hosts=6), policy, counted.wire) as cell:
            await clock.sleep(60)
            before = counted.cost(cell)
            for name in (names := [f"c{number}" for number in range(clusters)]):
                await cell.declare(name, backup={"paused": True})  # snapshots by the clock are work of each
            await cell.until_ready(*names, within_s=600)
            made = counted.cost(cell)
            await clock.sleep(600)  # the first looks at stores of etcd are written down
            rested = counted.cost(cell)
            await clock.sleep(HALF_AN_HOUR_S)
            return _between(before, made), _between(rested, counted.cost(cell))

    return run(main)


def _between(before: Cost, after: Cost) -> Cost:
    return Cost(after.calls - before.calls, after.changes - before.changes, after.steps - before.steps)


def test_many_clusters_cost_no_more_each_than_few_and_idle_ones_no_call_more() -> None:
    few, idle_few = costs(FEW)
    many, idle_many = costs(MANY)
    each = MANY / FEW
    assert many.calls <= 1.1 * each * few.calls
    assert many.changes <= 1.1 * each * few.changes
    assert many.steps <= 1.1 * each * few.steps
    assert idle_many.calls <= 1.1 * idle_few.calls, "an idle operator asks the cell the same, however many it keeps"
    assert idle_many.changes == idle_few.changes
