"""One status write per reconcile; the world is told only after it is true."""

from __future__ import annotations

from datetime import datetime
from random import Random

from msgspec import Struct
from tests.support.clock import ManualClock
from tests.support.scripted import Answer, Scripted, status

from homeostat.api.kind import Kind, Resource
from homeostat.api.meta import ObjectMeta
from homeostat.runtime.events import Note, Recorder
from homeostat.runtime.loop import Loop, Report, Result, Rooms, Target
from homeostat.runtime.outcome import DONE, Outcome, Retry
from homeostat.telemetry.metrics import Measure, Metrics, declare


class Warmth(Struct, frozen=True):
    celsius: int = 0


class Room(Struct, frozen=True):
    metadata: ObjectMeta
    status: Warmth = Warmth()


class Nothing(Struct, frozen=True):
    actions: tuple[str, ...] = ()
    wait: None = None
    stop: str | None = None


LOOKS = declare("test_looks", "counter", "looks", "Looks at rooms that were told")
ROOM = Kind(Resource("test.homeostat.dev", "v1", "Room", "rooms"), Room)


class Thermostat(Rooms[str, Room, Nothing, str, Warmth]):
    def __init__(self, script: Scripted, celsius: int) -> None:
        self.script = script
        self.celsius = celsius

    async def observe(self, key: str) -> Room | None:
        return Room(ObjectMeta(name="hall", namespace="house", uid="u"), Warmth(20))

    def decide(self, observed: Room, now: datetime) -> Nothing:
        return Nothing()

    async def act(self, observed: Room, action: str) -> Outcome:
        return DONE

    def report(self, observed: Room, plan: Nothing, results: tuple[Result[str], ...], now: datetime) -> Report[Warmth]:
        return Report(Warmth(self.celsius), (Note("Measured", "it is warm"),), (Measure(LOOKS),))

    def target(self, observed: Room) -> Target | None:
        return Target(self.script.client, ROOM, observed)


async def reconcile(celsius: int, *answers: Answer) -> tuple[Outcome, Scripted, float, int]:
    """How it ended, what was sent, and how much was counted and noted."""
    script, clock, metrics = Scripted(*answers), ManualClock(), Metrics()
    recorder = Recorder(script.client, "homeostat", clock=clock, random=Random(1))
    loop = Loop(Thermostat(script, celsius), clock=clock, recorder=recorder)
    loop.controller("thermostat", random=Random(1), metrics=metrics)
    outcome = await loop.reconcile("house/hall")
    counted = metrics.registry.get_sample_value("test_looks_total") or 0.0
    return outcome, script, counted, len(recorder._jobs)


async def test_an_equal_status_is_not_written() -> None:
    outcome, script, counted, notes = await reconcile(20)
    assert (outcome, script.transport.requests, counted, notes) == (DONE, [], 1, 1)


async def test_a_changed_status_is_applied_as_a_whole_for_this_very_object() -> None:
    written = Answer(body={"metadata": {"name": "hall", "resourceVersion": "9"}, "status": {"celsius": 21}})
    outcome, script, counted, notes = await reconcile(21, written)
    assert (outcome, counted, notes) == (DONE, 1, 1)
    body = script.transport.body()
    assert body["metadata"] == {"name": "hall", "uid": "u", "namespace": "house"}
    assert body["status"] == {"celsius": 21}
    assert script.transport.last.path.endswith("/rooms/hall/status")


async def test_nothing_is_told_when_the_write_was_refused() -> None:
    outcome, _, counted, notes = await reconcile(21, Answer(409, status(409, "Conflict")))
    assert isinstance(outcome, Retry)
    assert (counted, notes) == (0, 0)


async def test_an_object_deleted_meanwhile_needs_no_status() -> None:
    outcome, _, counted, notes = await reconcile(21, Answer(404, status(404, "NotFound")))
    assert (outcome, counted, notes) == (DONE, 0, 0)
