"""The kinds that commands know, and the words by which people call them."""

from __future__ import annotations

from typing import Any

import click

from homeostat.api.catalogue import KINDS
from homeostat.api.kind import Kind, Resource, unstructured

_ALIASES = {"packageversion": "clusterpackageversions", "packageversions": "clusterpackageversions"}
# What people look for among the kinds, and where it is.
_ELSEWHERE = dict.fromkeys(("snapshot", "snapshots"), "`homeostat snapshots cluster NAME` lists those of a cluster")


def words() -> dict[str, Resource]:
    """Every word that names a kind, as kubectl takes it, and our own shorter ones."""
    found: dict[str, Resource] = {}
    for kind, definition in KINDS:
        resource = kind.resource
        names = (resource.plural, resource.kind.lower(), resource.qualified, *definition.short_names)
        found.update(dict.fromkeys(names, resource))
    return found | {alias: found[plural] for alias, plural in _ALIASES.items()}


class KindName(click.ParamType[Kind[dict[str, Any]]]):
    """A kind, named by any of its words."""

    name = "kind"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Kind[dict[str, Any]]:
        """The kind, read as plain data."""
        if isinstance(value, Kind):
            return value
        known = words()
        resource = known.get(str(value).lower())
        if resource is None:
            from homeostat.cli.lazy import nearest

            elsewhere = _ELSEWHERE.get(str(value).lower())
            hint = f"; {elsewhere}" if elsewhere else nearest(str(value), sorted(known))
            self.fail(f"unknown kind {value!r}{hint}", param, ctx)
        return unstructured(resource)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[click.shell_completion.CompletionItem]:
        """The words that begin so."""
        del ctx, param
        return [click.shell_completion.CompletionItem(word) for word in words() if word.startswith(incomplete)]


def typed(resource: Resource, name: str) -> str:
    """`cluster.cluster.homeostat.dev/demo`, as kubectl prints objects with -o name."""
    kind = resource.kind.lower()
    return f"{kind}.{resource.group}/{name}" if resource.group else f"{kind}/{name}"
