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

No fault of production is as bad as `overlap`: there, a process asks before each look whether its Lease still lasts
(`Controller.permission`), so that but the looks that are under way overlap. Here both look on and on. What they know is
not the same, so they tell in turn what either sees, and nobody ends that but the Lease.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Literal, Protocol, get_args

from msgspec import Struct
from tests.support.faults import Faults, is_write
from tests.support.killing.points import Points
from tests.support.passing import Passing
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

    fault: Fault | None  # that has befallen
    points: Points

    def chosen(self, write: int) -> Fault | None:
        """What is to befall at the write of this number."""

    def overlap(self) -> None:
        """Let a second process lead."""


class Faulty:
    """A process' way to the API server, with at most one fault on it. It counts writes while it is told to."""

    def __init__(self, inner: Transport, *, clock: Clock, world: Troubled) -> None:
        self._hearing = _Hearing(inner, clock)
        self._faults = Faults(self._hearing)
        self._world = world
        self._writes = 0

    async def send(self, request: Request) -> Response:
        if is_write(request) and self._world.points.is_counting and self._world.fault is None:
            self._world.fault = fault = self._world.chosen(self._writes)
            if fault is not None:
                self._befall(fault.kind, request)
            self._writes += 1
        return await self._faults.send(request)

    async def close(self) -> None:
        await self._faults.close()

    def _befall(self, kind: Kind, request: Request) -> None:
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


class _Heard(Passing):
    def __init__(self, inner: Response, hearing: _Hearing, *, of_pods: bool) -> None:
        super().__init__(inner)
        self._hearing, self._of_pods = hearing, of_pods

    async def chunks(self) -> AsyncIterator[bytes]:
        async for chunk in self._inner.chunks():
            if self._hearing.trouble in (("stale", "uneven") if self._of_pods else ("stale",)):
                await self._hearing.wait()
            is_doubled = self._hearing.trouble == "doubled"
            yield chunk
            if is_doubled:
                yield chunk
