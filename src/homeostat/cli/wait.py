"""`homeostat wait`: until a condition has a status, or until an object is gone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from homeostat.api.kind import Kind
from homeostat.cli.awaiting import Awaited, condition, wait_until_met
from homeostat.cli.kinds import KindName, typed
from homeostat.cli.options import Connection, Duration, connection_options
from homeostat.cli.session import Session, converse
from homeostat.kube.errors import NotFound


@click.command()
@click.argument("kind", type=KindName())
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@click.option("--for", "wish", required=True, metavar="WISH", help="delete, or condition=TYPE[=STATUS].")
@click.option(
    "--timeout", type=Duration(), default="30s", show_default=True, help="How long to wait, for all together."
)
@connection_options
def wait(kind: Kind[dict[str, Any]], names: Sequence[str], wish: str, timeout: float, connection: Connection) -> None:
    """Wait until objects have a condition, or are gone."""
    awaited = [judgement(kind, name, wish) for name in names]
    converse(connection, lambda session: _wait(session, awaited, timeout))


async def _wait(session: Session, all_awaited: Sequence[Awaited], timeout_s: float) -> None:
    end = session.clock.monotonic() + timeout_s
    for awaited in all_awaited:
        resource = awaited.kind.resource
        if awaited.what != "deleted":
            # As kubectl: an object that is not there is a mistake, not something to wait for.
            await session.client.get(awaited.kind, awaited.name, session.namespace if resource.namespaced else "")
        await wait_until_met(session, awaited, max(end - session.clock.monotonic(), 0.0), asked_s=timeout_s)
        click.echo(f"{typed(resource, awaited.name)} {'deleted' if awaited.what == 'deleted' else 'condition met'}")


def judgement(kind: Kind[dict[str, Any]], name: str, wish: str) -> Awaited:
    """What a value of --for asks for. Raises UsageError for what it may not be."""
    word, _, rest = wish.partition("=")
    if wish == "delete":
        return Awaited(kind, name, "deleted", lambda content: content is None)
    if word != "condition" or not rest:
        raise click.BadParameter(f"expected delete or condition=TYPE[=STATUS], found {wish!r}", param_hint="--for")
    type_, _, status = rest.partition("=")

    def met(content: dict[str, Any] | None) -> bool:
        if content is None:
            raise NotFound(404, "NotFound", f"{kind.resource.kind.lower()} {name} was deleted while waiting")
        found = condition(content, type_)
        current = content["metadata"].get("generation", 0)
        # A condition about an older generation says nothing about what was asked for last.
        fresh = found is not None and found.get("observedGeneration", current) >= current
        return found is not None and fresh and found["status"].lower() == (status or "True").lower()

    return Awaited(kind, name, rest if status else f"{type_}=True", met)
