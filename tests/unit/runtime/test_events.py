"""Events: one story, one Event; too much is dropped and counted; nothing ever waits or fails."""

from __future__ import annotations

from random import Random

from tests.support.clock import ManualClock
from tests.support.scripted import Answer, Scripted, Step, status

from homeostat.api.events import ObjectReference
from homeostat.runtime.events import Recorder
from homeostat.telemetry.metrics import Metrics

ROOM = ObjectReference("v1", "Room", "house", "hall", "u-1")
TAKEN = Answer(body={"metadata": {}})


class Scene:
    def __init__(self, *steps: Step) -> None:
        self.script = Scripted(*steps)
        self.clock = ManualClock()
        self.metrics = Metrics()
        self.recorder = Recorder(
            self.script.client, "homeostat", clock=self.clock, random=Random(1), metrics=self.metrics
        )

    def sent(self) -> list[str]:
        return [request.method for request in self.script.transport.requests]

    def fate(self, name: str) -> float | None:
        return self.metrics.registry.get_sample_value("homeostat_events_total", {"fate": name})


async def test_the_same_note_becomes_a_series_and_another_note_a_new_event() -> None:
    scene = Scene(TAKEN, TAKEN, TAKEN)
    for reason in ("Warm", "Warm", "Cold"):
        scene.recorder.normal(ROOM, reason, "as felt")
    await scene.recorder.flush()
    assert scene.sent() == ["POST", "PATCH", "POST"]


async def test_after_a_while_the_same_note_is_a_new_story() -> None:
    scene = Scene(TAKEN, TAKEN)
    for _ in range(2):
        scene.recorder.normal(ROOM, "Warm", "as felt")
        await scene.recorder.flush()
        scene.clock.step(400)
    assert scene.sent() == ["POST", "POST"]


async def test_a_series_whose_event_expired_begins_again() -> None:
    scene = Scene(TAKEN, Answer(404, status(404, "NotFound")), TAKEN)
    for _ in range(2):
        scene.recorder.normal(ROOM, "Warm", "as felt")
    await scene.recorder.flush()
    assert scene.sent() == ["POST", "PATCH", "POST"]


async def test_one_object_that_chatters_is_cut_off_and_the_rest_is_counted() -> None:
    scene = Scene(*[TAKEN] * 26)
    for _ in range(40):
        scene.recorder.warning(ROOM, "Warm", "as felt")
    scene.recorder.warning(ObjectReference("v1", "Room", "house", "attic", "u-2"), "Warm", "as felt")
    await scene.recorder.flush()
    assert scene.fate("sent") == 26
    assert scene.fate("dropped") == 15


async def test_the_end_of_a_long_story_is_told_although_its_steps_were_too_many() -> None:
    scene = Scene(*[TAKEN] * 29)
    for step in range(40):
        scene.recorder.normal(ROOM, "Heating", f"step {step}")
    for reason in ("Warm", "Sold", "Warm", "Heating"):
        scene.recorder.normal(ROOM, reason, "at last")
    await scene.recorder.flush()
    assert scene.fate("sent") == 25 + 2
    assert scene.fate("dropped") == 15 + 2


async def test_what_was_told_long_ago_is_news_again() -> None:
    scene = Scene(*[TAKEN] * 40)
    scene.recorder.normal(ROOM, "Warm", "at last")
    scene.clock.step(600)
    for step in range(40):
        scene.recorder.normal(ROOM, "Heating", f"step {step}")
    scene.recorder.normal(ROOM, "Warm", "again")
    await scene.recorder.flush()
    assert scene.fate("sent") == 1 + 25 + 1


async def test_an_event_that_cannot_be_written_is_dropped_and_the_next_one_is_tried() -> None:
    scene = Scene(Answer(403, status(403, "Forbidden", "no rights")), TAKEN)
    scene.recorder.normal(ROOM, "Warm", "as felt")
    scene.recorder.normal(ROOM, "Cold", "as felt")
    await scene.recorder.flush()
    assert (scene.fate("failed"), scene.fate("sent")) == (1, 1)


async def test_a_long_note_is_cut_to_what_the_api_takes() -> None:
    scene = Scene(TAKEN)
    scene.recorder.normal(ROOM, "Warm", "ä" * 2000)
    await scene.recorder.flush()
    note = scene.script.transport.body()["note"]
    assert isinstance(note, str)
    assert len(note.encode()) <= 1024
    assert note.endswith("...")
