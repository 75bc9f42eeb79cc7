"""How a type says what its fields mean and what the API server refuses.

Fields carry a `doc(...)` in `Annotated`; types carry `Rule`s in a class variable named `rules`. From these one source
come the CRDs, `kubectl explain` and the field reference. Limits live in the schema only and are not checked again when
an object is decoded: an object that an older or newer schema let in must not stop a cache from filling.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct


class Rule(Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """A CEL rule (x-kubernetes-validations). Messages say what was expected, and what to do where it is not plain."""

    rule: str
    message: str = ""
    message_expression: str = ""  # names what was found; `message` is the fallback
    field_path: str = ""
    reason: str = ""


IMMUTABLE = Rule(rule="self == oldSelf", message="cannot be changed after creation; delete and create the object anew")


class Column(Struct, frozen=True, rename="camel"):
    """A printer column of `kubectl get`; priority 1 is shown with -o wide only."""

    name: str
    json_path: str
    description: str
    type: str = "string"
    priority: int = 0


class Definition(Struct, frozen=True, kw_only=True):
    """What a CRD says beside the schema."""

    description: str
    short_names: tuple[str, ...]
    columns: tuple[Column, ...]
    rules: tuple[Rule, ...] = ()
    name_pattern: str = ""  # of metadata.name, where it must be stricter than Kubernetes' own
    has_status: bool = True


def doc(description: str, *rules: Rule, **keywords: Any) -> msgspec.Meta:
    """What a field means, the rules of its value, and JSON schema keywords (`maxLength=63`, `enum=[...]`).

    `items` holds keywords of a list's elements, `values` those of a map's values.
    """
    extra: dict[str, Any] = dict(keywords)
    if rules:
        extra["x-kubernetes-validations"] = [msgspec.to_builtins(rule) for rule in rules]
    return msgspec.Meta(description=description, extra_json_schema=extra)
