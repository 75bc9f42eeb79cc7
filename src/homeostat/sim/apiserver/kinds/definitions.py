"""Definitions (CRDs): a server serves what they define from the moment that they are stored, until they go.

A real server establishes a definition a moment after it was made; clients that wait for that find it done here. It
also gives objects that it reads the defaults that their definition got after they were kept; here they get them all at
once when it does, and keep them when it loses these defaults again.
"""

from __future__ import annotations

from collections.abc import Iterable

from homeostat.kit.clock import Clock
from homeostat.sim.apiserver.refusing import Cause, not_imitated
from homeostat.sim.apiserver.schemas.custom import CustomType
from homeostat.sim.apiserver.schemas.definitions import definition_causes, set_defaults
from homeostat.sim.apiserver.store.record import record
from homeostat.sim.apiserver.store.store import Store
from homeostat.sim.apiserver.types.custom import custom_types
from homeostat.sim.apiserver.types.metadata import finalizers, stamp
from homeostat.sim.apiserver.types.registry import Types
from homeostat.sim.apiserver.types.type import Strategy, Type, Value

_ACCEPTED = ("NamesAccepted", "NoConflicts", "no conflicts found")
_ESTABLISHED = ("Established", "InitialNamesAccepted", "the initial names have been accepted")


class DefinitionStrategy(Strategy):
    """Serves and stops serving the types of one server."""

    needs_version = True
    keeps_metadata_of_status = True

    def __init__(self, types: Types, store: Store, clock: Clock) -> None:
        self._types = types
        self._store = store
        self._clock = clock
        self._read: dict[str, int] = {}  # the generation of each definition by whose defaults objects are kept

    def on_create(self, value: Value) -> None:
        """Fill in what can be left out, and accept the names."""
        set_defaults(value)
        now = stamp(self._clock.now())
        value["status"] |= {
            "acceptedNames": value["spec"]["names"],
            "conditions": [
                {"type": kind, "status": "True", "reason": reason, "message": message, "lastTransitionTime": now}
                for kind, reason, message in (_ACCEPTED, _ESTABLISHED)
            ],
        }

    def on_update(self, value: Value, old: Value) -> None:
        """Fill in what can be left out; versions that were stored once may have objects."""
        value["status"] = dict(old.get("status", {}))
        set_defaults(value)
        stored = next((each["name"] for each in value["spec"].get("versions") or () if each.get("storage")), "")
        known = value["status"].get("storedVersions") or []
        value["status"] |= {"acceptedNames": value["spec"]["names"], "storedVersions": [*known, stored]}
        if stored in known:
            value["status"]["storedVersions"] = known

    def causes(self, value: Value, old: Value | None) -> Iterable[Cause]:
        """Why a definition is not allowed."""
        return definition_causes(value, old)

    def check(self, value: Value) -> None:
        """Refuse what a server could not serve as a real one does. Raises Refused."""
        if value["spec"]["conversion"]["strategy"] != "None":
            raise not_imitated("conversion of custom objects by a webhook")
        mine, names = value["metadata"]["name"], value["spec"]["names"]
        for other in self._types:
            if other.resource.group == value["spec"]["group"] and other.qualified != mine:
                said = {names["kind"], names["singular"], *names.get("shortNames", ())}
                if said & {other.resource.kind, other.names.singular, *other.names.short}:
                    raise not_imitated(f"definitions that share a name, as {mine} and {other.qualified}")

    def on_stored(self, value: Value) -> None:
        """Serve the versions as they are now."""
        types = {each.resource.version: each for each in custom_types(value)}
        for served in self._served(value):
            if served.resource.version not in types:
                self._types.remove(served)
        for each in types.values():
            self._types.add(each)
        name, generation = value["metadata"]["name"], value["metadata"]["generation"]
        if self._read.get(name) != generation:
            self._read[name] = generation
            self._default_stored(value)

    def check_end(self, value: Value) -> None:
        """Objects that somebody holds would hold the definition. Raises Refused."""
        for kept in self._store.shelf(_collection(value)).within(""):
            if finalizers(kept.value(b"")):
                raise not_imitated("the end of a definition of which objects have finalizers")

    def on_gone(self, value: Value) -> None:
        """End all objects, and serve no more."""
        collection = _collection(value)
        for key in [kept.key for kept in self._store.shelf(collection).within("")]:
            self._store.drop(collection, key)
        for served in self._served(value):
            self._types.remove(served)
        self._read.pop(value["metadata"]["name"], None)

    def _default_stored(self, value: Value) -> None:
        stored = next(each["name"] for each in value["spec"]["versions"] if each["storage"])
        shelf, type_ = self._store.shelf(_collection(value)), CustomType(value, stored)
        for kept in list(shelf.within("")):
            whole = kept.value(b"")
            type_.set_defaults(whole)
            shelf.correct(record(whole, kept.revision, kept.fields))

    def _served(self, value: Value) -> list[Type]:
        return [each for each in self._types if each.collection == _collection(value)]


def _collection(value: Value) -> tuple[str, str]:
    return (value["spec"]["group"], value["spec"]["names"]["plural"])
