"""The kinds that commands know, and the words by which people call them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from homeostat.api.catalogue import KINDS
from homeostat.api.cluster.v1alpha1 import CLUSTER
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
    """A kind, named by any of its words: any kind, or `only` one for what can be done with that alone."""

    name = "kind"

    def __init__(self, only: Resource | None = None) -> None:
        self._only = only

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Kind[dict[str, Any]]:
        """The kind, read as plain data."""
        if isinstance(value, Kind):
            return value
        resource = words().get(str(value).lower())
        if resource is None:
            self.fail(f"unknown kind {value!r}{self._advice(str(value), ctx)}", param, ctx)
        if self._only not in (None, resource):
            self.fail(f"expected {self._only.kind.lower()}, found {resource.kind.lower()}", param, ctx)
        return unstructured(resource)

    def _advice(self, value: str, ctx: click.Context | None) -> str:
        from homeostat.cli.lazy import nearest

        if elsewhere := _ELSEWHERE.get(value.lower()):
            return f"; {elsewhere}"
        if self._only is None or ctx is None:
            return nearest(value, sorted(self._words()))
        kind = self._only.kind.lower()
        sample = f"; expected {kind} before the name: `{ctx.command_path} {kind} {value}`"
        return nearest(value, sorted(self._words()), otherwise=sample)

    def _words(self) -> list[str]:
        return [word for word, resource in words().items() if self._only in (None, resource)]

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[click.shell_completion.CompletionItem]:
        """The words that begin so."""
        del ctx, param
        return [click.shell_completion.CompletionItem(word) for word in self._words() if word.startswith(incomplete)]


def cluster_arguments(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds KIND, which can be but a cluster, and NAME, which alone is passed."""
    kind = click.argument("kind", type=KindName(CLUSTER.resource), expose_value=False)
    return kind(click.argument("name")(command))


def typed(resource: Resource, name: str) -> str:
    """`cluster.cluster.homeostat.dev/demo`, as kubectl prints objects with -o name."""
    kind = resource.kind.lower()
    return f"{kind}.{resource.group}/{name}" if resource.group else f"{kind}/{name}"
