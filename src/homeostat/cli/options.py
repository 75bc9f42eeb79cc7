"""Options that commands share. They may stand before or after the command, as kubectl's; the later one wins."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import click


class Connection(NamedTuple):
    """Which API server to talk to, and where in it. Empty means: as kubectl would.

    Not a msgspec Struct: `homeostat --version` must not wait for msgspec to be imported.
    """

    kubeconfig: str = ""
    context: str = ""
    namespace: str = ""

    def over(self, outer: Connection | None) -> Connection:
        """These values, completed by those given before the command."""
        if outer is None:
            return self
        return Connection(
            self.kubeconfig or outer.kubeconfig, self.context or outer.context, self.namespace or outer.namespace
        )


def connection_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds --kubeconfig, --context, -n and --debug, and passes them as one `connection`."""

    @click.option("--kubeconfig", metavar="FILE", help="The kubeconfig to use.")
    @click.option("--context", "context_name", metavar="NAME", help="The context of the kubeconfig to use.")
    @click.option("-n", "--namespace", metavar="NAME", help="The namespace; the context's, if not given.")
    @click.option("--debug", is_flag=True, help="Show tracebacks of unexpected errors.")
    @functools.wraps(command)
    def wrapped(
        *args: Any,
        kubeconfig: str | None,
        context_name: str | None,
        namespace: str | None,
        debug: bool,
        **keywords: Any,
    ) -> Any:
        del debug  # read from the command line by `main`, which must know before anything is parsed
        context = click.get_current_context()
        given = Connection(kubeconfig or "", context_name or "", namespace or "")
        outer = context.find_object(Connection)
        return command(*args, connection=given.over(outer), **keywords)

    return wrapped


def output_option(*forms: str, default: str = "") -> Callable[..., Any]:
    """Adds -o, with the forms that a command knows."""
    return click.option(
        "-o", "--output", type=click.Choice(forms), default=default or None, help="The form of the output."
    )


class DryRun(click.Choice[str]):
    """kubectl's values of --dry-run. Ours may stand apart from the option, so the word behind it is taken for one."""

    def __init__(self) -> None:
        super().__init__(["none", "client", "server"])

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """One of them."""
        if value not in self.choices:
            remedy = "before another word write --dry-run=client"
            self.fail(f"expected none, client or server, found {value!r}; {remedy}", param, ctx)
        return str(value)


def dry_run_option(client: str) -> Callable[..., Any]:
    """Adds --dry-run, which alone means `client`, with what a client does then."""
    return click.option(
        "--dry-run",
        type=DryRun(),
        is_flag=False,
        flag_value="client",
        default="none",
        show_default=True,
        help=f"client (also without a value): {client}; server: let the API server check it without keeping it.",
    )


def dry_run_suffix(dry_run: str) -> str:
    """What stands behind a change that was tried only."""
    return {"client": " (client dry run)", "server": " (server dry run)"}.get(dry_run, "")


READS_ONLY = "read what there is, and send no change"


class Duration(click.ParamType[float]):
    """A time span as kubectl takes it: 90s, 5m, 1h30m."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds."""
        if isinstance(value, int | float):
            return float(value)
        import re

        units = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
        text = str(value)
        if not re.fullmatch(r"(\d+(\.\d+)?(h|ms|m|s))+", text):
            self.fail(f"expected a duration such as 90s, 5m or 1h30m, found {text!r}", param, ctx)
        parts = re.findall(r"(\d+(?:\.\d+)?)(h|ms|m|s)", text)
        return sum(float(number) * units[unit] for number, unit in parts)
