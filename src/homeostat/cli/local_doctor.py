"""`homeostat doctor`: every prerequisite of a data centre on this machine, with its state and remedy."""

from __future__ import annotations

import os

import click

from homeostat.cli.exits import Exit
from homeostat.cli.options import output_option


@click.command()
@output_option("json")
def doctor(output: str | None) -> int:
    """Check what a data centre on this machine needs. Exit code 1 when real hosts cannot be raised here."""
    from homeostat.cli.local_centre import paths
    from homeostat.local import doctor as checks

    places = paths()
    found = checks.diagnose(checks.gather(places.cache, places.state, os.environ))
    if output == "json":
        import msgspec

        click.echo(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
    else:
        width = max(len(check.name) for check in found)
        for check in found:
            click.echo(f"{check.state.value:8}{check.name:{width}}  {check.found}")
            if check.remedy:
                click.echo(f"{'':8}{'':{width}}  remedy: {check.remedy}")
    return Exit.FAILURE if checks.failed(found) else Exit.OK
