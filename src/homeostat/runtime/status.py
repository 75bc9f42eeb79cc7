"""The one status write of a reconcile: server-side apply on the status subresource, skipped when nothing changed.

All of status has one writer, so applying with force takes back what somebody edited by hand. The uid goes along: a new
object of the same name never gets the status of the old one.
"""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

from msgspec import Struct

from homeostat.api.kind import Kind
from homeostat.api.meta import Object, ObjectMeta
from homeostat.kube.client import Client
from homeostat.kube.errors import Conflict, Invalid


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


async def write_status(
    client: Client, kind: Kind[T], obj: T, status: Struct, *, field_manager: str | None = None
) -> T | None:
    """Write a status as a whole; None when it is equal to what the object already says.

    Raises NotFound when the object is gone, and Conflict when another object has taken its name.
    """
    if obj.status == status:
        return None
    body = {"metadata": status_metadata(obj), "status": status}
    try:
        return await client.apply(kind, body, force=True, subresource="status", field_manager=field_manager)
    except Invalid as error:
        # Custom resources answer Conflict to a foreign uid, built-in kinds that the field is immutable.
        if any(cause.field == "metadata.uid" for cause in error.causes):
            raise Conflict(409, "Conflict", f"{obj.metadata.key} is another object now: read it again") from error
        raise


def status_metadata(obj: Object) -> dict[str, str]:
    """What identifies an object in an apply of its status."""
    meta = obj.metadata
    identity = {"name": meta.name, "uid": meta.uid}
    if meta.namespace:
        identity["namespace"] = meta.namespace
    return identity
