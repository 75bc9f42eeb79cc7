"""Where a Pod's volumes can be reached, and where those that it still needs could be.

A claim that is bound ties its Pod to where its volume is. One whose class waits for its first consumer is given, when
a Node was chosen, the smallest free volume that suits, or the Node's name to be provisioned there. Any other claim must
be bound before its Pod is looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from msgspec import Struct

from homeostat.sim.apiserver.selecting.labels import Requirement, selects
from homeostat.sim.world.kinds.volumes import NO_PROVISIONER, SELECTED, Claim, PersistentVolume, StorageClass
from homeostat.sim.world.scheduler.amounts import whole
from homeostat.sim.world.scheduler.asking import Ask
from homeostat.sim.world.scheduler.estate import Room
from homeostat.sim.world.scheduler.filters.filter import Refusal
from homeostat.sim.world.scheduler.terms import node_terms, requirements, term_holds

BY = "VolumeBinding"
_LOST = Refusal(BY, ("node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)",), is_final=True)
_FAR = Refusal(BY, ("node(s) didn't match PersistentVolume's node affinity",), is_final=True)
_NONE = Refusal(BY, ("node(s) didn't find available persistent volumes to bind",), is_final=True)
UNBOUND = "pod has unbound immediate PersistentVolumeClaims"


class Stock(Protocol):
    """The volumes, claims and classes that there are."""

    def claim(self, key: str) -> Claim | None:
        """A claim."""
        ...

    def volume(self, name: str) -> PersistentVolume | None:
        """A volume."""
        ...

    def storage_class(self, name: str) -> StorageClass | None:
        """A class."""
        ...

    def free(self, class_name: str) -> Iterable[PersistentVolume]:
        """Volumes of a class that no claim has, nor is promised."""
        ...


class Promise(Struct, frozen=True):
    """What is to be done for a claim before its Pod can stand on a Node."""

    claim: Claim
    volume: str = ""  # one that there is; else one is to be provisioned


class Unready(Struct, frozen=True):
    """Why a Pod cannot be placed anywhere now."""

    why: str


class Volumes(Struct, frozen=True):
    """What a Pod's volumes ask of its place."""

    bound: tuple[PersistentVolume | None, ...] = ()
    waiting: tuple[tuple[Claim, StorageClass], ...] = ()

    def check(self, room: Room, stock: Stock) -> Refusal | None:
        """Why a Node will not do."""
        for volume in self.bound:
            if volume is None:
                return _LOST
            if not reaches(volume, room.name, room.labels):
                return _FAR
        return _NONE if self.promises(room, stock) is None else None

    def promises(self, room: Room, stock: Stock) -> tuple[Promise, ...] | None:
        """What each claim would get on a Node; None when there is nothing for one of them."""
        made, taken = list[Promise](), set[str]()
        for claim, class_ in self.waiting:
            selected = claim.metadata.annotations.get(SELECTED, "")
            found = None if selected else smallest(claim, stock.free(class_.metadata.name), room, taken)
            if found is not None:
                taken.add(found.metadata.name)
                made.append(Promise(claim, found.metadata.name))
            elif selected in ("", room.name) and can_provision(class_, room.labels):
                made.append(Promise(claim))
            else:
                return None
        return tuple(made)


def volumes_of(ask: Ask, stock: Stock) -> Volumes | Unready:
    """What a Pod's claims ask, or why they cannot be looked at yet."""
    bound, waiting = list[PersistentVolume | None](), list[tuple[Claim, StorageClass]]()
    for name in ask.claims:
        claim = stock.claim(f"{ask.namespace}/{name}")
        if claim is None:
            return Unready(f'persistentvolumeclaim "{name}" not found')
        if claim.metadata.deletion_timestamp is not None:
            return Unready(f'persistentvolumeclaim "{name}" is being deleted')
        if claim.is_bound:
            bound.append(stock.volume(claim.spec.volume_name))
            continue
        class_ = stock.storage_class(claim.spec.storage_class_name or "")
        if claim.spec.volume_name or class_ is None or not class_.waits:
            return Unready(UNBOUND)
        waiting.append((claim, class_))
    return Volumes(tuple(bound), tuple(waiting))


def reaches(volume: PersistentVolume, name: str, labels: Mapping[str, str]) -> bool:
    """Whether a volume can be used on a Node."""
    affinity = volume.spec.node_affinity
    if affinity is None or affinity.required is None:
        return True
    return any(term_holds(each, name, labels) for each in node_terms(affinity.required))


def suits(volume: PersistentVolume, claim: Claim) -> bool:
    """Whether a volume is what a claim asks for, wherever it is."""
    spec, wanted = volume.spec, claim.spec
    return (
        volume.metadata.deletion_timestamp is None
        and spec.volume_mode == wanted.volume_mode
        and set(wanted.access_modes) <= set(spec.access_modes)
        and size(spec.capacity) >= size(wanted.resources.requests)
        and (wanted.selector is None or selects(requirements(wanted.selector), volume.metadata.labels))
    )


def smallest(
    claim: Claim, volumes: Iterable[PersistentVolume], room: Room | None, taken: set[str]
) -> PersistentVolume | None:
    """The smallest volume that will do: one that is meant for the claim goes first."""
    fitting = [
        each
        for each in volumes
        if each.metadata.name not in taken
        and suits(each, claim)
        and (room is None or reaches(each, room.name, room.labels))
    ]
    return min(fitting, key=lambda each: (each.spec.claim_ref is None, size(each.spec.capacity)), default=None)


def size(quantities: Mapping[str, str]) -> int:
    """The bytes of a volume."""
    return whole("storage", quantities.get("storage", "0"))


def can_provision(class_: StorageClass, labels: Mapping[str, str]) -> bool:
    """Whether a class can make a volume for a Node with these labels."""
    if class_.provisioner == NO_PROVISIONER:
        return False
    terms = [each.get("matchLabelExpressions") or () for each in class_.allowed_topologies]
    return not terms or any(
        all(Requirement(each["key"], "in", tuple(each["values"])).holds(labels) for each in term) for term in terms
    )
