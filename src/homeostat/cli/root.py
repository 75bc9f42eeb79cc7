"""All commands, and how they end.

No user's mistake ends in a traceback: errors are one or two lines on stderr and an exit code of `exits`. What nobody
foresaw is one line too, with the advice to add --debug.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import click

from homeostat.cli.exits import CliError, Exit
from homeostat.cli.lazy import LazyGroup
from homeostat.cli.options import Connection, connection_options
from homeostat.cli.release import program_name, release

COMMANDS = {
    "apply": ("homeostat.cli.apply:apply", "declare objects from files"),
    "backup": ("homeostat.cli.backup:backup", "take a snapshot of a cluster now"),
    "completion": ("homeostat.cli.completion:completion", "print the completion script of a shell"),
    "delete": ("homeostat.cli.delete:delete", "delete objects"),
    "describe": ("homeostat.cli.describe:describe", "tell an object's story: spec, components, conditions, events"),
    "doctor": ("homeostat.cli.local_doctor:doctor", "check what a data centre on this machine needs"),
    "down": ("homeostat.cli.local_down:down", "remove the data centre of this machine"),
    "get": ("homeostat.cli.get:get", "list objects"),
    "kubeconfig": (
        "homeostat.cli.kubeconfig:kubeconfig",
        "print a kubeconfig of a cluster, or of the cell",
    ),
    "logs": ("homeostat.cli.local_logs:logs", "show the logs of a part of the data centre"),
    "pause": ("homeostat.cli.pause:pause", "stop all changes to a cluster"),
    "restore": ("homeostat.cli.restore:restore", "restore a lost etcd from a snapshot, or make a cluster of one"),
    "resume": ("homeostat.cli.pause:resume", "let the changes to a cluster go on"),
    "rollback": ("homeostat.cli.upgrade:rollback", "go back to the package version before"),
    "rotate": ("homeostat.cli.rotate:rotate", "have keys of a cluster made anew"),
    "run": ("homeostat.cli.run:run", "run a homeostat process"),
    "sim": ("homeostat.cli.sim:sim", "injure a simulated data centre, and heal it"),
    "snapshots": ("homeostat.cli.backup:snapshots", "list the snapshots of a cluster"),
    "status": ("homeostat.cli.local_status:status", "tell what runs of the data centre of this machine"),
    "up": ("homeostat.cli.local_up:up", "raise a data centre on this machine"),
    "upgrade": ("homeostat.cli.upgrade:upgrade", "move a cluster to another package version"),
    "version": ("homeostat.cli.version:version", "print the versions of homeostat and of the API server"),
    "wait": ("homeostat.cli.wait:wait", "wait for a condition of an object, or for its deletion"),
}
# What Pods that the operator makes run: no help, completion or advice names it.
INTERNAL = {"member": "homeostat.cli.member:member"}


class Root(LazyGroup):
    """The outermost group: turns errors into lines and exit codes."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,  # noqa: ARG002  (click's signature)
        **extra: Any,
    ) -> Any:
        """Run a command line and exit."""
        arguments = list(sys.argv[1:] if args is None else args)
        program = prog_name or program_name(sys.argv[0])

        def run() -> int:
            outcome = super(Root, self).main(arguments, program, complete_var, False, **extra)
            return outcome if isinstance(outcome, int) else Exit.OK

        sys.exit(_guarded(run, debug="--debug" in arguments))


def _guarded(run: Any, *, debug: bool) -> int:
    from homeostat.cli.failures import report  # errors only, but cheap enough to have ready

    try:
        return int(run())
    except SystemExit:
        raise
    except click.exceptions.Abort:
        click.echo("interrupted", err=True)
        return Exit.INTERRUPTED
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except BrokenPipeError:
        # The reader has seen enough; nothing more may be written, not even by the interpreter's last flush.
        sys.stdout = None
        return Exit.FAILURE
    except Exception as error:
        if debug and not isinstance(error, CliError):
            raise
        return report(error)


def _print_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if not wanted or ctx.resilient_parsing:
        return
    click.echo(f"homeostat {release()}")
    ctx.exit()


@click.group(
    cls=Root,
    lazy=COMMANDS,
    internal=INTERNAL,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Print the version."
)
@connection_options
@click.pass_context
def cli(ctx: click.Context, connection: Connection) -> None:
    """Keeps fleets of Kubernetes clusters in the final state that their owners declared."""
    ctx.obj = connection
