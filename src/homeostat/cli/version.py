"""`homeostat version`: of this program and of the API server."""

from __future__ import annotations

import platform
from typing import Any

import click

from homeostat.cli.options import Connection, connection_options, output_option
from homeostat.cli.release import release
from homeostat.cli.rendering import print_data
from homeostat.cli.session import Session, converse


@click.command()
@click.option("--client", "client_only", is_flag=True, help="Only this program's version; no connection is made.")
@output_option("json", "yaml")
@connection_options
def version(client_only: bool, output: str | None, connection: Connection) -> None:
    """Print the versions of homeostat and of the API server."""
    told: dict[str, Any] = {"clientVersion": {"version": release(), "python": platform.python_version()}}
    if output is None:
        click.echo(f"homeostat: {told['clientVersion']['version']}")
    if client_only:
        if output:
            print_data(told, output)
        return
    server = converse(connection, _server_version)
    if output is None:
        click.echo(f"kubernetes: {server}")
    else:
        print_data({**told, "serverVersion": {"gitVersion": server}}, output)


async def _server_version(session: Session) -> str:
    return (await session.client.version()).git_version
