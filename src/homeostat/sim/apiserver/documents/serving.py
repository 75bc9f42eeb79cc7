"""Serves the documents: the list of them with a hash of each, one for each group and version, and the old single one.

A document of custom types is made when somebody asks for it, and kept until one of its types is another one.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import msgspec
from msgspec import Struct

from homeostat.sim.apiserver.answer import Answer, told
from homeostat.sim.apiserver.documents.custom import schemas_of
from homeostat.sim.apiserver.documents.operations import paths_of, references
from homeostat.sim.apiserver.documents.swagger import definition
from homeostat.sim.apiserver.refusing import not_imitated
from homeostat.sim.apiserver.schemas import captured
from homeostat.sim.apiserver.types.registry import Types
from homeostat.sim.apiserver.types.type import Type, Value

_V2, _V3 = "/openapi/v2", "/openapi/v3"
_PROTOBUF = "protobuf"
_encode = msgspec.json.Encoder().encode


class _Kept(Struct, frozen=True):
    """A document as bytes, and the types that it is of."""

    types: tuple[Type, ...]
    body: bytes
    hash: str


class Documents:
    """The documents of one server's types."""

    def __init__(self, types: Types) -> None:
        self._types = types
        self._kept: dict[str, _Kept] = {}

    def answer(self, path: str, headers: Mapping[str, str]) -> Answer | None:
        """The list of documents, or one of them; None when the path is not theirs. Raises Refused."""
        if not path.startswith((_V2, _V3)):
            return None
        accept = headers.get("accept", "")
        if _PROTOBUF in accept and "json" not in accept:
            raise not_imitated("OpenAPI in protobuf")
        if path == _V2:
            return _known(self._document(_V2, self._custom(), _swagger), headers)
        name = path.removeprefix(_V3).strip("/")
        custom = self._by_name()
        if not name:
            hashes = dict.fromkeys(captured.openapi_paths(), captured.MINOR)
            hashes |= {each: self._document(each, types, _of_version).hash for each, types in custom.items()}
            return told({"paths": {each: _reference(each, hash_) for each, hash_ in sorted(hashes.items())}})
        if name in custom:
            return _known(self._document(name, custom[name], _of_version), headers)
        return told(captured.openapi(name)) if name in captured.openapi_paths() else None

    def _custom(self) -> tuple[Type, ...]:
        return tuple(each for each in self._types if each.is_custom)

    def _by_name(self) -> dict[str, tuple[Type, ...]]:
        found: dict[str, list[Type]] = {}
        for each in self._custom():
            found.setdefault(f"apis/{each.resource.api_version}", []).append(each)
        return {name: tuple(types) for name, types in found.items()}

    def _document(self, name: str, types: tuple[Type, ...], make: Any) -> _Kept:
        kept = self._kept.get(name)
        # Types are replaced when they change, and compared by what they are and not by what they say.
        if kept is None or kept.types != types:
            body = _encode(make(types))
            kept = self._kept[name] = _Kept(types, body, sha256(body).hexdigest().upper())
        return kept


def _known(kept: _Kept, headers: Mapping[str, str]) -> Answer:
    """A document, or that the client has it already."""
    tag = {"Etag": f'"{kept.hash}"'}
    if headers.get("if-none-match") == tag["Etag"]:
        return Answer(304, headers=tag)
    return Answer(200, kept.body, headers=tag)


def _of_version(types: tuple[Type, ...]) -> Value:
    """The document of the custom types of one group in one version."""
    paths: Value = {}
    schemas: Value = {}
    for each in types:
        paths |= paths_of(each)
        schemas |= schemas_of(each)
    named = list(references([paths, schemas]))
    while named:
        name = named.pop()
        if name not in schemas:
            schemas[name] = captured.types().schemas[name]
            named += references(schemas[name])
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes CRD Swagger", "version": "v0.1.0"},
        "paths": paths,
        "components": {"schemas": dict(sorted(schemas.items()))},
    }


def _swagger(types: tuple[Type, ...]) -> Value:
    schemas = dict(captured.types().schemas)
    for each in types:
        schemas |= schemas_of(each, for_swagger=True)
    return {
        "swagger": "2.0",
        "info": {"title": "Kubernetes", "version": captured.MINOR},
        "paths": {},
        "definitions": {name: definition(schema) for name, schema in sorted(schemas.items())},
    }


def _reference(name: str, hash_: str) -> dict[str, str]:
    # Clients keep a document for as long as its hash is the same.
    return {"serverRelativeURL": f"{_V3}/{name}?hash={hash_}"}
