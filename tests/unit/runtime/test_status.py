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


class Warmth(Struct, frozen=True):
    celsius: int = 0


class Room(Struct, frozen=True):
    metadata: ObjectMeta
    status: Warmth = Warmth()


class Nothing(Struct, frozen=True):
    actions: tuple[str, ...] = ()
    wait: None = None
    stop: str | None = None


ROOM = Kind(Resource("test.homeostat.dev", "v1", "Room", "rooms"), Room)


class Thermostat(Rooms[str, Room, Nothing, str, Warmth]):
    def __init__(self, script: Scripted, celsius: int) -> None:
        self.script = script
        self.celsius = celsius
        self.heard = 0

    async def observe(self, key: str) -> Room | None:
        return Room(ObjectMeta(name="hall", namespace="house", uid="u"), Warmth(20))

    def decide(self, observed: Room, now: datetime) -> Nothing:
        return Nothing()

    async def act(self, observed: Room, action: str) -> Outcome:
        return DONE

    def report(self, observed: Room, plan: Nothing, results: tuple[Result[str], ...], now: datetime) -> Report[Warmth]:
        return Report(Warmth(self.celsius), (Note("Measured", "it is warm"),))

    def target(self, observed: Room) -> Target | None:
        return Target(self.script.client, ROOM, observed)

    def told(self, observed: Room, report: Report[Warmth]) -> None:
        self.heard += 1


async def reconcile(celsius: int, *answers: Answer) -> tuple[Outcome, Scripted, Thermostat, int]:
    script, clock = Scripted(*answers), ManualClock()
    rooms = Thermostat(script, celsius)
    recorder = Recorder(script.client, "homeostat", clock=clock, random=Random(1))
    outcome = await Loop(rooms, clock=clock, recorder=recorder).reconcile("house/hall")
    return outcome, script, rooms, len(recorder._jobs)


async def test_an_equal_status_is_not_written() -> None:
    outcome, script, rooms, notes = await reconcile(20)
    assert (outcome, script.transport.requests, rooms.heard, notes) == (DONE, [], 1, 1)


async def test_a_changed_status_is_applied_as_a_whole_for_this_very_object() -> None:
    written = Answer(body={"metadata": {"name": "hall", "resourceVersion": "9"}, "status": {"celsius": 21}})
    outcome, script, rooms, notes = await reconcile(21, written)
    assert (outcome, rooms.heard, notes) == (DONE, 1, 1)
    body = script.transport.body()
    assert body["metadata"] == {"name": "hall", "uid": "u", "namespace": "house"}
    assert body["status"] == {"celsius": 21}
    assert script.transport.last.path.endswith("/rooms/hall/status")


async def test_nothing_is_told_when_the_write_was_refused() -> None:
    outcome, _, rooms, notes = await reconcile(21, Answer(409, status(409, "Conflict")))
    assert isinstance(outcome, Retry)
    assert (rooms.heard, notes) == (0, 0)


async def test_an_object_deleted_meanwhile_needs_no_status() -> None:
    outcome, _, rooms, notes = await reconcile(21, Answer(404, status(404, "NotFound")))
    assert (outcome, rooms.heard, notes) == (DONE, 0, 0)
