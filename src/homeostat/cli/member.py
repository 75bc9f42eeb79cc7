"""`homeostat member`: what the Pods that restore etcd members run. People have no use for it."""

from __future__ import annotations

from pathlib import Path

import click

from homeostat.cli.exits import CliError

_DIRECTORY = click.Path(file_okay=False, path_type=Path)


@click.group()
def member() -> None:
    """Take a step of restoring a member of etcd; the operator's Pods do this."""


@member.command()
@click.option("--offer", type=_DIRECTORY, required=True, help="The mounted Secret that tells where the snapshot is.")
@click.option("--to", type=click.Path(dir_okay=False, path_type=Path), required=True, help="Where to write it.")
@click.option("--data", type=_DIRECTORY, required=True, help="The member's volume; what is half restored there goes.")
def fetch(offer: Path, to: Path, data: Path) -> None:
    """Fetch the snapshot from the operator and compare its checksum."""
    from homeostat.providers.snapshots import member as steps

    try:
        steps.fetch(offer, to, data)
    except (steps.MemberNotRestored, OSError) as error:
        raise CliError(str(error)) from error


@member.command()
@click.option("--data", type=_DIRECTORY, required=True, help="The member's volume.")
@click.option("--restore", required=True, help="The name of this restore.")
@click.option(
    "--old-data",
    type=click.Choice(["aside", "refuse"]),
    required=True,
    help="What to do with data that is there: move it aside, or refuse.",
)
def place(data: Path, restore: str, old_data: str) -> None:
    """Let the restored data take the place of what is there."""
    from homeostat.providers.snapshots import member as steps

    try:
        steps.place(data, restore, may_move_aside=old_data == "aside")
    except (steps.MemberNotRestored, OSError) as error:
        raise CliError(str(error)) from error
