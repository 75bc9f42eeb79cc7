"""The types that an API server has from the start: what resources there are, and what their objects look like."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from homeostat.sim.apiserver.schemas.captured import types
from homeostat.sim.apiserver.schemas.openapi import Shapes
from homeostat.sim.apiserver.schemas.shape import Shape


class Subresource(Struct, frozen=True):
    """Something below a resource, as `pods/eviction`. Group, version and kind are those of the objects it takes."""

    name: str
    group: str
    version: str
    kind: str
    verbs: tuple[str, ...]


class Resource(Struct, frozen=True):
    """A resource as discovery shows it."""

    group: str
    version: str
    kind: str
    plural: str
    singular: str
    namespaced: bool
    verbs: tuple[str, ...]
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: tuple[Subresource, ...] = ()

    @property
    def api_version(self) -> str:
        """As objects write it: `v1`, `apps/v1`."""
        return f"{self.group}/{self.version}" if self.group else self.version


@functools.cache
def resources() -> tuple[Resource, ...]:
    """All built-in resources, in the order of discovery: core first, a group's preferred version first."""
    return tuple(_resources(types().core)) + tuple(_resources(types().groups))


@functools.cache
def schema_name(group: str, version: str, kind: str) -> str:
    """The full name of the schema of a kind, whether of a resource or of its list, options and reviews. Or nothing."""
    return _names().get((group, version, kind), "")


def schema(name: str) -> Mapping[str, Any]:
    """The captured schema of that full name. Raises KeyError."""
    return types().schemas[name]


def shape(group: str, version: str, kind: str) -> Shape:
    """How objects of a built-in kind merge. Raises KeyError."""
    return shapes().named(_names()[group, version, kind])


@functools.cache
def shapes() -> Shapes:
    """The shapes of all built-in types, each made when it is asked for."""
    return Shapes(types().schemas)


@functools.cache
def _names() -> dict[tuple[str, str, str], str]:
    names = {}
    for name, one in types().schemas.items():
        for kind in one.get("x-kubernetes-group-version-kind", ()):
            names[kind["group"], kind["version"], kind["kind"]] = name
    return names


def _resources(document: Mapping[str, Any]) -> Iterator[Resource]:
    for group in document["items"]:
        name = group["metadata"].get("name", "")
        for version in group["versions"]:
            for one in version.get("resources", ()):
                yield _resource(name, version["version"], one)


def _resource(group: str, version: str, one: Mapping[str, Any]) -> Resource:
    return Resource(
        group=group,
        version=version,
        kind=one["responseKind"]["kind"],
        plural=one["resource"],
        singular=one["singularResource"],
        namespaced=one["scope"] == "Namespaced",
        verbs=tuple(one["verbs"]),
        short_names=tuple(one.get("shortNames", ())),
        categories=tuple(one.get("categories", ())),
        subresources=tuple(_subresource(group, version, each) for each in one.get("subresources", ())),
    )


def _subresource(group: str, version: str, one: Mapping[str, Any]) -> Subresource:
    taken = one["responseKind"]
    # Discovery leaves out what is that of the resource.
    return Subresource(
        name=one["subresource"],
        group=taken["group"] or (group if not taken["version"] else ""),
        version=taken["version"] or version,
        kind=taken["kind"],
        verbs=tuple(one["verbs"]),
    )
