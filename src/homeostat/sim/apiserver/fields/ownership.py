"""Who owns which fields after a write: the rules of server-side apply, on entries and typed values.

A write that is not an apply takes what it changes from everybody. An apply takes what it says, may not change what is
another's unless it is forced, and removes what it said the last time and no longer says, if nobody else owns that.

Entries may have been written in other versions than the write: each is judged on the objects in its own version.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from homeostat.sim.apiserver.fields.comparing import Comparison, compare
from homeostat.sim.apiserver.fields.entries import APPLY, UPDATE, Entries, Entry, Manager, Object
from homeostat.sim.apiserver.fields.forms import same
from homeostat.sim.apiserver.fields.merging import merge
from homeostat.sim.apiserver.fields.paths import Path
from homeostat.sim.apiserver.fields.reconciling import reconciled
from homeostat.sim.apiserver.fields.sets import NOTHING, FieldSet
from homeostat.sim.apiserver.fields.typed import fields_of, with_named, without
from homeostat.sim.apiserver.schemas.shape import Shape


class Typed(Struct, frozen=True):
    """An object in one version, and the shape that it has there."""

    value: Object
    shape: Shape


Convert = Callable[[Object, str], Typed | None]
"""An object in another version; None for a version that is no longer served."""


class Writer(Struct, frozen=True):
    """Who writes an object, by which door, and when.

    `reset` are the fields that this door leaves as they are whatever is written (`status` on the main resource), which
    nobody comes to own by it. `now` is a time as objects write it.
    """

    manager: str
    api_version: str
    now: str
    subresource: str = ""
    reset: FieldSet = NOTHING

    def identity(self, operation: str) -> Manager:
        """The manager whose entry this writer's fields go to."""
        version = self.api_version if operation == UPDATE else ""
        return Manager(self.manager or "unknown", operation, version, self.subresource)


class Conflicts(Exception):
    """An apply would change what others own."""

    def __init__(self, fields: dict[Manager, FieldSet]) -> None:
        """`fields` are those of each owner."""
        super().__init__("conflicts")
        self.fields = fields

    def pairs(self) -> list[tuple[Manager, Path]]:
        """Each owner and field, in order."""
        return [(manager, path) for manager in sorted(self.fields) for path in self.fields[manager]]


STRIPPED = FieldSet.named(
    *("apiVersion", "kind", "metadata"),
    *(
        f"metadata.{name}"
        for name in (
            *("name", "namespace", "creationTimestamp", "selfLink", "uid"),
            *("clusterName", "generation", "managedFields", "resourceVersion"),
        )
    ),
)
"""Fields that say which object it is, or that the API server keeps: they are nobody's."""


def updated(entries: Entries, live: Object, new: Object, writer: Writer, convert: Convert) -> Entries:
    """The entries after a write that is not an apply."""
    found = _Differences(live, new, writer, convert)
    left = _released(_settled(entries, live, convert), found, None)
    mine = found.at(writer.api_version).set - STRIPPED
    if not mine:
        return left
    me = writer.identity(UPDATE)
    before = left[me].fields if me in left else NOTHING
    return left | {me: Entry(mine | before, writer.api_version, writer.now)}


def applied(
    entries: Entries, live: Object, config: Object, writer: Writer, convert: Convert, *, force: bool
) -> tuple[Object | None, Entries]:
    """The object after an apply, None if it is as before, and the entries. Raises Conflicts."""
    me = writer.identity(APPLY)
    settled = _settled(entries, live, convert)
    shape = _typed(config, writer, convert).shape
    last = settled.get(me)
    mine = fields_of(config, shape).without(writer.reset)
    held = settled | {me: Entry(mine, writer.api_version, last.time if last else "")}
    new = merge(live, config, shape)
    if last is not None and (last.fields - mine or last.api_version != writer.api_version):
        new = _Pruning(held, last, writer, convert).run(new)
    found = _Differences(live, new, writer, convert)
    conflicts = _conflicts(held, found, me)
    if conflicts and not force:
        raise Conflicts(conflicts)
    left = _released(held, found, me)
    if me in left:
        kept = left[me].fields - STRIPPED
        left = _with(left, me, left[me].with_fields(kept))
    if same(live, new):
        return None, left
    return new, _timed(left, me, writer.now)


def _timed(entries: Entries, me: Manager, now: str) -> Entries:
    return entries | {me: replace(entries[me], time=now)} if me in entries else entries


