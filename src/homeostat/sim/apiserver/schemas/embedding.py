"""Objects within custom objects (`x-kubernetes-embedded-resource`): they have a kind, a version and metadata.

What names and labels in their metadata may be is not judged here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from homeostat.sim.apiserver.refusing import Cause
from homeostat.sim.apiserver.schemas import causes, decoding
from homeostat.sim.apiserver.schemas.causes import at_index, at_key, child
from homeostat.sim.apiserver.schemas.rfc import dns_1035_label_faults
from homeostat.sim.apiserver.schemas.schema import Schema


def decode_embedded(value: Any, schema: Schema, version: str, kind: str) -> list[str]:
    """Decode the metadata of embedded objects in place; the unknown fields of it. Raises Refused for a wrong type."""
    found: list[str] = []
    for path, inner in _embedded(value, schema, ""):
        if inner.get("metadata") is not None:
            inner["metadata"], faults = decoding.decode_metadata(inner["metadata"], version, kind)
            found += [each.replace('"metadata.', f'"{path}.metadata.') for each in faults]
    return sorted(found)


def embedded_causes(value: Any, schema: Schema) -> Iterator[Cause]:
    """Why embedded objects are none."""
    for path, inner in _embedded(value, schema, ""):
        yield from (causes.required(child(path, name)) for name in ("apiVersion", "kind") if name not in inner)
        for name in ("apiVersion", "kind"):
            if name in inner and not isinstance(inner[name], str):
                yield causes.invalid(child(path, name), inner[name], "must be a string")
            elif inner.get(name) == "":
                yield causes.invalid(child(path, name), "", "must not be empty")
        yield from _named(inner, path)


def _named(inner: dict[str, Any], path: str) -> Iterator[Cause]:
    version, kind = inner.get("apiVersion"), inner.get("kind")
    if isinstance(version, str) and version.count("/") > 1:
        yield causes.invalid(child(path, "apiVersion"), version, f"unexpected GroupVersion string: {version}")
    if isinstance(kind, str) and kind and (faults := dns_1035_label_faults(kind.lower())):
        said = f"may have mixed case, but should otherwise match: {','.join(faults)}"
        yield causes.invalid(child(path, "kind"), kind, said)


def _holds_objects(schema: Schema) -> bool:
    """Whether objects can be embedded in a value. It is asked with every write, so it is found out once."""
    if schema.holds_objects is None:
        parts = (*schema.properties.values(), schema.items, schema.rest)
        schema.holds_objects = schema.embedded or any(_holds_objects(part) for part in parts if part)
    return schema.holds_objects


def _embedded(value: Any, schema: Schema, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if not _holds_objects(schema):
        return
    if isinstance(value, dict):
        if schema.embedded:
            yield path, value
        for name, part in value.items():
            if name in schema.properties:
                yield from _embedded(part, schema.properties[name], child(path, name))
            elif schema.rest:
                yield from _embedded(part, schema.rest, at_key(path, name))
    elif isinstance(value, list) and schema.items:
        for index, item in enumerate(value):
            yield from _embedded(item, schema.items, at_index(path, index))
