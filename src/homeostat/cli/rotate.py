"""`homeostat rotate`: have keys of a cluster made anew, let the old ones go, or take a rotation back."""

from __future__ import annotations

from typing import Any

import click

from homeostat.api.cluster.certificates import ClusterRotationStatus
from homeostat.api.cluster.v1alpha1 import CLUSTER, Cluster
from homeostat.api.kind import unstructured
from homeostat.cli import moving
from homeostat.cli.awaiting import Awaited, wait_until_met
from homeostat.cli.changing import Way, change, say, show, warn_if_paused, way_options
from homeostat.cli.exits import CliError, Exit
from homeostat.cli.kinds import cluster_arguments
from homeostat.cli.options import Connection, connection_options
from homeostat.cli.session import Session, converse
from homeostat.operators.cluster import words
from homeostat.operators.cluster.pki import states
from homeostat.operators.cluster.turns.released import is_taken_back

_FIELDS = {"authorities": "authorities", "token-key": "tokenKey", "encryption-key": "encryptionKey"}
_HELD = "Holding"


@click.command()
@cluster_arguments
@click.option("--keys", type=click.Choice(list(_FIELDS)), help="Which keys to make anew.")
@click.option("--release", is_flag=True, help="Let the rotation that is under way forget the old keys.")
@click.option("--take-back", is_flag=True, help="Take the rotation that is under way back.")
@way_options("it is done, or is held")
@connection_options
def rotate(
    name: str,
    keys: str | None,
    release: bool,
    take_back: bool,
    way: Way,
    connection: Connection,
) -> None:
    """Have keys of a cluster made anew; old and new ones are accepted until the old ones are released.

    --dry-run prints the stages that it will go through.
    """
    if [keys is not None, release, take_back].count(True) != 1:
        raise click.UsageError("expected one of --keys, --release and --take-back")
    if keys is not None:
        converse(connection, lambda session: _begin(session, name, _FIELDS[keys], way))
    else:
        converse(connection, lambda session: _end(session, name, way, taken_back=take_back))


async def _begin(session: Session, name: str, keys: str, way: Way) -> None:
    cluster = await moving.read(session, name)
    going = cluster.status.rotation
    if going is not None and going.keys != keys:
        raise CliError(
            f"cluster {name}: {going.keys} are being rotated, the stage is {going.stage}",
            Exit.REFUSED,
            remedy="wait for it, or use --release or --take-back",
        )
    number = cluster.status.rotations.of(keys) + 1
    _show_stages(going.stage if going is not None else states.PREPARING, way, taken_back=False)
    line = f"cluster {name}: declared rotation {number} of {keys}"
    await _declare(session, cluster, {"rotations": {keys: number}}, line, way)
    await _wait(session, name, keys, number, way, until_held=True)


async def _end(session: Session, name: str, way: Way, *, taken_back: bool) -> None:
    cluster = await moving.read(session, name)
    going = cluster.status.rotation
    if going is None:
        raise CliError(f"cluster {name}: no keys are being rotated", Exit.REFUSED, remedy="begin with --keys")
    _require_way(cluster, going, taken_back=taken_back)
    _show_stages(going.stage, way, taken_back=taken_back)
    if taken_back:
        wish = {"rotations": {going.keys: cluster.status.rotations.of(going.keys)}}
        line = f"cluster {name}: declared that the rotation of {going.keys} is taken back"
    else:
        wish = {"released": {going.keys: going.number}}
        line = f"cluster {name}: declared that the old {going.keys} may go"
    await _declare(session, cluster, wish, line, way)
    await _wait(session, name, going.keys, going.number, way, until_held=False)


def _show_stages(stage: str, way: Way, *, taken_back: bool) -> None:
    """What a dry run tells: the stage that it is in, or begins with, and all that follow."""
    if way.dry_run == "none":
        return
    number = 1
    while stage:
        known = states.state(stage)
        say(f"{number}. {stage}: {known.meaning}", way)
        stage = known.back if taken_back else known.forward
        number += 1


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


async def _declare(session: Session, cluster: Cluster, keys: dict[str, Any], line: str, way: Way) -> None:
    warn_if_paused(cluster)
    show(await change(session, cluster, {"keys": keys}, way), line, way)


async def _wait(session: Session, name: str, keys: str, number: int, way: Way, *, until_held: bool) -> None:
    """Until the rotation is over, or waits for a release if that is enough."""
    if way.timeout_s is None:
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
    awaited = Awaited(unstructured(CLUSTER.resource), name, what, met, tells=words.PKI_READY)
    await wait_until_met(session, awaited, way.timeout_s)
    cluster = await moving.read(session, name)
    if cluster.status.rotation is not None:
        say(f"cluster {name}: both are accepted; let the old {keys} go with --release", way)
    else:
        say(f"cluster {name}: {keys} rotation {cluster.status.rotations.of(keys)} is what is used", way)
