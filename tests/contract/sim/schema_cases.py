"""CRDs and objects, good and bad, on which the simulated and the real API server have to agree."""

from __future__ import annotations

import copy
from typing import Any

GROUP = "contract.homeostat.dev"

TEXT = {"type": "string"}
WHOLE = {"type": "integer"}


def crd(spec: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A CRD of one version whose objects have a spec of that schema; changes are of its one version."""
    root = {"type": "object", "properties": {"spec": spec}}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": root}} | changes
    names = {"plural": "things", "kind": "Thing"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"things.{GROUP}"},
        "spec": {"group": GROUP, "scope": "Cluster", "names": names, "versions": [version]},
    }


def with_schema(root: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A CRD of one version with a whole schema."""
    return crd({}, schema={"openAPIV3Schema": root}, **changes)


def with_spec(**changes: Any) -> dict[str, Any]:
    """A sound CRD with another spec of its own."""
    made = crd({"type": "object"})
    made["spec"] = copy.deepcopy(made["spec"]) | changes
    return made


def of(**properties: Any) -> dict[str, Any]:
    """The schema of an object with these fields."""
    return {"type": "object", "properties": properties}


def listed(items: dict[str, Any], **marks: Any) -> dict[str, Any]:
    """The schema of a list; marks are named without their prefix."""
    named = {f"x-kubernetes-{name.replace('_', '-')}": value for name, value in marks.items()}
    return {"type": "array", "items": items} | named


PRESERVED = "x-kubernetes-preserve-unknown-fields"
EMBEDDED = "x-kubernetes-embedded-resource"
INT_OR_STRING = "x-kubernetes-int-or-string"

DEFINITIONS: dict[str, dict[str, Any]] = {
    "sound": crd(of(name=TEXT)),
    "no type at the root": with_schema({"properties": {"spec": of()}}),
    "another type at the root": with_schema({"type": "array", "items": TEXT}),
    "no type of a field": crd(of(name={"minLength": 3})),
    "no type of items": crd(of(names=listed({}))),
    "no items": crd(of(names={"type": "array"})),
    "an unknown type": crd(of(name={"type": "text"})),
    "the type null": crd(of(name={"type": "null"})),
    "two kinds of fields": crd(of(name=TEXT) | {"additionalProperties": TEXT}),
    "fields without names at the root": with_schema({"type": "object", "additionalProperties": TEXT}),
    "unique items": crd(of(names=listed(TEXT) | {"uniqueItems": True})),
    "a bad pattern": crd(of(name=TEXT | {"pattern": "a(?=b)"})),
    "type within anyOf": crd(of(name=TEXT | {"anyOf": [{"type": "string"}]})),
    "a default within oneOf": crd(of(name=TEXT | {"oneOf": [{"default": "x"}, {"description": "x", "title": "y"}]})),
    "structure within not": crd(of() | {"not": {"additionalProperties": True, "nullable": True}}),
    "a field that only allOf has": with_schema(of(spec=of()) | {"allOf": [of(spec=of(name={"minLength": 1}))]}),
    "int or string": crd(of(port={INT_OR_STRING: True, "anyOf": [{"type": "integer"}, {"type": "string"}]})),
    "int or string that preserves": crd(of(port={INT_OR_STRING: True, PRESERVED: True})),
    "no preserving": crd(of(any={"type": "object", PRESERVED: False})),
    "preserving without a type": crd(of(any={PRESERVED: True})),
    "an embedded resource of no type": crd(of(any={EMBEDDED: True, PRESERVED: True})),
    "an embedded text": crd(of(any={EMBEDDED: True, "type": "string"})),
    "an empty embedded resource": crd(of(any={EMBEDDED: True, "type": "object"})),
    "an embedded map": crd(of(any={EMBEDDED: True, "type": "object", PRESERVED: True, "additionalProperties": TEXT})),
    "metadata that restricts the name": with_schema(of(metadata=of(name=TEXT | {"maxLength": 5}))),
    "metadata that restricts labels": with_schema(of(metadata=of(labels={"type": "object"}))),
    "metadata of another type": with_schema(of(metadata=TEXT)),
    "a kind that is no text": with_schema(of(kind=WHOLE, apiVersion=WHOLE)),
    "a default at the kind": with_schema(of(kind=TEXT | {"default": "x"})),
    "a default of another type": crd(of(name=TEXT | {"default": 3})),
    "a default beyond the limits": crd(of(size=WHOLE | {"default": 300, "maximum": 100})),
    "a default with unknown fields": crd(of(inner=of(name=TEXT) | {"default": {"nam": "x"}})),
    "a default that lacks a field": crd(of(inner=of(name=TEXT) | {"default": {}, "required": ["name"]})),
    "a list map": crd(
        of(items=listed(of(name=TEXT) | {"required": ["name"]}, list_type="map", list_map_keys=["name"]))
    ),
    "a list map without keys": crd(of(items=listed(of(name=TEXT), list_type="map"))),
    "a list map of texts": crd(of(items=listed(TEXT, list_type="map", list_map_keys=["name"]))),
    "a list map by what may lack": crd(of(items=listed(of(name=TEXT), list_type="map", list_map_keys=["name"]))),
    "a list map by an unknown key": crd(of(items=listed(of(name=TEXT), list_type="map", list_map_keys=["key"]))),
    "a list map by one key twice": crd(
        of(items=listed(of(a=TEXT) | {"required": ["a"]}, list_type="map", list_map_keys=["a", "a"]))
    ),
    "a list map by an object": crd(
        of(items=listed(of(a=of()) | {"required": ["a"]}, list_type="map", list_map_keys=["a"]))
    ),
    "keys of a list that is no map": crd(of(items=listed(of(name=TEXT), list_map_keys=["name"]))),
    "keys of a set": crd(of(items=listed(of(name=TEXT), list_type="set", list_map_keys=["name"]))),
    "a set of objects": crd(of(items=listed(of(name=TEXT), list_type="set"))),
    "a set of nulls": crd(of(items=listed(TEXT | {"nullable": True}, list_type="set"))),
    "a list type of a text": crd(of(items=TEXT | {"x-kubernetes-list-type": "set"})),
    "an unknown list type": crd(of(items=listed(TEXT, list_type="bag"))),
    "an unknown map type": crd(of(items=of() | {"x-kubernetes-map-type": "loose"})),
    "a map type of a text": crd(of(items=TEXT | {"x-kubernetes-map-type": "atomic"})),
    "what is not supported": crd(of(name=TEXT | {"id": "x"}, other=of() | {"patternProperties": {"a": TEXT}})),
    "definitions": crd(of() | {"definitions": {"a": TEXT}}),
    "a reference": crd(of(name={"$ref": "#/definitions/x"})),
    "null at the root": with_schema(of() | {"nullable": True}),
    "a closed root with a status": with_schema(of() | {"maxProperties": 3}, subresources={"status": {}}),
    "no name of the group": with_spec(group="things"),
    "a bad group": with_spec(group="Things.Example"),
    "another plural": with_spec(names={"plural": "others", "kind": "Thing"}),
    "no kind": with_spec(names={"plural": "things"}),
    "a kind of dashes": with_spec(names={"plural": "things", "kind": "a_b", "shortNames": ["T"], "categories": ["Q"]}),
    "one kind for both": with_spec(names={"plural": "things", "kind": "Thing", "listKind": "Thing"}),
    "no scope": with_spec(scope=""),
    "another scope": with_spec(scope="World"),
    "no schema": crd({}, schema=None),
    "an empty schema": crd({}, schema={}),
    "a bad version": crd(of(), name="V1"),
    "a warning of what is not deprecated": crd(of(), deprecationWarning="old"),
    "nothing stored": crd(of(), storage=False),
    "bad columns": crd(
        of(),
        additionalPrinterColumns=[
            {"name": "", "type": "text", "jsonPath": "spec"},
            {"name": "a", "type": "string", "jsonPath": "", "format": "loud"},
        ],
    ),
    "bad scale": crd(of(), subresources={"scale": {"specReplicasPath": "spec.n", "statusReplicasPath": ".spec.n"}}),
    "no paths of the scale": crd(of(), subresources={"scale": {"specReplicasPath": "", "statusReplicasPath": ""}}),
    "selectable fields": crd(
        of(name=TEXT, inner=of()),
        selectableFields=[
            {"jsonPath": ".spec.name"},
            {"jsonPath": ".spec.name"},
            {"jsonPath": ".spec.inner"},
            {"jsonPath": ".spec.none"},
        ],
    ),
    "rules without a rule": crd(of() | {"x-kubernetes-validations": [{"rule": " "}]}),
    "rules with bad words": crd(
        of()
        | {
            "x-kubernetes-validations": [
                {"rule": "true", "message": "  "},
                {"rule": "true", "message": "a\nb"},
                {"rule": "true", "reason": "Whatever"},
                {"rule": "true", "fieldPath": ".none"},
                {"rule": "true\n", "messageExpression": " "},
            ]
        }
    ),
}

THING = of(
    text=TEXT | {"minLength": 2, "maxLength": 5, "pattern": "^[a-z]+$"},
    kind=TEXT | {"enum": ["big", "small"]},
    size=WHOLE | {"minimum": 1, "maximum": 10, "multipleOf": 2},
    strict=WHOLE | {"minimum": 1, "maximum": 10, "exclusiveMinimum": True, "exclusiveMaximum": True},
    share={"type": "number", "minimum": 0.5, "maximum": 1.5},
    level=WHOLE | {"enum": [1, 2]},
    flag={"type": "boolean"},
    null=TEXT | {"nullable": True},
    names=listed(TEXT | {"minLength": 1}) | {"minItems": 1, "maxItems": 2},
    unique=listed(TEXT, list_type="set"),
    ports=listed(
        of(port=WHOLE, protocol=TEXT | {"default": "TCP"}, note=TEXT) | {"required": ["port"]},
        list_type="map",
        list_map_keys=["port", "protocol"],
    ),
    labels={"type": "object", "additionalProperties": TEXT | {"maxLength": 3}, "minProperties": 1, "maxProperties": 2},
    target={INT_OR_STRING: True},
    both={INT_OR_STRING: True, "anyOf": [{"type": "integer"}, {"type": "string"}], "pattern": "^[0-9]+%$"},
    any={"type": "object", PRESERVED: True, "properties": {"known": of(name=TEXT)}},
    free={PRESERVED: True},
    embedded={"type": "object", EMBEDDED: True, PRESERVED: True},
    inner=of(a=TEXT | {"default": "x"}, b=of(c=WHOLE | {"default": 3}) | {"default": {}}),
    choice=of(a=TEXT, b=TEXT) | {"oneOf": [{"required": ["a"]}, {"required": ["b"]}]},
    some=of(a=TEXT, b=TEXT) | {"anyOf": [{"required": ["a"]}, {"required": ["b"]}]},
    every=TEXT | {"allOf": [{"minLength": 2}, {"pattern": "^a"}]},
    never=TEXT | {"not": {"enum": ["no"]}},
    day=TEXT | {"format": "date"},
    time=TEXT | {"format": "date-time"},
    span=TEXT | {"format": "duration"},
    address=TEXT | {"format": "ipv4"},
    network=TEXT | {"format": "cidr"},
    uuid=TEXT | {"format": "uuid"},
    host=TEXT | {"format": "hostname"},
    bytes=TEXT | {"format": "byte"},
    mac=TEXT | {"format": "mac"},
    uri=TEXT | {"format": "uri"},
    loud=TEXT | {"format": "loud"},
    short=TEXT | {"format": "k8s-short-name"},
    count=WHOLE | {"format": "int32"},
) | {"required": ["text"]}

THINGS: dict[str, dict[str, Any]] = {
    "sound": {"text": "abc"},
    "no text": {},
    "too long": {"text": "abcdef"},
    "too short": {"text": "a"},
    "another pattern": {"text": "ABC"},
    "a pattern and a line break": {"text": "abc\n"},
    "another type": {"text": 3, "size": "x", "flag": "true", "names": {}, "labels": []},
    "null": {"text": None},
    "nulls": {"text": "abc", "null": None, "kind": None, "inner": None, "names": [None], "labels": {"a": None}},
    "none of the listed": {"text": "abc", "kind": "huge", "level": 3},
    "a number of the listed": {"text": "abc", "level": 1.0},
    "too big": {"text": "abc", "size": 12, "strict": 10, "share": 1.75},
    "too small": {"text": "abc", "size": 0, "strict": 1, "share": 0.25},
    "not a multiple": {"text": "abc", "size": 3},
    "a fraction": {"text": "abc", "size": 2.5},
    "a whole float": {"text": "abc", "size": 4.0},
    "a large count": {"text": "abc", "count": 99999999999},
    "too many": {"text": "abc", "names": ["a", "b", "c"], "labels": {"a": "b", "c": "d", "e": "f"}},
    "too few": {"text": "abc", "names": [], "labels": {}},
    "bad items": {"text": "abc", "names": ["", 3], "labels": {"a": "long"}},
    "twice in a set": {"text": "abc", "unique": ["a", "b", "a", "a"]},
    "one key twice": {"text": "abc", "ports": [{"port": 1}, {"port": 2}, {"port": 1, "protocol": "TCP"}]},
    "one key of two": {"text": "abc", "ports": [{"port": 1}, {"port": 1, "protocol": "UDP"}]},
    "items that are no objects": {"text": "abc", "ports": ["a"]},
    "an item without its key": {"text": "abc", "ports": [{}]},
    "int or string": {"text": "abc", "target": 3, "both": "30%"},
    "int and string": {"text": "abc", "target": "a", "both": "30"},
    "neither int nor string": {"text": "abc", "target": True, "both": 1.5},
    "defaults": {"text": "abc", "inner": {}, "ports": [{"port": 3}]},
    "unknown fields": {"text": "abc", "foo": 1, "inner": {"bar": 2, "b": {"baz": 3}}, "ports": [{"port": 1, "x": 1}]},
    "what is preserved": {"text": "abc", "any": {"x": {"y": 1}, "known": {"name": "a", "z": 1}}, "free": {"q": [1]}},
    "an embedded object": {
        "text": "abc",
        "embedded": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "x": 1}, "spec": {"y": 1}},
    },
    "an embedded object of no kind": {"text": "abc", "embedded": {"metadata": {}}},
    "an embedded object of a bad kind": {"text": "abc", "embedded": {"apiVersion": "a/b/c", "kind": "P_d"}},
    "an embedded object of an empty kind": {"text": "abc", "embedded": {"apiVersion": "", "kind": ""}},
    "free text": {"text": "abc", "free": "text"},
    "both of a choice": {"text": "abc", "choice": {"a": "x", "b": "y"}},
    "none of a choice": {"text": "abc", "choice": {}},
    "none of some": {"text": "abc", "some": {}},
    "neither of every": {"text": "abc", "every": "b"},
    "one of every": {"text": "abc", "every": "bb"},
    "never": {"text": "abc", "never": "no"},
    "sound formats": {
        "text": "abc",
        "day": "2026-02-28",
        "time": "2026-02-28T12:00:00Z",
        "span": "1h30m",
        "address": "10.0.0.1",
        "network": "10.0.0.0/8",
        "uuid": "00000000-0000-4000-8000-000000000000",
        "host": "a.example",
        "bytes": "YWJj",
        "mac": "00:11:22:33:44:55",
        "uri": "https://a.example/b",
        "loud": "anything",
        "short": "abc",
    },
    "bad formats": {
        "text": "abc",
        "day": "2026-02-30",
        "time": "noon",
        "span": "long",
        "address": "10.0.0.256",
        "network": "10.0.0.0",
        "uuid": "0",
        "host": "-a",
        "bytes": "a",
        "mac": "00",
        "uri": "a b",
        "short": "A",
    },
    "formats of no text": {"text": "abc", "day": 3, "address": {}},
}
