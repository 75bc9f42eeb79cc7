"""A loop of virtual time: waiting costs nothing, one seed gives one order, and hangs are errors that say who."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

import pytest

from homeostat.kit.clock import Clock
from homeostat.kit.random import Random
from homeostat.sim.time.loop import Deadlock, Spinning
from homeostat.sim.time.order import PROCESS
from homeostat.sim.time.running import run

YEAR_S = 365 * 24 * 3600.0


def test_a_year_of_sleep_takes_no_time_and_the_clock_shows_it() -> None:
    async def main(clock: Clock, _: Random) -> tuple[datetime, float]:
        await clock.sleep(YEAR_S)
        return clock.now(), clock.monotonic()

    assert run(main, start=datetime(2026, 1, 1, tzinfo=UTC)) == (datetime(2027, 1, 1, tzinfo=UTC), YEAR_S)


def test_a_day_by_seconds_ends_on_the_second() -> None:
    async def main(clock: Clock, _: Random) -> timedelta:
        start = clock.now()
        for _second in range(24 * 3600 // 10):
            await clock.sleep(10)
        return clock.now() - start

    assert run(main) == timedelta(days=1)


def test_no_time_passes_while_something_can_run() -> None:
    async def main(clock: Clock, _: Random) -> float:
        asyncio.get_running_loop().call_later(1.0, lambda: None)
        for _turn in range(1000):
            await clock.sleep(0)
        return clock.monotonic()

    assert run(main) == 0.0


def test_sleepers_wake_in_the_order_of_their_times() -> None:
    async def main(clock: Clock, _: Random) -> list[float]:
        woken: list[float] = []

        async def sleeper(seconds: float) -> None:
            await clock.sleep(seconds)
            woken.append(clock.monotonic())

        async with asyncio.TaskGroup() as tasks:
            for seconds in (3.0, 0.25, 60.0, 1.0):
                tasks.create_task(sleeper(seconds))
        return woken

    assert run(main) == [0.25, 1.0, 3.0, 60.0]


async def story(clock: Clock, _: Random) -> str:
    """Eight tasks that say their letter four times each, between turns, and then once more after a second."""
    said: list[str] = []

    async def speaker(letter: str) -> None:
        for _time in range(4):
            said.append(letter)
            await clock.sleep(0)
        await clock.sleep(1.0)
        said.append(letter)

    async with asyncio.TaskGroup() as tasks:
        for letter in "abcdefgh":
            tasks.create_task(speaker(letter))
    return "".join(said)


def test_one_seed_gives_one_order_and_others_give_others() -> None:
    assert run(story, seed=7) == run(story, seed=7)
    assert len({run(story, seed=seed) for seed in range(20)}) == 20


def test_every_order_of_three_tasks_is_met_by_some_seed() -> None:
    async def main(_: Clock, __: Random) -> str:
        said: list[str] = []

        async def speaker(letter: str) -> None:
            said.append(letter)

        async with asyncio.TaskGroup() as tasks:
            for letter in "abc":
                tasks.create_task(speaker(letter))
        return "".join(said)

    assert {run(main, seed=seed) for seed in range(60)} == {"abc", "acb", "bac", "bca", "cab", "cba"}


def test_the_order_does_not_ask_in_which_order_a_set_of_tasks_was_cancelled() -> None:
    async def main(clock: Clock, backwards: bool) -> list[int]:
        ended: list[int] = []

        async def waiter(number: int) -> None:
            try:
                await asyncio.Event().wait()
            finally:
                ended.append(number)

        tasks = [asyncio.ensure_future(waiter(number)) for number in range(12)]
        await clock.sleep(1.0)
        for task in reversed(tasks) if backwards else tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return ended

    forth = run(lambda clock, _: main(clock, False), seed=3)
    assert forth == run(lambda clock, _: main(clock, True), seed=3)
    assert forth != sorted(forth)


def test_a_busy_task_does_not_keep_others_waiting() -> None:
    async def main(clock: Clock, _: Random) -> int:
        turns = 0
        done = False

        async def other() -> None:
            nonlocal done
            done = True

        asyncio.get_running_loop().create_task(other())
        while not done:
            turns += 1
            await clock.sleep(0)
        return turns

    assert max(run(main, seed=seed) for seed in range(200)) <= 64


def test_callbacks_keep_their_order_whatever_the_seed() -> None:
    async def main(clock: Clock, _: Random) -> list[int]:
        called: list[int] = []
        for number in range(20):
            asyncio.get_running_loop().call_soon(called.append, number)
        await clock.sleep(0)
        return called

    assert all(run(main, seed=seed) == list(range(20)) for seed in range(5))


def test_a_deadline_passes_in_virtual_time() -> None:
    async def main(clock: Clock, _: Random) -> float:
        with pytest.raises(TimeoutError):
            async with clock.timeout(3600):
                await asyncio.Event().wait()
        return clock.monotonic()

    assert run(main) == 3600.0


def test_a_task_group_ends_its_tasks_when_one_fails() -> None:
    async def main(clock: Clock, _: Random) -> list[str]:
        ended: list[str] = []

        async def waits() -> None:
            try:
                await clock.sleep(YEAR_S)
            finally:
                ended.append(f"after {clock.monotonic():g} s")

        async def fails() -> None:
            await clock.sleep(5)
            raise ValueError("as told")

        async def both() -> None:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(waits())
                tasks.create_task(fails())

        with pytest.raises(ExceptionGroup, match="unhandled errors"):
            await both()
        return ended

    assert run(main) == ["after 5 s"]


def test_a_cancelled_task_cleans_up_and_may_wait_meanwhile() -> None:
    async def main(clock: Clock, _: Random) -> float:
        async def careful() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                await clock.sleep(2.0)

        task = asyncio.ensure_future(careful())
        await clock.sleep(1.0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return clock.monotonic()

    assert run(main) == 3.0


def test_generators_that_are_left_early_are_closed_on_the_loop() -> None:
    closed: list[str] = []

    async def main(clock: Clock, _: Random) -> None:
        async def numbers(name: str) -> AsyncIterator[int]:
            try:
                for number in range(10):
                    await clock.sleep(1.0)
                    yield number
            finally:
                await clock.sleep(0)
                closed.append(name)

        async with aclosing(numbers("closed")) as found:  # type: ignore[type-var]
            async for _number in found:
                break
        async for _number in numbers("dropped"):
            break
        await clock.sleep(1.0)

    run(main)
    assert closed == ["closed", "dropped"]


def test_what_would_run_in_a_thread_runs_as_one_step_of_the_loop() -> None:
    async def main(_: Clock, __: Random) -> tuple[bool, str]:
        where = await asyncio.to_thread(threading.get_ident)
        with pytest.raises(ZeroDivisionError):
            await asyncio.get_running_loop().run_in_executor(None, lambda: 1 // 0)
        return where == threading.get_ident(), threading.current_thread().name

    assert run(main) == (True, threading.current_thread().name)
    assert threading.active_count() == 1


def test_a_thread_that_calls_in_is_refused() -> None:
    async def main(_: Clock, __: Random) -> list[str]:
        loop, said = asyncio.get_running_loop(), []

        def intrude() -> None:
            try:
                loop.call_soon_threadsafe(lambda: None)
            except RuntimeError as error:
                said.append(str(error))

        thread = threading.Thread(target=intrude)
        thread.start()
        thread.join()
        return said

    assert run(main) == ["a thread calls into a simulation, whose history it would make its own"]


def test_a_network_is_refused() -> None:
    async def main(_: Clock, __: Random) -> None:
        with pytest.raises(NotImplementedError):
            await asyncio.open_connection("localhost", 80)

    run(main)


def test_a_deadlock_is_told_with_the_tasks_that_wait_and_the_lines_where_they_do() -> None:
    async def lost() -> None:
        await asyncio.Event().wait()

    async def main(clock: Clock, _: Random) -> None:
        PROCESS.set("operator")
        task = asyncio.create_task(lost(), name="worker 3")
        await clock.sleep(10)
        await task

    with pytest.raises(Deadlock) as told:
        run(main)
    assert "- operator: worker 3 in Event.wait, asyncio.locks:" in str(told.value)
    assert "test_a_deadlock_is_told" in str(told.value)


def test_a_task_that_spins_is_told_by_its_name() -> None:
    async def main(clock: Clock, _: Random) -> None:
        async def spin() -> None:
            while clock.monotonic() < 1.0:
                await clock.sleep(0)

        await asyncio.create_task(spin(), name="impatient")

    with pytest.raises(Spinning, match=r"10000 steps were taken and no time passed(.|\n)*of 1000: impatient"):
        run(main, most_steps=10_000)


def test_steps_that_let_time_pass_are_no_spinning() -> None:
    async def main(clock: Clock, _: Random) -> None:
        for _step in range(20_000):
            await clock.sleep(0.001)

    run(main, most_steps=2000)


def test_garbage_is_collected_by_the_count_of_steps_and_as_before_afterwards() -> None:
    async def main(_: Clock, __: Random) -> bool:
        return gc.isenabled()

    assert run(main) is False
    assert gc.isenabled()
