"""Operators that die right before or after one of their writes, each in a cell of its own, and what becomes of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from itertools import count
from typing import Literal

from msgspec import Struct
from tests.support.cells import Cell
from tests.support.kubelet import KINDS, Kubelet
from tests.support.membership import Etcds, FakeEtcd
from tests.support.operating import FakeEndpoint, Operator

from homeostat.api.core import NAMESPACE
from homeostat.kube.client import Client
from homeostat.kube.transport import Transport

Moment = Literal["before", "after"]
Deed = Callable[[Cell], Awaitable[None]]
WITHIN_S = 300.0  # dozens at once, perhaps on a busy machine
AT_ONCE = 12  # how many operators run side by side
PREFIX = "kill-"
_numbers = count()


class Change(Struct, frozen=True):
    """Something that people ask of a cluster."""

    begin: Deed
    done: Deed  # waits until it is
    before: tuple[Deed, Deed] | None = None  # what cells go through first, undisturbed: its beginning and its end
    least_writes: int = 15  # fewer would mean that nothing was tested


class Cut(Struct, frozen=True):
    """What became of a change."""

    undisturbed: Cell
    cells: tuple[Cell, ...]
    deaths: tuple[str, ...]  # when the operator of each of these cells died


class Yard:
    """Makes cells that share one double, and starts operators that serve them all."""

    def __init__(self, transport: Transport, client: Client, kubelet: Kubelet) -> None:
        self._transport, self._client, self.kubelet = transport, client, kubelet
        self._etcds: dict[str, FakeEtcd] = {}
        self.haste = 1.0

    async def cell(self) -> Cell:
        """A cell in a namespace of its own, with something in it that is nobody's business."""
        name = f"{PREFIX}{next(_numbers):03}"
        await self._client.create(NAMESPACE, {"metadata": {"name": name}})
        await self._client.create(KINDS["Secret"], {"metadata": {"name": "stranger", "namespace": name}})
        cell = Cell(self._transport, self._client, self.kubelet, name)
        cell.etcd.runs = lambda member: cell.find("Pod", member) is not None
        self._etcds[name] = cell.etcd
        cell.haste = self.haste
        return cell

    def operator(self) -> Operator:
        """An operator for all cells."""
        clock, random = self.kubelet.clock, self.kubelet.random
        return Operator(
            self._transport,
            clock=clock,
            random=random,
            endpoint=FakeEndpoint(clock),
            etcd=Etcds(self._etcds),
            haste=self.haste,
        )


async def cut_at_every_write(yard: Yard, change: Change, step: int) -> Cut:
    """The change in one cell undisturbed; in others, an operator dies at another moment in each. Nobody finishes it."""
    (undisturbed,) = await _made(yard, change, 1)
    writes = await _count_writes(undisturbed, change)
    cells = await _made(yard, change, writes // step + 1)
    deaths = await _kill_at_every_write(cells, change, step)
    assert len(deaths) - deaths.count("not") > change.least_writes // step
    return Cut(undisturbed, tuple(cells), tuple(deaths))


async def finish(yard: Yard, cells: Sequence[Cell], done: Deed) -> None:
    """Let one successor end what was begun in all of them."""
    async with yard.operator():
        for cell in cells:
            await done(cell)


async def _made(yard: Yard, change: Change, number: int) -> list[Cell]:
    """Cells in which the change can begin."""
    cells = [await yard.cell() for _ in range(number)]
    if change.before is not None:
        begin, done = change.before
        async with yard.operator():
            for cell in cells:
                await begin(cell)
            for cell in cells:
                await done(cell)
    return cells


async def _count_writes(cell: Cell, change: Change) -> int:
    """How many writes it takes when nobody is killed."""
    async with cell.operator() as operator:
        await change.begin(cell)
        await change.done(cell)
        # What is still under way when all is done does not count.
        return len(operator.faults.writes)


async def _killed(cell: Cell, moment: Moment, write: int, change: Change) -> bool:
    """Run an operator until it dies at a write, or is done before that; whether it died."""
    async with cell.operator() as operator:
        operator.faults.kill_at(moment, write)
        await change.begin(cell)
        died, finished = asyncio.ensure_future(operator.faults.stopped.wait()), asyncio.ensure_future(change.done(cell))
        await asyncio.wait((died, finished), return_when=asyncio.FIRST_COMPLETED)
        found = died.done()
        for task in (died, finished):
            task.cancel()
        await asyncio.gather(died, finished, return_exceptions=True)
        return found


async def _kill_at_every_write(cells: list[Cell], change: Change, step: int) -> list[str]:
    """Kill one operator in each cell, each at another point; says where."""
    room = asyncio.Semaphore(AT_ONCE)

    async def kill(cell: Cell, moment: Moment, write: int) -> str:
        async with room:
            died = await _killed(cell, moment, write, change)
        return f"{moment} write {write}" if died else "not"

    chosen = _moments(len(cells) * step)[::step]
    return list(await asyncio.gather(*(kill(cell, *when) for cell, when in zip(cells, chosen, strict=True))))


def _moments(writes: int) -> list[tuple[Moment, int]]:
    """Right before write 1, right after it, before 3, after 3, ...: before 3 leaves what after 2 leaves.

    So every state that a death can leave is met, once.
    """
    return [("after" if number % 2 else "before", number // 2 * 2 + 1) for number in range(writes)]
