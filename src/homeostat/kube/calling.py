"""How verbs become calls: paths, queries, headers, bodies, and the guards against addressing the wrong thing.

An empty name would turn "delete this object" into "delete them all", so names and namespaces are checked here, once.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from functools import lru_cache
from typing import Any, TypeVar, cast
from urllib.parse import quote

import msgspec
from msgspec import Struct

from homeostat.api.kind import Kind, Resource
from homeostat.kube.errors import MalformedAnswer
from homeostat.kube.exchange import Call, Exchange
from homeostat.kube.retrying import Retries
from homeostat.kube.transport import Request

T = TypeVar("T")
Body = Mapping[str, Any] | Struct
Query = list[tuple[str, str]]

JSON = "application/json"
_READ_HEADERS = {"Accept": JSON}
_encoder = msgspec.json.Encoder()


class Caller:
    """What all verbs share: the exchange, and this client's defaults."""

    def __init__(self, exchange: Exchange, *, field_manager: str, default_timeout_s: float) -> None:
        self._exchange = exchange
        self._field_manager = field_manager
        self._timeout_s = default_timeout_s

    async def _call(
        self,
        verb: str,
        method: str,
        resource: Resource,
        name: str = "",
        namespace: str = "",
        subresource: str = "",
        *,
        query: Query | None = None,
        body: bytes | None = None,
        content_type: str = JSON,
        idempotent: bool = False,
        retries: Retries | None = None,
        about: str = "",
    ) -> bytes:
        """One request for one answer; `about` names the object where the path does not."""
        request = Request(
            method=method,
            path=path_of(resource, name, namespace, subresource),
            query=tuple(query or ()),
            headers=_READ_HEADERS if body is None else {"Accept": JSON, "Content-Type": content_type},
            body=body,
            timeout_s=self._timeout_s,
        )
        call = Call(
            verb=verb,
            resource=_label(resource, subresource),
            doing=_doing(verb, resource, name or about, namespace, subresource),
            request=request,
            idempotent=idempotent,
            retries=retries,
        )
        return await self._exchange.send(call)

    def _stream(
        self,
        verb: str,
        resource: Resource,
        name: str,
        namespace: str,
        subresource: str,
        *,
        query: Query,
        idle_timeout_s: float | None,
        retries: Retries,
    ) -> Call:
        """A call for an answer that flows."""
        request = Request(
            method="GET",
            path=path_of(resource, name, namespace, subresource),
            query=tuple(query),
            headers=_READ_HEADERS if verb == "watch" else {"Accept": "*/*"},
            idle_timeout_s=idle_timeout_s,
        )
        return Call(
            verb=verb,
            resource=_label(resource, subresource),
            doing=_doing(verb, resource, name, namespace, subresource),
            request=request,
            idempotent=True,
            retries=retries,
        )

    def _write_query(self, *, dry_run: bool, field_manager: str | None) -> Query:
        query = [("fieldManager", field_manager or self._field_manager)]
        if dry_run:
            query.append(("dryRun", "All"))
        return query


def path_of(resource: Resource, name: str, namespace: str, subresource: str = "") -> str:
    """The escaped path. Raises ValueError for a name or namespace that would address something else."""
    _check_segment(name, "name", resource)
    _check_segment(namespace, "namespace", resource)
    if name and resource.namespaced and not namespace:
        raise ValueError(
            f"{resource.qualified} {name!r}: expected a namespace, found none: objects of this kind have one"
        )
    return resource.path(quote(name, safe=":@"), quote(namespace, safe=""), subresource)


def named(resource: Resource, name: str) -> str:
    """The name, which a verb for one object needs. Raises ValueError when it is empty."""
    if not name:
        raise ValueError(f"{resource.qualified}: expected the name of an object, found an empty one")
    return name


def _check_segment(segment: str, role: str, resource: Resource) -> None:
    # The API server's own rule for path segments.
    if segment in (".", "..") or "/" in segment or "%" in segment:
        raise ValueError(f"{resource.qualified}: expected a {role} without '/' and '%', found {segment!r}")


@lru_cache(maxsize=1024)
def _decoder(of: Hashable) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(cast("type[Any]", of))


def decode(of: type[T], body: bytes, doing: str) -> T:
    """An answer as a value of a type. Raises MalformedAnswer, which names the path of what did not fit."""
    try:
        value: T = _decoder(cast(Hashable, of)).decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        what = getattr(of, "__name__", str(of))
        raise MalformedAnswer(f"{doing}: expected {what}, but {error}") from error
    return value


def encode(value: object) -> bytes:
    """Any value as JSON."""
    return _encoder.encode(value)


def as_object(kind: Kind[Any], body: Body) -> dict[str, Any]:
    """A body as plain data, with apiVersion and kind filled in where they are missing."""
    content = msgspec.to_builtins(body, str_keys=True) if isinstance(body, Struct) else body
    return {"apiVersion": kind.resource.api_version, "kind": kind.resource.kind, **content}


def identity(content: Mapping[str, Any], namespace: str = "") -> tuple[str, str]:
    """Name and namespace as a body's metadata tells them; an explicit namespace wins where metadata has none."""
    metadata = content.get("metadata") or {}
    own = str(metadata.get("namespace") or "")
    if own and namespace and own != namespace:
        raise ValueError(f"metadata.namespace: expected {namespace!r} as in the call, found {own!r}")
    return str(metadata.get("name") or ""), own or namespace


def doing(verb: str, kind: Kind[Any], name: str = "", namespace: str = "", subresource: str = "") -> str:
    """What a call is about, as errors begin."""
    return _doing(verb, kind.resource, name, namespace, subresource)


def _label(resource: Resource, subresource: str) -> str:
    return f"{resource.qualified}/{subresource}" if subresource else resource.qualified


def _doing(verb: str, resource: Resource, name: str, namespace: str, subresource: str) -> str:
    where = "/".join(part for part in (namespace, name) if part)
    return f"{verb} {_label(resource, subresource)} {where}".rstrip()
