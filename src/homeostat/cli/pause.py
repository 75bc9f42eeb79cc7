"""`homeostat pause` and `homeostat resume`: stop all changes to a cluster, and let them go on."""

from __future__ import annotations

from typing import Any

import click

from homeostat.api.cluster.v1alpha1 import CLUSTER
from homeostat.api.kind import unstructured
from homeostat.cli import moving
from homeostat.cli.awaiting import Awaited, condition, wait_until_met
from homeostat.cli.changing import Way, change, generation, say, show, way_options
from homeostat.cli.exits import CliError, Exit
from homeostat.cli.kinds import cluster_arguments
from homeostat.cli.options import Connection, connection_options
from homeostat.cli.session import Session, converse
from homeostat.operators.cluster import words


@click.command()
@cluster_arguments
@way_options("the operator says that it holds", timeout="1m")
@connection_options
def pause(name: str, way: Way, connection: Connection) -> None:
    """Touch nothing of a cluster until it is resumed; its masters run on.

    The operator ends the step that it is at, and no other follows; --wait returns when it says so.
    """
    converse(connection, lambda session: _set(session, name, way, paused=True))


@click.command()
@cluster_arguments
@way_options("the operator says that it goes on", timeout="1m")
@connection_options
def resume(name: str, way: Way, connection: Connection) -> None:
    """Go on with what is declared."""
    converse(connection, lambda session: _set(session, name, way, paused=False))


async def _set(session: Session, name: str, way: Way, *, paused: bool) -> None:
    cluster = await moving.read(session, name)
    word = "paused" if paused else "resumed"
    is_so = cluster.spec.paused is paused
    content = await change(session, cluster, {} if is_so else {"paused": paused}, way)
    show(content, f"cluster {name}: is {word} already" if is_so else f"cluster {name}: {word}", way)
    if way.timeout_s is not None:
        await _wait(session, name, generation(content), way.timeout_s, paused=paused)
        say(f"cluster {name}: the operator {'touches nothing of it' if paused else 'goes on'}", way)


async def _wait(session: Session, name: str, since: int, timeout_s: float, *, paused: bool) -> None:
    """Return when the operator has followed. Raises CliError when something else keeps it from that."""

    def met(content: dict[str, Any] | None) -> bool:
        if content is None:
            raise CliError(f"cluster {name} was deleted while waiting", Exit.NOT_FOUND)
        if bool(content["spec"].get("paused")) is not paused:
            undone = "resumed" if paused else "paused"
            raise CliError(f"cluster {name}: somebody {undone} it meanwhile", Exit.REFUSED)
        found = condition(content, words.ACCEPTED)
        if found is None or found.get("observedGeneration", 0) < since:
            return False
        if found["status"] == "True" or found["reason"] in (words.PAUSED, words.QUEUED):
            return (found["reason"] == words.PAUSED) is paused
        raise CliError(f"cluster {name}: {found['reason']}: {found['message']}")

    what = "paused" if paused else "resumed"
    awaited = Awaited(unstructured(CLUSTER.resource), name, what, met, tells=words.ACCEPTED)
    await wait_until_met(session, awaited, timeout_s)
