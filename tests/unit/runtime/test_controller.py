"""Controllers and the pipe: outcomes alone decide about requeueing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from msgspec import Struct
from tests.support.clock import START, ManualClock, settle
from tests.support.scripted import Scripted
from tests.support.widgets import WIDGET, Widget

from homeostat.api.meta import ObjectMeta, OwnerReference
from homeostat.runtime.controller import Controller, NotAllowed, owner_keys
from homeostat.runtime.informer import Informer
from homeostat.runtime.loop import Loop, Refusal, Report, Result, Rooms, Target
from homeostat.runtime.outcome import DONE, Done, Outcome, Progress, Retry, Stop, combine
from homeostat.runtime.queue import Priority
from homeostat.runtime.store import Store


@asynccontextmanager
async def working(controller: Controller[str]) -> AsyncIterator[None]:
    task = asyncio.ensure_future(controller.run())
    await settle()
    try:
        yield
    finally:
        controller.drain()
        await task


class Desk:
    """A reconcile that answers as told and notes when it was called."""

    def __init__(self, *answers: Outcome | Exception) -> None:
        self.clock = ManualClock()
        self.calls: list[float] = []
        self._answers = list(answers)
        self.controller: Controller[str] = Controller("desk", self.reconcile, clock=self.clock, random=Random(1))

    async def reconcile(self, key: str) -> Outcome:
        self.calls.append(self.clock.monotonic())
        answer = self._answers.pop(0) if self._answers else DONE
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.mark.parametrize(
    ("answer", "calls"),
    [(DONE, 1), (Stop("no power"), 1), (Progress(5.0), 2), (Retry(ValueError("odd")), 2), (ValueError("raised"), 2)],
)
async def test_an_outcome_decides_whether_the_key_comes_again(answer: Outcome | Exception, calls: int) -> None:
    desk = Desk(answer)
    async with working(desk.controller):
        desk.controller.queue.add("a")
        await desk.clock.advance(60)
    assert len(desk.calls) == calls


class Asked(Progress, frozen=True):
    """An outcome of an operator's own."""


async def test_an_operator_may_refine_the_outcomes() -> None:
    desk = Desk(Asked(5.0))
    async with working(desk.controller):
        desk.controller.queue.add("a")
        await desk.clock.advance(60)
    assert desk.calls == [0.0, 5.0]


async def test_a_key_that_waits_for_its_own_write_is_woken_by_the_store_not_by_time() -> None:
    desk, store = Desk(), Store[Widget]()
    store.advance("5")
    async with working(desk.controller):
        desk.controller.writes.note("a", store, "8")
        desk.controller.queue.add("a")
        await desk.clock.advance(3600)
        assert desk.calls == []
        store.advance("8")
        await settle()
        assert len(desk.calls) == 1


async def test_draining_lets_the_running_key_finish_and_starts_no_other() -> None:
    go, seen = asyncio.Event(), list[str]()

    async def reconcile(key: str) -> Outcome:
        seen.append(key)
        await go.wait()
        return DONE

    controller: Controller[str] = Controller("desk", reconcile, clock=ManualClock(), random=Random(1), workers=1)
    task = asyncio.ensure_future(controller.run())
    controller.queue.add("a")
    controller.queue.add("b")
    await settle()
    controller.drain()
    await settle()
    assert not task.done()
    go.set()
    await task
    assert seen == ["a"]


async def test_a_worker_without_permission_ends_the_controller_before_it_acts() -> None:
    desk = Desk()
    desk.controller.permission = lambda: False
    task = asyncio.ensure_future(desk.controller.run())
    desk.controller.queue.add("a")
    with pytest.raises(ExceptionGroup) as caught:
        await task
    assert caught.group_contains(NotAllowed)
    assert desk.calls == []


async def test_a_wedged_worker_is_told() -> None:
    async def reconcile(key: str) -> Outcome:
        await asyncio.Event().wait()
        return DONE

    clock = ManualClock()
    controller: Controller[str] = Controller("desk", reconcile, clock=clock, random=Random(1), wedged_after_s=60)
    task = asyncio.ensure_future(controller.run())
    controller.queue.add("a")
    await settle()
    assert controller.trouble() == ""
    clock.step(61)
    assert controller.trouble() == "controller desk: a key has been in work for 61 s"
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def test_a_change_of_owner_wakes_both_and_an_odd_object_wakes_nobody() -> None:
    desk = Desk()
    script = Scripted()
    informer: Informer[Widget] = Informer(script.client, WIDGET, clock=desk.clock, random=Random(1))
    desk.controller.watch(informer, owner_keys(WIDGET))
    tell: Callable[[Widget | None, Widget | None, Priority], None] = informer._handlers[0]

    def owned(by: str) -> Widget:
        owner = OwnerReference(WIDGET.resource.api_version, "Widget", by, "u", controller=True)
        return Widget(ObjectMeta(name="part", namespace="shop", owner_references=(owner,)))

    tell(owned("old"), owned("new"), Priority.CHANGE)
    assert {desk.controller.queue.take(), desk.controller.queue.take()} == {"shop/old", "shop/new"}
    tell(None, "garbage", Priority.CHANGE)  # type: ignore[arg-type]
    assert desk.controller.queue.take() is None


