"""The door to the faults of a simulated data centre: who may come in, and what is answered, also to nonsense."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.support.clock import ManualClock
from tests.support.simulated_hosts import HOST, simulated_hosts

from homeostat.kit.clock import SystemClock
from homeostat.sim.standing.answering import Answering, open_door
from homeostat.sim.standing.asking import Heal, Inject, Look, NotReached, Question, ask
from homeostat.sim.standing.place import Place
from homeostat.sim.world.faults.fault import FaultError
from homeostat.sim.world.faults.keeping import Book, Entry


@pytest.fixture
def place(tmp_path: Path) -> Place:
    made = Place(tmp_path / ("long" * 30) / "small")  # longer than a path of a socket may be
    made.directory.mkdir(parents=True)
    return made


@contextlib.asynccontextmanager
async def answered(place: Place) -> AsyncIterator[Book]:
    async with simulated_hosts() as world:
        book = Book(world.centre)
        answering = Answering(book, SystemClock())
        task = asyncio.create_task(answering.run(open_door(place)))
        await answering.listening.wait()
        try:
            yield book
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def asked(place: Place, question: Question) -> tuple[Entry, ...]:
    return await asyncio.to_thread(ask, place, question, within_s=5)


async def said(place: Place, line: bytes) -> bytes:
    """What is answered to something that we would not say."""

    def say() -> bytes:
        with socket.socket(socket.AF_UNIX) as made, contextlib.chdir(place.directory):
            made.settimeout(5)
            made.connect(place.socket.name)
            made.sendall(line)
            return made.makefile("rb").readline()

    return await asyncio.to_thread(say)


async def test_faults_are_begun_seen_and_healed_through_it(place: Place) -> None:
    async with answered(place) as book:
        (begun,) = await asked(place, Inject("disk-slow", HOST, {"times": "3"}, for_s=60))
        assert (begun,) == await asked(place, Look()) == book.entries()
        assert await asked(place, Heal(dry_run=True)) == (begun,)
        assert await asked(place, Heal((begun.id,))) == (begun,)
        assert await asked(place, Look()) == ()


async def test_what_is_only_tried_does_not_happen(place: Place) -> None:
    async with answered(place) as book:
        (tried,) = await asked(place, Inject("host-down", HOST, dry_run=True))
        assert (tried.id, tried.targets, book.entries()) == ("", (HOST,), ())


async def test_a_refusal_travels_with_what_it_is_about(place: Place) -> None:
    async with answered(place):
        with pytest.raises(FaultError, match="found 'host-z9'") as refused:
            await asked(place, Inject("disk-slow", "host-z9"))
        assert refused.value.field == "on"


async def test_only_its_owner_may_open_it(place: Place) -> None:
    async with answered(place):
        assert stat.S_IMODE(place.socket.stat().st_mode) == 0o600


async def test_nonsense_is_answered_and_the_next_one_is_served(place: Place) -> None:
    lines = (b"\n", b"[]\n", b'{"type":"Explode"}\n', b'{"type":"Inject","fault":7}\n', b"x" * 200_000)
    async with answered(place):
        for line in lines:
            with contextlib.suppress(ConnectionError):  # who says too much may not be heard to its end
                assert b"expected a question about faults" in await said(place, line)
        assert await asked(place, Look()) == ()


async def test_a_door_that_an_earlier_process_left_is_taken_over(place: Place) -> None:
    open_door(place).close()
    with pytest.raises(NotReached, match="it ended, or has no such door"):
        await asked(place, Look())
    async with answered(place):
        assert await asked(place, Look()) == ()


async def test_where_there_is_no_door_nobody_answers(place: Place) -> None:
    with pytest.raises(NotReached, match="it ended, or has no such door"):
        await asked(place, Look())


async def test_who_says_nothing_is_not_waited_for() -> None:
    async with simulated_hosts() as world:
        clock, (ours, theirs) = ManualClock(), socket.socketpair()
        answering = Answering(Book(world.centre), clock)
        with contextlib.closing(ours):
            heard, told = await asyncio.open_unix_connection(sock=theirs)
            meeting = asyncio.create_task(answering._meet(heard, told))
            await clock.advance(6)
            await meeting
