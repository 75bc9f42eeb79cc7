"""The queue against a model, over any order of operations."""

from __future__ import annotations

from random import Random

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tests.support.clock import ManualClock

from homeostat.runtime.queue import Priority, Queue

KEYS = st.sampled_from("abcdef")


class QueueMachine(RuleBasedStateMachine):
    """No key is with two workers, no added key is lost, and the best priority goes first unless one is old."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock()
        self.queue: Queue[str] = Queue(clock=self.clock, random=Random(1), age_s=10.0, share=3)
        self.owed: dict[str, Priority] = {}  # added and not taken since
        self.since: dict[str, float] = {}
        self.in_work: set[str] = set()

    @rule(key=KEYS, priority=st.sampled_from(Priority))
    def add(self, key: str, priority: Priority) -> None:
        self.queue.add(key, priority)
        if key not in self.owed and key not in self.in_work:
            self.since[key] = self.clock.monotonic()
        self.owed[key] = min(self.owed.get(key, priority), priority)

    @rule()
    def take(self) -> None:
        ready = {key: priority for key, priority in self.owed.items() if key not in self.in_work}
        key = self.queue.take()
        if key is None:
            assert not ready
            return
        assert key in ready
        waited = self.clock.monotonic() - self.since[key]
        assert ready[key] == min(ready.values()) or waited >= 10.0
        del self.owed[key]
        self.in_work.add(key)

    @precondition(lambda self: self.in_work)
    @rule(data=st.data())
    def done(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.in_work)))
        self.queue.done(key)
        self.in_work.remove(key)
        self.since[key] = self.clock.monotonic()

    @rule(seconds=st.floats(min_value=0.0, max_value=15.0))
    def wait(self, seconds: float) -> None:
        self.clock.step(seconds)

    @invariant()
    def holds_what_is_owed(self) -> None:
        assert len(self.queue) == len([key for key in self.owed if key not in self.in_work])
        assert self.queue.processing == len(self.in_work)

    def teardown(self) -> None:
        for key in self.in_work:
            self.queue.done(key)
        left = set()
        while (taken := self.queue.take()) is not None:
            left.add(taken)
            self.queue.done(taken)
        assert left == set(self.owed)


TestQueueMachine = QueueMachine.TestCase
TestQueueMachine.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
