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


@run.command()
@click.option("--name", default="homeostat", show_default=True, help="The data centre's name.")
@click.option("--hosts", type=click.IntRange(1, 10_000), default=6, show_default=True, help="How many hosts it has.")
@click.option("--ready-fd", type=int, default=-1, hidden=True)
def simulation(name: str, hosts: int, ready_fd: int) -> None:
    """Run a simulated data centre in this process, with the cluster operator in it: `homeostat up --engine sim`."""
    from homeostat.app.simulation import SimulationOptions, run_simulation
    from homeostat.cli.exits import CliError
    from homeostat.cli.simulated import place_of
    from homeostat.sim.standing.place import Taken
    from homeostat.sim.standing.ranges import NoneFree

    try:
        raise SystemExit(run_simulation(SimulationOptions(name=name, hosts=hosts, ready_fd=ready_fd), place_of(name)))
    except Taken as error:
        raise CliError(str(error)) from error
    except NoneFree as error:
        raise CliError(str(error), remedy="remove one with `homeostat down --name NAME`") from error
