"""`homeostat kubeconfig`: access to a business cluster, or to the cell itself."""

from __future__ import annotations

import base64
import binascii
import os
from pathlib import Path

import click

from homeostat.api.cluster.v1alpha1 import CLUSTER
from homeostat.api.core import SECRET
from homeostat.cli.exits import CliError, Exit
from homeostat.cli.options import Connection, Duration, connection_options
from homeostat.cli.session import Session, converse, kubeconfig_path
from homeostat.kit.files import write_private
from homeostat.kube.errors import NotFound
from homeostat.operators.cluster.names import KUBECONFIG_KEY, Names


@click.command()
@click.argument("name", required=False)
@click.option("-o", "--output", metavar="FILE", help="Write to FILE, readable by you only, instead of stdout.")
@click.option("--ttl", type=Duration(), default="1h", show_default=True, help="How long it is valid, 10m at least.")
@click.option("--user", metavar="NAME", help="As whom; left out, the name that the cell knows you by, after `cell:`.")
@click.option(
    "--group", "groups", metavar="NAME", multiple=True, help="Of which groups; left out, those who may do everything."
)
@click.option("--admin", is_flag=True, help="The operator's own kubeconfig instead, which lasts for months.")
@connection_options
def kubeconfig(
    name: str | None,
    output: str | None,
    ttl: float,
    user: str | None,
    groups: tuple[str, ...],
    admin: bool,
    connection: Connection,
) -> None:
    """Print a new, short-lived kubeconfig of the Cluster NAME; without NAME, the kubeconfig of the cell itself."""
    if name is None:
        content = _of_cell(connection)
    elif admin:
        content = converse(connection, lambda session: _of_admin(session, name))
    else:
        content = converse(connection, lambda session: _issued(session, name, user or "", groups, ttl))
    if not output or output == "-":
        click.echo(content, nl=False)
        return
    write_private(Path(output), content)
    click.echo(f"wrote {output}", err=True)


def _of_cell(connection: Connection) -> bytes:
    path = kubeconfig_path(connection, os.environ)
    if path is None:
        listed = [Path(part) for part in os.environ.get("KUBECONFIG", "").split(os.pathsep) if part]
        usual = Path(os.environ.get("HOME") or Path.home()) / ".kube" / "config"
        present = [candidate for candidate in listed or [usual] if candidate.is_file()]
        if len(present) != 1:
            names = os.pathsep.join(map(str, listed or [usual]))
            raise CliError(
                f"{names}: expected one kubeconfig file, found {len(present) or 'none'}",
                Exit.UNREACHABLE,
                remedy="raise a data centre with `homeostat up`, or name a file with --kubeconfig",
            )
        path = present[0]
    return path.read_bytes()


async def _issued(session: Session, name: str, user: str, groups: tuple[str, ...], ttl_s: float) -> bytes:
    from homeostat.cli import issuing  # here: loading cryptography is slow, and other uses need none

    if ttl_s < issuing.SHORTEST_S:
        raise CliError(f"--ttl: expected 10m or more, found {ttl_s:.0f}s", Exit.USAGE)
    admin = await _of_admin(session, name)
    holder = issuing.Holder(user or await issuing.whoami(session), groups or (issuing.ADMINS,), ttl_s)
    return await issuing.issue(session, admin, holder)


async def _of_admin(session: Session, name: str) -> bytes:
    secret_name = Names(name, session.namespace).admin
    try:
        secret = await session.client.get(SECRET, secret_name, session.namespace)
    except NotFound:
        await session.client.get(CLUSTER, name, session.namespace)  # raises NotFound when it is the Cluster that lacks
        raise CliError(
            f"cluster {name}: its kubeconfig (Secret {session.namespace}/{secret_name}) is not there yet",
            Exit.NOT_FOUND,
            remedy=f"wait for it: homeostat wait cluster {name} -n {session.namespace} --for=condition=Ready",
        ) from None
    try:
        content = base64.b64decode(secret.data.get(KUBECONFIG_KEY, ""), validate=True)
    except binascii.Error:
        content = b""
    if not content:
        raise CliError(
            f"Secret {session.namespace}/{secret_name}: expected a kubeconfig under the key {KUBECONFIG_KEY!r},"
            " found none",
            remedy="somebody edited it; delete the Secret, the operator makes it anew",
        )
    return content
