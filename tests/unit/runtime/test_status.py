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
from homeostat.runtime.outcome import DONE, Outcome, Progress, Retry
from homeostat.runtime.status import write_status
from homeostat.runtime.store import Store
from homeostat.telemetry.metrics import Measure, Metrics, declare


class Warmth(Struct, frozen=True):
    celsius: int = 0


class Room(Struct, frozen=True):
    metadata: ObjectMeta
    status: Warmth = Warmth()


class Windows(Struct, frozen=True):
    """Another writer's part of what is told of a room."""

    opened: int = 0


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
        return Room(ObjectMeta(name="hall", namespace="house", uid="u", resource_version="7"), Warmth(20))

    def decide(self, observed: Room, now: datetime) -> Nothing:
        return Nothing()

    async def act(self, observed: Room, action: str) -> Outcome:
        return DONE

    def report(self, observed: Room, plan: Nothing, results: tuple[Result[str], ...], now: datetime) -> Report[Warmth]:
        return Report(Warmth(self.celsius), (Note("Measured", "it is warm"),), (Measure(LOOKS),))

    def target(self, observed: Room) -> Target | None:
        return Target(self.script.client, ROOM, observed)


class Cached(Thermostat):
    """The same over a cache."""

    def __init__(self, script: Scripted, celsius: int, store: Store[Room]) -> None:
        super().__init__(script, celsius)
        self.store = store

    def target(self, observed: Room) -> Target | None:
        return Target(self.script.client, ROOM, observed, self.store)


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
    assert body["metadata"] == {"name": "hall", "uid": "u", "namespace": "house", "resourceVersion": "7"}
    assert body["status"] == {"celsius": 21}
    assert script.transport.last.path.endswith("/rooms/hall/status")


CONFLICT = Answer(409, status(409, "Conflict"))


def hall(celsius: int, version: str, uid: str = "u") -> Answer:
    """The room as the API has it at this moment."""
    metadata = {"name": "hall", "namespace": "house", "uid": uid, "resourceVersion": version}
    return Answer(body={"metadata": metadata, "status": {"celsius": celsius}})


async def test_a_newer_status_is_not_overwritten_by_whoever_read_an_older_one() -> None:
    outcome, script, counted, notes = await reconcile(21, CONFLICT, hall(22, "8"))
    assert isinstance(outcome, Progress)
    assert [request.method for request in script.transport.requests] == ["PATCH", "GET"]
    assert (counted, notes) == (0, 0)


async def test_whoever_read_an_older_status_waits_until_the_cache_has_the_newer_one() -> None:
    script, store = Scripted(CONFLICT, hall(22, "8")), Store[Room]()
    store.advance("7")
    loop = Loop(Cached(script, 21, store), clock=ManualClock())
    loop.controller("thermostat", random=Random(1))
    await loop.reconcile("house/hall")
    assert loop._writes is not None
    assert loop._writes.park("house/hall")
    store.advance("8")
    assert not loop._writes.park("house/hall")


async def test_a_change_of_anything_else_does_not_keep_the_status_from_being_written() -> None:
    outcome, script, counted, notes = await reconcile(21, CONFLICT, hall(20, "8"), hall(21, "9"))
    assert (outcome, counted, notes) == (DONE, 1, 1)
    assert [request.method for request in script.transport.requests] == ["PATCH", "GET", "PATCH"]
    assert script.transport.body()["metadata"] == {
        "name": "hall",
        "uid": "u",
        "namespace": "house",
        "resourceVersion": "8",
    }


async def test_a_write_of_which_only_the_answer_was_lost_is_done() -> None:
    outcome, _, counted, notes = await reconcile(21, CONFLICT, hall(21, "8"))
    assert (outcome, counted, notes) == (DONE, 1, 1)


async def test_an_object_that_others_write_all_the_time_is_left_for_the_next_look() -> None:
    steps = [step for number in range(8, 13) for step in (CONFLICT, hall(20, str(number)))]
    outcome, script, counted, _ = await reconcile(21, *steps)
    assert (type(outcome), counted, len(script.transport.requests)) == (Progress, 0, 10)


async def test_another_object_that_took_the_name_gets_no_status() -> None:
    outcome, _, counted, notes = await reconcile(21, CONFLICT, hall(20, "8", uid="other"))
    assert isinstance(outcome, Retry)
    assert (counted, notes) == (0, 0)


async def test_of_a_status_with_two_writers_each_looks_at_its_own_part_alone() -> None:
    room = Room(ObjectMeta(name="hall", namespace="house", uid="u", resource_version="7"), Warmth(20))
    script = Scripted(CONFLICT, hall(22, "8"), hall(22, "9"))
    written = await write_status(script.client, ROOM, room, Windows(1), part=lambda _: Windows())
    assert written is not None
    assert [request.method for request in script.transport.requests] == ["PATCH", "GET", "PATCH"]


async def test_an_object_deleted_meanwhile_needs_no_status() -> None:
    outcome, _, counted, notes = await reconcile(21, Answer(404, status(404, "NotFound")))
    assert (outcome, counted, notes) == (DONE, 0, 0)
