"""Watch streams: from chunks of bytes to batches of typed events.

A chunk ends anywhere, even inside a character. `Lines` hands on whole lines only and touches every byte a bounded
number of times: incomplete tails are kept as a list of parts and joined once. All lines that arrived together are
decoded by one call into C, so an informer wakes once per batch and not once per event.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import lru_cache
from typing import Any, Generic, Literal, TypeVar, cast

import msgspec
from msgspec import Struct

from homeostat.kube.errors import ApiError, MalformedAnswer, Status, from_status

T = TypeVar("T")

INITIAL_EVENTS_END = "k8s.io/initial-events-end"
# etcd refuses objects above 1.5 MB by default; a "line" far beyond any limit is not a watch stream.
MAX_LINE_BYTES = 64 * 1024 * 1024

EventType = Literal["ADDED", "MODIFIED", "DELETED", "BOOKMARK"]


class WatchEvent(Struct, Generic[T], frozen=True, gc=False):
    """One change of one object, or a bookmark (no object, only how far the stream has come)."""

    type: EventType
    object: T | None
    resource_version: str
    initial_end: bool = False  # this bookmark ends the initial events of a streaming list


class Lines:
    """Joins chunks into runs of whole lines."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._held = 0

    def feed(self, chunk: bytes) -> bytes:
        """All lines that are complete now, as one run ending in a newline; empty when none is."""
        end = chunk.rfind(b"\n") + 1
        if not end:
            self._hold(chunk)
            return b""
        if self._parts:
            run = b"".join((*self._parts, chunk[:end]))
            self._parts.clear()
            self._held = 0
        else:
            run = chunk[:end]
        if end < len(chunk):
            self._hold(chunk[end:])
        return run

    def _hold(self, part: bytes) -> None:
        if part:
            self._parts.append(part)
            self._held += len(part)
        if self._held > MAX_LINE_BYTES:
            raise MalformedAnswer(f"watch: expected lines below {MAX_LINE_BYTES} bytes, found more without an end")

    @property
    def rest(self) -> bytes:
        """What is left after the last newline: anything but blanks means that the stream was cut."""
        return b"".join(self._parts).strip()


class _Added(Struct, Generic[T], tag="ADDED", tag_field="type"):
    object: T


class _Modified(Struct, Generic[T], tag="MODIFIED", tag_field="type"):
    object: T


class _Deleted(Struct, Generic[T], tag="DELETED", tag_field="type"):
    object: T


class _BookmarkMeta(Struct, rename="camel"):
    resource_version: str = ""
    annotations: dict[str, str] | None = None


class _BookmarkObject(Struct):
    metadata: _BookmarkMeta


class _Bookmark(Struct, tag="BOOKMARK", tag_field="type"):
    object: _BookmarkObject


class _Error(Struct, tag="ERROR", tag_field="type"):
    object: Status


class EventDecoder(Generic[T]):
    """Decodes runs of watch lines for one type; made once per type by `event_decoder`."""

    def __init__(self, of: type[T]) -> None:
        self._of = of
        frames = _Added[of] | _Modified[of] | _Deleted[of] | _Bookmark | _Error  # type: ignore[valid-type]
        self._decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(frames)
        self._version = resource_version_of(of)

    def decode(self, run: bytes, doing: str) -> tuple[list[WatchEvent[T]], Exception | None]:
        """The events of a run of lines, and the error that ends the stream after them, if any does."""
        try:
            frames = self._decoder.decode_lines(run)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return self._decode_up_to_error(run, doing)
        return self._events(frames, doing)

    def _events(self, frames: list[Any], doing: str) -> tuple[list[WatchEvent[T]], ApiError | None]:
        version = self._version
        events: list[WatchEvent[T]] = []
        for frame in frames:
            kind = type(frame)
            if kind is _Modified:
                events.append(WatchEvent("MODIFIED", frame.object, version(frame.object)))
            elif kind is _Added:
                events.append(WatchEvent("ADDED", frame.object, version(frame.object)))
            elif kind is _Deleted:
                events.append(WatchEvent("DELETED", frame.object, version(frame.object)))
            elif kind is _Bookmark:
                events.append(_bookmark(frame.object.metadata))
            else:
                return events, from_status(frame.object, doing)
        return events, None

    def _decode_up_to_error(self, run: bytes, doing: str) -> tuple[list[WatchEvent[T]], Exception | None]:
        """The slow way, line by line, so that the events before a bad line are not lost with it."""
        events: list[WatchEvent[T]] = []
        for line in run.splitlines():
            if not line.strip():
                continue
            try:
                frame = self._decoder.decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                return events, MalformedAnswer(f"{doing}: expected an event of {_name(self._of)}, but {error}")
            more, end = self._events([frame], doing)
            events += more
            if end:
                return events, end
        return events, None


def _bookmark(metadata: _BookmarkMeta) -> WatchEvent[Any]:
    ends = (metadata.annotations or {}).get(INITIAL_EVENTS_END) == "true"
    return WatchEvent("BOOKMARK", None, metadata.resource_version, ends)


def event_decoder(of: type[T]) -> EventDecoder[T]:
    """The decoder of a type, made once: making one costs far more than an event."""
    return cast("EventDecoder[T]", _event_decoder(cast(Hashable, of)))


@lru_cache(maxsize=1024)
def _event_decoder(of: Hashable) -> EventDecoder[Any]:
    return EventDecoder(cast("type[Any]", of))


def resource_version_of(of: type[T]) -> Callable[[T], str]:
    """How to read metadata.resourceVersion from values of a type; types without metadata read as empty."""
    if isinstance(of, type) and issubclass(of, Struct):
        if "metadata" in of.__struct_fields__:
            return _version_of_struct
        return _no_version
    return _version_of_mapping


def _version_of_struct(value: Any) -> str:
    version: str = value.metadata.resource_version
    return version


def _version_of_mapping(value: Any) -> str:
    version: str = value.get("metadata", {}).get("resourceVersion", "")
    return version


def _no_version(value: Any) -> str:  # noqa: ARG001  (has the shape of the other two)
    return ""


def _name(of: object) -> str:
    return getattr(of, "__name__", str(of))
