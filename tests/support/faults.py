"""A transport that makes an API server fail as told, and that remembers every request that passed."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from typing import Literal

from msgspec import Struct
from tests.support.passing import Passing
from tests.support.scripted import Answer, status

from homeostat.kube.errors import ConnectionFailed
from homeostat.kube.transport import Request, Response, Transport

When = Callable[[Request], bool]


class Sent(Struct):
    """A request: what it asked for, and how it was answered (0: not yet, or never)."""

    method: str
    path: str
    status: int = 0


class Rule(Struct):
    """What happens to the next requests that it is about."""

    when: When
    answer: Callable[[], Answer] | None  # None: the request is served, but its answer is lost
    left: int
    met: int = 0
    until: asyncio.Event | None = None  # it is served, but not before this


class Faults:
    """Wraps a transport. Rules apply to requests of every verb that their `when` accepts, the first rule first."""

    def __init__(self, inner: Transport) -> None:
        self.sent: list[Sent] = []
        self.stopped = asyncio.Event()  # a kill point was reached: nothing passes any more
        self._inner = inner
        self._rules: list[Rule] = []
        self._streams: dict[_Stream, None] = {}  # no set: they are cut in the order in which they began
        self._kill: tuple[Literal["before", "after"], int] | None = None
        self._writes = 0

    def refuse(self, code: int, reason: str, message: str = "", *, when: When, times: int = 1 << 30) -> Rule:
        """Answer with an error, and serve nothing."""
        headers = {"Retry-After": "1"} if code == 429 else {}
        body = status(code, reason, message or f"a test refuses with {code}")
        return self._add(Rule(when, lambda: Answer(code, body, headers=headers), times))

    def lose_answers(self, *, when: When, times: int) -> Rule:
        """Serve, but let nobody know."""
        return self._add(Rule(when, None, times))

    def hold(self, *, when: When) -> Rule:
        """Let requests wait until the rule's event is set, and serve them then."""
        rule = self._add(Rule(when, None, 1 << 30))
        rule.until = asyncio.Event()
        return rule

    def heal(self) -> None:
        """No rule applies any more."""
        self._rules.clear()

    def cut_watches(self) -> int:
        """Break every watch that is open; returns how many."""
        streams = list(self._streams)
        for stream in streams:
            stream.cut()
        return len(streams)

    def kill_at(self, moment: Literal["before", "after"], write: int) -> None:
        """Let nothing pass, and nobody hear an answer, from right before or after this write on, counted from now."""
        self._kill = (moment, write)
        self._writes = 0

    @property
    def writes(self) -> list[Sent]:
        """What changed something, or tried to, Events left out."""
        return [sent for sent in self.sent if sent.method != "GET" and "/events" not in sent.path]

    async def send(self, request: Request) -> Response:
        if self.stopped.is_set():
            await asyncio.Event().wait()
        moment = self._moment(request)
        if moment == "before":
            await self._stop()
        sent = Sent(request.method, request.path)
        self.sent.append(sent)
        rule = self._rule(request)
        if rule is not None and rule.answer is not None:
            answer = rule.answer()
            sent.status = answer.status
            return answer
        if rule is not None and rule.until is not None:
            await rule.until.wait()
            rule = None
        response = await self._inner.send(request)
        sent.status = response.status
        if moment == "after":
            await response.read()
            await response.close()
            await self._stop()
        if rule is not None:
            await response.read()
            await response.close()
            raise ConnectionFailed("a test lost the answer")
        if ("watch", "true") in request.query:
            return _Stream(response, self._streams)
        return response

    async def close(self) -> None:
        await self._inner.close()

    def _add(self, rule: Rule) -> Rule:
        self._rules.append(rule)
        return rule

    def _rule(self, request: Request) -> Rule | None:
        rule = next((rule for rule in self._rules if rule.left and rule.when(request)), None)
        if rule is not None:
            rule.left -= 1
            rule.met += 1
        return rule

    def _moment(self, request: Request) -> str:
        if self._kill is None or not is_write(request):
            return ""
        self._writes += 1
        moment, write = self._kill
        return moment if self._writes == write else ""

    async def _stop(self) -> None:
        self.stopped.set()
        await asyncio.Event().wait()


class _Stream(Passing):
    """An answer that can be cut."""

    def __init__(self, inner: Response, streams: dict[_Stream, None]) -> None:
        super().__init__(inner)
        self._streams = streams
        self._cut = asyncio.Event()
        streams[self] = None

    def cut(self) -> None:
        self._cut.set()

    async def chunks(self) -> AsyncIterator[bytes]:
        chunks = aiter(self._inner.chunks())
        cut = asyncio.ensure_future(self._cut.wait())
        try:
            while True:
                chunk = asyncio.ensure_future(anext(chunks, None))
                try:
                    await asyncio.wait((chunk, cut), return_when=asyncio.FIRST_COMPLETED)
                    if cut.done():
                        raise ConnectionFailed("a test cut the stream")
                    found = chunk.result()
                finally:
                    chunk.cancel()
                    await asyncio.gather(chunk, return_exceptions=True)
                if found is None:
                    return
                yield found
        finally:
            cut.cancel()

    async def close(self) -> None:
        self._streams.pop(self, None)
        await self._inner.close()


def is_write(request: Request) -> bool:
    """Whether it changes something that the operator's work rests on: Events do not count."""
    return request.method != "GET" and "/events" not in request.path


def writes_of(*plurals: str) -> When:
    """Accepts writes to these resources; to all when none is named."""

    def when(request: Request) -> bool:
        parts = request.path.split("/")
        return is_write(request) and (not plurals or any(plural in parts for plural in plurals))

    return when


def make_trouble(faults: Faults, dice: random.Random) -> None:
    """One kind of trouble in the place of the one before, or none: refusals, lost answers, conflicts, cut watches."""
    faults.heal()
    match dice.randrange(5):
        case 0:
            faults.refuse(500, "InternalError", when=lambda _: dice.random() < 0.5)
        case 1:
            faults.lose_answers(when=lambda request: is_write(request) and dice.random() < 0.5, times=9)
        case 2:
            faults.refuse(409, "Conflict", when=lambda request: is_write(request) and dice.random() < 0.5, times=9)
        case 3:
            faults.cut_watches()
