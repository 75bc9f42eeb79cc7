"""`homeostat get`: the server's own tables, or whole objects."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from typing import Any

import click
from msgspec import Struct

from homeostat.api.kind import Kind
from homeostat.cli import table as tables
from homeostat.cli.exits import CliError, Exit
from homeostat.cli.kinds import KindName
from homeostat.cli.options import Connection, connection_options, output_option
from homeostat.cli.rendering import print_objects
from homeostat.cli.session import Session, converse
from homeostat.cli.users import with_users
from homeostat.kube.errors import Gone, NotFound


class Wanted(Struct, frozen=True):
    """What to list, and how to show it."""

    kind: Kind[dict[str, Any]]
    names: tuple[str, ...]
    all_namespaces: bool
    labels: str
    output: str
    watch: bool

    def namespace(self, session: Session) -> str:
        """The namespace to look in; empty for all, and for kinds that have none."""
        return session.namespace if self.kind.resource.namespaced and not self.all_namespaces else ""


@click.command()
@click.argument("kind", type=KindName())
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("-A", "--all-namespaces", is_flag=True, help="Look into all namespaces.")
@click.option("-l", "--selector", default="", metavar="LABELS", help="Only objects with these labels.")
@click.option("-w", "--watch", is_flag=True, help="Go on and show every change.")
@output_option("wide", "json", "yaml", "name")
@connection_options
def get(
    kind: Kind[dict[str, Any]],
    names: Sequence[str],
    all_namespaces: bool,
    selector: str,
    watch: bool,
    output: str | None,
    connection: Connection,
) -> None:
    """List objects of a KIND: clusters (hc) or packageversions (cpv)."""
    if names and (selector or all_namespaces):
        raise click.UsageError("expected either names or a selection by -l or -A, found both")
    if watch and output not in (None, "wide"):
        raise click.UsageError(f"-w: expected a table (no -o, or -o wide), found -o {output}")
    wanted = Wanted(kind, tuple(names), all_namespaces, selector, output or "", watch)
    converse(connection, lambda session: _get(session, wanted))


async def _get(session: Session, wanted: Wanted) -> None:
    if wanted.output in ("json", "yaml", "name"):
        await _get_objects(session, wanted)
    elif wanted.watch:
        await _watch(session, wanted)
    else:
        await _get_table(session, wanted)


async def _get_objects(session: Session, wanted: Wanted) -> None:
    namespace = wanted.namespace(session)
    if wanted.names:
        objects = [await session.client.get(wanted.kind, name, namespace) for name in wanted.names]
    else:
        objects = (await session.client.list(wanted.kind, namespace, labels=wanted.labels)).items
    print_objects(objects, wanted.output, wanted.kind.resource, single=len(wanted.names) == 1)


async def _tables(session: Session, wanted: Wanted) -> list[tables.Table]:
    resource, namespace = wanted.kind.resource, wanted.namespace(session)
    if not wanted.names:
        return [await tables.fetch(session.client, resource, namespace=namespace, labels=wanted.labels)]
    return [await tables.fetch(session.client, resource, namespace=namespace, name=name) for name in wanted.names]


async def _get_table(session: Session, wanted: Wanted) -> None:
    found = await with_users(session, wanted.kind.resource, await _tables(session, wanted))
    if not any(table.rows for table in found):
        where = f" in namespace {session.namespace}" if wanted.namespace(session) else ""
        click.echo(f"no {wanted.kind.resource.plural} found{where}", err=True)
        return
    _print(session, wanted, found, [], with_header=True)


def _print(
    session: Session, wanted: Wanted, found: Sequence[tables.Table], widths: list[int], *, with_header: bool
) -> None:
    wide, now = wanted.output == "wide", session.clock.now()
    namespaces = wanted.all_namespaces and wanted.kind.resource.namespaced
    lines = [tables.header(found[0], wide=wide, namespaces=namespaces)] if with_header else []
    for table in found:
        lines += [tables.cells(table, row, wide=wide, namespaces=namespaces, now=now) for row in table.rows or ()]
    for line in tables.aligned(lines, widths):
        click.echo(line)


async def _watch(session: Session, wanted: Wanted) -> None:
    """Show the table, then a row for each change, for ever. A watch that ends is taken up where it ended."""
    if len(wanted.names) > 1:
        raise CliError(f"-w: expected one name or none, found {len(wanted.names)}", Exit.USAGE)
    namespace, widths = wanted.namespace(session), list[int]()
    fields = f"metadata.name={wanted.names[0]}" if wanted.names else ""
    first = True
    while True:
        found = await _tables(session, wanted)
        if found[0].rows or not first:
            _print(session, wanted, found, widths, with_header=first)
        first = first and not found[0].rows
        listed = await session.client.list(wanted.kind, namespace, labels=wanted.labels, fields=fields)
        version = listed.resource_version
        try:
            while True:
                stream = session.client.watch(
                    wanted.kind, namespace, resource_version=version, labels=wanted.labels, fields=fields
                )
                async with aclosing(stream) as events:
                    async for event in events:
                        version = event.resource_version or version
                        if event.object is not None:
                            await _print_change(session, wanted, event.type, event.object, widths, header=first)
                            first = False
        except Gone:
            continue


async def _print_change(
    session: Session, wanted: Wanted, change: str, content: dict[str, Any], widths: list[int], *, header: bool
) -> None:
    """The row of what changed. A deleted object has none any more; that is told on stderr."""
    metadata = content["metadata"]
    name, namespace = metadata["name"], metadata.get("namespace", "")
    try:
        table = await tables.fetch(session.client, wanted.kind.resource, namespace=namespace, name=name)
    except NotFound:
        change = "DELETED"
    if change == "DELETED":
        click.echo(f"{wanted.kind.resource.kind.lower()} {name} deleted", err=True)
        return
    _print(session, wanted, [table], widths, with_header=header)