def test_of_many_outcomes_the_most_pressing_counts() -> None:
    retry = Retry(ValueError("x"))
    assert combine([DONE, Progress(9, "late"), Progress(3, "soon")]) == Progress(3, "soon")
    assert combine([Progress(3), Stop("why"), DONE]) == Stop("why")
    assert combine([Stop("why"), retry, Progress(1)]) is retry
    assert combine([]) == DONE


class Wait(Struct, frozen=True):
    until: datetime
    reason: str


class Plan(Struct, frozen=True):
    actions: tuple[str, ...] = ()
    wait: Wait | None = None
    stop: str | None = None


class Size(Struct, frozen=True):
    size: int


class Toy(Rooms[str, int, Plan, str, Size]):
    """Rooms that do what their plan says by name."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.results: tuple[Result[str], ...] = ()

    async def observe(self, key: str) -> int | None:
        return None if key == "gone" else 1

    def decide(self, observed: int, now: datetime) -> Plan:
        return self.plan

    def gate(self, observed: int, action: str, now: datetime) -> Refusal | None:
        return Refusal("NoBudget", 30.0) if action == "destroy" else None

    async def act(self, observed: int, action: str) -> Outcome:
        if action == "fail":
            raise ValueError("it broke")
        return Progress(7.0, "slow") if action == "slow" else DONE

    def report(self, observed: int, plan: Plan, results: tuple[Result[str], ...], now: datetime) -> Report[Size]:
        self.results = results
        return Report()

    def target(self, observed: int) -> Target | None:
        return None


async def run(plan: Plan, key: str = "a") -> tuple[Outcome, Toy]:
    toy = Toy(plan)
    return await Loop(toy, clock=ManualClock()).reconcile(key), toy


async def test_the_pipe_ends_done_when_nothing_is_to_do_or_the_object_is_gone() -> None:
    assert (await run(Plan()))[0] == Done()
    assert (await run(Plan(stop="unused"), "gone"))[0] == Done()


async def test_an_action_that_fails_keeps_those_behind_it_from_running_and_is_reported() -> None:
    outcome, toy = await run(Plan(("make", "fail", "make")))
    assert isinstance(outcome, Retry)
    assert [type(result.outcome) for result in toy.results] == [Done, Retry, type(None)]


async def test_what_the_gate_refuses_is_asked_for_again_and_holds_nothing_else_up() -> None:
    outcome, toy = await run(Plan(("destroy", "make")))
    assert outcome == Progress(30.0, "NoBudget")
    assert toy.results[1].outcome == DONE


async def test_a_plan_that_waits_or_stops_says_so_by_its_outcome() -> None:
    assert (await run(Plan(wait=Wait(START + timedelta(seconds=9), "Warm"))))[0] == Progress(9.0, "Warm")
    assert (await run(Plan(stop="call somebody")))[0] == Stop("call somebody")


async def test_what_an_action_wrote_is_waited_for_before_the_next_look() -> None:
    class Writer(Toy):
        looks = 0

        async def observe(self, key: str) -> int | None:
            self.looks += 1
            return 1

        def echoes(self, outcome: Outcome) -> Iterable[tuple[Store[Any], str]]:
            return ((store, "8"),) if self.looks == 1 else ()

    clock, store, toy = ManualClock(), Store[Widget](), Writer(Plan(("make",)))
    store.advance("5")
    controller = Loop(toy, clock=clock).controller("writer", random=Random(1))
    async with working(controller):
        controller.queue.add("a")
        await settle()
        controller.queue.add("a")
        await clock.advance(60)
        assert toy.looks == 1
        store.advance("8")
        await settle()
        assert toy.looks == 2


async def test_a_glance_that_says_all_is_as_before_takes_the_place_of_a_look_but_not_of_a_dry_run() -> None:
    class Resting(Toy):
        async def glance(self, key: str) -> Outcome | None:
            return Progress(50.0, "the next probe") if key == "resting" else None

    toy = Resting(Plan(("slow",)))
    assert await Loop(toy, clock=ManualClock()).reconcile("resting") == Progress(50.0, "the next probe")
    assert toy.results == ()
    assert await Loop(toy, clock=ManualClock()).plan("resting") == Plan(("slow",))
    assert await Loop(toy, clock=ManualClock()).reconcile("a") == Progress(7.0, "slow")


async def test_a_dry_run_shows_the_plan_and_does_nothing() -> None:
    toy = Toy(Plan(("make",)))
    assert await Loop(toy, clock=ManualClock()).plan("a") == Plan(("make",))
    assert toy.results == ()
