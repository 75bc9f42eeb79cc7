"""The one status write of a reconcile: server-side apply on the status subresource, skipped when nothing changed.

All of status, or a named part of it, has one writer, so applying with force takes back what somebody edited by hand,
and what somebody added is taken out by a second write: see `strangers`.
But one writer may be two processes, one after the other, and the one that leads now may decide by a cache that lags
behind what the one before wrote. So a status is written only over the very status that was read. That costs nothing as
long as nobody else writes the object; after a conflict the object is read, and written again if only other things of it
changed. The uid goes along: a new object of the same name never gets the status of the old one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from msgspec import Struct

from homeostat.api.kind import Kind
from homeostat.api.meta import Object, ObjectMeta
from homeostat.kube.client import Client
from homeostat.kube.errors import Conflict, Invalid
from homeostat.runtime.strangers import removals

_TRIES = 5  # others write now and then, not all the time


class HasStatus(Protocol):
    """An object with metadata and a status."""

    @property
    def metadata(self) -> ObjectMeta:
        """The object's metadata."""
        ...

    @property
    def status(self) -> Any:
        """What was last reported."""
        ...


T = TypeVar("T", bound=HasStatus)


class Outdated(Exception):
    """The status is not the one that was read any more, so nothing was written: decide again by the newer one."""

    def __init__(self, key: str, resource_version: str) -> None:
        super().__init__(f"{key} has a newer status than the one that was read: look at it again")
        self.resource_version = resource_version  # of an object that has the newer one


def whole(status: Any) -> Any:
    """All of a status: one writer has it."""
    return status


async def write_status(
    client: Client,
    kind: Kind[T],
    obj: T,
    status: Struct,
    *,
    field_manager: str | None = None,
    part: Callable[[Any], Any] = whole,
) -> T | None:
    """Write a status, or this writer's part of it, as a whole; None when it is equal to what the object already says.

    Raises NotFound when the object is gone, Conflict when another object has taken its name, and Outdated.
    """
    if part(obj.status) == status:
        return None
    known, meta = obj, obj.metadata
    for _ in range(_TRIES):
        body = {"metadata": status_metadata(known), "status": status}
        try:
            written = await _apply(client, kind, body, field_manager)
            return await _without_strangers(client, kind, written, status, field_manager, part)
        except Conflict:
            known = await client.get(kind, meta.name, meta.namespace)
        if known.metadata.uid != meta.uid:
            raise Conflict(409, "Conflict", f"{meta.key} is another object now: read it again")
        if part(known.status) == status:
            return known  # it was written, and only the answer was lost
        if part(known.status) != part(obj.status):
            break
    raise Outdated(meta.key, known.metadata.resource_version)


async def _apply(client: Client, kind: Kind[T], body: dict[str, Any], field_manager: str | None) -> T:
    try:
        return await client.apply(kind, body, force=True, subresource="status", field_manager=field_manager)
    except Invalid as error:
        # Custom resources answer Conflict to a foreign uid, built-in kinds that the field is immutable.
        if any(cause.field == "metadata.uid" for cause in error.causes):
            raise Conflict(409, "Conflict", str(error)) from error
        raise


async def _without_strangers(
    client: Client, kind: Kind[T], written: T, status: Any, field_manager: str | None, part: Callable[[Any], Any]
) -> T:
    """The object without what others have put into this part of its status; nearly always nobody has."""
    found, meta = part(written.status), written.metadata
    taken_out = removals(written.status, found, status) if found != status else []
    if not taken_out:
        return written
    same = {"op": "replace", "path": "/metadata/resourceVersion", "value": meta.resource_version}
    return await client.json_patch(
        kind, meta.name, [same, *taken_out], meta.namespace, subresource="status", field_manager=field_manager
    )


def status_metadata(obj: Object) -> dict[str, str]:
    """What identifies an object in an apply of its status, and the version of it that was read."""
    meta = obj.metadata
    identity = {"name": meta.name, "uid": meta.uid}
    if meta.namespace:
        identity["namespace"] = meta.namespace
    if meta.resource_version:
        identity["resourceVersion"] = meta.resource_version
    return identity
