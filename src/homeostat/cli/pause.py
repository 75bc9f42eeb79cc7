"""`homeostat pause` and `homeostat resume`: stop all changes to a cluster, and let them go on."""

from __future__ import annotations

from typing import Any

import click

from homeostat.api.kind import Kind
from homeostat.cli import moving
from homeostat.cli.changing import Way, change, show, way_options
from homeostat.cli.kinds import KindName
from homeostat.cli.options import Connection, connection_options
from homeostat.cli.session import Session, converse


@click.command()
@click.argument("kind", type=KindName())
@click.argument("name")
@way_options()
@connection_options
def pause(kind: Kind[dict[str, Any]], name: str, way: Way, connection: Connection) -> None:
    """Touch nothing of a cluster until it is resumed; its masters run on."""
    moving.require_cluster(kind)
    converse(connection, lambda session: _set(session, name, way, paused=True))


@click.command()
@click.argument("kind", type=KindName())
@click.argument("name")
@way_options()
@connection_options
def resume(kind: Kind[dict[str, Any]], name: str, way: Way, connection: Connection) -> None:
    """Go on with what is declared."""
    moving.require_cluster(kind)
    converse(connection, lambda session: _set(session, name, way, paused=False))


async def _set(session: Session, name: str, way: Way, *, paused: bool) -> None:
    cluster = await moving.read(session, name)
    word = "paused" if paused else "resumed"
    if cluster.spec.paused is paused:
        show(await change(session, cluster, {}, way), f"cluster {name}: is {word} already", way)
        return
    show(await change(session, cluster, {"paused": paused}, way), f"cluster {name}: {word}", way)
