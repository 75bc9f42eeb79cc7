"""The work queue, rule by rule."""

from __future__ import annotations

import asyncio
from random import Random

from tests.support.clock import ManualClock, settle

from homeostat.kit.backoff import Backoff
from homeostat.runtime.queue import Priority, Queue
from homeostat.runtime.queue_metrics import QueueMetrics
from homeostat.telemetry.metrics import Metrics


def queue(clock: ManualClock, **options: float) -> Queue[str]:
    backoff = Backoff(base_s=1.0, factor=2.0, cap_s=60.0)
    return Queue(clock=clock, random=Random(1), backoff=backoff, share=4, **options)  # type: ignore[arg-type]


def drained(waiting: Queue[str]) -> list[str]:
    taken = []
    while (key := waiting.take()) is not None:
        taken.append(key)
        waiting.done(key)
    return taken


def test_a_key_added_twice_waits_once() -> None:
    waiting = queue(ManualClock())
    for key in ("a", "b", "a"):
        waiting.add(key)
    assert drained(waiting) == ["a", "b"]


def test_a_key_added_while_in_work_comes_again_after_it_is_done() -> None:
    waiting = queue(ManualClock())
    waiting.add("a")
    assert waiting.take() == "a"
    waiting.add("a")
    assert waiting.take() is None
    waiting.done("a")
    assert waiting.take() == "a"


def test_changes_go_before_first_reconciles_and_those_before_resyncs() -> None:
    waiting = queue(ManualClock())
    waiting.add("resync", Priority.RESYNC)
    waiting.add("initial", Priority.INITIAL)
    waiting.add("change", Priority.CHANGE)
    assert drained(waiting) == ["change", "initial", "resync"]


def test_a_change_lifts_a_key_that_waits_for_its_first_reconcile() -> None:
    waiting = queue(ManualClock())
    for key in ("a", "b", "c"):
        waiting.add(key, Priority.INITIAL)
    waiting.add("c", Priority.CHANGE)
    waiting.add("c", Priority.RESYNC)
    assert drained(waiting) == ["c", "a", "b"]


def test_an_old_low_key_gets_one_take_in_four_however_many_changes_come() -> None:
    clock = ManualClock()
    waiting = queue(clock)
    waiting.add("patient", Priority.RESYNC)
    clock.step(11)
    for number in range(8):
        waiting.add(f"change-{number}")
    assert drained(waiting).index("patient") == 3


async def test_a_delayed_key_comes_when_it_is_due_and_the_earliest_delay_counts() -> None:
    clock = ManualClock()
    waiting = queue(clock)
    running = asyncio.ensure_future(waiting.run())
    await settle()
    waiting.add_after("a", 10)
    waiting.add_after("a", 5)
    waiting.add_after("a", 20)
    await clock.advance(4.9)
    assert len(waiting) == 0
    await clock.advance(0.2)
    assert drained(waiting) == ["a"]
    await clock.advance(60)
    assert drained(waiting) == []
    waiting.close()
    await running


async def test_failures_are_spaced_further_and_further_until_the_key_goes_well() -> None:
    waiting = queue(ManualClock())
    assert [waiting.add_failed("a") for _ in range(3)] == [1.0, 2.0, 4.0]
    waiting.forget("a")
    assert waiting.add_failed("a") == 1.0
    assert waiting.add_failed("b", least_s=30.0) == 30.0


async def test_who_waits_is_woken_by_a_key_and_by_the_end() -> None:
    waiting = queue(ManualClock())
    takers = [asyncio.ensure_future(waiting.get()) for _ in range(2)]
    await settle()
    waiting.add("a")
    await settle()
    assert [taker.done() for taker in takers] == [True, False]
    waiting.close()
    assert [await taker for taker in takers] == ["a", None]


async def test_a_cancelled_taker_passes_its_wake_up_on() -> None:
    waiting = queue(ManualClock())
    first, second = (asyncio.ensure_future(waiting.get()) for _ in range(2))
    await settle()
    waiting.add("a")
    first.cancel()
    await settle()
    assert second.done()
    assert second.result() == "a"


async def test_a_closed_queue_hands_nothing_out_and_takes_nothing_in() -> None:
    waiting = queue(ManualClock())
    waiting.add("a")
    waiting.close()
    waiting.add("b")
    assert await waiting.get() is None


def test_metrics_tell_depth_waits_work_and_the_longest_running_key() -> None:
    clock, metrics = ManualClock(), Metrics()
    observer = QueueMetrics(metrics, "rooms")
    waiting: Queue[str] = Queue(clock=clock, random=Random(1), observer=observer)
    observer.show(waiting.__len__, waiting.longest_running_s, waiting.unfinished_s)
    waiting.add("a")
    waiting.add("b")
    clock.step(3)
    assert waiting.take() == "a"
    clock.step(4)
    shown = metrics.expose().decode()
    for line in (
        'homeostat_queue_adds_total{name="rooms"} 2.0',
        'homeostat_queue_depth{name="rooms"} 1.0',
        'homeostat_queue_latency_seconds_sum{name="rooms"} 3.0',
        'homeostat_queue_longest_running_seconds{name="rooms"} 4.0',
    ):
        assert line in shown


async def test_a_rank_decides_over_the_priority_that_a_key_is_added_with() -> None:
    def rank(key: str, asked: Priority) -> Priority:
        return Priority.URGENT if key.startswith("sick") else max(asked, Priority.LATER)

    queue: Queue[str] = Queue(clock=ManualClock(), random=Random(1), rank=rank)
    for key, asked in (("new", Priority.CHANGE), ("sick-1", Priority.RESYNC), ("old", Priority.INITIAL)):
        queue.add(key, asked)
    assert [queue.take(), queue.take(), queue.take()] == ["sick-1", "new", "old"]
    queue.add("sick-1")
    queue.done("sick-1")
    assert queue.take() == "sick-1"
