"""`homeostat upgrade` and `homeostat rollback`: declare another package version, and see what that will do."""

from __future__ import annotations

from typing import Any

import click

from homeostat.api.cluster.v1alpha1 import Cluster
from homeostat.api.kind import Kind
from homeostat.cli import moving
from homeostat.cli.exits import CliError, Exit
from homeostat.cli.kinds import KindName
from homeostat.cli.options import Connection, Duration, connection_options, dry_run_option
from homeostat.cli.session import Session, converse
from homeostat.operators.cluster.rollout.foreseen import asking_for
from homeostat.operators.cluster.rollout.standing import complete, declared

_wait = click.option("--wait/--no-wait", "waits", default=False, show_default=True, help="Wait until it is done.")
_timeout = click.option("--timeout", type=Duration(), default="15m", show_default=True, help="How long to wait.")


@click.command()
@click.argument("kind", type=KindName())
@click.argument("name")
@click.option("--to", required=True, metavar="NAME", help="The package version to go to.")
@_wait
@_timeout
@dry_run_option
@connection_options
def upgrade(
    kind: Kind[dict[str, Any]], name: str, to: str, waits: bool, timeout: float, dry_run: str, connection: Connection
) -> None:
    """Move the masters of a cluster to another package version; --dry-run prints the plan."""
    moving.require_cluster(kind)
    converse(connection, lambda session: _move(session, name, to, dry_run, timeout if waits else None))


@click.command()
@click.argument("kind", type=KindName())
@click.argument("name")
@click.option("--to", metavar="NAME", help="The package version to go back to; left out, the one before.")
@_wait
@_timeout
@dry_run_option
@connection_options
def rollback(
    kind: Kind[dict[str, Any]],
    name: str,
    to: str | None,
    waits: bool,
    timeout: float,
    dry_run: str,
    connection: Connection,
) -> None:
    """Go back to the package version before, also in the middle of a move, or when one is stuck."""
    moving.require_cluster(kind)
    converse(connection, lambda session: _move(session, name, to, dry_run, timeout if waits else None))


async def _move(session: Session, name: str, to: str | None, dry_run: str, timeout_s: float | None) -> None:
    cluster = await moving.read(session, name)
    target = before(cluster) if to is None else to
    asked = asking_for(cluster, target)
    found = await moving.plan(session, asked)
    moving.show(name, moving.told(asked, found))
    if found.secured and cluster.status.backup is not None and cluster.status.backup.store:
        click.echo(f"before the first, a snapshot of etcd is taken ({cluster.spec.upgrade_policy.snapshot})")
    generation = await moving.change(session, cluster, _wish(cluster, asked), dry_run)
    suffix = {"client": " (dry run)", "server": " (server dry run)"}.get(dry_run, "")
    if cluster.spec.paused:
        click.echo(f"cluster {name} is paused: nothing moves before `homeostat resume cluster {name}`", err=True)
    click.echo(f"cluster {name}: declared {target}{suffix}")
    if timeout_s is not None and dry_run == "none":
        await moving.wait_until_there(session, name, target, generation, timeout_s)
        click.echo(f"cluster {name}: all masters are of {target}")


def _wish(cluster: Cluster, asked: Cluster) -> dict[str, Any]:
    """What of the spec is to change."""
    wish: dict[str, Any] = {"packageVersion": asked.spec.package_version}
    attempt, upgrade = asked.spec.upgrade_policy.attempt, cluster.status.upgrade
    if attempt == cluster.spec.upgrade_policy.attempt or upgrade is None:
        return wish
    again = f"failed before ({upgrade.failure}) and is tried again: spec.upgradePolicy.attempt is {attempt}"
    click.echo(f"cluster {cluster.metadata.name}: {upgrade.failed_version} {again}", err=True)
    return {**wish, "upgradePolicy": {"attempt": attempt}}


def before(cluster: Cluster) -> str:
    """Where a rollback leads: what was complete last, or if that is declared, what was complete before that.

    Raises CliError when there is none.
    """
    status = cluster.status
    if status.package_version and status.package_version != cluster.spec.package_version:
        return status.package_version
    if status.package_version and complete(cluster) != declared(cluster):
        raise CliError(
            f"cluster {cluster.metadata.name}: what changed is its overrides, not its package version",
            Exit.REFUSED,
            remedy="set spec.overrides back, or name a package version with --to",
        )
    if status.previous_package_version:
        return status.previous_package_version
    raise CliError(
        f"cluster {cluster.metadata.name}: it never was of another package version",
        Exit.REFUSED,
        remedy="name one with --to; `homeostat get packageversions` lists them",
    )
