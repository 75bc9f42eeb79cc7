"""`homeostat delete`: ask for deletion, and if wanted wait until all is gone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from homeostat.api.kind import Kind
from homeostat.cli.awaiting import Awaited, wait_until_met
from homeostat.cli.changing import require_wait, wait_options
from homeostat.cli.exits import Exit
from homeostat.cli.failures import report
from homeostat.cli.kinds import KindName
from homeostat.cli.options import READS_ONLY, Connection, connection_options, dry_run_option, dry_run_suffix
from homeostat.cli.session import Session, converse
from homeostat.kube.errors import ApiError


@click.command()
@click.argument("kind", type=KindName())
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@wait_options("the objects are gone", "5m")
@dry_run_option(READS_ONLY)
@connection_options
def delete(
    kind: Kind[dict[str, Any]],
    names: Sequence[str],
    waits: bool,
    timeout: float,
    dry_run: str,
    connection: Connection,
) -> None:
    """Delete objects of a KIND by NAME."""
    require_wait(waits=waits)
    code = converse(connection, lambda session: _delete(session, kind, names, dry_run, timeout if waits else None))
    click.get_current_context().exit(code)


async def _delete(
    session: Session, kind: Kind[dict[str, Any]], names: Sequence[str], dry_run: str, timeout_s: float | None
) -> int:
    codes = []
    for name in names:
        try:
            await _delete_one(session, kind, name, dry_run, timeout_s)
        except ApiError as error:
            codes.append(report(error))
    return codes[0] if codes else Exit.OK


async def _delete_one(
    session: Session, kind: Kind[dict[str, Any]], name: str, dry_run: str, timeout_s: float | None
) -> None:
    namespace = session.namespace if kind.resource.namespaced else ""
    content = await session.client.get(kind, name, namespace)
    uid = content["metadata"]["uid"]
    suffix = dry_run_suffix(dry_run)
    if dry_run != "client":
        # Only the very object that is there now: one that is made anew meanwhile is not meant.
        await session.client.delete(kind, name, namespace, uid=uid, dry_run=dry_run == "server")
    if dry_run == "none" and timeout_s is not None:

        def gone(found: dict[str, Any] | None) -> bool:
            return found is None or found["metadata"]["uid"] != uid

        await wait_until_met(session, Awaited(kind, name, "deleted", gone), timeout_s)
    click.echo(f'{kind.resource.kind.lower()}.{kind.resource.group} "{name}" deleted{suffix}')
