"""Specs of Clusters, drawn from the schema of their CRD: sound ones, those at an edge, and those that are none.

The schema is the only source: a field that is new in it is wished for without a line here. What a schema cannot say
(the names of package versions, of components and of their flags) is added in one table, so that wishes contradict each
other where it matters and not only at the door.
"""

from __future__ import annotations

import functools
import re._constants as token  # type: ignore[import-not-found]  # what `re` itself parses by
import re._parser as parser  # type: ignore[import-not-found]
from collections.abc import Iterator, Mapping
from random import Random
from typing import Any

from msgspec import Struct
from tests.support.kinds import contents
from tests.support.tree import ROOT

Schema = Mapping[str, Any]
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
_MEANINGS: Mapping[str, tuple[Any, ...]] = {
    "packageVersion": ("v1.34.3", "v1.34.4", "v1.35.4", "v1.35.4-hosted", "v1.34.4-etcd3.5", "v9.9.9"),
    "overrides.name": ("kube-apiserver", "kube-scheduler", "etcd", "homeostat", "nobody"),
    "overrides.args.": ("v", "max-requests-inflight", "etcd-servers", "no-such-flag", "Not A Flag"),
    "overrides.removeArgs": ("snapshot-count", "v", "etcd-servers"),
    "overrides.resources.requests.": ("cpu", "memory", "nonsense"),
    "overrides.resources.limits.": ("cpu", "memory"),
    "overrides.resources.requests": ("100m", "64Mi", "900", "-1", "much"),
    "overrides.resources.limits": ("2", "4Gi", "1m"),
    "network.podCIDR": ("10.200.0.0/16", "10.201.0.0/16", "10.200.0.0/25", "10.0.0.0/33", "nowhere"),
    "network.serviceCIDR": ("10.201.0.0/20", "10.200.128.0/20", "10.201.0.0/30"),
    "endpoint.address": ("198.18.9.9", "198.18.9.10", "1.2.3", ""),
    "storage.size": ("2Gi", "3Gi", "0", "plenty"),
}


class Field(Struct, frozen=True):
    """A place in a spec, and what its schema says."""

    path: tuple[str, ...]
    schema: Schema


class Wish(Struct, frozen=True):
    """A change of a spec, as a merge patch; `must_fail` where the schema forbids it."""

    patch: dict[str, Any]
    must_fail: bool = False


@functools.cache
def spec_schema() -> Schema:
    """Of a Cluster's spec, as its CRD has it."""
    (definition,) = contents(ROOT / "deploy/crds/cluster.homeostat.dev_clusters.yaml")
    version = definition["spec"]["versions"][0]
    found: Schema = version["schema"]["openAPIV3Schema"]["properties"]["spec"]
    return found


@functools.cache
def fields() -> tuple[Field, ...]:
    """All places that can be wished for by themselves: leaves, and lists and maps as a whole."""
    return tuple(_leaves(spec_schema(), ()))


def wished(chance: Random) -> Wish:
    """One to three places: all as the schema has it, or one of them not."""
    chosen = chance.sample(fields(), chance.randrange(1, 4))
    patch: dict[str, Any] = {}
    for field in chosen:
        _put(patch, field.path, sound(field.schema, chance, ".".join(field.path)))
    if chance.random() < 0.7:
        return Wish(patch)
    field = chosen[0]
    _put(patch, field.path, unsound(field.schema, chance))
    return Wish(patch, must_fail=True)


def sound(schema: Schema, chance: Random, path: str = "") -> Any:
    """A value that the schema takes; rules beside it may not."""
    if path in _MEANINGS and chance.random() < 0.9 and schema.get("type") != "array":
        return chance.choice(_MEANINGS[path])
    if "enum" in schema:
        return chance.choice(schema["enum"])
    if "x-kubernetes-int-or-string" in schema:
        return chance.choice((1, "100m"))
    return _OF_TYPE[schema["type"]](schema, chance, path)


