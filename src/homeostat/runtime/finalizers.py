"""Finalizers, added and removed by JSON patches that test what they change.

A finalizer list has many writers. The patch names the list that it starts from, so two writers never undo each other:
the later one gets Conflict and looks again.
"""

from __future__ import annotations

from typing import Any, TypeVar

from homeostat.api.kind import Kind
from homeostat.api.meta import Object
from homeostat.kube.client import Client
from homeostat.kube.errors import Conflict, Invalid

T = TypeVar("T", bound=Object)


def has_finalizer(obj: Object, finalizer: str) -> bool:
    """Whether the object waits for this finalizer."""
    return finalizer in obj.metadata.finalizers


async def add_finalizer(client: Client, kind: Kind[T], obj: T, finalizer: str) -> T:
    """The object with the finalizer. Raises Conflict when the list changed, NotFound when the object is gone."""
    if has_finalizer(obj, finalizer):
        return obj
    return await _replace(client, kind, obj, [*obj.metadata.finalizers, finalizer])


async def remove_finalizer(client: Client, kind: Kind[T], obj: T, finalizer: str) -> T:
    """The object without the finalizer; the last one gone, a deleted object is gone too. Raises as `add_finalizer`."""
    if not has_finalizer(obj, finalizer):
        return obj
    return await _replace(client, kind, obj, [name for name in obj.metadata.finalizers if name != finalizer])


async def _replace(client: Client, kind: Kind[T], obj: T, after: list[str]) -> T:
    meta = obj.metadata
    # A missing list tests as null.
    patch: list[dict[str, Any]] = [
        {"op": "test", "path": "/metadata/uid", "value": meta.uid},
        {"op": "test", "path": "/metadata/finalizers", "value": list(meta.finalizers) or None},
        {"op": "add", "path": "/metadata/finalizers", "value": after},
    ]
    try:
        return await client.json_patch(kind, meta.name, patch, meta.namespace)
    except Invalid as error:
        if error.causes:  # a field is wrong; a failed test has no causes
            raise
        message = f"the finalizers of {meta.key} are not {list(meta.finalizers)} any more: read the object again"
        raise Conflict(409, "Conflict", message) from error
