"""A schema of a custom resource, read once from the CRD into what pruning, defaulting and validation walk over.

The same node stands for the structural part of a schema and for what its `allOf`, `anyOf`, `oneOf` and `not` say of
values; which fields these may use is for `structural` to judge.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct, field

from homeostat.sim.apiserver.schemas.formats import KNOWN


class Rule(Struct, frozen=True):
    """One of `x-kubernetes-validations`, with its fields as the CRD has them."""

    rule: str
    message: str = ""
    message_expression: str = ""
    reason: str = ""
    field_path: str = ""
    optional_old_self: bool | None = None


class Limits(Struct, frozen=True):
    """What a schema asks of a value by itself; None where it asks nothing."""

    enum: tuple[Any, ...] = ()
    format: str = ""
    pattern: str = ""
    minimum: float | None = None
    maximum: float | None = None
    exclusive_minimum: bool = False
    exclusive_maximum: bool = False
    multiple_of: float | None = None
    min_length: int | None = None
    max_length: int | None = None
    min_items: int | None = None
    max_items: int | None = None
    unique_items: bool = False
    min_properties: int | None = None
    max_properties: int | None = None
    required: tuple[str, ...] = ()


class Schema(Struct, eq=False):
    """A node. `others` is what fields without a name are (additionalProperties); True is anything, False none at all.

    `default` is a list of one value or of none, because a default may be null.
    """

    type: str = ""
    nullable: bool = False
    default: list[Any] = field(default_factory=list)
    properties: dict[str, Schema] = field(default_factory=dict)
    others: Schema | bool | None = None
    items: Schema | None = None
    limits: Limits = Limits()
    all_of: tuple[Schema, ...] = ()
    any_of: tuple[Schema, ...] = ()
    one_of: tuple[Schema, ...] = ()
    negated: Schema | None = None
    int_or_string: bool = False
    preserves_unknown: bool = False
    embedded: bool = False
    list_type: str = ""
    list_keys: tuple[str, ...] = ()
    map_type: str = ""
    rules: tuple[Rule, ...] = ()
    title: str = ""
    description: str = ""
    is_ruled: bool | None = None  # whether there are rules in it; None: nobody has looked yet
    holds_objects: bool | None = None  # whether objects are embedded in it
    sound: set[bytes] = field(default_factory=set)  # digests of values that keep its own rules

    @property
    def rest(self) -> Schema | None:
        """The schema of fields without a name, where there is one."""
        return self.others if isinstance(self.others, Schema) else None

    def of(self, name: str) -> Schema | None:
        """The schema of a field of an object."""
        return self.properties.get(name) or self.rest


def read(raw: Mapping[str, Any]) -> Schema:
    """A node and all below it. Asks for JSON of the types that the CRD's own schema states."""
    negated, items = raw.get("not"), raw.get("items")
    return Schema(
        type=raw.get("type", ""),
        nullable=bool(raw.get("nullable")),
        default=[raw["default"]] if raw.get("default") is not None else [],
        properties={name: read(part) for name, part in (raw.get("properties") or {}).items()},
        others=_others(raw.get("additionalProperties")),
        items=read(items) if isinstance(items, Mapping) else None,
        limits=_limits(raw),
        all_of=tuple(map(read, raw.get("allOf") or ())),
        any_of=tuple(map(read, raw.get("anyOf") or ())),
        one_of=tuple(map(read, raw.get("oneOf") or ())),
        negated=read(negated) if negated is not None else None,
        int_or_string=bool(raw.get("x-kubernetes-int-or-string")),
        preserves_unknown=bool(raw.get("x-kubernetes-preserve-unknown-fields")),
        embedded=bool(raw.get("x-kubernetes-embedded-resource")),
        list_type=raw.get("x-kubernetes-list-type") or "",
        list_keys=tuple(raw.get("x-kubernetes-list-map-keys") or ()),
        map_type=raw.get("x-kubernetes-map-type") or "",
        rules=tuple(map(_rule, raw.get("x-kubernetes-validations") or ())),
        title=raw.get("title", ""),
        description=raw.get("description", ""),
    )


def _others(raw: object) -> Schema | bool | None:
    if isinstance(raw, Mapping):
        return read(raw)
    return raw if isinstance(raw, bool) else None


def _rule(raw: Mapping[str, Any]) -> Rule:
    return Rule(
        rule=raw.get("rule", ""),
        message=raw.get("message", ""),
        message_expression=raw.get("messageExpression", ""),
        reason=raw.get("reason", ""),
        field_path=raw.get("fieldPath", ""),
        optional_old_self=raw.get("optionalOldSelf"),
    )


def _limits(raw: Mapping[str, Any]) -> Limits:
    return Limits(
        enum=tuple(raw.get("enum") or ()),
        # A format that the API server does not know is as good as none.
        format=raw.get("format", "") if raw.get("format", "").replace("-", "") in KNOWN else "",
        pattern=raw.get("pattern", ""),
        minimum=raw.get("minimum"),
        maximum=raw.get("maximum"),
        exclusive_minimum=bool(raw.get("exclusiveMinimum")),
        exclusive_maximum=bool(raw.get("exclusiveMaximum")),
        multiple_of=raw.get("multipleOf"),
        min_length=raw.get("minLength"),
        max_length=raw.get("maxLength"),
        min_items=raw.get("minItems"),
        max_items=raw.get("maxItems"),
        unique_items=bool(raw.get("uniqueItems")),
        min_properties=raw.get("minProperties"),
        max_properties=raw.get("maxProperties"),
        required=tuple(raw.get("required") or ()),
    )
