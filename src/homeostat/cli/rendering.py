"""Objects as JSON or YAML on stdout, without the bulk that nobody asked for."""

from __future__ import annotations

from typing import Any

import click
import msgspec

from homeostat.api.kind import Resource
from homeostat.cli.kinds import typed


def without_managed_fields(content: dict[str, Any]) -> dict[str, Any]:
    """The object as kubectl shows it."""
    metadata = {key: value for key, value in content.get("metadata", {}).items() if key != "managedFields"}
    return {**content, "metadata": metadata}


def print_data(content: Any, form: str) -> None:
    """Any value as json or yaml."""
    if form == "json":
        click.echo(msgspec.json.format(msgspec.json.encode(content), indent=4).decode())
        return
    import yaml

    click.echo(yaml.safe_dump(content, default_flow_style=False, allow_unicode=True, width=2**31 - 1), nl=False)


def print_objects(objects: list[dict[str, Any]], form: str, resource: Resource, *, single: bool) -> None:
    """Objects in a form of -o: one as itself, several as a List."""
    if form == "name":
        for content in objects:
            click.echo(typed(resource, content["metadata"]["name"]))
        return
    shown = [
        {"apiVersion": resource.api_version, "kind": resource.kind, **without_managed_fields(content)}
        for content in objects
    ]
    whole = shown[0] if single else {"apiVersion": "v1", "kind": "List", "items": shown, "metadata": {}}
    print_data(whole, form)
