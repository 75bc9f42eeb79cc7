"""A process starts in order, ends in order, and never lives on without one of its parts."""

from __future__ import annotations

import asyncio
from random import Random

from tests.support.clock import ManualClock, settle

from homeostat.runtime.controller import Controller
from homeostat.runtime.manager import Manager, ManagerSettings
from homeostat.runtime.outcome import DONE, Outcome

SETTINGS = ManagerSettings(drain_s=25.0, tune_gc=False)


class Office:
    """A manager with one controller whose reconcile waits to be let go."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.stop = asyncio.Event()
        self.go = asyncio.Event()
        self.finished: list[str] = []
        self.manager = Manager(clock=self.clock, random=Random(1), settings=SETTINGS)
        self.controller: Controller[str] = Controller("desk", self.reconcile, clock=self.clock, random=Random(1))
        self.manager.add(self.controller)

    async def reconcile(self, key: str) -> Outcome:
        await self.go.wait()
        self.finished.append(key)
        return DONE


async def test_a_stop_lets_running_keys_finish_and_exits_with_zero() -> None:
    office = Office()
    run = asyncio.ensure_future(office.manager.run(office.stop))
    office.controller.queue.add("a")
    await settle()
    office.stop.set()
    await settle()
    assert office.manager.not_ready() == ["shutting down"]
    office.go.set()
    assert await run == 0
    assert office.finished == ["a"]


async def test_what_does_not_finish_within_the_deadline_is_cancelled() -> None:
    office = Office()
    run = asyncio.ensure_future(office.manager.run(office.stop))
    office.controller.queue.add("a")
    await settle()
    office.stop.set()
    await office.clock.advance(24)
    assert not run.done()
    await office.clock.advance(2)
    assert await run == 0
    assert office.finished == []


async def test_a_part_that_fails_ends_the_process_with_one() -> None:
    office = Office()

    async def fail() -> None:
        raise ValueError("odd")

    office.manager.add_task("odd part", fail)
    assert await office.manager.run(office.stop) == 1


async def test_a_part_that_ends_by_itself_ends_the_process_with_one() -> None:
    office = Office()

    async def end() -> None:
        return

    office.manager.add_task("short part", end)
    assert await office.manager.run(office.stop) == 1


class Shop:
    """A server that closes when it is told to."""

    name = "shop"

    def __init__(self) -> None:
        self.closed = asyncio.Event()
        self.heard: list[str] = []

    async def run(self) -> None:
        self.heard.append("open")
        await asyncio.Event().wait()

    async def drain(self) -> None:
        self.heard.append("asked to close")
        await self.closed.wait()

    def trouble(self) -> list[str]:
        return [] if self.heard else ["shop: not open yet"]


async def test_a_server_is_part_of_readiness_and_is_run_until_its_last_client_has_left() -> None:
    office, shop = Office(), Shop()
    office.manager.add_server(shop)
    assert office.manager.not_ready() == ["shop: not open yet"]
    run = asyncio.ensure_future(office.manager.run(office.stop))
    await settle()
    assert office.manager.not_ready() == []
    office.stop.set()
    await settle()
    assert (shop.heard, run.done()) == (["open", "asked to close"], False)
    shop.closed.set()
    assert await run == 0


async def test_a_server_whose_clients_do_not_leave_is_cut_off() -> None:
    office, shop = Office(), Shop()
    office.manager.add_server(shop)
    run = asyncio.ensure_future(office.manager.run(office.stop))
    await settle()
    office.stop.set()
    await office.clock.advance(26)
    assert await run == 0