def unsound(schema: Schema, chance: Random) -> Any:
    """A value that the schema forbids."""
    wrong: list[Any] = [["a list"]] if schema.get("type") != "array" else ["a text", {"a": "map"}]
    if "enum" in schema:
        wrong.append("Nonsense")
    if schema.get("type") == "integer":
        wrong += ["5", 1.5, True]
        wrong += [schema["minimum"] - 1] if "minimum" in schema else []
        wrong += [schema["maximum"] + 1] if "maximum" in schema else []
    if schema.get("type") == "string":
        wrong += [5, True, "x" * (schema.get("maxLength", 1 << 16) + 1)]
        wrong += ["Ä ö!"] if "pattern" in schema else []
    if schema.get("type") == "boolean":
        wrong += ["true", 1]
    return chance.choice(wrong)


def matching(pattern: str, chance: Random, most: int = 12) -> str:
    """A text that a regular expression takes; repetitions are kept short."""
    return "".join(_drawn(parser.parse(pattern), chance, most))


def _leaves(schema: Schema, path: tuple[str, ...]) -> Iterator[Field]:
    if schema.get("type") == "object" and "properties" in schema:
        for name, inner in schema["properties"].items():
            yield from _leaves(inner, (*path, name))
    else:
        yield Field(path, schema)


def _put(patch: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for name in path[:-1]:
        patch = patch.setdefault(name, {})
    patch[path[-1]] = value


def _object(schema: Schema, chance: Random, path: str) -> dict[str, Any]:
    if "properties" in schema:
        needed = schema.get("required", ())
        return {
            name: sound(inner, chance, f"{path}.{name}")
            for name, inner in schema["properties"].items()
            if name in needed or chance.random() < 0.3
        }
    names = _MEANINGS.get(f"{path}.", ("a", "b"))
    chosen = chance.sample(names, chance.randrange(0, 3))
    return {name: sound(schema["additionalProperties"], chance, path) for name in chosen}


def _array(schema: Schema, chance: Random, path: str) -> list[Any]:
    found = [sound(schema["items"], chance, path) for _ in range(chance.randrange(0, 3))]
    keys = schema.get("x-kubernetes-list-map-keys")
    told = [tuple(each[key] for key in keys) if keys else each for each in found]
    return [each for number, each in enumerate(found) if told[number] not in told[:number]]


def _integer(schema: Schema, chance: Random, _: str) -> int:
    least, most = schema.get("minimum", 0), schema.get("maximum", (1 << 63) - 1)
    return int(chance.choice((least, schema.get("default", least), min(most, least + chance.randrange(1, 4)), most)))


def _string(schema: Schema, chance: Random, _: str) -> str:
    if "pattern" in schema:
        return matching(schema["pattern"], chance)[: schema.get("maxLength", 64)]
    size = chance.choice((schema.get("minLength", 0), 3, min(schema.get("maxLength", 8), 64)))
    return "".join(chance.choice(_LETTERS) for _ in range(size))


def _boolean(_: Schema, chance: Random, __: str) -> bool:
    return chance.random() < 0.5


_OF_TYPE = {"object": _object, "array": _array, "integer": _integer, "string": _string, "boolean": _boolean}


def _drawn(parts: Any, chance: Random, most: int) -> Iterator[str]:
    for kind, value in parts:
        if kind is token.LITERAL:
            yield chr(value)
        elif kind is token.IN:
            yield chance.choice([letter for each in value for letter in _letters(each)])
        elif kind in (token.MAX_REPEAT, token.MIN_REPEAT):
            least, greatest, inner = value
            for _ in range(chance.randrange(least, min(int(greatest), least + most) + 1)):
                yield from _drawn(inner, chance, most)
        elif kind is token.SUBPATTERN:
            yield from _drawn(value[3], chance, most)
        elif kind is token.BRANCH:
            yield from _drawn(chance.choice(value[1]), chance, most)
        else:
            assert kind is token.AT, f"no text is drawn for {kind}"


def _letters(part: tuple[Any, Any]) -> list[str]:
    kind, value = part
    if kind is token.RANGE:
        return [chr(each) for each in range(value[0], value[1] + 1)]
    assert kind is token.LITERAL, f"no letter is drawn for {kind}"
    return [chr(value)]
