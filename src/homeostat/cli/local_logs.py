"""`homeostat logs [PART]`: the log of a part, or the list of parts."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator

import click

from homeostat.cli.exits import CliError, Exit


@click.command()
@click.argument("part", required=False)
@click.option("--name", default="homeostat", show_default=True, help="The data centre's name.")
@click.option("-f", "--follow", is_flag=True, help="Go on until interrupted.")
@click.option("--tail", type=click.IntRange(0), help="How many lines of the past.  [default: 200]")
def logs(part: str | None, name: str, follow: bool, tail: int | None) -> None:
    """Show the log of a part of the data centre; without PART, list the parts.

    cluster/NAME/COMPONENT is a part too, such as cluster/demo/apiserver.
    """
    from homeostat.cli import simulated

    if simulated.place_of(name).is_used():
        simulated.refuse_parts(name, part)
    from homeostat.cli.local_centre import existing
    from homeostat.local import logs as sources

    centre = existing(name)
    known = sources.parts(centre.plan, centre.directory)
    if part is None:
        width = max(len(one.name) for one in known)
        for one in known:
            click.echo(f"{one.name:{width}}  {one.meaning}")
        return
    try:
        asyncio.run(_show(name, part, follow=follow, tail=tail))
    except sources.UnknownPart as error:
        raise CliError(str(error), Exit.NOT_FOUND) from error


async def _show(name: str, part: str, *, follow: bool, tail: int | None) -> None:
    from homeostat.cli.local_centre import errors, existing, make_ground
    from homeostat.local import logs as sources

    centre = existing(name)
    ground = make_ground(centre)
    wanted = sources.find(part, sources.parts(centre.plan, centre.directory))
    with errors():
        await _print(sources.read(centre, ground, wanted, tail=tail, follow=follow))


async def _print(chunks: AsyncIterator[bytes]) -> None:
    async for chunk in chunks:
        sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()
