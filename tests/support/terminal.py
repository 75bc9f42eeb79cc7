"""The command line as a person uses it: what it prints where, and its exit code."""

from __future__ import annotations

from collections.abc import Mapping

from click.testing import CliRunner
from msgspec import Struct

from homeostat.cli.root import cli


class Outcome(Struct, frozen=True):
    """What a command did."""

    code: int
    out: str
    err: str


def run(*arguments: str, stdin: str = "", env: Mapping[str, str] | None = None) -> Outcome:
    """Run `homeostat` in this process with an environment in which nothing is configured."""
    bare = {"KUBECONFIG": "", "HOME": "/nonexistent", "XDG_STATE_HOME": "/nonexistent", "KUBERNETES_SERVICE_HOST": ""}
    result = CliRunner().invoke(cli, list(arguments), input=stdin, env={**bare, **(env or {})}, prog_name="homeostat")
    return Outcome(result.exit_code, result.stdout, result.stderr)
