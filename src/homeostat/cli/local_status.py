"""`homeostat status`: what of a data centre runs, asked of the world."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from homeostat.cli.exits import Exit
from homeostat.cli.options import output_option

if TYPE_CHECKING:
    from homeostat.local.status import CentreStatus


@click.command()
@click.option("--name", default="homeostat", show_default=True, help="The data centre's name.")
@output_option("json")
def status(name: str, output: str | None) -> int:
    """Tell what runs: hosts, the cell's parts, business clusters, endpoints. Exit code 1 when something is not well."""
    from homeostat.cli import simulated

    if simulated.place_of(name).is_used():
        return simulated.status(name, output)
    from homeostat.cli.local_centre import existing, make_ground
    from homeostat.local.status import status as ask

    centre = existing(name)
    found = asyncio.run(ask(centre, make_ground(centre)))
    if output == "json":
        import msgspec

        click.echo(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
    else:
        click.echo(text(found))
    return Exit.OK if found.is_ready else Exit.FAILURE


def text(found: CentreStatus) -> str:
    """The status as people read it."""
    lines = [
        f"data centre {found.name}  {found.range}  {found.api}",
        f"  {'ready' if found.is_ready else found.message}",
    ]
    lines.append("hosts")
    lines += [
        f"  {host.name:24} {host.address:15} zone {host.zone}  {host.role:8} {host.power:4} {host.node}"
        for host in found.hosts
    ]
    lines.append("parts")
    lines += [f"  {part.name:48} {'ready' if part.is_ready else part.message}" for part in found.parts]
    if found.clusters:
        lines.append("clusters")
        lines += [f"  {one.name:48} {one.phase:12} {one.endpoint}" for one in found.clusters]
    if found.endpoints:
        lines.append("endpoints")
        lines += [f"  {one.service:48} {one.address}" for one in found.endpoints]
    return "\n".join(lines)
