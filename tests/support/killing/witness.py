"""Sees every request, answer and event of a simulation: has a digest of them, and holds what happens to invariants."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator

from tests.support.killing.invariants import INVARIANTS, OF_REQUESTS, Happened, Seen
from tests.support.kubelet import KINDS
from tests.support.membership import FakeEtcd
from tests.support.passing import Passing

from homeostat.kit.clock import Clock
from homeostat.kube.transport import Request, Response, Transport
from homeostat.sim.apiserver.access.attributes import User
from homeostat.sim.apiserver.server import ApiServer
from homeostat.sim.transport import SimTransport

_COLLECTIONS = {(kind.resource.group, kind.resource.plural): name for name, kind in KINDS.items()}


class Witness:
    """Of one API server. `check` raises what was wrong, once: a task that is told of it may die of something else."""

    def __init__(self, server: ApiServer, clock: Clock, etcd: FakeEtcd) -> None:
        self.wrong: list[str] = []
        self.writers: dict[str, object] = {}
        self.seen = Seen(etcd)
        self._server, self._clock = server, clock
        self._digest = hashlib.sha256()
        self._revision = server.store.revision

    @property
    def digest(self) -> str:
        """Of all that was said, with the times at which it was."""
        return self._digest.hexdigest()

    @property
    def revision(self) -> int:
        """Of the server, now."""
        return self._server.store.revision

    def tell(self, why: str) -> None:
        """Something is wrong."""
        self._note((why,))

    def check(self) -> None:
        """Raise AssertionError when anything was ever wrong."""
        assert not self.wrong, "\n".join(self.wrong)

    def watched(self, user: User, judged: str = "") -> Transport:
        """A way to the server for a user, whose requests are held to rules if it is the one that is judged."""
        return _Watched(SimTransport(self._server, user, clock=self._clock), user.name, self, user.name == judged)

    def hear(self, *parts: str | bytes) -> None:
        """Add to the digest."""
        for part in (f"{self._clock.monotonic():.9f}", *parts):
            data = part if isinstance(part, bytes) else part.encode()
            self._digest.update(b"%d:%b" % (len(data), data))

    def judge(self, request: Request) -> None:
        """Hold a request to the rules of requests."""
        self._note(rule(request) for rule in OF_REQUESTS)

    def look(self, by: str) -> None:
        """Hold to the invariants what has happened since the last look."""
        store, since = self._server.store, self._revision
        if store.revision == since:
            return
        self._revision = store.revision
        histories = {name: store.shelf(collection).history for collection, name in _COLLECTIONS.items()}
        found = [
            (change, name)
            for name, history in histories.items()
            for change in history.after(max(since, history.forgotten))
        ]
        for change, kind in sorted(found, key=lambda each: each[0].revision):
            old = change.old.value(b"") if change.old is not None else None
            new = change.new.value(b"") if change.new is not None else None
            happened = Happened(kind, old, new, by)
            name = str(happened.obj["metadata"]["name"])
            if new is None:
                self.seen.objects.pop((kind, name), None)
            else:
                self.seen.objects[kind, name] = new
            self._note(holds(self.seen, happened) for holds in INVARIANTS)

    def _note(self, found: object) -> None:
        self.wrong += [f"at {self._clock.monotonic():g} s: {why}" for why in found if why]  # type: ignore[attr-defined]


class _Watched:
    def __init__(self, inner: Transport, user: str, witness: Witness, is_judged: bool) -> None:
        self._inner, self._user, self._witness, self._is_judged = inner, user, witness, is_judged

    async def send(self, request: Request) -> Response:
        witness, query = self._witness, "&".join("=".join(pair) for pair in request.query)
        witness.hear(self._user, request.method, request.path, query, request.body or b"")
        if self._is_judged:
            witness.judge(request)
        response = await self._inner.send(request)
        if request.method != "GET":
            witness.look(self._user)
        return _Heard(response, witness)

    async def close(self) -> None:
        await self._inner.close()


class _Heard(Passing):
    def __init__(self, inner: Response, witness: Witness) -> None:
        super().__init__(inner)
        self._witness = witness

    async def read(self) -> bytes:
        body = await self._inner.read()
        self._witness.hear(str(self.status), body)
        return body

    async def chunks(self) -> AsyncIterator[bytes]:
        async for chunk in self._inner.chunks():
            self._witness.hear(chunk)
            yield chunk
