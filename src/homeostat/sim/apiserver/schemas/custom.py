"""A version of a custom resource: what an API server does with its objects between the wire and the store.

An object that comes in is pruned, defaulted and validated, in this order and by these methods; one that is read from
the store is defaulted again, since defaults may have been added to the CRD after it was stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from homeostat.sim.apiserver.refusing import Cause
from homeostat.sim.apiserver.schemas import builtin, causes, decoding, defaulting, pruning
from homeostat.sim.apiserver.schemas.correlating import ABSENT
from homeostat.sim.apiserver.schemas.embedding import decode_embedded, embedded_causes
from homeostat.sim.apiserver.schemas.listing import validate_lists
from homeostat.sim.apiserver.schemas.openapi import Shapes
from homeostat.sim.apiserver.schemas.reading import Repeated, repeated_fields, without_repeats
from homeostat.sim.apiserver.schemas.rules import Place, broken_rules, has_rules
from homeostat.sim.apiserver.schemas.schema import Schema, read
from homeostat.sim.apiserver.schemas.shape import SCALAR, Shape
from homeostat.sim.apiserver.schemas.validating import validate

_INCOMPLETE = (
    "some validation rules were not checked because the object was invalid; "
    "correct the existing errors to complete validation"
)
_BLOCKING = frozenset(
    ("FieldValueNotSupported", "FieldValueRequired", "FieldValueTooLong", "FieldValueTooMany", "FieldValueTypeInvalid")
)


class CustomType:
    """One served version of a CRD that was accepted."""

    def __init__(self, crd: Mapping[str, Any], version: str) -> None:
        spec = crd["spec"]
        found = next(each for each in spec["versions"] if each["name"] == version)
        self.group: str = spec["group"]
        self.version = version
        self.kind: str = spec["names"]["kind"]
        self.namespaced = spec["scope"] == "Namespaced"
        self._raw: Mapping[str, Any] = (found.get("schema") or {}).get("openAPIV3Schema") or {}
        self._schema = read(self._raw)
        subresources = found.get("subresources") or {}
        self.has_status = subresources.get("status") is not None
        self.scale: Mapping[str, Any] | None = subresources.get("scale")
        self._shape: Shape | None = None

    @property
    def schema(self) -> Schema:
        """The schema of its objects."""
        return self._schema

    @property
    def shape(self) -> Shape:
        """How its objects merge."""
        if self._shape is None:
            self._shape = shape_of(self._raw)
        return self._shape

    def decode(self, value: Any) -> tuple[dict[str, Any], list[str]]:
        """An object as it came (`reading.read`), pruned, and what is to be said of unknown and repeated fields.

        Raises Refused for metadata of a wrong type.
        """
        faults: list[str] = []
        decoded: dict[str, Any] = value
        if isinstance(value, Repeated):
            faults = [f'duplicate field "{path}"' for path in repeated_fields(value)]
            decoded = without_repeats(value)
        if decoded.get("metadata") is not None:
            metadata, unknown = decoding.decode_metadata(decoded["metadata"], self.version, self.kind)
            decoded["metadata"] = metadata
            faults += unknown
        faults += [f'unknown field "{path}"' for path in self.prune(decoded)]
        faults += decode_embedded(decoded, self._schema, self.version, self.kind)
        return decoded, list(dict.fromkeys(faults))

    def prune(self, value: dict[str, Any]) -> list[str]:
        """Remove what the schema does not know; the paths of what was removed, for who wants to be told."""
        removed = pruning.prune(value, self._schema)
        pruning.drop_nulls(value, self._schema)
        return removed

    def set_defaults(self, value: dict[str, Any]) -> None:
        """Set what is missing and has a default."""
        defaulting.set_defaults(value, self._schema)

    def creation_causes(self, value: Mapping[str, Any]) -> list[Cause]:
        """Why a new object is refused. Its metadata is judged elsewhere."""
        found = self._type_causes(value)
        if found:
            return found
        found = validate(value, self._schema)
        found += embedded_causes(value, self._schema)
        found += validate_lists(value, self._schema)
        return self._with_rules(found, value, ABSENT)

    def update_causes(self, value: Mapping[str, Any], before: Mapping[str, Any]) -> list[Cause]:
        """Why a change is refused. What is as it was before is not."""
        found = self._type_causes(value)
        if found:
            return found
        found = validate(value, self._schema, before=before)
        found += embedded_causes(value, self._schema)
        found += self._new_list_causes(value, before)
        return self._with_rules(found, value, before)

    def status_causes(self, value: Mapping[str, Any], before: Mapping[str, Any]) -> list[Cause]:
        """Why a change through the status subresource is refused: only the status is judged by its schema."""
        found = self._type_causes(value)
        if found:
            return found
        schema = self._schema.properties.get("status")
        if "status" in value and schema:
            found = validate(value["status"], schema, before=before.get("status", None), path="status")
        found += self._new_list_causes(value, before)
        return self._with_rules(found, value, before)

    def _new_list_causes(self, value: Mapping[str, Any], before: Mapping[str, Any]) -> list[Cause]:
        """Faults of lists, where all were without any before."""
        found = validate_lists(value, self._schema)
        return [] if found and validate_lists(before, self._schema) else found

    def _type_causes(self, value: Mapping[str, Any]) -> list[Cause]:
        wanted = {"kind": self.kind, "apiVersion": f"{self.group}/{self.version}"}
        return [
            causes.invalid(name, value.get(name, ""), f"must be {told}")
            for name, told in wanted.items()
            if value.get(name, "") != told
        ]

    def _with_rules(self, found: list[Cause], value: Mapping[str, Any], before: Any) -> list[Cause]:
        """Rules see objects of the right form alone."""
        if not has_rules(self._schema):
            return found
        if any(cause.type in _BLOCKING for cause in found):
            return [*found, causes.invalid("", None, _INCOMPLETE)]
        return found + list(broken_rules(value, self._schema, Place("", before, is_object=True)))


def shape_of(raw: Mapping[str, Any]) -> Shape:
    """The shape of the objects of a CRD; metadata is everybody's."""
    return _with_meta(Shapes({}).of(raw), raw, is_object=True)


def _with_meta(shape: Shape, raw: Mapping[str, Any], *, is_object: bool = False) -> Shape:
    for name, part in (raw.get("properties") or {}).items():
        _with_meta(shape.fields[name], part)
    for word in ("items", "additionalProperties"):
        if isinstance(raw.get(word), Mapping) and shape.each:
            _with_meta(shape.each, raw[word])
    if is_object or raw.get("x-kubernetes-embedded-resource"):
        metadata = builtin.shapes().named("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta")
        shape.fields |= {"apiVersion": SCALAR, "kind": SCALAR, "metadata": metadata}
    return shape
