"""`homeostat rotate`: have keys of a cluster made anew, let the old ones go, or take a rotation back."""

from __future__ import annotations

from typing import Any

import click

from homeostat.api.cluster.certificates import ClusterRotationStatus
from homeostat.api.cluster.v1alpha1 import CLUSTER, Cluster
from homeostat.api.kind import Kind, unstructured
from homeostat.cli import moving
from homeostat.cli.awaiting import Awaited, wait_until_met
from homeostat.cli.exits import CliError, Exit
from homeostat.cli.kinds import KindName
from homeostat.cli.options import Connection, Duration, connection_options
from homeostat.cli.session import Session, converse
from homeostat.operators.cluster import words
from homeostat.operators.cluster.pki import states
from homeostat.operators.cluster.turns.rotating import is_taken_back

_FIELDS = {"authorities": "authorities", "token-key": "tokenKey", "encryption-key": "encryptionKey"}
_HELD = "Holding"


@click.command()
@click.argument("kind", type=KindName())
@click.argument("name")
@click.option("--keys", type=click.Choice(list(_FIELDS)), help="Which keys to make anew.")
@click.option("--release", is_flag=True, help="Let the rotation that is under way forget the old keys.")
@click.option("--take-back", is_flag=True, help="Take the rotation that is under way back.")
@click.option("--wait/--no-wait", "waits", default=False, show_default=True, help="Wait until it is done, or is held.")
@click.option("--timeout", type=Duration(), default="15m", show_default=True, help="How long to wait.")
@connection_options
def rotate(
    kind: Kind[dict[str, Any]],
    name: str,
    keys: str | None,
    release: bool,
    take_back: bool,
    waits: bool,
    timeout: float,
    connection: Connection,
) -> None:
    """Have keys of a cluster made anew; old and new ones are accepted until the old ones are released."""
    moving.require_cluster(kind)
    if [keys is not None, release, take_back].count(True) != 1:
        raise click.UsageError("expected one of --keys, --release and --take-back")
    timeout_s = timeout if waits else None
    if keys is not None:
        converse(connection, lambda session: _begin(session, name, _FIELDS[keys], timeout_s))
    else:
        converse(connection, lambda session: _end(session, name, timeout_s, taken_back=take_back))


async def _begin(session: Session, name: str, keys: str, timeout_s: float | None) -> None:
    cluster = await moving.read(session, name)
    going = cluster.status.rotation
    if going is not None and going.keys != keys:
        raise CliError(
            f"cluster {name}: {going.keys} are being rotated, the stage is {going.stage}",
            Exit.REFUSED,
            remedy="wait for it, or use --release or --take-back",
        )
    number = cluster.status.rotations.of(keys) + 1
    await _declare(session, cluster, {"rotations": {keys: number}})
    click.echo(f"cluster {name}: declared rotation {number} of {keys}")
    await _wait(session, name, keys, number, timeout_s, until_held=True)


async def _end(session: Session, name: str, timeout_s: float | None, *, taken_back: bool) -> None:
    cluster = await moving.read(session, name)
    going = cluster.status.rotation
    if going is None:
        raise CliError(f"cluster {name}: no keys are being rotated", Exit.REFUSED, remedy="begin with --keys")
    _require_way(cluster, going, taken_back=taken_back)
    if taken_back:
        await _declare(session, cluster, {"rotations": {going.keys: cluster.status.rotations.of(going.keys)}})
        click.echo(f"cluster {name}: declared that the rotation of {going.keys} is taken back")
    else:
        await _declare(session, cluster, {"released": {going.keys: going.number}})
        click.echo(f"cluster {name}: declared that the old {going.keys} may go")
    await _wait(session, name, going.keys, going.number, timeout_s, until_held=False)


def _require_way(cluster: Cluster, going: ClusterRotationStatus, *, taken_back: bool) -> None:
    """Raise CliError where the operator would not do what is asked."""
    name, is_back = cluster.metadata.name, is_taken_back(cluster, going)
    if going.stage == states.ABANDONING or (is_back and not taken_back):
        what = f"the rotation of {going.keys} is being taken back, the stage is {going.stage}"
        raise CliError(f"cluster {name}: {what}", Exit.REFUSED, remedy="wait until it has ended")
    if taken_back and not states.state(going.stage).back:
        what = f"it is too late to take the rotation of {going.keys} back, the stage is {going.stage}"
        raise CliError(f"cluster {name}: {what}", Exit.REFUSED, remedy="let it end, then begin another one with --keys")
    if taken_back and cluster.status.rotations.of(going.keys) == going.number:
        what = f"nobody asked for the rotation of {going.keys}, so there is nothing to take back: Secrets come to be"
        raise CliError(f"cluster {name}: {what} encrypted", Exit.REFUSED, remedy="let it end")
    if not taken_back and going.keys == states.ENCRYPTION_KEY:
        what = "the old encryption key goes by itself, when nothing is encrypted with it any more"
        raise CliError(f"cluster {name}: {what}", Exit.REFUSED, remedy="`homeostat wait` for it, or --take-back")


async def _declare(session: Session, cluster: Cluster, keys: dict[str, Any]) -> None:
    await moving.change(session, cluster, {"keys": keys}, "none")


async def _wait(
    session: Session, name: str, keys: str, number: int, timeout_s: float | None, *, until_held: bool
) -> None:
    """Until the rotation is over, or waits for a release if that is enough."""
    if timeout_s is None:
        return

    def met(content: dict[str, Any] | None) -> bool:
        if content is None:
            raise CliError(f"cluster {name} was deleted while waiting", Exit.NOT_FOUND)
        status = content.get("status", {})
        going = status.get("rotation")
        if going is not None:
            held = going["stage"] == _HELD and keys != _FIELDS["encryption-key"]
            return bool(until_held and held and (going["keys"], going["number"]) == (keys, number))
        done = int(status.get("rotations", {}).get(keys, 0))
        asked = int(content["spec"].get("keys", {}).get("rotations", {}).get(keys, 0))
        return done >= number or asked < number

    what = f"rotated to {keys} {number}, or held"
    await wait_until_met(session, Awaited(unstructured(CLUSTER.resource), name, what, met, words.PKI_READY), timeout_s)
    cluster = await moving.read(session, name)
    if cluster.status.rotation is not None:
        click.echo(f"cluster {name}: both are accepted; let the old {keys} go with --release")
    else:
        click.echo(f"cluster {name}: {keys} rotation {cluster.status.rotations.of(keys)} is what is used")
