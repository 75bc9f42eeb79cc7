"""Who owns whom, and what is to become of those that are owned. Pure.

| an owner is | what becomes of a dependent without another owner |
|---|---|
| gone | it is deleted |
| waiting for its dependents (`foregroundDeletion`) | it is deleted, after its own dependents if it has any |
| to leave its dependents (`orphan`) | it stays, and is owned no more |

A dependent that has another owner loses the reference alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from msgspec import Struct

from homeostat.api.kind import Resource
from homeostat.api.meta import OwnerReference
from homeostat.api.sharing import share

FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"
Policy = Literal["Background", "Foreground", "Orphan"]


class HeldMeta(Struct, frozen=True, gc=False, rename="camel"):
    """What of an object's metadata matters for its end."""

    name: str
    uid: str = ""
    namespace: str = ""
    resource_version: str = ""
    deletion_timestamp: str | None = None
    finalizers: tuple[str, ...] = ()
    owner_references: tuple[OwnerReference, ...] = ()

    def __post_init__(self) -> None:
        share(self, "namespace")


class Held(Struct, frozen=True, gc=False):
    """Any object."""

    metadata: HeldMeta


class Thing(Struct, frozen=True, gc=False):
    """An object, and where it is served."""

    resource: Resource
    meta: HeldMeta

    @property
    def is_ending(self) -> bool:
        """Whether its end was asked for."""
        return self.meta.deletion_timestamp is not None

    @property
    def waits_for_dependents(self) -> bool:
        """Whether it goes when its dependents are gone."""
        return self.is_ending and FOREGROUND in self.meta.finalizers

    @property
    def owners(self) -> tuple[OwnerReference, ...]:
        """Whom it says it belongs to."""
        return self.meta.owner_references

    def blocks(self, owner: str) -> bool:
        """Whether an owner that waits must wait for it."""
        return any(each.uid == owner and each.block_owner_deletion for each in self.owners)


class LetGo(Struct, frozen=True):
    """Take a finalizer off."""

    thing: Thing
    finalizer: str


class Disown(Struct, frozen=True):
    """Take references to owners off."""

    thing: Thing
    owners: frozenset[str]


class Unblock(Struct, frozen=True):
    """Hold no owner up: they wait for each other in a circle."""

    thing: Thing


class Delete(Struct, frozen=True):
    """Ask for its end."""

    thing: Thing
    policy: Policy


Step = LetGo | Disown | Unblock | Delete


class Graph:
    """All objects that own or are owned, or could be."""

    def __init__(self) -> None:
        self.things: dict[str, Thing] = {}
        self._dependents: dict[str, dict[str, None]] = {}

    def dependents(self, owner: str) -> list[Thing]:
        """Those that say they belong to an owner."""
        return [self.things[uid] for uid in self._dependents.get(owner, ())]

    def put(self, thing: Thing) -> list[str]:
        """An object came, or changed: whom to look at."""
        uid = thing.meta.uid
        old = self.things.get(uid)
        self.things[uid] = thing
        if old is None or old.owners != thing.owners:
            self._tie(uid, () if old is None else old.owners, thing.owners)
        wake: dict[str, None] = {}
        if thing.is_ending and (old is None or old.meta != thing.meta):
            wake[uid] = None
            if thing.waits_for_dependents and not (old is not None and old.waits_for_dependents):
                wake.update(dict.fromkeys(self._dependents.get(uid, ())))
        if old is None or old.owners != thing.owners:
            owners = (*(old.owners if old is not None else ()), *thing.owners)
            known = [self._owner(thing, each) for each in owners]
            wake.update((each.meta.uid, None) for each in known if each is not None and each.waits_for_dependents)
            if any(each is None or each.waits_for_dependents for each in known):
                wake[uid] = None
        return list(wake)

    def drop(self, uid: str) -> list[str]:
        """An object is gone: whom to look at."""
        thing = self.things.pop(uid, None)
        if thing is None:
            return []
        wake = dict.fromkeys(self._dependents.get(uid, ()))
        self._tie(uid, thing.owners, ())
        for each in thing.owners:
            owner = self.things.get(each.uid)
            if owner is not None and owner.waits_for_dependents:
                wake[each.uid] = None
        return list(wake)

    def unknown_owners(self, thing: Thing) -> list[OwnerReference]:
        """Owners that are not here, which may mean that they are not here yet."""
        return [] if thing.is_ending else [each for each in thing.owners if self._owner(thing, each) is None]

    def decide(self, thing: Thing, absent: frozenset[str]) -> list[Step]:
        """What is to be done for an object; `absent` are those of its owners that the server does not have."""
        if thing.is_ending:
            return self._ending(thing)
        waiting = {each.uid for each in thing.owners if self._waits(each.uid)}
        gone = {each.uid for each in thing.owners if each.uid in absent and self._owner(thing, each) is None}
        if not waiting and not gone:
            return []
        if len(waiting) + len(gone) < len({each.uid for each in thing.owners}):
            return [Disown(thing, frozenset(waiting | gone))]
        dependents = self.dependents(thing.meta.uid)
        if waiting and dependents:
            circle: list[Step] = [Unblock(thing)] if any(each.waits_for_dependents for each in dependents) else []
            return [*circle, Delete(thing, "Foreground")]
        return [Delete(thing, _own_policy(thing))]

    def _ending(self, thing: Thing) -> list[Step]:
        uid, dependents = thing.meta.uid, self.dependents(thing.meta.uid)
        if ORPHAN in thing.meta.finalizers:
            freed = [Disown(each, frozenset({uid})) for each in dependents]
            return [*freed, LetGo(thing, ORPHAN)]
        if FOREGROUND in thing.meta.finalizers and not any(each.blocks(uid) for each in dependents):
            return [LetGo(thing, FOREGROUND)]
        return []

    def _owner(self, thing: Thing, reference: OwnerReference) -> Thing | None:
        """An owner that is here; one in another namespace is none."""
        found = self.things.get(reference.uid)
        return found if found is not None and found.meta.namespace in ("", thing.meta.namespace) else None

    def _waits(self, uid: str) -> bool:
        owner = self.things.get(uid)
        return owner is not None and owner.waits_for_dependents

    def _tie(self, uid: str, old: Iterable[OwnerReference], new: Iterable[OwnerReference]) -> None:
        for each in old:
            of_owner = self._dependents.get(each.uid)
            if of_owner is not None:
                of_owner.pop(uid, None)
                if not of_owner:
                    del self._dependents[each.uid]
        for each in new:
            self._dependents.setdefault(each.uid, {})[uid] = None


def _own_policy(thing: Thing) -> Policy:
    """How an object's own end was prepared, by finalizers that are on it already."""
    if ORPHAN in thing.meta.finalizers:
        return "Orphan"
    return "Foreground" if FOREGROUND in thing.meta.finalizers else "Background"


def references(owners: Iterable[OwnerReference]) -> list[Mapping[str, Any]]:
    """Owner references as the API has them."""
    return [
        {
            "apiVersion": each.api_version,
            "kind": each.kind,
            "name": each.name,
            "uid": each.uid,
            **({"controller": True} if each.controller else {}),
            **({"blockOwnerDeletion": True} if each.block_owner_deletion else {}),
        }
        for each in owners
    ]
