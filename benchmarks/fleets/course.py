"""What a fleet goes through while it is measured, phase by phase: made, left alone, moved, moved back, hurt, ended.

Run as a program, it is one fleet in a process of its own: `python -m benchmarks.fleets.course 100` tells each phase on
a line of JSON as it ends, and what the whole cost.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from msgspec import Struct, convert, to_builtins

from benchmarks.fleets.apart import COLLECTOR, OPERATOR, PEOPLE, WORLD, Stopwatch
from benchmarks.fleets.cell import Cell, Size, cell
from homeostat.kit.clock import Clock
from homeostat.kit.random import Random
from homeostat.sim.time.loop import VirtualLoop
from homeostat.sim.time.order import PROCESS
from homeostat.sim.time.running import run
from homeostat.telemetry.logs import configure

OLD, NEW = "v1.34.4", "v1.35.4"
PHASES = ("create", "idle", "upgrade", "rollback", "faults", "delete")
IDLE_S = 600.0
_DAY_S = 86400.0
_PAGE = resource.getpagesize()
_MOST_STEPS = 100_000_000  # at one moment: ten thousand Clusters are declared at one


class Phase(Struct, frozen=True):
    """What one phase took and cost."""

    phase: str
    clusters: int
    virtual_s: float
    world_s: float  # of the processor
    operator_s: float
    people_s: float
    collector_s: float
    calls: int  # of the operator, to the API server of the cell
    changes: int  # of objects of the cell, by anybody
    steps: int  # of tasks
    rss_mib: float


class Course:
    """One fleet on its way."""

    def __init__(self, size: Size, watch: Stopwatch, made: Cell) -> None:
        self._size, self._watch, self._cell = size, watch, made
        self._names = [f"c{number:05}" for number in range(size.clusters)]

    async def create(self) -> None:
        """Declared at one instant, until all are Ready."""
        await self._cell.declare(self._names, OLD)
        await self._ready(OLD)

    async def idle(self) -> None:
        """Nothing happens; the first looks that are written down have been taken before."""
        await self._cell.clock.sleep(IDLE_S)

    async def upgrade(self) -> None:
        """All to another minor."""
        await self._cell.move(self._names, NEW)
        await self._ready(NEW)

    async def rollback(self) -> None:
        """All back."""
        await self._cell.move(self._names, OLD)
        await self._ready(OLD)

    async def faults(self) -> None:
        """One host in a hundred loses its power for ten minutes."""
        centre, hosts = self._cell.world.centre, list(self._cell.world.centre.hosts)
        dead = hosts[:: max(len(hosts) // max(len(hosts) // 100, 1), 1)][: max(len(hosts) // 100, 1)]
        for host in dead:
            centre.cut_power(host)
        await self._cell.clock.sleep(600)
        for host in dead:
            centre.power_on(host)
        await self._ready(OLD)

    async def delete(self) -> None:
        """All gone, with all that was made for them."""
        await self._cell.delete(self._names)
        await self._cell.until(lambda: not self._cell.counts.there, "all are gone", _DAY_S)

    async def _ready(self, version: str) -> None:
        count = self._size.clusters
        await self._cell.until(lambda: self._cell.counts.are_ready(count, version), f"all Ready at {version}", _DAY_S)

    async def take(self, phase: str) -> Phase:
        """Go through one phase."""
        doing: Callable[[], Awaitable[None]] = getattr(self, phase)
        if phase == "idle":
            await self._cell.clock.sleep(IDLE_S)
        before = self._read()
        await doing()
        after = self._read()
        grown = {name: round(after[name] - before[name], 6) for name in after}
        return convert({"phase": phase, "clusters": self._size.clusters, "rss_mib": rss_mib(), **grown}, Phase)

    async def go(self, phases: tuple[str, ...], tell: Callable[[Phase], None]) -> None:
        """Through all of them."""
        for phase in phases:
            tell(await self.take(phase))

    def _read(self) -> dict[str, float]:
        spent, made = self._watch.told(), self._cell
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        assert made.wire is not None
        return {
            "virtual_s": made.clock.monotonic(),
            **{f"{owner}_s": spent.get(owner, 0.0) for owner in (WORLD, OPERATOR, PEOPLE, COLLECTOR)},
            "calls": made.wire.asked,
            "changes": made.world.server.store.revision,
            "steps": loop.steps,
        }


def rss_mib() -> float:
    """What is resident now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE / 2**20


async def measured(
    size: Size, phases: tuple[str, ...], clock: Clock, random: Random, tell: Callable[[Phase], None]
) -> None:
    """Take a fleet through phases in virtual time."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    watch = Stopwatch()
    watch.follow(loop)
    async with cell(size, watch, clock, random) as made:
        await clock.sleep(60)  # hosts have booted, and the operator has nothing to do
        course = Course(size, watch, made)
        process = PROCESS.set(PEOPLE)
        going = asyncio.create_task(course.go(phases, tell), name="people")
        PROCESS.reset(process)
        await going


def main() -> None:
    """Tell each phase on a line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("clusters", type=int)
    parser.add_argument("--phases", default=",".join(PHASES))
    parser.add_argument("--creating", type=int, default=0)
    parser.add_argument("--rolling", type=int, default=0)
    options = parser.parse_args()
    size = Size(options.clusters, options.creating, options.rolling)

    def tell(phase: Phase) -> None:
        print(json.dumps(to_builtins(phase)), flush=True)

    async def whole(clock: Clock, random: Random) -> None:
        configure(clock=clock, level="error", stream=sys.stderr)
        await measured(size, tuple(options.phases.split(",")), clock, random, tell)

    run(whole, most_steps=_MOST_STEPS)


if __name__ == "__main__":
    main()
