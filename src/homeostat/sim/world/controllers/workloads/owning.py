"""Whose an object is: found by an index, told by a reference, and changed when a selector says otherwise.

An owner takes in orphans that its selector means, and lets go of those that it means no longer. Both are rare, so
whoever did either looks again when the cache shows it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeVar

from homeostat.api.kind import Kind
from homeostat.api.meta import Object, ObjectMeta, OwnerReference
from homeostat.kube.client import Client
from homeostat.kube.errors import Invalid, NotFound
from homeostat.runtime.store import Store
from homeostat.sim.apiserver.selecting.labels import Requirements, requirements_of, selects
from homeostat.sim.world.kinds.pods import Selector

T = TypeVar("T", bound=Object)
Note = Callable[[Store[Any], str], None]
"""Takes a store, and a version of an object that it will show."""
BY_CONTROLLER, BY_NAMESPACE = "controller", "namespace"


class HasSelector(Protocol):
    """What an owner says of whom it means."""

    @property
    def selector(self) -> Selector:
        """Labels as objects have them."""
        ...


class Owner(Protocol):
    """A workload."""

    @property
    def metadata(self) -> ObjectMeta:
        """Its metadata."""
        ...

    @property
    def spec(self) -> HasSelector:
        """Its selector is there."""
        ...


def controller_of(obj: Object) -> OwnerReference | None:
    """The reference to the one owner that acts for an object."""
    return next((each for each in obj.metadata.owner_references if each.controller), None)


def by_controller(obj: Object) -> tuple[str]:
    """An index: the uid of the controller; of orphans, their namespace."""
    owner = controller_of(obj)
    return (owner.uid if owner is not None else orphans_in(obj.metadata.namespace),)


def by_namespace(obj: Object) -> tuple[str]:
    """An index."""
    return (obj.metadata.namespace,)


def orphans_in(namespace: str) -> str:
    """The value of the index `by_controller` for those that have none."""
    return f"orphans in {namespace}"


def reference_to(kind: Kind[Any], owner: Object) -> dict[str, Any]:
    """What a child says of the one that acts for it."""
    return {
        "apiVersion": kind.resource.api_version,
        "kind": kind.resource.kind,
        "name": owner.metadata.name,
        "uid": owner.metadata.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }


def owners_of(kind: Kind[Any], owners: Store[Any]) -> Callable[[Object], list[str]]:
    """Maps a child to the key of its owner of this kind; an orphan to all that its labels would suit."""
    name, group = kind.resource.kind, kind.resource.group

    def keys(obj: Object) -> list[str]:
        meta, owner = obj.metadata, controller_of(obj)
        if owner is not None:
            is_ours = owner.kind == name and owner.api_version.rpartition("/")[0] == group
            return [f"{meta.namespace}/{owner.name}"] if is_ours else []
        return [each.metadata.key for each in owners.by_index(BY_NAMESPACE, meta.namespace) if means(each, obj)]

    return keys


def means(owner: Owner, obj: Object) -> bool:
    """Whether the selector of an owner holds for an object; an empty one holds for none."""
    claims = requirements_of(owner.spec.selector)
    return bool(claims) and selects(claims, obj.metadata.labels)


async def children_of(
    client: Client,
    owner_kind: Kind[Any],
    owner: Owner,
    kind: Kind[T],
    store: Store[T],
    note: Note,
    suits: Callable[[T], bool] = lambda _: True,
) -> list[T] | None:
    """The objects of an owner, by name; None when some were taken in or let go, and the cache will show it.

    `suits` is what must hold for an orphan beside the selector. Raises KubeError.
    """
    meta, claims = owner.metadata, requirements_of(owner.spec.selector)
    mine = store.by_index(BY_CONTROLLER, meta.uid)
    if meta.deletion_timestamp is None and claims:
        odd = [each for each in mine if not selects(claims, each.metadata.labels) and not _is_ending(each)]
        for each in odd:
            await _let_go(client, kind, each, meta.uid, store, note)
        orphans = [each for each in _wanted(store, meta.namespace, claims) if suits(each)]
        if orphans and await _is_there(client, owner_kind, meta):
            for each in orphans:
                await _take_in(client, kind, each, reference_to(owner_kind, owner), store, note)
        if odd or orphans:
            return None
    return sorted(mine, key=lambda each: each.metadata.name)


def _wanted(store: Store[T], namespace: str, claims: Requirements) -> Iterable[T]:
    orphans = store.by_index(BY_CONTROLLER, orphans_in(namespace))
    return [each for each in orphans if selects(claims, each.metadata.labels) and not _is_ending(each)]


def _is_ending(obj: Object) -> bool:
    return obj.metadata.deletion_timestamp is not None


async def _is_there(client: Client, kind: Kind[Any], meta: ObjectMeta) -> bool:
    """Whether the owner is the one that the cache shows, and nobody has asked for its end."""
    try:
        found = await client.get(kind, meta.name, meta.namespace)
    except NotFound:
        return False
    return bool(found.metadata.uid == meta.uid and found.metadata.deletion_timestamp is None)


async def _take_in(
    client: Client, kind: Kind[T], obj: T, reference: dict[str, Any], store: Store[T], note: Note
) -> None:
    meta = obj.metadata
    there = [*meta.owner_references, reference]
    patch: list[dict[str, Any]] = [
        {"op": "test", "path": "/metadata/uid", "value": meta.uid},
        {"op": "test", "path": "/metadata/resourceVersion", "value": meta.resource_version},
        {"op": "add", "path": "/metadata/ownerReferences", "value": there},
    ]
    await _patch(client, kind, obj, patch, store, note)


async def _let_go(client: Client, kind: Kind[T], obj: T, uid: str, store: Store[T], note: Note) -> None:
    meta = obj.metadata
    left = [each for each in meta.owner_references if each.uid != uid]
    patch: list[dict[str, Any]] = [
        {"op": "test", "path": "/metadata/uid", "value": meta.uid},
        {"op": "test", "path": "/metadata/resourceVersion", "value": meta.resource_version},
        {"op": "replace", "path": "/metadata/ownerReferences", "value": left},
    ]
    await _patch(client, kind, obj, patch, store, note)


async def _patch(
    client: Client, kind: Kind[T], obj: T, patch: list[dict[str, Any]], store: Store[T], note: Note
) -> None:
    meta = obj.metadata
    try:
        written = await client.json_patch(kind, meta.name, patch, meta.namespace)
    except (NotFound, Invalid):
        return  # it is gone, or another one by now; its change comes, and wakes the key
    note(store, written.metadata.resource_version)
