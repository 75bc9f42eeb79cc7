"""What all commands share that change a Cluster: how it is changed, waited for and told.

Standard output has a line, or with -o the object as it is then, or would be; all else that people are told goes to
standard error where the output is an object.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import click
from click.core import ParameterSource

from homeostat.api.cluster.v1alpha1 import CLUSTER, Cluster
from homeostat.api.kind import unstructured
from homeostat.cli.options import READS_ONLY, Duration, dry_run_option, dry_run_suffix, output_option
from homeostat.cli.rendering import print_objects
from homeostat.cli.session import Session

_CLUSTERS = unstructured(CLUSTER.resource)


class Way(NamedTuple):
    """How a change is made, waited for and told."""

    dry_run: str = "none"
    output: str = ""
    timeout_s: float | None = None  # how long to wait until it is done; None: not at all

    @property
    def suffix(self) -> str:
        """What a line says of a dry run."""
        return dry_run_suffix(self.dry_run)


def way_options(until: str = "", timeout: str = "15m") -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Adds --dry-run and -o, and where something is waited for --wait and --timeout; passes them as one `way`."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @dry_run_option(READS_ONLY)
        @output_option("json", "yaml", "name")
        @functools.wraps(command)
        def wrapped(
            *args: Any, dry_run: str, output: str | None, waits: bool = False, timeout: float = 0.0, **keywords: Any
        ) -> Any:
            require_wait(waits=waits)
            timeout_s = timeout if waits and dry_run == "none" else None
            return command(*args, way=Way(dry_run, output or "", timeout_s), **keywords)

        return wait_options(until, timeout)(wrapped) if until else wrapped

    return decorate


def wait_options(until: str, timeout: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Adds --wait and --timeout."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        waits = click.option("--wait/--no-wait", "waits", default=False, show_default=True, help=f"Wait until {until}.")
        span = click.option("--timeout", type=Duration(), default=timeout, show_default=True, help="How long to wait.")
        return waits(span(command))

    return decorate


def require_wait(*, waits: bool) -> None:
    """Raise UsageError for a time that would not be waited."""
    given = click.get_current_context().get_parameter_source("timeout")
    if given is ParameterSource.COMMANDLINE and not waits:
        raise click.UsageError("--timeout: expected --wait beside it; without that nothing is waited for")


async def change(session: Session, cluster: Cluster, spec: Mapping[str, Any], way: Way) -> dict[str, Any]:
    """Change fields of the spec of this very Cluster, if any are given; the object as it is then, or would be."""
    name, namespace = cluster.metadata.name, cluster.metadata.namespace
    if way.dry_run == "client" or not spec:
        content = await session.client.get(_CLUSTERS, name, namespace)
        return {**content, "spec": _merged(content["spec"], spec)}
    patch = {"metadata": {"uid": cluster.metadata.uid}, "spec": spec}
    return await session.client.merge_patch(_CLUSTERS, name, patch, namespace, dry_run=way.dry_run == "server")


def show(content: dict[str, Any], line: str, way: Way) -> None:
    """The object where one is wanted, else a line."""
    if way.output:
        print_objects([content], way.output, CLUSTER.resource, single=True)
    else:
        click.echo(f"{line}{way.suffix}")


def say(line: str, way: Way) -> None:
    """What people are told beside."""
    click.echo(line, err=bool(way.output))


def warn_if_paused(cluster: Cluster) -> None:
    """Nothing is promised that does not come before somebody else does something."""
    name = cluster.metadata.name
    if cluster.spec.paused:
        click.echo(f"cluster {name} is paused: nothing moves before `homeostat resume cluster {name}`", err=True)


def generation(content: dict[str, Any]) -> int:
    """Which declaration it is."""
    return int(content["metadata"]["generation"])


def _merged(content: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """As the API server would: maps are merged, everything else is replaced."""
    changed = {
        field: _merged(content.get(field) or {}, value) if isinstance(value, Mapping) else value
        for field, value in patch.items()
    }
    return {**content, **changed}
