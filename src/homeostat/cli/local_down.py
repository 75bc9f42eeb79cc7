"""`homeostat down`: remove a data centre from this machine, wholly."""

from __future__ import annotations

import asyncio

import click


@click.command()
@click.option("--name", default="homeostat", show_default=True, help="The data centre's name.")
def down(name: str) -> None:
    """Remove the data centre: processes, mounts, namespaces, devices, rules and files. Only the cache stays.

    A data centre that is not there is removed already: that is no error.
    """
    from homeostat.cli import simulated

    if simulated.down(name):
        click.echo(f"data centre {name} is gone; it was simulated")
        return
    asyncio.run(_down(name))


async def _down(name: str) -> None:
    from homeostat.cli.local_centre import errors, make_ground, paths, view
    from homeostat.kit.clock import SystemClock
    from homeostat.kit.random import system_random
    from homeostat.local import datacentre
    from homeostat.local.updown import down

    clock = SystemClock()
    with errors():
        centre = datacentre.find(paths(), name, clock=clock, random=system_random())
        if centre is None:
            click.echo(f"data centre {name}: there is none on this machine")
            return
        with view(clock) as shown:
            await down(centre, make_ground(centre), clock=clock, view=shown)
    click.echo(f"data centre {name} is gone; the cache at {paths().cache} stays")
