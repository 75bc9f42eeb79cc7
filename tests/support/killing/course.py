"""A scenario from its beginning to its end, undisturbed or with a death in it, and what there is afterwards."""

from __future__ import annotations

import asyncio
import functools
from collections import Counter
from collections.abc import Callable, Sequence

from msgspec import Struct
from tests.support.comparing import normal
from tests.support.cutting import Deed
from tests.support.killing.disturbing import Disturbing, Once
from tests.support.killing.faults import Fault
from tests.support.killing.points import Point
from tests.support.killing.world import World
from tests.support.kubelet import Whole

from homeostat.kit.clock import Clock
from homeostat.kit.pki.source import drawn_from
from homeostat.kit.random import Random
from homeostat.sim.keys import SeededKeys
from homeostat.sim.time.loop import VirtualLoop
from homeostat.sim.time.order import Numbered
from homeostat.sim.time.running import run

REST_S = 240.0  # after the end, until nothing is left to do
RESTART_S = 2.0  # until a process that died has a successor
MOST_STEPS = 20_000  # at one moment; no scenario needs a tenth of them


class Scenario(Struct, frozen=True):
    """Something that people ask of a cluster: its beginning and its end, and what the world goes through before."""

    name: str
    begin: Deed
    done: Deed
    before: tuple[Deed, ...] = ()
    prepare: Callable[[World], None] | None = None
    counts_starts: bool = True  # False where it is a matter of moments which Pods are started
    step: int = 1  # of its distinct moments, how many one is taken of in a short run


class Course(Struct, frozen=True):
    """What became of it."""

    final: Sequence[Whole]
    started: Counter[str]
    membership: Sequence[str]
    points: Sequence[Point]
    distinct: Sequence[Point]
    killed_at: Point | None
    fault: Fault | None  # None: a disturbed course may have fewer writes
    digest: str


def take(scenario: Scenario, *, seed: int = 0, kill_at: int | None = None, fault: Fault | None = None) -> Course:
    """Run it once, with a death or a fault in it.

    Raises what the witness saw, what is not done in time, and what hangs.
    """
    return disturbed(scenario, seed, Once(kill_at, fault))


def disturbed(scenario: Scenario, seed: int, disturbing: Disturbing) -> Course:
    """Run it, with whatever befalls it."""

    async def main(clock: Clock, random: Random) -> Course:
        with drawn_from(SeededKeys(random)):
            return await _taken(World(clock, random, disturbing), scenario)

    return run(main, seed=seed, most_steps=MOST_STEPS)


@functools.cache
def undisturbed(scenario: Scenario, seed: int) -> Course:
    """Run it without any trouble; once for all who compare with it."""
    return take(scenario, seed=seed)


async def _taken(world: World, scenario: Scenario) -> Course:
    if scenario.prepare is not None:
        scenario.prepare(world)
    async with world.playing() as cell:
        world.start()
        for deed in scenario.before:
            await deed(cell)
        if scenario.before:
            await world.clock.sleep(REST_S)
        _count_steps(world)
        await _through(world, scenario)
        world.points.is_counting = False
        points = world.points
        return Course(
            normal(cell),
            Counter(_without_hash(name) for _, name in world.kubelet.started if scenario.counts_starts),
            [line for line in cell.etcd.story if not line.startswith("moved")],
            points.met,
            points.distinct(),
            points.killed_at,
            world.fault,
            world.witness.digest,
        )


def _count_steps(world: World) -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)

    def step(task: Numbered[object]) -> None:
        if world.process is not None and task.process == world.process.name:
            world.points.reach(f"resuming {_name(task)}")

    loop.on_step = step
    world.points.is_counting = True


async def _through(world: World, scenario: Scenario) -> None:
    """It is asked for and done, and nothing more happens; with a successor, if the process dies."""
    succeeding = asyncio.ensure_future(_succeed(world))
    try:
        await scenario.begin(world.cell)
        await scenario.done(world.cell)
        await world.clock.sleep(REST_S)
        if world.points.killed_at is not None:
            await succeeding
            await scenario.done(world.cell)
            await world.clock.sleep(REST_S)
    finally:
        succeeding.cancel()
        await asyncio.gather(succeeding, return_exceptions=True)


async def _succeed(world: World) -> None:
    process = world.process
    assert process is not None
    await process.gone()
    await process.end()
    if process is not world.process:
        return  # it has a successor already
    await world.clock.sleep(RESTART_S)
    world.start()


def writes_of(course: Course) -> int:
    """How many writes a process made in it; Events do not count."""
    words = (point.what.split() for point in course.points)
    return sum(len(said) == 3 and said[0] == "before" and "/events" not in said[2] for said in words)


def _name(task: Numbered[object]) -> str:
    """As the code names it: asyncio counts all tasks of the machine's process that have no name of their own."""
    name, made = task.get_name(), task.get_coro()
    return str(getattr(made, "__qualname__", made)) if name.startswith("Task-") else name


def _without_hash(pod: str) -> str:
    *parts, number = pod.split("-")
    is_hashed = len(parts[-1]) == 8 and all(each in "0123456789abcdef" for each in parts[-1])
    return "-".join([*(parts[:-1] if is_hashed else parts), number])
