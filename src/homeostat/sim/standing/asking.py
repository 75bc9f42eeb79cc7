"""What one asks of a simulated data centre about its faults, and what it answers: one line of JSON each way.

The way there is a socket in its directory, which is open to its owner alone. A path of a socket may have a hundred
characters at most, so that it is named from within its directory.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Mapping

import msgspec
from msgspec import Struct

from homeostat.sim.standing.place import Place
from homeostat.sim.world.faults.fault import FaultError, Value
from homeostat.sim.world.faults.keeping import Entry

MOST_BYTES = 1 << 16  # of a question
_WITHIN_S = 10.0


class Inject(Struct, frozen=True, tag=True):
    """Begin a fault, or tell what would begin."""

    fault: str
    on: str = ""
    parameters: Mapping[str, Value] = {}
    for_s: float | None = None
    dry_run: bool = False


class Heal(Struct, frozen=True, tag=True):
    """End faults, or all; or tell which would end."""

    ids: tuple[str, ...] = ()
    dry_run: bool = False


class Look(Struct, frozen=True, tag=True):
    """Tell what is under way."""


Question = Inject | Heal | Look


class Told(Struct, frozen=True, tag=True):
    """What was begun or ended, or is under way."""

    entries: tuple[Entry, ...]


class Declined(Struct, frozen=True, tag=True):
    """It makes no sense: a FaultError as it travels."""

    message: str
    field: str


class NotReached(Exception):
    """Nobody answers, though its process runs, or seemed to."""


def ask(place: Place, question: Question, *, within_s: float = _WITHIN_S) -> tuple[Entry, ...]:
    """Ask, and wait for the answer. Raises FaultError, and NotReached where nobody answers."""
    try:
        answer = _exchange(place, msgspec.json.encode(question) + b"\n", within_s)
        told = msgspec.json.decode(answer, type=Told | Declined)
    except (OSError, msgspec.MsgspecError) as error:
        why = "it ended, or has no such door" if isinstance(error, FileNotFoundError | ConnectionError) else str(error)
        raise NotReached(f"the simulation in {place.directory} did not answer: {why}") from error
    if isinstance(told, Declined):
        raise FaultError(told.message, field=told.field)
    return told.entries


def _exchange(place: Place, question: bytes, within_s: float) -> bytes:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(within_s)
        with contextlib.chdir(place.directory):
            line.connect(place.socket.name)
        line.sendall(question)
        with line.makefile("rb") as heard:
            return heard.readline()
