"""`homeostat pause` and `homeostat resume`: stop all changes to a cluster, and let them go on."""

from __future__ import annotations

from typing import Any

import click

from homeostat.api.kind import Kind
from homeostat.cli import moving
from homeostat.cli.kinds import KindName
from homeostat.cli.options import Connection, connection_options, dry_run_option
from homeostat.cli.session import Session, converse


@click.command()
@click.argument("kind", type=KindName())
@click.argument("name")
@dry_run_option
@connection_options
def pause(kind: Kind[dict[str, Any]], name: str, dry_run: str, connection: Connection) -> None:
    """Touch nothing of a cluster until it is resumed; its masters run on."""
    moving.require_cluster(kind)
    converse(connection, lambda session: _set(session, name, dry_run, paused=True))


@click.command()
@click.argument("kind", type=KindName())
@click.argument("name")
@dry_run_option
@connection_options
def resume(kind: Kind[dict[str, Any]], name: str, dry_run: str, connection: Connection) -> None:
    """Go on with what is declared."""
    moving.require_cluster(kind)
    converse(connection, lambda session: _set(session, name, dry_run, paused=False))


async def _set(session: Session, name: str, dry_run: str, *, paused: bool) -> None:
    cluster = await moving.read(session, name)
    word = "paused" if paused else "resumed"
    if cluster.spec.paused is paused:
        click.echo(f"cluster {name}: is {word} already")
        return
    await moving.change(session, cluster, {"paused": paused}, dry_run)
    suffix = {"client": " (dry run)", "server": " (server dry run)"}.get(dry_run, "")
    click.echo(f"cluster {name}: {word}{suffix}")
