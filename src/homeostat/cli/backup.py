"""`homeostat backup` and `homeostat snapshots`: take a snapshot of a cluster's etcd now, and list those there are."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

import click
import msgspec

from homeostat.api.cluster.backup import ClusterBackupStatus, SnapshotStatus
from homeostat.api.cluster.v1alpha1 import CLUSTER, Cluster
from homeostat.api.kind import unstructured
from homeostat.cli import moving
from homeostat.cli.ages import age
from homeostat.cli.awaiting import Awaited, condition, wait_until_met
from homeostat.cli.changing import Way, change, generation, say, show, way_options
from homeostat.cli.exits import CliError, Exit
from homeostat.cli.kinds import cluster_arguments
from homeostat.cli.options import Connection, connection_options, output_option
from homeostat.cli.rendering import print_data
from homeostat.cli.session import Session, converse
from homeostat.cli.table import aligned
from homeostat.operators.cluster.snapshots import words

_TITLES = ("ID", "AGE", "REVISION", "STORED", "STATE")


@click.command()
@cluster_arguments
@way_options("it is stored", timeout="10m")
@connection_options
def backup(name: str, way: Way, connection: Connection) -> None:
    """Ask for a snapshot of a cluster now, beside those by the clock."""
    converse(connection, lambda session: _backup(session, name, way))


@click.command()
@cluster_arguments
@output_option("json", "yaml", "name")
@connection_options
def snapshots(name: str, output: str | None, connection: Connection) -> None:
    """List the snapshots of a cluster, as the store had them when the last one was taken."""
    converse(connection, lambda session: _list(session, name, output or ""))


async def _backup(session: Session, name: str, way: Way) -> None:
    cluster = await moving.read(session, name)
    request = f"{session.clock.now():%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"
    content = await change(session, cluster, {"backup": {"request": request}}, way)
    show(content, f"cluster {name}: a snapshot is asked for", way)
    if way.timeout_s is not None:
        await _wait_until_stored(session, name, generation(content), way.timeout_s)
        last = _status(await moving.read(session, name)).last
        assert last is not None  # noqa: S101  (it was waited for)
        say(f"cluster {name}: {last.id} is stored, {last.bytes} bytes at revision {last.revision}", way)


async def _wait_until_stored(session: Session, name: str, since: int, timeout_s: float) -> None:
    """Return when a snapshot that was begun after the request is there. Raises CliError when that failed."""

    def met(content: dict[str, Any] | None) -> bool:
        if content is None:
            raise CliError(f"cluster {name} was deleted while waiting", Exit.NOT_FOUND)
        told = (content.get("status") or {}).get("backup") or {}
        if told.get("last", {}).get("generation", 0) >= since:
            return True
        failure = told.get("failure") or {}
        if failure.get("generation", 0) >= since:
            raise CliError(f"cluster {name}: {failure['reason']}: {failure['message']}")
        found = condition(content, words.BACKED_UP) or {}
        if found.get("reason") == words.NO_STORE and found.get("observedGeneration", 0) >= since:
            raise CliError(f"cluster {name}: {found['message']}", Exit.REFUSED)
        return False

    await wait_until_met(session, Awaited(unstructured(CLUSTER.resource), name, "backed up", met), timeout_s)


async def _list(session: Session, name: str, output: str) -> None:
    known = _status(await moving.read(session, name)).snapshots
    if output == "name":
        click.echo("".join(f"{each.id}\n" for each in known), nl=False)
    elif output:
        print_data([msgspec.to_builtins(each) for each in known], output)
    elif not known:
        click.echo(f"cluster {name}: no snapshot is known; `homeostat backup cluster {name}` asks for one", err=True)
    else:
        now = session.clock.now()
        click.echo("\n".join(aligned([_TITLES, *(_row(each, now) for each in known)])))


def _row(snapshot: SnapshotStatus, now: datetime) -> tuple[str, ...]:
    old = age(now - snapshot.taken_at) if snapshot.taken_at is not None else ""
    stored = f"{snapshot.stored_bytes / (1 << 20):.1f} MiB"
    return snapshot.id, old, str(snapshot.revision), stored, snapshot.damaged or "sound"


def _status(cluster: Cluster) -> ClusterBackupStatus:
    return cluster.status.backup or ClusterBackupStatus()
