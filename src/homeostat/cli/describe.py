"""`homeostat describe`: one object's story, for people; programs use `get -o json`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import click

from homeostat.api.core import EVENT, Event
from homeostat.api.kind import Kind
from homeostat.cli.ages import age
from homeostat.cli.kinds import KindName
from homeostat.cli.options import Connection, connection_options
from homeostat.cli.session import Session, converse
from homeostat.cli.table import aligned


@click.command()
@click.argument("kind", type=KindName())
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@connection_options
def describe(kind: Kind[dict[str, Any]], names: Sequence[str], connection: Connection) -> None:
    """Tell the story of objects: spec, components, conditions, events."""
    converse(connection, lambda session: _describe(session, kind, names))


async def _describe(session: Session, kind: Kind[dict[str, Any]], names: Sequence[str]) -> None:
    namespace = session.namespace if kind.resource.namespaced else ""
    for number, name in enumerate(names):
        content = await session.client.get(kind, name, namespace)
        uid = content["metadata"]["uid"]
        listed = await session.client.list(EVENT, namespace or "default", fields=f"regarding.uid={uid}")
        if number:
            click.echo("\n")
        for line in told(kind, content, listed.items, session.clock.now()):
            click.echo(line)


def told(kind: Kind[dict[str, Any]], content: dict[str, Any], events: Sequence[Event], now: datetime) -> list[str]:
    """All lines of one object."""
    metadata, status = content["metadata"], content.get("status") or {}
    lines = head(kind, metadata, status, now)
    lines += ["", "Spec:", *plain(content.get("spec") or {})]
    if components := status.get("components"):
        lines += ["", "Components:", *component_table(components)]
    if conditions := status.get("conditions"):
        lines += ["", "Conditions:", *condition_table(conditions, now)]
    return [*lines, "", *event_table(events, now)]


def head(kind: Kind[dict[str, Any]], metadata: dict[str, Any], status: dict[str, Any], now: datetime) -> list[str]:
    """Who it is, and how it fares in a word."""
    endpoint = status.get("endpoint") or {}
    created = datetime.fromisoformat(metadata["creationTimestamp"])
    facts = [
        ("Kind", kind.resource.kind),
        ("Name", metadata["name"]),
        ("Namespace", metadata.get("namespace", "")),
        ("Labels", ", ".join(f"{key}={value}" for key, value in sorted((metadata.get("labels") or {}).items()))),
        ("Created", f"{metadata['creationTimestamp']} ({age(now - created)} ago)"),
        ("Deletion asked", metadata.get("deletionTimestamp", "")),
        ("Phase", status.get("phase", "")),
        ("Kubernetes", status.get("kubernetesVersion", "")),
        ("Package", status.get("packageVersion", "")),
        ("Topology", topology(status.get("topology") or {})),
        ("Endpoint", f"https://{endpoint['host']}:{endpoint['port']}" if endpoint else ""),
        ("Ready since", status.get("readyAt", "")),
    ]
    return [f"{label + ':':<16}{value}" for label, value in facts if value]


def topology(told: dict[str, Any]) -> str:
    """How many masters there are to be now, and who comes or goes."""
    if not told:
        return ""
    change = told.get("change")
    going = f", {change['member']} {'joins' if change['action'] == 'Join' else 'leaves'}" if change else ""
    is_changing = " (changing)" if told.get("startedAt") else ""
    return f"{told['complete']}{is_changing}: etcd {told['members']}, others {told['replicas']}{going}"


def plain(value: Any, depth: int = 1) -> list[str]:
    """Nested values as indented lines."""
    import yaml

    text = yaml.safe_dump(value, sort_keys=False, default_flow_style=False, allow_unicode=True, width=2**31 - 1)
    return ["  " * depth + line for line in text.splitlines()]


def component_table(components: Iterable[dict[str, Any]]) -> list[str]:
    """One line for each component."""
    lines = [("NAME", "VERSION", "READY", "STATE", "MESSAGE")]
    for each in components:
        ready = f"{each.get('ready', 0)}/{each.get('desired', 0)}"
        lines.append((each["name"], each["version"], ready, each.get("state", ""), each.get("message", "")))
    return ["  " + line for line in aligned(lines)]


def condition_table(conditions: Iterable[dict[str, Any]], now: datetime) -> list[str]:
    """One line for each condition."""
    lines = [("TYPE", "STATUS", "REASON", "SINCE", "MESSAGE")]
    for each in conditions:
        since = age(now - datetime.fromisoformat(each["lastTransitionTime"]))
        lines.append((each["type"], each["status"], each["reason"], since, each.get("message", "")))
    return ["  " + line for line in aligned(lines)]


def event_table(events: Sequence[Event], now: datetime) -> list[str]:
    """What happened, the oldest first."""
    if not events:
        return ["Events: none (the API server keeps them for an hour)"]
    ordered = sorted(events, key=lambda event: (event.last_seen or now, event.metadata.name))
    lines = [("AGE", "TYPE", "REASON", "FROM", "NOTE")]
    for event in ordered:
        last = age(now - (event.last_seen or now))
        often = f"{last} (x{event.count})" if event.count > 1 else last
        teller = event.reporting_controller or event.deprecated_source.component
        lines.append((often, event.type, event.reason, teller, " ".join(event.note.split())))
    return ["Events:", *("  " + line for line in aligned(lines))]
