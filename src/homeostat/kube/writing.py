"""The verbs that change objects: create, apply, patch, replace, delete.

Objects read through slim types are incomplete, so nothing here takes one back whole: writers apply what they own, or
patch. `replace` takes plain data only, for callers that hold every field.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeVar

from homeostat.api.kind import Kind
from homeostat.kube.calling import Body, Caller, Query, as_object, decode, doing, encode, identity, named

T = TypeVar("T")

Propagation = Literal["Background", "Foreground", "Orphan"]


class Writer(Caller):
    """Changes objects."""

    async def create(
        self,
        kind: Kind[T],
        body: Body,
        namespace: str = "",
        *,
        dry_run: bool = False,
        field_manager: str | None = None,
    ) -> T:
        """Make a new object. Raises AlreadyExists."""
        content = as_object(kind, body)
        name, namespace = identity(content, namespace)
        answer = await self._call(
            "create",
            "POST",
            kind.resource,
            namespace=_collection_namespace(kind, namespace),
            query=self._write_query(dry_run=dry_run, field_manager=field_manager),
            body=encode(content),
            about=name,
        )
        return decode(kind.type, answer, doing("create", kind, name, namespace))

    async def apply(
        self,
        kind: Kind[T],
        body: Body,
        *,
        force: bool = False,
        dry_run: bool = False,
        subresource: str = "",
        field_manager: str | None = None,
    ) -> T:
        """Server-side apply: these fields are ours with these values; fields we no longer send are given up.

        Raises Conflict naming the other manager when a field has another owner, unless `force` takes it over.
        """
        content = as_object(kind, body)
        name, namespace = identity(content)
        query = self._write_query(dry_run=dry_run, field_manager=field_manager)
        if force:
            query.append(("force", "true"))
        media = "application/apply-patch+yaml"  # JSON is YAML, and the only media type that servers of 1.34 take
        return await self._patch(
            "apply", kind, name, namespace, subresource, encode(content), media, query, idempotent=True
        )

    async def json_patch(
        self,
        kind: Kind[T],
        name: str,
        operations: Sequence[Mapping[str, Any]],
        namespace: str = "",
        *,
        subresource: str = "",
        dry_run: bool = False,
        field_manager: str | None = None,
    ) -> T:
        """RFC 6902 operations, all or none; a failed `test` operation raises Invalid."""
        query = self._write_query(dry_run=dry_run, field_manager=field_manager)
        body, media = encode(operations), "application/json-patch+json"
        return await self._patch("patch", kind, name, namespace, subresource, body, media, query)

    async def merge_patch(
        self,
        kind: Kind[T],
        name: str,
        patch: Mapping[str, Any],
        namespace: str = "",
        *,
        subresource: str = "",
        dry_run: bool = False,
        field_manager: str | None = None,
    ) -> T:
        """RFC 7386: given fields replace, None removes, lists are replaced whole."""
        query = self._write_query(dry_run=dry_run, field_manager=field_manager)
        body, media = encode(patch), "application/merge-patch+json"
        return await self._patch("patch", kind, name, namespace, subresource, body, media, query)

    async def replace(
        self,
        kind: Kind[T],
        body: Mapping[str, Any],
        *,
        subresource: str = "",
        dry_run: bool = False,
        field_manager: str | None = None,
    ) -> T:
        """Put a whole object in place of the present one; metadata.resourceVersion makes it conditional."""
        content = as_object(kind, body)
        name, namespace = identity(content)
        answer = await self._call(
            "replace",
            "PUT",
            kind.resource,
            named(kind.resource, name),
            namespace,
            subresource,
            query=self._write_query(dry_run=dry_run, field_manager=field_manager),
            body=encode(content),
        )
        return decode(kind.type, answer, doing("replace", kind, name, namespace, subresource))

    async def delete(
        self,
        kind: Kind[Any],
        name: str,
        namespace: str = "",
        *,
        uid: str = "",
        resource_version: str = "",
        propagation: Propagation = "Background",
        grace_s: int | None = None,
        dry_run: bool = False,
    ) -> None:
        """Ask for an object's deletion; finalizers may keep it for a while. Raises NotFound.

        `uid` and `resource_version` are preconditions: another object of that name, or a newer state, raises Conflict.
        """
        options = _delete_options(propagation, grace_s, dry_run=dry_run, uid=uid, resource_version=resource_version)
        resource = kind.resource
        await self._call("delete", "DELETE", resource, named(resource, name), namespace, body=encode(options))

    async def delete_collection(
        self,
        kind: Kind[Any],
        namespace: str = "",
        *,
        labels: str = "",
        fields: str = "",
        propagation: Propagation = "Background",
        grace_s: int | None = None,
        dry_run: bool = False,
    ) -> None:
        """Ask for the deletion of all objects that match; of a whole namespace when no selector is given."""
        query: Query = []
        if labels:
            query.append(("labelSelector", labels))
        if fields:
            query.append(("fieldSelector", fields))
        options = _delete_options(propagation, grace_s, dry_run=dry_run)
        await self._call(
            "deletecollection",
            "DELETE",
            kind.resource,
            namespace=_collection_namespace(kind, namespace),
            query=query,
            body=encode(options),
        )

    async def _patch(
        self,
        verb: str,
        kind: Kind[T],
        name: str,
        namespace: str,
        subresource: str,
        body: bytes,
        media: str,
        query: Query,
        *,
        idempotent: bool = False,
    ) -> T:
        answer = await self._call(
            verb,
            "PATCH",
            kind.resource,
            named(kind.resource, name),
            namespace,
            subresource,
            query=query,
            body=body,
            content_type=media,
            idempotent=idempotent,
        )
        return decode(kind.type, answer, doing(verb, kind, name, namespace, subresource))


def _collection_namespace(kind: Kind[Any], namespace: str) -> str:
    """The namespace that a change of a collection needs: all namespaces at once is for reading only."""
    if kind.resource.namespaced and not namespace:
        raise ValueError(f"{kind.resource.qualified}: expected a namespace in the call or in metadata, found none")
    return namespace


def _delete_options(
    propagation: Propagation,
    grace_s: int | None,
    *,
    dry_run: bool,
    uid: str = "",
    resource_version: str = "",
) -> dict[str, Any]:
    options: dict[str, Any] = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation}
    if grace_s is not None:
        options["gracePeriodSeconds"] = grace_s
    if dry_run:
        options["dryRun"] = ["All"]
    preconditions = {"uid": uid, "resourceVersion": resource_version}
    if wanted := {key: value for key, value in preconditions.items() if value}:
        options["preconditions"] = wanted
    return options
