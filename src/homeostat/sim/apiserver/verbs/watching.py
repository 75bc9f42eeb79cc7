"""Watch: the present state where it is asked for, then every change in its order, until the client has had enough.

A watch with a selector tells of an object that comes into its sight as added, and of one that leaves it as deleted, in
the state in which it was last in sight. Bookmarks say how far the stream has come though nothing in sight has changed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import msgspec

from homeostat.kit.clock import Clock
from homeostat.sim.apiserver.answer import Answer
from homeostat.sim.apiserver.refusing import Cause, Refused, invalid
from homeostat.sim.apiserver.store.history import Change, EventType, TooOld
from homeostat.sim.apiserver.store.record import Record
from homeostat.sim.apiserver.store.shelf import Shelf
from homeostat.sim.apiserver.store.store import Store
from homeostat.sim.apiserver.types.routing import Asked
from homeostat.sim.apiserver.verbs.reading import Selection, read_revision, selection, too_large

# As the watch cache of a kube-apiserver sends them (bookmarkFrequency), and how long it lets a watch last that says
# nothing of it (min-request-timeout, of which it takes one to two).
BOOKMARK_EVERY_S = 60.0
LASTS_S = 1800.0
_PIECE = 500  # events that are told together, as many as clients ask for objects on a page
_INITIAL_END = b'"annotations":{"k8s.io/initial-events-end":"true"},'


def watch(store: Store, clock: Clock, asked: Asked) -> Answer:
    """A stream of events. Raises Refused."""
    stream = _Stream(store, clock, asked, selection(asked))
    return Answer(200, stream=stream.frames())


class _Stream:
    def __init__(self, store: Store, clock: Clock, asked: Asked, chosen: Selection) -> None:
        self._store = store
        self._shelf: Shelf = store.shelf(asked.type.collection)
        self._clock = clock
        self._chosen = chosen
        self._prefix = f"{chosen.namespace}/" if chosen.namespace else ""
        self._head = asked.type.head
        try:
            self._revision = read_revision(asked.query.get("resourceVersion", ""))
        except Refused as error:
            raise Refused(500, "", error.message) from error  # as a real server says it of watches
        self._known = self._revision  # how far the client knows that it has heard all
        self._has_bookmarks = asked.flag("allowWatchBookmarks")
        self._wants_state = _wants_state(asked)
        self._begins = self._wants_state or not self._revision
        if self._wants_state and self._revision > store.revision:
            raise too_large(self._revision, store.revision)
        self._ends_at = clock.monotonic() + (float(asked.query.get("timeoutSeconds") or 0) or LASTS_S)

    async def frames(self) -> AsyncIterator[bytes]:
        """Events as lines, those that are there together as one piece."""
        if self._begins:
            for piece in self._state():
                yield piece
        marked_at = self._clock.monotonic()
        while (now := self._clock.monotonic()) < self._ends_at:
            try:
                changes = self._shelf.history.after(self._revision, _PIECE)
            except TooOld as error:
                yield _frame(b"ERROR", msgspec.json.encode(Refused(410, "Expired", str(error)).status()))
                return
            if changes:
                self._revision = changes[-1].revision
                if told := b"".join(self._told(change) for change in changes):
                    self._known = self._revision
                    yield told
                continue
            if self._has_bookmarks and now >= marked_at + BOOKMARK_EVERY_S:
                marked_at = now
                if self._store.revision > self._known:
                    yield self._bookmark(b"")
            await self._sleep(min(self._ends_at, marked_at + BOOKMARK_EVERY_S) - now)

    def _state(self) -> Iterator[bytes]:
        """The state of one moment, in pieces: whole, it would be in memory twice."""
        self._revision = self._known = self._store.revision
        end = self._bookmark(_INITIAL_END) if self._wants_state else b""
        seen = [each for each in self._shelf.within(self._chosen.namespace) if self._chosen.has(each)]
        for at in range(0, len(seen), _PIECE):
            told = b"".join([_event("ADDED", each, self._head) for each in seen[at : at + _PIECE]])
            yield told if at + _PIECE < len(seen) else told + end
        if end and not seen:
            yield end

    def _told(self, change: Change) -> bytes:
        old, new = change.old, change.new
        was, is_ = self._sees(old), self._sees(new)
        if new is not None and is_:
            return _event("MODIFIED" if was else "ADDED", new, self._head)
        return _event("DELETED", old.at(change.revision), self._head) if old is not None and was else b""

    def _sees(self, record: Record | None) -> bool:
        return record is not None and record.key.startswith(self._prefix) and self._chosen.has(record)

    def _bookmark(self, annotations: bytes) -> bytes:
        self._revision = self._known = self._store.revision
        metadata = b'{%b"metadata":{"resourceVersion":"%d",%b"creationTimestamp":null}}'
        return _frame(b"BOOKMARK", metadata % (self._head, self._revision, annotations))

    async def _sleep(self, seconds: float) -> None:
        try:
            async with self._clock.timeout(seconds):
                self._revision = max(self._revision, await self._shelf.wait(self._revision))
        except TimeoutError:
            return


def _wants_state(asked: Asked) -> bool:
    """Whether the present state is to come first, with a bookmark at its end. Raises Refused."""
    wants = asked.flag("sendInitialEvents")
    match = asked.query.get("resourceVersionMatch", "")
    if "sendInitialEvents" in asked.query and match != "NotOlderThan":
        text = "Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
        raise invalid("meta.k8s.io", "ListOptions", "", [Cause("FieldValueForbidden", text, "resourceVersionMatch")])
    if wants and not asked.flag("allowWatchBookmarks"):
        text = "Forbidden: sendInitialEvents requires setting allowWatchBookmarks to true"
        raise invalid("meta.k8s.io", "ListOptions", "", [Cause("FieldValueForbidden", text, "allowWatchBookmarks")])
    return wants


def _event(type_: EventType, record: Record, head: bytes) -> bytes:
    return _frame(type_.encode(), record.shown(head))


def _frame(type_: bytes, shown: bytes) -> bytes:
    return b'{"type":"%b","object":%b}\n' % (type_, shown)
