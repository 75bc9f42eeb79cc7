"""`homeostat run`: the long-running processes."""

from __future__ import annotations

import re
from collections.abc import Sequence

import click

from homeostat.cli.options import Connection, connection_options

_LABEL = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"


def _address(context: click.Context, parameter: click.Parameter, value: str) -> str:  # noqa: ARG001  (click's way)
    """The address of a store as it was given. Raises BadParameter."""
    from homeostat.providers.snapshots.address import BadAddress, read_address

    try:
        if value:
            read_address(value)
    except BadAddress as error:
        raise click.BadParameter(str(error)) from error
    return value


def _service(context: click.Context, parameter: click.Parameter, value: str) -> str:  # noqa: ARG001  (click's way)
    """The Service as it was given. Raises BadParameter."""
    if value and not re.fullmatch(f"{_LABEL}/{_LABEL}", value):
        raise click.BadParameter(
            f"expected NAMESPACE/NAME such as homeostat-system/homeostat-webhooks, found {value!r}"
        )
    return value


@click.group()
def run() -> None:
    """Run a homeostat process; it ends on SIGTERM or SIGINT."""


@run.command()
@connection_options
@click.option("--namespaces", multiple=True, metavar="NAME", help="Only Clusters of this namespace; may be repeated.")
@click.option(
    "--workers", type=click.IntRange(1, 256), default=8, show_default=True, help="How many Clusters to work on at once."
)
@click.option(
    "--max-creating",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    help="How many Clusters of the cell may be in creation at once; the others wait in line, the oldest first. Many "
    "starts at once make each so slow that its masters are started again.",
)
@click.option(
    "--max-rolling",
    type=click.IntRange(min=1),
    default=5,
    show_default=True,
    help="How many Clusters of the cell may be moving to another package version at once: each has fewer masters than "
    "declared meanwhile.",
)
@click.option(
    "--leader-election/--no-leader-election",
    default=True,
    show_default=True,
    help="Work only while holding the Lease; off for a single process.",
)
@click.option(
    "--leader-election-namespace",
    metavar="NAME",
    default="homeostat-system",
    show_default=True,
    help="Where the Lease stands.",
)
@click.option("--health-host", default="0.0.0.0", show_default=True, help="Where health and metrics are served.")  # noqa: S104  (probes come from outside the Pod)
@click.option(
    "--health-port",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    help="The port of /healthz, /readyz and /metrics; 0 for none.",
)
@click.option(
    "--image",
    metavar="REFERENCE",
    default="",
    envvar="HOMEOSTAT_IMAGE",
    show_envvar=True,
    help="homeostat's own image, for the Pods that restore members from snapshots; left out, nothing is restored.",
)
@click.option(
    "--handout-address",
    metavar="ADDRESS",
    default="",
    help="Where those Pods reach this process; left out, the address of this host's name.",
)
@click.option(
    "--handout-port", type=click.IntRange(1, 65535), default=9444, show_default=True, help="The port for that."
)
@click.option(
    "--webhook-service",
    metavar="NAMESPACE/NAME",
    default="",
    callback=_service,
    help="Judge writes of Clusters and package versions before they are stored, reached by this Service; its name is "
    "also that of the Secret with the certificates. Left out, nothing is judged: for a process that the API server "
    "cannot reach.",
)
@click.option("--webhook-host", default="0.0.0.0", show_default=True, help="Where webhooks are served.")  # noqa: S104  (API servers come from outside the Pod)
@click.option(
    "--webhook-port",
    type=click.IntRange(1, 65535),
    default=9443,
    show_default=True,
    help="The port behind the Service of the webhooks.",
)
@click.option(
    "--snapshot-store",
    metavar="ADDRESS",
    default="",
    envvar="HOMEOSTAT_SNAPSHOT_STORE",
    show_envvar=True,
    callback=_address,
    help="Where snapshots of the clusters' etcd are kept: file:///DIRECTORY, or "
    "s3://BUCKET/PREFIX?endpoint=https://HOST. Left out, none are taken.",
)
@click.option(
    "--snapshot-keys",
    metavar="DIRECTORY",
    default="/etc/homeostat/snapshot-keys",
    show_default=True,
    help="The keys that snapshots are encrypted with, one a file, as a mounted Secret is.",
)
@click.option(
    "--snapshot-scratch",
    metavar="DIRECTORY",
    default="",
    envvar="HOMEOSTAT_SNAPSHOT_SCRATCH",
    show_envvar=True,
    help="Where a snapshot lies on its way, for this process alone; left out, where the system keeps such files.",
)
@click.option("--log-format", type=click.Choice(["json", "console"]), default="json", show_default=True)
@click.option(
    "--log-level", type=click.Choice(["debug", "info", "warning", "error"]), default="info", show_default=True
)
def cell(
    connection: Connection,
    namespaces: Sequence[str],
    workers: int,
    max_creating: int,
    max_rolling: int,
    leader_election: bool,
    leader_election_namespace: str,
    health_host: str,
    health_port: int,
    image: str,
    handout_address: str,
    handout_port: int,
    webhook_service: str,
    webhook_host: str,
    webhook_port: int,
    snapshot_store: str,
    snapshot_keys: str,
    snapshot_scratch: str,
    log_format: str,
    log_level: str,
) -> None:
    """Run the operators of a cell: what keeps the masters of business clusters in their declared state."""
    from homeostat.app.cell import run_cell
    from homeostat.app.options import CellOptions

    if connection.namespace:
        namespaces = (*namespaces, connection.namespace)
    code = run_cell(
        CellOptions(
            kubeconfig=connection.kubeconfig,
            context=connection.context,
            namespaces=tuple(dict.fromkeys(namespaces)),
            workers=workers,
            max_creating=max_creating,
            max_rolling=max_rolling,
            leader_election=leader_election,
            leader_election_namespace=leader_election_namespace,
            health_host=health_host,
            health_port=health_port,
            image=image,
            handout_address=handout_address,
            handout_port=handout_port,
            webhook_service=webhook_service,
            webhook_host=webhook_host,
            webhook_port=webhook_port,
            snapshot_store=snapshot_store,
            snapshot_keys=snapshot_keys,
            snapshot_scratch=snapshot_scratch,
            log_format=log_format,
            log_level=log_level,
        )
    )
    # A process that ended because something essential failed must not look as if it had been asked to.
    raise SystemExit(code)
