"""`homeostat run`: the long-running processes."""

from __future__ import annotations

import click
from msgspec.structs import replace

from homeostat.app.options import CellOptions, ClusterOptions
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


@run.command()
@connection_options
@settings_options(ClusterOptions)
def cluster(connection: Connection, settings: ClusterOptions) -> None:
    """Run homeostat's operator for one business cluster, beside its masters: a hosted operator of a package version."""
    from homeostat.app.cluster import run_cluster

    code = run_cluster(replace(settings, kubeconfig=connection.kubeconfig, context=connection.context))
    raise SystemExit(code)
