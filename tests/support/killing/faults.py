"""What an API server, or the way to it, does to one write of an operator; and to what the operator hears.

| fault | what happens at the write |
|---|---|
| lost | it takes effect, and its answer never comes |
| conflict, busy, failure | it is answered with 409, 429 or 500, and takes no effect |
| cut | all watches end, and it goes on |
| stale | what happens from now on is heard half a minute late |
| uneven | what happens to Pods is heard half a minute late, and all else at once |
| missed | all watches end, and half a minute later all is listed: what came and went meanwhile is never heard |
| doubled | for half a minute, everything is heard twice |
| overlap | a second process begins, and for a while both believe that they lead |
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Literal, Protocol, get_args

from msgspec import Struct
from tests.support.faults import Faults, is_write
from tests.support.killing.points import Points
from tests.support.scripted import Answer, status

from homeostat.kit.clock import Clock
from homeostat.kube.transport import Request, Response, Transport

Kind = Literal["lost", "conflict", "busy", "failure", "cut", "stale", "uneven", "missed", "doubled", "overlap"]
KINDS: tuple[Kind, ...] = get_args(Kind)
LATE_S = 30.0
OVERLAP_S = 15.0  # how long a Lease lasts
_REFUSED = {"conflict": (409, "Conflict"), "busy": (429, "TooManyRequests"), "failure": (500, "InternalError")}


class Fault(Struct, frozen=True):
    """At the write of this number, the first one being 0; Events do not count."""

    kind: Kind
    at: int


class Troubled(Protocol):
    """The world that the fault is in."""

    is_fault_met: bool
    points: Points

    def overlap(self) -> None:
        """Let a second process lead."""


class Faulty:
    """A process' way to the API server, with one fault on it. It counts writes while it is told to."""

    def __init__(self, inner: Transport, fault: Fault, *, clock: Clock, world: Troubled) -> None:
        self._hearing = _Hearing(inner, clock)
        self._faults = Faults(self._hearing)
        self._fault, self._world = fault, world
        self._writes = 0

    async def send(self, request: Request) -> Response:
        if is_write(request) and self._world.points.is_counting and not self._world.is_fault_met:
            if self._writes == self._fault.at:
                self._world.is_fault_met = True
                self._befall(request)
            self._writes += 1
        return await self._faults.send(request)

    async def close(self) -> None:
        await self._faults.close()

    def _befall(self, request: Request) -> None:
        kind = self._fault.kind
        if kind == "lost":
            self._faults.lose_answers(when=lambda other: other is request, times=1)
        elif kind == "cut":
            self._faults.cut_watches()
        elif kind == "missed":
            self._hearing.begin(kind)
            self._faults.cut_watches()
        elif kind in ("stale", "uneven", "doubled"):
            self._hearing.begin(kind)
        elif kind == "overlap":
            self._world.overlap()
        else:
            code, reason = _REFUSED[kind]
            self._faults.refuse(code, reason, when=lambda other: other is request, times=1)


class _Hearing:
    """What watches tell, and what comes of it while there is trouble."""

    def __init__(self, inner: Transport, clock: Clock) -> None:
        self._inner, self._clock = inner, clock
        self._kind: Kind | None = None
        self._until = 0.0

    def begin(self, kind: Kind) -> None:
        self._kind = kind
        self._until = self._clock.monotonic() + LATE_S

    @property
    def trouble(self) -> Kind | None:
        """What there is now."""
        return self._kind if self._clock.monotonic() < self._until else None

    async def wait(self) -> None:
        """As long as it lasts."""
        await self._clock.sleep(max(self._until - self._clock.monotonic(), 0.0))

    async def send(self, request: Request) -> Response:
        if ("watch", "true") not in request.query:
            return await self._inner.send(request)
        if self.trouble == "missed":
            await self.wait()
            return Answer(410, status(410, "Expired", "a test forgot what happened since"))
        return _Heard(await self._inner.send(request), self, of_pods=request.path.endswith("/pods"))

    async def close(self) -> None:
        await self._inner.close()


class _Heard:
    def __init__(self, inner: Response, hearing: _Hearing, *, of_pods: bool) -> None:
        self._inner, self._hearing, self._of_pods = inner, hearing, of_pods

    @property
    def status(self) -> int:
        return self._inner.status

    @property
    def headers(self) -> Mapping[str, str]:
        return self._inner.headers

    async def read(self) -> bytes:
        return await self._inner.read()

    async def chunks(self) -> AsyncIterator[bytes]:
        async for chunk in self._inner.chunks():
            if self._hearing.trouble in (("stale", "uneven") if self._of_pods else ("stale",)):
                await self._hearing.wait()
            is_doubled = self._hearing.trouble == "doubled"
            yield chunk
            if is_doubled:
                yield chunk

    async def close(self) -> None:
        await self._inner.close()
