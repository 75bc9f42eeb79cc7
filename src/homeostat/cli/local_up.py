"""`homeostat up`: raise what is missing of a data centre on this machine, and say how to reach it."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from typing import TYPE_CHECKING

import click

from homeostat.cli.exits import CliError, Exit

if TYPE_CHECKING:
    from homeostat.local.datacentre import DataCentre
    from homeostat.local.doctor import Check
    from homeostat.local.steps import Timing


@click.command()
@click.option(
    "--engine",
    type=click.Choice(["auto", "kubernetes", "sim"]),
    default="auto",
    show_default=True,
    help="Real hosts, or a simulated data centre; auto: real hosts where this machine can carry them.",
)
@click.option("--name", default="homeostat", show_default=True, help="The data centre's name.")
@click.option(
    "--hosts",
    type=click.IntRange(1, 10_000),
    help="How many hosts carry Pods, spread over zones a, b, c: at most 30 real ones.  [default: 3; simulated: 6]",
)
@click.option("--dry-run", is_flag=True, help="Print the steps, in rounds that run at once, and change nothing.")
def up(engine: str, name: str, hosts: int | None, dry_run: bool) -> None:
    """Raise a data centre on this machine: hosts, a meta cluster over them, homeostat in it.

    May be repeated at any time: it keeps what runs and makes the rest, also after a kill or a reboot. A simulated one
    needs neither root nor Linux, and serves within seconds; it is lost when its process ends.
    """
    from homeostat.cli import simulated

    is_simulated = engine == "sim" or (engine == "auto" and simulated.place_of(name).is_used())
    lacks = () if is_simulated else missing()
    if lacks and engine == "auto":
        click.echo(f"this machine cannot carry real hosts ({lacks[0].found}), so they are simulated", err=True)
        is_simulated = True
    if is_simulated:
        simulated.up(name, hosts, dry_run=dry_run)
        return
    simulated.refuse_other_engine(name)
    if lacks:
        lines = "\n".join(f"  {check.name}: {check.found}\n    {check.remedy}" for check in lacks)
        raise CliError(
            f"this machine cannot carry real hosts\n{lines}",
            Exit.FAILURE,
            remedy="`homeostat doctor` shows all checks; `--engine sim` needs none of them",
        )
    asyncio.run(_up(name, hosts, dry_run=dry_run))


def missing() -> tuple[Check, ...]:
    """What this machine lacks for real hosts."""
    from homeostat.cli.local_centre import paths
    from homeostat.local import doctor

    places = paths()
    return doctor.failed(doctor.diagnose(doctor.gather(places.cache, places.state, os.environ)))


async def _up(name: str, hosts: int | None, *, dry_run: bool) -> None:
    from homeostat.cli.local_centre import errors, make_ground, paths, view
    from homeostat.kit.clock import SystemClock
    from homeostat.kit.random import system_random
    from homeostat.local import datacentre
    from homeostat.local.manifests import Manifests, root
    from homeostat.local.updown import plan_of_up, up

    clock, places = SystemClock(), paths()
    with errors():
        if dry_run:
            centre = await datacentre.sketch(places, name, hosts, clock=clock, random=system_random())
            for number, steps in enumerate(plan_of_up(centre, make_ground(centre)), start=1):
                click.echo(f"{number}. {', '.join(steps)}")
            return
        centre = await datacentre.begin(places, name, hosts, clock=clock, random=system_random())
        ground = make_ground(centre)
        try:
            with view(clock) as shown:
                timings = await up(centre, ground, Manifests(root()), clock=clock, view=shown)
        finally:
            await ground.close()
    click.echo(summary(centre, timings))


def summary(centre: DataCentre, timings: tuple[Timing, ...]) -> str:
    """What runs and how to reach it."""
    plan, total = centre.plan, max(timing.started_s + timing.took_s for timing in timings)
    option = "" if centre.state.name == "homeostat" else f" --name {centre.state.name}"
    hosts = ", ".join(f"{place.name} (zone {place.zone})" for place in plan.meta)
    path = "" if shutil.which("kubectl") else f" PATH={centre.kubectl.parent}:$PATH"
    return "\n".join(
        [
            f"data centre {plan.name} is up after {total:.0f} s",
            f"  control   {plan.control.name}  https://{plan.control.address}:6443",
            f"  hosts     {hosts}",
            f"  network   {plan.range}, load balancers {plan.vip_pool}",
            f"  reach it  export KUBECONFIG={centre.kubeconfig}{path}",
            "            kubectl get nodes",
            f"  look      homeostat status{option}; homeostat logs{option}",
            f"  remove    homeostat down{option}",
        ]
    )


def main() -> None:
    """For `python -m homeostat.cli.local_up`."""
    up.main(sys.argv[1:])
