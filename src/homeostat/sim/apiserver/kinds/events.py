"""Events, in the old form (v1) and the new one (events.k8s.io/v1).

A real server keeps one object and tells it in both. Here either collection has its own copy, written with the other one
at the same revision: what is written in one form is there in the other, and ends there when it ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from homeostat.sim.apiserver.refusing import Cause
from homeostat.sim.apiserver.schemas.causes import invalid, required
from homeostat.sim.apiserver.schemas.labels import label_name_faults
from homeostat.sim.apiserver.store.record import key_of, record
from homeostat.sim.apiserver.store.store import Collection, Store
from homeostat.sim.apiserver.types.encoding import complete, node, shorten
from homeostat.sim.apiserver.types.metadata import IMMUTABLE
from homeostat.sim.apiserver.types.type import Strategy, Value

OLD: Collection = ("", "events")
NEW: Collection = ("events.k8s.io", "events")
# The same thing in the old form and in the new one.
_WORDS = {
    "involvedObject": "regarding",
    "message": "note",
    "source": "deprecatedSource",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "lastTimestamp": "deprecatedLastTimestamp",
    "count": "deprecatedCount",
    "reportingComponent": "reportingController",
}
_BACK = {new: old for old, new in _WORDS.items()}
_ABOUT = ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
_FIXED = ("regarding", "action", "reason", "note", "type", "reportingController", "reportingInstance", "eventTime")
_UNSET = {"deprecatedCount": "count", "deprecatedFirstTimestamp": "firstTimestamp"}
_UNSET |= {"deprecatedLastTimestamp": "lastTimestamp"}
_LONGEST, _LONGEST_NOTE = 128, 1024


class EventStrategy(Strategy):
    """Of one form. Only what is written in the new one is judged by the rules of that."""

    def __init__(self, store: Store, mine: Collection) -> None:
        self._store = store
        self._is_new = mine == NEW
        self._other = OLD if self._is_new else NEW

    def causes(self, value: Value, old: Value | None) -> Iterable[Cause]:
        """Of where it belongs, and in the new form of all that it must say."""
        about = value.get("regarding" if self._is_new else "involvedObject") or {}
        namespace = about.get("namespace", "")
        if not _may_stand(
            namespace, value["metadata"].get("namespace", ""), has_time=value.get("eventTime") is not None
        ):
            yield invalid("involvedObject.namespace", namespace, "does not match event.namespace")
        if self._is_new:
            yield from _of_new(value)
            if old is not None:
                yield from _of_change(value, old)

    def fields(self, value: Value) -> Mapping[str, str]:
        """Whom it is about, and who tells."""
        names = _names(is_new=self._is_new)
        about = value.get("regarding" if self._is_new else "involvedObject") or {}
        component = (value.get("deprecatedSource" if self._is_new else "source") or {}).get("component", "")
        reporter = value.get("reportingController" if self._is_new else "reportingComponent", "")
        found = [str(about.get(name, "")) for name in _ABOUT]
        return dict(
            zip(
                names,
                [*found, value.get("reason", ""), value.get("type", ""), reporter, component or reporter],
                strict=True,
            )
        )

    @property
    def selectable(self) -> tuple[str, ...]:
        """Whom it is about, and who tells."""
        return _names(is_new=self._is_new)

    def on_stored(self, value: Value) -> None:
        """Tell it in the other form, too."""
        told = _told(value, _BACK if self._is_new else _WORDS, self._other)
        fields = EventStrategy(self._store, self._other).fields(told)
        self._store.shelf(self._other).put(record(told, self._store.revision, fields))

    def on_gone(self, value: Value) -> None:
        """It ends in the other form, too."""
        metadata = value["metadata"]
        key = key_of(metadata.get("namespace", ""), metadata["name"])
        self._store.shelf(self._other).drop(key, self._store.revision)


def _names(*, is_new: bool) -> tuple[str, ...]:
    about, source = ("regarding", "deprecatedSource") if is_new else ("involvedObject", "source")
    reporter = "reportingController" if is_new else "reportingComponent"
    return (*(f"{about}.{name}" for name in _ABOUT), "reason", "type", reporter, source)


def _told(value: Value, words: Mapping[str, str], to: Collection) -> Value:
    told = {words.get(name, name): each for name, each in value.items() if name not in ("kind", "apiVersion")}
    at = node(to[0], "v1", "Event")
    shorten(told, at)
    complete(told, at)
    return told


def _may_stand(about: str, namespace: str, *, has_time: bool) -> bool:
    """Whether an Event about something in one namespace may stand in another one; what has none is told of in these."""
    if about:
        return has_time or about == namespace
    return namespace == "default" or (has_time and namespace == "kube-system")


def _of_new(value: Value) -> Iterator[Cause]:
    if value.get("eventTime") is None:
        yield required("eventTime")
    series = value.get("series")
    if series is not None:
        if series.get("count", 0) < 2:
            yield invalid("series.count", "", "should be at least 2")
        if series.get("lastObservedTime") is None:
            yield required("series.lastObservedTime")
    if value.get("eventTime") is not None:
        yield from _of_teller(value)
    if len(value.get("note", "")) > _LONGEST_NOTE:
        yield invalid("message", "", f"can have at most {_LONGEST_NOTE} characters")
    if value.get("type") not in ("Normal", "Warning"):
        yield invalid("type", "", f"has invalid value: {value.get('type', '')}")
    for name, old in _UNSET.items():
        if value.get(name):
            yield invalid(old, "", "needs to be unset")


def _of_teller(value: Value) -> Iterator[Cause]:
    reporter = value.get("reportingController", "")
    if not reporter:
        yield required("reportingController")
    yield from (invalid("reportingController", reporter, fault) for fault in label_name_faults(reporter))
    for name in ("reportingInstance", "action", "reason"):
        yield from _of_length(value, name)


def _of_length(value: Value, name: str) -> Iterator[Cause]:
    if not value.get(name):
        yield required(name)
    elif len(value[name]) > _LONGEST:
        yield invalid(name, "", f"can have at most {_LONGEST} characters")


def _of_change(value: Value, old: Value) -> Iterator[Cause]:
    for name in _FIXED:
        if value.get(name) != old.get(name):
            yield invalid(_BACK.get(name, name), value.get(name), IMMUTABLE)
