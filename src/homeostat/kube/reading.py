"""The verbs that change nothing: get, list, pages, watch."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, Generic, Literal, TypeVar

from msgspec import Struct

from homeostat.api.kind import Kind
from homeostat.kube.calling import Caller, Query, decode, doing, named
from homeostat.kube.errors import ConnectionFailed, Gone
from homeostat.kube.retrying import NO_RETRIES
from homeostat.kube.watching import Lines, WatchEvent, event_decoder

T = TypeVar("T")

# How much earlier than our patience ends the server is asked to end a watch: time for its last bytes to arrive.
SILENCE_MARGIN_S = 15.0

Match = Literal["", "NotOlderThan", "Exact"]
Batch = list[WatchEvent[T]]  # also because `list` is a method below


class ObjectList(Struct, Generic[T]):
    """Objects as of one resourceVersion: all that were asked for, or one page of them."""

    items: list[T]
    resource_version: str = ""
    continue_token: str = ""
    remaining: int | None = None


class _Meta(
    Struct,
    frozen=True,
    rename={"resource_version": "resourceVersion", "remaining": "remainingItemCount", "token": "continue"},
):
    resource_version: str = ""
    token: str = ""
    remaining: int | None = None


class ListOf(Struct, Generic[T], rename={"api_version": "apiVersion"}):
    """A list answer as the API server writes it."""

    items: list[T] | None = None  # Go writes an empty slice as null
    metadata: _Meta = _Meta()
    api_version: str = ""
    kind: str = ""


class Reader(Caller):
    """Reads objects, once or as they change."""

    async def get(self, kind: Kind[T], name: str, namespace: str = "", *, subresource: str = "") -> T:
        """One object. Raises NotFound."""
        resource = kind.resource
        body = await self._call("get", "GET", resource, named(resource, name), namespace, subresource, idempotent=True)
        return decode(kind.type, body, doing("get", kind, name, namespace, subresource))

    async def list(
        self,
        kind: Kind[T],
        namespace: str = "",
        *,
        labels: str = "",
        fields: str = "",
        resource_version: str = "",
        match: Match = "",
        page_size: int = 500,
    ) -> ObjectList[T]:
        """All objects, page by page, as of one resourceVersion; an empty namespace means all namespaces.

        When the continue token expires between pages (410), the whole is read again without pages, as client-go does.
        """
        whole: ObjectList[T] = ObjectList([])
        try:
            async with aclosing(
                self.pages(
                    kind,
                    namespace,
                    labels=labels,
                    fields=fields,
                    resource_version=resource_version,
                    match=match,
                    page_size=page_size,
                )
            ) as pages:
                async for page in pages:
                    whole.items += page.items
                    whole.resource_version = page.resource_version
        except Gone:
            if not whole.items:
                raise
            query = _list_query(labels, fields, "", "", 0)
            return await self._page(kind, namespace, query)
        return whole

    async def pages(
        self,
        kind: Kind[T],
        namespace: str = "",
        *,
        labels: str = "",
        fields: str = "",
        resource_version: str = "",
        match: Match = "",
        page_size: int = 500,
    ) -> AsyncGenerator[ObjectList[T], None]:
        """The same objects one page at a time. Raises Gone when the continue token expires between pages.

        `resource_version` without `match` means not older than it; "0" takes whatever the server has in its cache.
        """
        query = _list_query(labels, fields, resource_version, match, page_size)
        while True:
            page = await self._page(kind, namespace, query)
            yield page
            if not page.continue_token:
                return
            # A continued list is of the resourceVersion it began with; the server refuses to hear both.
            query = [*_list_query(labels, fields, "", "", page_size), ("continue", page.continue_token)]

    async def page(self, kind: Kind[T], *, after: str = "", page_size: int = 500) -> ObjectList[T]:
        """One page of the objects of all namespaces, after the one whose continue token is given.

        With a token that has expired it goes on from the same place, among what is there now: whoever needs all
        objects of one moment takes `list`. Raises Gone when the server no longer knows that place either.
        """
        query = _list_query("", "", "", "", page_size)
        try:
            return await self._page(kind, "", [*query, ("continue", after)] if after else query)
        except Gone as error:
            if not after or not error.continue_token:
                raise
            return await self._page(kind, "", [*query, ("continue", error.continue_token)])

    async def _page(self, kind: Kind[T], namespace: str, query: Query) -> ObjectList[T]:
        body = await self._call("list", "GET", kind.resource, "", namespace, query=query, idempotent=True)
        of = kind.type
        answer = decode(ListOf[of], body, doing("list", kind, "", namespace))  # type: ignore[valid-type]
        items: list[T] = answer.items or []
        if not (isinstance(of, type) and issubclass(of, Struct)):
            _fill_types(items, kind, answer)
        meta = answer.metadata
        return ObjectList(items, meta.resource_version, meta.token, meta.remaining)

    async def watch(
        self,
        kind: Kind[T],
        namespace: str = "",
        *,
        resource_version: str = "",
        labels: str = "",
        fields: str = "",
        send_initial_events: bool = False,
        timeout_s: float = 300.0,
        idle_timeout_s: float | None = 90.0,
    ) -> AsyncGenerator[WatchEvent[T], None]:
        """The events of `watch_batches`, one by one."""
        batches = self.watch_batches(
            kind,
            namespace,
            resource_version=resource_version,
            labels=labels,
            fields=fields,
            send_initial_events=send_initial_events,
            timeout_s=timeout_s,
            idle_timeout_s=idle_timeout_s,
        )
        async with aclosing(batches):
            async for batch in batches:
                for event in batch:
                    yield event

    async def watch_batches(
        self,
        kind: Kind[T],
        namespace: str = "",
        *,
        resource_version: str = "",
        labels: str = "",
        fields: str = "",
        send_initial_events: bool = False,
        timeout_s: float = 300.0,
        idle_timeout_s: float | None = 90.0,
    ) -> AsyncGenerator[Batch[T], None]:
        """Changes from `resource_version` on, all that arrive together as one batch, over one connection.

        Ends when the server ends it (after `timeout_s` at the latest): watch again from the last event's version.
        Raises Gone when that version is too old, in place of the answer or within it, ConnectionFailed when the stream
        breaks, and TimedOut when nothing comes for `idle_timeout_s`. With `send_initial_events` the present state comes
        first, as ADDED events closed by a BOOKMARK with `initial_end`; `resource_version` then is what the state must
        not be older than.

        A watch of a quiet kind is silent: bookmarks come about once a minute, but only when the version has grown
        (measured on 1.35: the first after 120 s). So that silence proves a dead connection, the server is asked to end
        the watch before `idle_timeout_s` is over; None waits for ever and leaves the judgement to TCP.
        Events before an error are delivered before it is raised. Close the iterator when leaving it early.
        """
        if idle_timeout_s is not None:
            timeout_s = min(timeout_s, max(1.0, idle_timeout_s - SILENCE_MARGIN_S))
        query = _watch_query(labels, fields, resource_version, timeout_s, initial=send_initial_events)
        call = self._stream(
            "watch", kind.resource, "", namespace, "", query=query, idle_timeout_s=idle_timeout_s, retries=NO_RETRIES
        )
        decoder = event_decoder(kind.type)
        lines = Lines()
        response = await self._exchange.open(call)
        try:
            async for chunk in self._exchange.flow(call, response):
                run = lines.feed(chunk)
                if not run:
                    continue
                events, error = decoder.decode(run, call.doing)
                if events:
                    yield events
                if error:
                    raise error
            if lines.rest:
                raise ConnectionFailed(f"{call.doing}: the stream was cut in the middle of an event")
        finally:
            await response.close()


def _selectors(labels: str, fields: str) -> Query:
    query: Query = []
    if labels:
        query.append(("labelSelector", labels))
    if fields:
        query.append(("fieldSelector", fields))
    return query


def _list_query(labels: str, fields: str, resource_version: str, match: Match, page_size: int) -> Query:
    query = _selectors(labels, fields)
    if page_size:
        query.append(("limit", str(page_size)))
    if resource_version:
        # Without a match the server's meaning depends on the limit; we always say which we mean.
        query += [("resourceVersion", resource_version), ("resourceVersionMatch", match or "NotOlderThan")]
    return query


def _watch_query(labels: str, fields: str, resource_version: str, timeout_s: float, *, initial: bool) -> Query:
    query = _selectors(labels, fields)
    query += [("watch", "true"), ("allowWatchBookmarks", "true"), ("timeoutSeconds", str(max(1, int(timeout_s))))]
    if resource_version:
        query.append(("resourceVersion", resource_version))
    if initial:
        query += [("sendInitialEvents", "true"), ("resourceVersionMatch", "NotOlderThan")]
    return query


def _fill_types(items: list[Any], kind: Kind[Any], answer: ListOf[Any]) -> None:
    """Built-in kinds omit apiVersion and kind inside lists; whole objects should stand on their own."""
    api_version = answer.api_version or kind.resource.api_version
    for item in items:
        if isinstance(item, dict) and "kind" not in item:
            item["apiVersion"] = api_version
            item["kind"] = kind.resource.kind
