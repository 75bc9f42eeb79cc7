"""Templates of Pods: told apart by a digest, named by a hash, and made Pods of. Pure, but for what is remembered.

The hash is not the one that Kubernetes computes, which is made of how Go prints its structs; it has its letters and its
length.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from homeostat.api.kind import Kind
from homeostat.api.meta import Object
from homeostat.sim.world.controllers.workloads.owning import reference_to

Template = dict[str, Any]
HASH_LABEL = "pod-template-hash"
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_LONG = 10


def read(template: msgspec.Raw) -> Template:
    """A template of the caller's own."""
    value: Template = msgspec.json.decode(template)
    return value


def digest_of(template: msgspec.Raw) -> str:
    """What two templates have in common that differ in no more than the hash that they are named by."""
    value = read(template)
    metadata = value.get("metadata") or {}
    labels = {key: each for key, each in (metadata.get("labels") or {}).items() if key != HASH_LABEL}
    # Whoever writes nothing, and whoever leaves it out, mean the same.
    value["metadata"] = {key: each for key, each in {**metadata, "labels": labels}.items() if each}
    return hashlib.blake2b(msgspec.json.encode(value, order="deterministic"), digest_size=16).hexdigest()


def hash_of(digest: str, collisions: int) -> str:
    """What a template is named by; other words when a name was taken."""
    number = int.from_bytes(hashlib.blake2b(f"{digest}/{collisions}".encode(), digest_size=8).digest(), "big")
    letters = []
    for _ in range(_LONG):
        number, rest = divmod(number, len(_LETTERS))
        letters.append(_LETTERS[rest])
    return "".join(letters)


class Digests:
    """The digests of templates. One is computed again when the object's generation says that it may have changed."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[int, str]] = {}

    def of(self, obj: Object, template: msgspec.Raw) -> str:
        """The digest of an object's template."""
        meta = obj.metadata
        known = self._known.get(meta.uid)
        if known is None or known[0] != meta.generation:
            known = self._known[meta.uid] = (meta.generation, digest_of(template))
        return known[1]

    def forget(self, obj: Object) -> None:
        """It is gone."""
        self._known.pop(obj.metadata.uid, None)


def pod_of(template: Template, kind: Kind[Any], owner: Object, labels: Mapping[str, str] | None = None) -> Template:
    """A Pod of a template, with a name that the server will end, which belongs to its maker."""
    metadata = template.get("metadata") or {}
    kept = {key: metadata[key] for key in ("annotations", "finalizers") if metadata.get(key)}
    return {
        "metadata": {
            "generateName": f"{owner.metadata.name}-",
            "namespace": owner.metadata.namespace,
            "labels": {**(metadata.get("labels") or {}), **(labels or {})},
            "ownerReferences": [reference_to(kind, owner)],
            **kept,
        },
        "spec": template.get("spec") or {},
    }
