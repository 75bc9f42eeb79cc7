"""A custom type that has every way in which values merge, and the definition that a real API server takes for it."""

from __future__ import annotations

from typing import Any

GROUP = "merging.homeostat.dev"
API_VERSION = f"{GROUP}/v1"
PLURAL = "things"


def definition() -> dict[str, Any]:
    """The CustomResourceDefinition of Things."""
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": _spec(), "status": _status()}}},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{PLURAL}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {"plural": PLURAL, "singular": "thing", "kind": "Thing", "listKind": "ThingList"},
            "versions": [version],
        },
    }


def defaulted(thing: dict[str, Any]) -> dict[str, Any]:
    """The Thing with the defaults of its schema."""
    spec = thing.get("spec") or {}
    for part in spec.get("parts") or []:
        if part.get("zone") is None:
            part["zone"] = "a"
    return thing


def _spec() -> dict[str, Any]:
    text, number = {"type": "string"}, {"type": "integer"}
    texts = {"type": "object", "additionalProperties": text}
    pair = {"type": "object", "properties": {"one": text, "two": text}}
    part = {
        "type": "object",
        "required": ["name"],
        "properties": {"name": text, "zone": text | {"default": "a"}, "weight": number, "notes": texts},
    }
    properties = {
        "size": number,
        "tags": {"type": "array", "items": text, "x-kubernetes-list-type": "set"},
        "numbers": {"type": "array", "items": number},
        "parts": {
            "type": "array",
            "items": part,
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name", "zone"],
        },
        "labels": texts,
        "whole": pair | {"x-kubernetes-map-type": "atomic"},
        "inner": {"type": "object", "properties": {"one": text, "two": text, "deep": texts}},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    }
    return _nullable({"type": "object", "properties": properties})


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema that takes null for lists and objects, so that it is merging which decides."""
    made = dict(schema)
    if "properties" in made:
        made["properties"] = {name: _nullable(each) for name, each in made["properties"].items()}
    if made["type"] == "array" and made["items"]["type"] == "object":
        made["items"] = _nullable(made["items"]) | {"nullable": False}
    return made | {"nullable": made["type"] in ("array", "object")}


def _status() -> dict[str, Any]:
    text = {"type": "string"}
    return {
        "type": "object",
        "properties": {"phase": text, "seen": {"type": "object", "additionalProperties": text}},
    }
