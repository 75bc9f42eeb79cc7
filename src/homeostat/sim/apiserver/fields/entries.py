"""The entries of metadata.managedFields: who wrote, how, in which version, when, and which fields are theirs since.

An entry is found again by its manager: the name, the operation, the subresource, and for updates the version as well.
An applier has one entry whatever version it applies in.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec
from msgspec import Struct

from homeostat.sim.apiserver.fields.paths import Unreadable
from homeostat.sim.apiserver.fields.sets import FieldSet

APPLY = "Apply"
UPDATE = "Update"
MOST_UPDATES = 10
"""So many entries of updates stay apart (apimachinery's DefaultMaxUpdateManagers)."""
ANCIENT = "ancient-changes"

Object = dict[str, Any]


class Manager(Struct, frozen=True, order=True):
    """What tells entries apart."""

    name: str
    operation: str
    api_version: str = ""
    subresource: str = ""

    def shown(self) -> str:
        """The manager as messages of conflicts name it."""
        text = f'"{self.name}"'
        if self.subresource:
            text += f' with subresource "{self.subresource}"'
        return f"{text} using {self.api_version}" if self.operation == UPDATE else text


class Entry(Struct, frozen=True):
    """What one manager owns. `raw` is the set as it is written, where that is known already; it is never changed."""

    fields: FieldSet
    api_version: str
    time: str = ""
    raw: Object | None = None

    def with_fields(self, fields: FieldSet) -> Entry:
        """The entry, owning other fields."""
        return self if fields is self.fields else Entry(fields, self.api_version, self.time)


Entries = dict[Manager, Entry]


def read(raw: Any) -> Entries:
    """The entries of a list as clients write it. Raises Unreadable."""
    found: Entries = {}
    for index, each in enumerate(raw or ()):
        if not isinstance(each, dict) or each.get("operation") not in (APPLY, UPDATE):
            raise Unreadable("operation must be `Apply` or `Update`")
        if not each.get("apiVersion"):
            raise Unreadable("apiVersion must not be empty")
        kind = each.get("fieldsType", "")
        if kind != "FieldsV1":
            what = f'invalid fieldsType "{kind}"' if kind else "missing fieldsType"
            raise Unreadable(f"{what} in managed fields entry {index}")
        fields, canonical = _known(msgspec.json.encode(each.get("fieldsV1") or {}))
        found[_manager(each)] = Entry(fields, each["apiVersion"], each.get("time") or "", canonical)
    return found


def written(entries: Entries) -> list[Object]:
    """The list as it stands in an object: appliers first, then by time and by name."""
    ordered = sorted(
        entries.items(),
        key=lambda pair: (
            pair[0].operation,
            pair[1].time,
            pair[0].name,
            pair[1].api_version,
            pair[0].subresource,
        ),
    )
    return [_written(manager, entry) for manager, entry in ordered]


def capped(entries: Entries) -> Entries:
    """The entries with the oldest updates of each version folded into one, so that there are not too many."""
    updates = [each for each in entries if each.operation == UPDATE]
    too_many = len(updates) - MOST_UPDATES
    made = dict(entries)
    firsts: dict[str, Manager] = {}
    for manager in sorted(updates, key=lambda each: (entries[each].time, each)):
        if too_many <= 0:
            break
        entry = entries[manager]
        first = firsts.setdefault(entry.api_version, manager)
        if first == manager:
            continue
        bucket = Manager(ANCIENT, UPDATE, entry.api_version)
        if manager == bucket:
            continue
        if bucket not in made:
            made[bucket] = made.pop(first)
        made[bucket] = Entry(made[bucket].fields | made.pop(manager).fields, entry.api_version, entry.time)
        too_many -= 1
    return made


def of_object(value: Object) -> Any:
    """What an object has as managedFields, None if it has none."""
    metadata = value.get("metadata")
    return metadata.get("managedFields") if isinstance(metadata, dict) else None


def bare(value: Object) -> Object:
    """The object without managedFields."""
    metadata = value.get("metadata")
    if not isinstance(metadata, dict) or "managedFields" not in metadata:
        return value
    return value | {"metadata": {name: each for name, each in metadata.items() if name != "managedFields"}}


def put(value: Object, entries: Entries) -> Object:
    """The object with these managedFields and no others."""
    plain = bare(value)
    if not entries:
        return plain
    return plain | {"metadata": (plain.get("metadata") or {}) | {"managedFields": written(entries)}}


def steady(live: Object, new: Object) -> Object:
    """The new object, with the old times where the times of entries are all that a write would change."""
    old = of_object(live) or []
    entries = of_object(new) or []
    if not entries or len(old) != len(entries) or bare(live) != bare(new):
        return new
    if any(_timeless(one) != _timeless(other) for one, other in zip(old, entries, strict=True)):
        return new
    return bare(new) | {"metadata": new["metadata"] | {"managedFields": old}}


@lru_cache(maxsize=4096)
def _known(raw: bytes) -> tuple[FieldSet, Object]:
    """A set and its canonical form. Many objects share few sets: those of one writer of one type."""
    fields = FieldSet.read(msgspec.json.decode(raw))
    return fields, fields.written


def _manager(raw: Object) -> Manager:
    version = raw["apiVersion"] if raw["operation"] == UPDATE else ""
    return Manager(raw.get("manager") or "", raw["operation"], version, raw.get("subresource") or "")


def _written(manager: Manager, entry: Entry) -> Object:
    shown = {
        "manager": manager.name,
        "operation": manager.operation,
        "apiVersion": entry.api_version,
        "time": entry.time,
        "fieldsType": "FieldsV1",
        "fieldsV1": entry.fields.written if entry.raw is None else entry.raw,
        "subresource": manager.subresource,
    }
    return {name: each for name, each in shown.items() if each != ""}


def _timeless(entry: Object) -> Object:
    return {name: each for name, each in entry.items() if name != "time"}