class _Differences:
    """What a write changes, in each version that is asked for."""

    def __init__(self, live: Object, new: Object, writer: Writer, convert: Convert) -> None:
        self._objects = live, new
        self._writer = writer
        self._convert = convert
        self._known: dict[str, Comparison | None] = {}

    def at(self, api_version: str) -> Comparison:
        """The changes in a version that is served."""
        return self.of(api_version) or Comparison()

    def of(self, api_version: str) -> Comparison | None:
        """The changes in a version; None if it is no longer served."""
        if api_version not in self._known:
            self._known[api_version] = self._compared(api_version)
        return self._known[api_version]

    def _compared(self, api_version: str) -> Comparison | None:
        old, new = (self._convert(each, api_version) for each in self._objects)
        if old is None or new is None:
            return None
        return compare(old.value, new.value, new.shape).without(self._writer.reset)


def _conflicts(entries: Entries, found: _Differences, me: Manager) -> dict[Manager, FieldSet]:
    others = ((manager, entry) for manager, entry in entries.items() if manager != me)
    touched = ((manager, entry.fields & found.at(entry.api_version).set) for manager, entry in others)
    return {manager: fields for manager, fields in touched if fields}


def _released(entries: Entries, found: _Differences, me: Manager | None) -> Entries:
    """The entries without what was changed or removed; without those that own nothing or are of no version."""
    left: Entries = {}
    for manager, entry in entries.items():
        change = found.of(entry.api_version)
        if manager == me:
            left = _with(left, manager, entry)
        elif change is not None:
            left = _with(left, manager, entry.with_fields(entry.fields - change.set - change.removed))
    return left


def _with(entries: Entries, manager: Manager, entry: Entry) -> Entries:
    """The entries with one set; an entry that owns nothing is none."""
    if entry.fields:
        return entries | {manager: entry}
    return {each: entries[each] for each in entries if each != manager}


def _settled(entries: Entries, live: Object, convert: Convert) -> Entries:
    """The entries as the types are now: what became one thing is owned as one. Those of no version go."""
    made: Entries = {}
    for manager, entry in entries.items():
        typed = convert(live, entry.api_version)
        if typed is not None:
            made[manager] = entry.with_fields(reconciled(entry.fields, typed.shape))
    return made


def _typed(value: Object, writer: Writer, convert: Convert) -> Typed:
    typed = convert(value, writer.api_version)
    if typed is None:
        raise LookupError(f"{writer.api_version} is written in and not served")
    return typed


class _Pruning:
    """Removes what an applier said the last time and no longer says, unless it is somebody's."""

    def __init__(self, entries: Entries, last: Entry, writer: Writer, convert: Convert) -> None:
        self._entries = entries
        self._last = last
        self._writer = writer
        self._convert = convert

    def run(self, merged: Object) -> Object:
        """The merged object without what nobody wants any more, in the version of the writer."""
        before = self._convert(merged, self._last.api_version)
        if before is None:
            return merged
        last = with_named(self._last.fields, before.shape)
        pruned: Any = without(before.value, before.shape, last)
        for api_version in self._versions():
            pruned = self._with_owned(merged, pruned, api_version)
        rest = self._convert(pruned, self._last.api_version)
        if rest is None:
            return merged
        gone = self._all_of(before) - self._all_of(rest)
        left = without(before.value, before.shape, gone & last)
        back = self._convert(left, self._writer.api_version)
        return merged if back is None else back.value

    def _versions(self) -> list[str]:
        """The versions of all entries; that of the last apply first, since others may need what it holds."""
        found = dict.fromkeys(entry.api_version for entry in self._entries.values())
        return sorted(found, key=lambda each: (each != self._last.api_version, each))

    def _with_owned(self, merged: Object, pruned: Object, api_version: str) -> Object:
        """The pruned object, with what the entries of a version own put back."""
        whole, rest = self._convert(merged, api_version), self._convert(pruned, api_version)
        if whole is None or rest is None:
            return pruned
        owned = NOTHING
        for entry in self._entries.values():
            if entry.api_version == api_version:
                owned = owned | entry.fields
        kept = self._all_of(rest) | with_named(owned, whole.shape)
        value: Object = without(whole.value, whole.shape, self._all_of(whole) - kept)
        return value

    @staticmethod
    def _all_of(typed: Typed) -> FieldSet:
        return with_named(fields_of(typed.value, typed.shape), typed.shape)
