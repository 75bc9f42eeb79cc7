"""Leadership by Lease, on a Lease in memory and a clock that stands still."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any

import msgspec
import pytest
from tests.support.clock import ManualClock, settle
from tests.support.scripted import Answer, status

from homeostat.kube.client import Client
from homeostat.kube.retrying import NO_RETRIES
from homeostat.kube.transport import Request, Response
from homeostat.runtime.leader import LeaderElector, LeadershipLost, LeaseTimes


class OneLease:
    """Serves one Lease, with conditional patches; may be out of order, or keep an answer back when its work is done."""

    def __init__(self) -> None:
        self.spec: dict[str, Any] | None = None
        self.version = 1
        self.down = False
        self.asked: list[str] = []
        self.keeps_back = False  # the next answer, until it may come
        self.come = asyncio.Event()

    def take_over(self, holder: str) -> None:
        assert self.spec is not None
        self.spec["holderIdentity"] = holder
        self.version += 1

    def lose(self) -> None:
        self.spec = None

    async def send(self, request: Request) -> Response:
        self.asked.append(request.method)
        answer = self._answer(request)
        if self.keeps_back:
            self.keeps_back = False
            await self.come.wait()
        return answer

    def _answer(self, request: Request) -> Answer:
        if self.down:
            return Answer(503, status(503, "ServiceUnavailable"))
        if request.method == "GET":
            return Answer(404, status(404, "NotFound")) if self.spec is None else self._lease()
        if request.method == "PATCH" and self.spec is None:
            return Answer(404, status(404, "NotFound"))
        assert request.body is not None
        body = msgspec.json.decode(request.body)
        wanted = body["metadata"].get("resourceVersion")
        if wanted is not None and wanted != str(self.version):
            return Answer(409, status(409, "Conflict"))
        self.spec = body["spec"]
        self.version += 1
        return self._lease()

    def _lease(self) -> Answer:
        return Answer(body={"metadata": {"name": "l", "resourceVersion": str(self.version)}, "spec": self.spec})

    async def close(self) -> None:
        return


class Scene:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.server = OneLease()

    def candidate(self, name: str) -> LeaderElector:
        client = Client(self.server, clock=self.clock, random=Random(1), retries=NO_RETRIES)
        return LeaderElector(client, "l", "ns", name, clock=self.clock, random=Random(1))


async def ended(*tasks: asyncio.Future[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_the_first_candidate_leads_and_keeps_leading() -> None:
    scene = Scene()
    first = scene.candidate("first")
    task = asyncio.ensure_future(first.run())
    await scene.clock.advance(60)
    assert first.leading.is_set()
    assert first.may_act()
    assert scene.server.spec is not None
    assert (scene.server.spec["holderIdentity"], scene.server.spec["leaseTransitions"]) == ("first", 0)
    await ended(task)


async def test_a_dead_leader_is_followed_after_its_lease_as_measured_here() -> None:
    scene = Scene()
    scene.server.spec = {
        "holderIdentity": "dead",
        "leaseDurationSeconds": 15,
        "renewTime": "2031-01-01T00:00:00.000000Z",  # its clock was far ahead: that must not matter
        "leaseTransitions": 4,
    }
    second = scene.candidate("second")
    task = asyncio.ensure_future(second.run())
    await scene.clock.advance(14)
    assert not second.leading.is_set()
    await scene.clock.advance(5)
    assert second.leading.is_set()
    assert scene.server.spec["leaseTransitions"] == 5
    await ended(task)


async def test_a_leader_that_cannot_renew_gives_up_before_its_lease_runs_out() -> None:
    scene = Scene()
    first = scene.candidate("first")
    task = asyncio.ensure_future(first.run())
    await settle()
    scene.server.down = True
    await scene.clock.advance(13)
    with pytest.raises(LeadershipLost, match="could not be renewed for 10 s"):
        await task


async def test_a_renewal_that_hangs_is_tried_again_before_the_deadline() -> None:
    scene = Scene()
    first = scene.candidate("first")
    task = asyncio.ensure_future(first.run())
    await settle()
    scene.server.keeps_back = True
    await scene.clock.advance(60)
    assert first.leading.is_set()
    assert first.may_act()
    await ended(task)


async def test_a_renewal_whose_answer_was_lost_is_not_taken_for_that_of_another() -> None:
    scene = Scene()
    first = scene.candidate("first")
    task = asyncio.ensure_future(first.run())
    await settle()
    scene.server.asked.clear()
    scene.server.keeps_back = True
    await scene.clock.advance(7)
    assert scene.server.asked == ["PATCH", "PATCH", "GET", "PATCH"]  # the first one was done, so the second met it
    assert first.may_act()
    await ended(task)


async def test_a_leader_renews_without_asking_who_leads() -> None:
    scene = Scene()
    first = scene.candidate("first")
    task = asyncio.ensure_future(first.run())
    await settle()
    scene.server.asked.clear()
    await scene.clock.advance(7)
    assert scene.server.asked == ["PATCH"] * 3
    await ended(task)


async def test_a_leader_whose_lease_was_taken_over_learns_by_whom() -> None:
    scene = Scene()
    first = scene.candidate("first")
    task = asyncio.ensure_future(first.run())
    await settle()
    scene.server.take_over("second")
    await scene.clock.advance(3)
    with pytest.raises(LeadershipLost, match="was taken over by second"):
        await task


async def test_a_leader_whose_lease_was_deleted_makes_it_anew() -> None:
    scene = Scene()
    first = scene.candidate("first")
    task = asyncio.ensure_future(first.run())
    await settle()
    scene.server.lose()
    await scene.clock.advance(3)
    assert first.may_act()
    assert scene.server.asked[-3:] == ["PATCH", "GET", "POST"]
    await ended(task)


async def test_a_lease_in_an_answer_that_was_late_lasts_from_when_it_came() -> None:
    scene = Scene()
    scene.server.spec = {"holderIdentity": "first", "leaseDurationSeconds": 15, "leaseTransitions": 0}
    second = scene.candidate("second")
    scene.server.keeps_back = True
    task = asyncio.ensure_future(second.run())
    await scene.clock.advance(3.5)
    scene.server.come.set()  # as the first one may have left it just now, and then died
    await scene.clock.advance(14.5)
    assert scene.server.spec["holderIdentity"] == "first"
    await scene.clock.advance(4)
    assert scene.server.spec["holderIdentity"] == "second"
    await ended(task)


async def test_a_leader_that_was_stopped_for_longer_than_its_lease_may_not_act() -> None:
    scene = Scene()
    first = scene.candidate("first")
    task = asyncio.ensure_future(first.run())
    await settle()
    assert first.may_act()
    scene.clock.step(16)
    assert not first.may_act()
    await ended(task)


async def test_a_released_lease_is_taken_at_once() -> None:
    scene = Scene()
    first, second = scene.candidate("first"), scene.candidate("second")
    one = asyncio.ensure_future(first.run())
    await settle()
    two = asyncio.ensure_future(second.run())
    await ended(one)
    await first.release()
    await scene.clock.advance(3)
    assert second.leading.is_set()
    await ended(two)


def test_times_that_would_let_two_lead_are_refused() -> None:
    with pytest.raises(ValueError, match="retry < renew deadline < lease duration"):
        LeaseTimes(lease_s=10.0, renew_deadline_s=10.0)
