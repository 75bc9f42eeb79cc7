"""What a real kube-apiserver says of its own types, as `scripts/capture_schemas.py` has written it down.

Three files of what the API server serves: `types` holds its aggregated discovery and the schemas of its OpenAPI
documents, `paths` the rest of these documents, which only clients that ask for OpenAPI need, `columns` the heads of its
tables. A fourth, `messages`, is of `scripts/capture_messages.py`: how objects are written in protobuf. They are read
when they are first asked for, once per process.
"""

from __future__ import annotations

import functools
import lzma
from importlib.resources import files
from typing import Any

import msgspec

MINOR = "1.35"
"""The version of Kubernetes that the files are of."""


class Types(msgspec.Struct, frozen=True):
    """`version` is the whole one; `core` and `groups` are the documents of `/api` and `/apis`."""

    version: str
    core: dict[str, Any]
    groups: dict[str, Any]
    schemas: dict[str, dict[str, Any]]


@functools.cache
def types() -> Types:
    """Discovery, and the schemas of all types by their full name (`io.k8s.api.core.v1.Pod`)."""
    return msgspec.json.decode(_content("types"), type=Types)


@functools.cache
def columns() -> dict[str, list[dict[str, Any]]]:
    """The columns of tables by `plural.group`, of types that have better ones than a name and a date."""
    found: dict[str, list[dict[str, Any]]] = msgspec.json.decode(_content("columns"))
    return found


@functools.cache
def messages() -> dict[str, dict[str, list[str]]]:
    """The messages of protobuf by their full names: for each number a name, `one`, `many` or `map`, and a type."""
    found: dict[str, dict[str, list[str]]] = msgspec.json.decode(_content("messages"))
    return found


def openapi_paths() -> list[str]:
    """The documents that `/openapi/v3` lists, as `api/v1`."""
    return list(_documents())


def openapi(path: str) -> dict[str, Any]:
    """A whole OpenAPI v3 document of those that `/openapi/v3` lists. Raises KeyError."""
    stored = _documents()[path]
    components = dict(stored["components"])
    if "schemas" in components:
        components["schemas"] = {name: types().schemas[name] for name in components["schemas"]}
    return stored | {"components": components}


@functools.cache
def _documents() -> dict[str, dict[str, Any]]:
    documents: dict[str, dict[str, Any]] = msgspec.json.decode(_content("paths"))
    return documents


def _content(name: str) -> bytes:
    return lzma.decompress((files(__package__) / "data" / f"{MINOR}-{name}.json.xz").read_bytes())
