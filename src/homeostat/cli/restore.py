"""`homeostat restore`: approve the restore of a lost etcd, take that back, or declare a new Cluster from a snapshot."""

from __future__ import annotations

from typing import Any

import click

from homeostat.api.cluster.v1alpha1 import CLUSTER
from homeostat.api.kind import unstructured
from homeostat.cli import moving
from homeostat.cli.changing import Way, change, generation, say, show, way_options
from homeostat.cli.exits import CliError, Exit
from homeostat.cli.kinds import cluster_arguments
from homeostat.cli.options import Connection, connection_options
from homeostat.cli.restoring import anew, approvable, price, require_known, wait_until_begun, wait_until_restored
from homeostat.cli.session import Session, converse
from homeostat.operators.cluster.names import Names
from homeostat.operators.cluster.restore.beginning import FETCHING, is_under_way

_CLUSTERS = unstructured(CLUSTER.resource)


@click.command()
@cluster_arguments
@click.option("--snapshot", metavar="ID", default="", help="The snapshot; `homeostat snapshots` lists them.")
@click.option("--into", metavar="NAME", default="", help="Declare a new Cluster like this one that begins with it.")
@click.option(
    "--keys-from",
    metavar="SECRET",
    default="",
    help="With --into: the keys of the snapshot's cluster; left out, those that it has now.",
)
@click.option("--take-back", is_flag=True, help="Take an approval back, which counts until masters are stopped.")
@way_options("clients are served")
@connection_options
def restore(
    name: str,
    snapshot: str,
    into: str,
    keys_from: str,
    take_back: bool,
    way: Way,
    connection: Connection,
) -> None:
    """Approve that the lost etcd of a cluster is restored from a snapshot; or, with --into, make another cluster of it.

    An approved restore gives up whatever was written since the snapshot; --dry-run says how much that is.
    """
    if bool(snapshot) is take_back:
        raise click.UsageError(f"expected one of --snapshot and --take-back, found {'both' if snapshot else 'neither'}")
    if into and take_back:
        raise click.UsageError("--into: expected --snapshot beside it, found --take-back")
    if keys_from and not into:
        raise click.UsageError("--keys-from: expected --into beside it; a cluster that is restored keeps its keys")
    if take_back:
        converse(connection, lambda session: _take_back(session, name, way))
    elif into:
        keys = keys_from or Names(name, "").authority
        converse(connection, lambda session: _begin(session, name, into, snapshot, keys, way))
    else:
        converse(connection, lambda session: _approve(session, name, snapshot, way))


async def _approve(session: Session, name: str, snapshot: str, way: Way) -> None:
    cluster = await moving.read(session, name)
    loss = approvable(cluster, snapshot)
    await require_known(session, cluster, snapshot)
    if cluster.spec.paused or cluster.spec.healing.paused:
        field = "spec.paused" if cluster.spec.paused else "spec.healing.paused"
        click.echo(f"cluster {name}: {field} is true, and nothing is restored before it is false", err=True)
    content = await change(session, cluster, _approval(snapshot), way)
    show(content, f"cluster {name}: approved the restore from {snapshot}; {price(cluster, loss, snapshot)}", way)
    if way.timeout_s is not None:
        await wait_until_restored(session, cluster, snapshot, generation(content), way.timeout_s)
        say(f"cluster {name}: serves the data of {snapshot}", way)


async def _take_back(session: Session, name: str, way: Way) -> None:
    cluster = await moving.read(session, name)
    approved, restore = cluster.spec.healing.approve_restore, cluster.status.restore
    if not approved:
        raise CliError(f"cluster {name}: no restore is approved", Exit.REFUSED)
    if restore is not None and is_under_way(cluster) and restore.stage != FETCHING:
        raise CliError(
            f"cluster {name}: it is too late, the restore from {restore.snapshot} has come to {restore.stage}",
            Exit.REFUSED,
            remedy="let it end; the data from before stays beside the restored one",
        )
    content = await change(session, cluster, _approval(""), way)
    show(content, f"cluster {name}: the approval of {approved} is taken back", way)


async def _begin(session: Session, name: str, into: str, snapshot: str, keys: str, way: Way) -> None:
    """Declare a Cluster as another one is declared, but that it begins with that one's data and keys."""
    await require_known(session, await moving.read(session, name), snapshot)
    content = anew(await session.client.get(_CLUSTERS, name, session.namespace), into, snapshot, keys)
    if way.dry_run != "client":
        content = await session.client.create(_CLUSTERS, content, session.namespace, dry_run=way.dry_run == "server")
    show(content, f"cluster {into}: declared with the data of {snapshot} of {name}, and the keys in {keys}", way)
    if way.timeout_s is not None:
        await wait_until_begun(session, into, way.timeout_s)
        say(f"cluster {into}: serves the data of {snapshot}", way)


def _approval(snapshot: str) -> dict[str, Any]:
    """What of the spec is to change; empty: nothing is approved."""
    return {"healing": {"approveRestore": snapshot}}
