"""`homeostat run`: the long-running processes."""

from __future__ import annotations

import click
from msgspec.structs import replace

from homeostat.app.options import CellOptions
from homeostat.cli.options import Connection, connection_options
from homeostat.cli.settings import settings_options


@click.group()
def run() -> None:
    """Run a homeostat process; it ends on SIGTERM or SIGINT."""


@run.command()
@connection_options
@settings_options(CellOptions)
def cell(connection: Connection, settings: CellOptions) -> None:
    """Run the operators of a cell: what keeps the masters of business clusters in their declared state."""
    from homeostat.app.cell import run_cell

    namespaces = (*settings.namespaces, connection.namespace) if connection.namespace else settings.namespaces
    code = run_cell(
        replace(
            settings,
            kubeconfig=connection.kubeconfig,
            context=connection.context,
            namespaces=tuple(dict.fromkeys(namespaces)),
        )
    )
    # A process that ended because something essential failed must not look as if it had been asked to.
    raise SystemExit(code)
