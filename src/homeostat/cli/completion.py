"""`homeostat completion`: the script that a shell loads."""

from __future__ import annotations

import click
from click.shell_completion import ShellComplete, get_completion_class

from homeostat.cli.exits import CliError


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script of a SHELL, to be sourced: `source <(homeostat completion bash)`."""
    found = get_completion_class(shell)
    if found is None:
        raise CliError(f"{shell}: expected a shell that click can complete")
    script = found(ctx.find_root().command, {}, "homeostat", "_HOMEOSTAT_COMPLETE")
    # Not `script.source()`: for bash that starts a shell to look at its version, which says nothing about the user's.
    click.echo(ShellComplete.source(script))
