"""One object as it is kept: bytes without what every reader adds, and the little that selects it without decoding.

An object is served in several versions and its resourceVersion is known only when it is stored, so neither is part of
the bytes: they are put before them when somebody reads. So a change of either costs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode
_OPENING = b'{"metadata":{'
_NOTHING: dict[str, str] = {}


class Record(Struct, frozen=True, gc=False):
    """An object at a revision. `key` is `namespace/name`, with an empty namespace for what has none.

    `rest` is the object as JSON from behind `{"metadata":{` on, without kind, apiVersion and resourceVersion.
    `labels` and `fields` (the selectable ones beside name and namespace) are what selectors read.
    """

    key: str
    revision: int
    rest: bytes
    labels: Mapping[str, str] = _NOTHING
    fields: Mapping[str, str] = _NOTHING

    @property
    def namespace(self) -> str:
        """Empty for what has none."""
        return self.key.partition("/")[0]

    @property
    def name(self) -> str:
        """Of the object."""
        return self.key.partition("/")[2]

    def at(self, revision: int) -> Record:
        """The same object, told as of another revision: what a watch says when an object leaves its sight."""
        return Record(self.key, revision, self.rest, self.labels, self.fields)

    def shown(self, head: bytes) -> bytes:
        """The whole object; `head` is `"kind":"...","apiVersion":"...",` or nothing."""
        return b'{%b"metadata":{"resourceVersion":"%d",%b' % (head, self.revision, self.rest)

    def value(self, head: bytes) -> dict[str, Any]:
        """The whole object, decoded anew for the caller alone."""
        value: dict[str, Any] = _decode(self.shown(head))
        return value


def key_of(namespace: str, name: str) -> str:
    """The key of an object."""
    return f"{namespace}/{name}"


def record(value: Mapping[str, Any], revision: int, fields: Mapping[str, str] = _NOTHING) -> Record:
    """An object, kept. It must have a name; kind, apiVersion and resourceVersion are left out."""
    metadata = {key: each for key, each in value["metadata"].items() if key != "resourceVersion"}
    rest = {key: each for key, each in value.items() if key not in ("kind", "apiVersion", "metadata")}
    encoded = _encode({"metadata": metadata, **rest})
    labels = metadata.get("labels") or _NOTHING
    key = key_of(metadata.get("namespace", ""), metadata["name"])
    return Record(key, revision, encoded[len(_OPENING) :], labels, fields)
