"""How an API server prints parts of a CRD in its causes: as JSON of its internal Go types.

These have other names than the API, every field is there, and they stand in the order of the declaration.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from homeostat.sim.apiserver.schemas.causes import InOrder
from homeostat.sim.apiserver.schemas.schema import Rule

_WORDS: tuple[str, ...] = ("id", "$schema", "$ref", "description", "type", "nullable", "format", "title", "default")
_WORDS += ("maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum", "maxLength", "minLength", "pattern")
_WORDS += ("maxItems", "minItems", "uniqueItems", "multipleOf", "enum", "maxProperties", "minProperties", "required")
_WORDS += ("items", "allOf", "oneOf", "anyOf", "not", "properties", "additionalProperties", "patternProperties")
_WORDS += ("dependencies", "additionalItems", "definitions", "externalDocs", "example")
_WORDS += ("x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource", "x-kubernetes-int-or-string")
_WORDS += ("x-kubernetes-list-map-keys", "x-kubernetes-list-type", "x-kubernetes-map-type", "x-kubernetes-validations")
_ZEROS = dict.fromkeys(("id", "$schema", "description", "type", "format", "title", "pattern"), "") | dict.fromkeys(
    (
        *("nullable", "exclusiveMaximum", "exclusiveMinimum", "uniqueItems"),
        *("x-kubernetes-embedded-resource", "x-kubernetes-int-or-string"),
    ),
    False,
)
_NAMES = {"id": "ID", "$schema": "Schema", "$ref": "Ref"}
_SCHEMAS = ("allOf", "oneOf", "anyOf")
_NAMED_SCHEMAS = ("properties", "patternProperties", "definitions")


def shown_schema(raw: Mapping[str, Any]) -> InOrder:
    """A JSONSchemaProps."""
    return InOrder((_name(word), _part(word, raw.get(word, _ZEROS.get(word)))) for word in _WORDS)


def shown_rule(raw: Mapping[str, Any]) -> InOrder:
    """A ValidationRule."""
    texts = ("rule", "message", "messageExpression")
    shown = InOrder((_capital(word), raw.get(word, "")) for word in texts)
    shown |= {"Reason": raw.get("reason"), "FieldPath": raw.get("fieldPath", "")}
    shown["OptionalOldSelf"] = raw.get("optionalOldSelf")
    return shown


def shown_versions(versions: Sequence[Mapping[str, Any]], shared: Iterable[str]) -> list[InOrder]:
    """A list of versions, without what they share."""
    return [_version({word: each[word] for word in each if word not in shared}) for each in versions]


def _version(raw: Mapping[str, Any]) -> InOrder:
    shown = InOrder({"Name": raw.get("name", "")})
    shown |= {_capital(word): bool(raw.get(word)) for word in ("served", "storage", "deprecated")}
    schema, subresources = raw.get("schema"), raw.get("subresources")
    shown["DeprecationWarning"] = raw.get("deprecationWarning")
    shown["Schema"] = schema and InOrder({"OpenAPIV3Schema": shown_schema(schema["openAPIV3Schema"])})
    shown["Subresources"] = None if subresources is None else _subresources(subresources)
    columns, fields = raw.get("additionalPrinterColumns"), raw.get("selectableFields")
    shown["AdditionalPrinterColumns"] = None if columns is None else [_column(each) for each in columns]
    shown["SelectableFields"] = None if fields is None else [{"JSONPath": each.get("jsonPath", "")} for each in fields]
    return shown


def _subresources(raw: Mapping[str, Any]) -> InOrder:
    scale = raw.get("scale")
    words = ("specReplicasPath", "statusReplicasPath")
    shown = None if scale is None else InOrder((_capital(word), scale.get(word, "")) for word in words)
    if shown is not None and scale is not None:
        shown["LabelSelectorPath"] = scale.get("labelSelectorPath")
    return InOrder({"Status": raw.get("status"), "Scale": shown})


def _column(raw: Mapping[str, Any]) -> InOrder:
    shown = InOrder((_capital(word), raw.get(word, "")) for word in ("name", "type", "format", "description"))
    shown |= {"Priority": raw.get("priority", 0), "JSONPath": raw.get("jsonPath", "")}
    return shown


def _part(word: str, value: Any) -> Any:
    if value is None or value is False:
        return value
    if word in _SCHEMAS:
        return [shown_schema(each) for each in value]
    if word in _NAMED_SCHEMAS:
        return {name: shown_schema(each) for name, each in value.items()}
    if word == "not":
        return shown_schema(value)
    if word == "items":
        return _items(value)
    if word in ("additionalProperties", "additionalItems"):
        return InOrder({"Allows": bool(value), "Schema": shown_schema(value) if isinstance(value, Mapping) else None})
    return [shown_rule(each) for each in value] if word == "x-kubernetes-validations" else value


def _items(value: Any) -> InOrder:
    if isinstance(value, Mapping):
        return InOrder({"Schema": shown_schema(value), "JSONSchemas": None})
    return InOrder({"Schema": None, "JSONSchemas": [shown_schema(each) for each in value]})


def _name(word: str) -> str:
    if word.startswith("x-kubernetes-"):
        return "X" + "".join(each.capitalize() for each in word.removeprefix("x-kubernetes-").split("-"))
    return _NAMES.get(word) or _capital(word)


def _capital(word: str) -> str:
    return word[0].upper() + word[1:]


def rule_of(rule: Rule) -> InOrder:
    """A ValidationRule that was read."""
    shown = InOrder({"Rule": rule.rule, "Message": rule.message, "MessageExpression": rule.message_expression})
    shown |= {"Reason": rule.reason or None, "FieldPath": rule.field_path, "OptionalOldSelf": rule.optional_old_self}
    return shown
