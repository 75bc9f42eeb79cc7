"""The door to the faults of a simulated data centre: a socket that its owner alone can open, a line in, a line out."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket

import msgspec

from homeostat.kit.clock import Clock
from homeostat.sim.standing.asking import MOST_BYTES, Declined, Heal, Inject, Look, Question, Told
from homeostat.sim.standing.place import Place
from homeostat.sim.world.faults.fault import FaultError
from homeostat.sim.world.faults.keeping import Book, Entry
from homeostat.telemetry.logs import logger

_WITHIN_S = 5.0  # who opens the door and says nothing is not waited for any longer


def open_door(place: Place) -> socket.socket:
    """A socket that nobody can reach yet, and its owner alone when it listens. Raises OSError."""
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with contextlib.chdir(place.directory):
            place.socket.unlink(missing_ok=True)
            made.bind(place.socket.name)
            os.chmod(place.socket.name, 0o600)  # noqa: PTH101  (named from within, as its path may be too long)
    except OSError:
        made.close()
        raise
    return made


class Answering:
    """Answers whoever comes through the door, until it is cancelled."""

    def __init__(self, book: Book, clock: Clock) -> None:
        self._book, self._clock = book, clock
        self.listening = asyncio.Event()
        self._log = logger()

    async def run(self, door: socket.socket) -> None:
        """Answer, when the data centre runs."""
        await self._book.centre.runs.wait()
        server = await asyncio.start_unix_server(self._meet, sock=door, limit=MOST_BYTES)
        self.listening.set()
        async with server:
            await server.serve_forever()

    def answer(self, question: Question) -> Told | Declined:
        """Do what is asked."""
        try:
            match question:
                case Inject(dry_run=True) as it:
                    return Told((self._book.check(it.fault, it.on, it.parameters, it.for_s),))
                case Inject() as it:
                    return self._tell("a fault begins", self._book.begin(it.fault, it.on, it.parameters, it.for_s))
                case Heal(dry_run=True) as it:
                    return Told(self._book.named(*it.ids))
                case Heal() as it:
                    return self._tell("a fault is healed", *self._book.end(*it.ids))
                case Look():
                    return Told(self._book.entries())
        except FaultError as error:
            return Declined(str(error), error.field)

    def _tell(self, what: str, *entries: Entry) -> Told:
        for each in entries:
            self._log.info(what, id=each.id, fault=each.fault, on=each.on, parameters=dict(each.parameters))
        return Told(entries)

    async def _meet(self, heard: asyncio.StreamReader, said: asyncio.StreamWriter) -> None:
        with contextlib.closing(said), contextlib.suppress(ConnectionError, TimeoutError):
            async with self._clock.timeout(_WITHIN_S):
                said.write(msgspec.json.encode(await self._hear(heard)) + b"\n")
                await said.drain()

    async def _hear(self, heard: asyncio.StreamReader) -> Told | Declined:
        try:
            question = msgspec.json.decode(await heard.readline(), type=Question)
        except ValueError as error:  # it is no question, or too long
            return Declined(f"expected a question about faults, found something else: {error}", "")
        return self.answer(question)
