"""`homeostat pause` and `homeostat resume`: stop all changes to a cluster, and let them go on."""

from __future__ import annotations

import click

from homeostat.cli import moving
from homeostat.cli.changing import Way, change, show, way_options
from homeostat.cli.kinds import cluster_arguments
from homeostat.cli.options import Connection, connection_options
from homeostat.cli.session import Session, converse


@click.command()
@cluster_arguments
@way_options()
@connection_options
def pause(name: str, way: Way, connection: Connection) -> None:
    """Touch nothing of a cluster until it is resumed; its masters run on."""
    converse(connection, lambda session: _set(session, name, way, paused=True))


@click.command()
@cluster_arguments
@way_options()
@connection_options
def resume(name: str, way: Way, connection: Connection) -> None:
    """Go on with what is declared."""
    converse(connection, lambda session: _set(session, name, way, paused=False))


async def _set(session: Session, name: str, way: Way, *, paused: bool) -> None:
    cluster = await moving.read(session, name)
    word = "paused" if paused else "resumed"
    if cluster.spec.paused is paused:
        show(await change(session, cluster, {}, way), f"cluster {name}: is {word} already", way)
        return
    show(await change(session, cluster, {"paused": paused}, way), f"cluster {name}: {word}", way)
