"""`homeostat upgrade` and `homeostat rollback`: declare another package version, and see what that will do."""

from __future__ import annotations

from typing import Any

import click

from homeostat.api.cluster.v1alpha1 import Cluster
from homeostat.cli import moving
from homeostat.cli.changing import Way, change, generation, say, show, warn_if_paused, way_options
from homeostat.cli.exits import CliError, Exit
from homeostat.cli.kinds import cluster_arguments
from homeostat.cli.options import Connection, connection_options
from homeostat.cli.session import Session, converse
from homeostat.operators.cluster.rollout.foreseen import asking_for
from homeostat.operators.cluster.rollout.standing import complete, declared


@click.command()
@cluster_arguments
@click.option("--to", required=True, metavar="NAME", help="The package version to go to.")
@way_options("it is done")
@connection_options
def upgrade(name: str, to: str, way: Way, connection: Connection) -> None:
    """Move the masters of a cluster to another package version; --dry-run prints the plan.

    One that failed, and was gone back from, is tried again.
    """
    converse(connection, lambda session: _move(session, name, to, way))


@click.command()
@cluster_arguments
@click.option("--to", metavar="NAME", help="The package version to go back to; left out, the one before.")
@way_options("it is done")
@connection_options
def rollback(name: str, to: str | None, way: Way, connection: Connection) -> None:
    """Go back to the package version before, also in the middle of a move, or when one is stuck."""
    converse(connection, lambda session: _move(session, name, to, way))


async def _move(session: Session, name: str, to: str | None, way: Way) -> None:
    cluster = await moving.read(session, name)
    target = before(cluster) if to is None else to
    asked = asking_for(cluster, target)
    found = await moving.plan(session, asked)
    for line in moving.told(asked, found):
        say(line, way)
    warn_if_paused(cluster)
    content = await change(session, cluster, _wish(cluster, asked), way)
    show(content, f"cluster {name}: declared {target}", way)
    if way.timeout_s is not None:
        await moving.wait_until_there(session, name, target, generation(content), way.timeout_s)
        say(f"cluster {name}: all masters are of {target}", way)


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
