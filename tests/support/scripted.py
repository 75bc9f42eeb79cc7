"""A transport that plays a script in memory, and a clock that does not wait: for unit tests of the client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from random import Random

import msgspec
from multidict import CIMultiDict

from homeostat.kit.backoff import Backoff
from homeostat.kube.client import Client
from homeostat.kube.limiting import RateLimit
from homeostat.kube.observing import Observation
from homeostat.kube.retrying import Retries
from homeostat.kube.transport import Request, Response

SILENCE = b"<silence>"  # a chunk that never comes


class HastyClock:
    """Sleeps by moving its own time; deadlines pass faster than told, by default a thousand times."""

    def __init__(self, haste: float = 1000.0) -> None:
        self._haste = haste
        self.slept: list[float] = []
        self._passed = 0.0

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self._passed)

    def monotonic(self) -> float:
        return self._passed

    def advance(self, seconds: float) -> None:
        self._passed += seconds

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self._passed += max(seconds, 0.0)
        await asyncio.sleep(0)

    def timeout(self, seconds: float | None) -> AbstractAsyncContextManager[object]:
        return asyncio.timeout(None if seconds is None else seconds / self._haste)


class Answer:
    """One scripted response: a status and chunks, which may end in silence or in an error."""

    def __init__(
        self,
        status: int = 200,
        body: object = None,
        *,
        headers: Mapping[str, str] | None = None,
        chunks: Sequence[bytes | Exception] | None = None,
    ) -> None:
        self.status = status
        self.headers: Mapping[str, str] = CIMultiDict(headers or {})
        whole = body if isinstance(body, bytes) else msgspec.json.encode({} if body is None else body)
        self._chunks: Sequence[bytes | Exception] = [whole] if chunks is None else chunks
        self.closed = 0

    async def read(self) -> bytes:
        return b"".join([chunk async for chunk in self.chunks()])

    async def chunks(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            if isinstance(chunk, Exception):
                raise chunk
            if chunk is SILENCE:
                await asyncio.Event().wait()
            yield chunk

    async def close(self) -> None:
        self.closed += 1


Step = Answer | Exception | Callable[[Request], Answer]


class ScriptedTransport:
    """Answers requests in the order of the script; a step may be an answer, an error, or a function of the request."""

    def __init__(self, *steps: Step) -> None:
        self._steps = list(steps)
        self.requests: list[Request] = []
        self.closed = False

    async def send(self, request: Request) -> Response:
        self.requests.append(request)
        if not self._steps:
            raise AssertionError(f"the script has no answer for {request}")
        step = self._steps.pop(0)
        if isinstance(step, Exception):
            raise step
        return step(request) if callable(step) else step

    async def close(self) -> None:
        self.closed = True

    @property
    def last(self) -> Request:
        return self.requests[-1]

    def query(self) -> dict[str, str]:
        return dict(self.last.query)

    def body(self) -> dict[str, object]:
        assert self.last.body is not None
        decoded: dict[str, object] = msgspec.json.decode(self.last.body)
        return decoded


class Scripted:
    """A client over a script, with everything that a test may want to look at."""

    def __init__(self, *steps: Step, retries: Retries | None = None, limit_per_second: float = 0.0) -> None:
        self.transport = ScriptedTransport(*steps)
        self.clock = HastyClock()
        self.observed: list[Observation] = []
        limit = RateLimit(per_second=limit_per_second, burst=1, clock=self.clock) if limit_per_second else None
        self.client = Client(
            self.transport,
            clock=self.clock,
            random=Random(1),
            retries=retries or Retries(attempts=3, backoff=Backoff(base_s=1.0)),
            observer=self.observed.append,
            limit=limit,
        )


def status(code: int, reason: str = "", message: str = "", **details: object) -> dict[str, object]:
    """A metav1.Status as API servers send it."""
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "code": code,
        "reason": reason,
        "message": message,
        "details": details,
    }
